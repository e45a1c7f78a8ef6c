"""Open pixels get the nearest visible voxel in the image: coarser than growth.py, one distance transform."""

from __future__ import annotations

import cv2
import numpy as np

from moss_ros.config import LiftingConfig
from moss_ros.lifting.ellipse import HALF_U, HALF_V, U, V, Z
from moss_ros.lifting.surfels import Surfels


def grow_nearest(surfels: Surfels, ids: np.ndarray, depth_m: np.ndarray, config: LiftingConfig) -> np.ndarray:
    """(H, W) int32 id buffer; arguments as for growth.grow. Rims and directions play no part.

    Pixel Voronoi cells by the label image of OpenCV's distance transform, cut at nearest_reach local spacings.
    """
    height, width = ids.shape
    column, row = np.floor(surfels.table[:, [U, V]].T + 0.5).astype(np.int64)
    inside = np.flatnonzero((column >= 0) & (column < width) & (row >= 0) & (row < height))
    if not len(inside):
        return ids.copy()
    far_first = inside[np.argsort(-surfels.table[inside, Z], kind="stable")]
    seed = np.full(ids.shape, -1, np.int64)
    seed[row[far_first], column[far_first]] = far_first
    distance_px, cell = cv2.distanceTransformWithLabels(
        (seed < 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    seed_of_cell = np.zeros(int(cell.max()) + 1, np.int64)
    seed_of_cell[cell[seed >= 0]] = seed[seed >= 0]
    owner = seed_of_cell[cell]
    half_px = surfels.table[:, [HALF_U, HALF_V]].max(1)
    limit_px = np.minimum(config.nearest_reach * half_px, config.max_reach_px)
    step_m = np.abs(depth_m - surfels.table[:, Z][owner])
    stopped = (depth_m > 0) & (step_m > config.stop_base_m + config.stop_slope * depth_m)
    taken = (ids < 0) & (distance_px <= limit_px[owner]) & ~stopped
    return np.where(taken, surfels.voxels[owner], ids)
