"""Fixed ways to make a dense mask of the visible points of one thing: what the expansion is compared with.

Each takes the points' pixels (n, 2) int32 as u, v, the image shape and the typical spacing of the points in px.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from scipy.spatial import Delaunay, QhullError

Baseline = Callable[[np.ndarray, tuple[int, int], float], np.ndarray]


def raw(pixels: np.ndarray, shape: tuple[int, int], spacing_px: float) -> np.ndarray:
    """The pixels themselves."""
    out = np.zeros(shape, np.uint8)
    out[pixels[:, 1], pixels[:, 0]] = 1
    return out


def dilated(radius_px: int) -> Baseline:
    """A disc of fixed size about each pixel."""
    return lambda pixels, shape, spacing_px: cv2.dilate(raw(pixels, shape, spacing_px), _disc(radius_px))


def dilated_by_depth(pixels: np.ndarray, shape: tuple[int, int], spacing_px: float) -> np.ndarray:
    """A disc as large as the spacing at the thing's distance."""
    return cv2.dilate(raw(pixels, shape, spacing_px), _disc(0.6 * spacing_px))


def closed(pixels: np.ndarray, shape: tuple[int, int], spacing_px: float) -> np.ndarray:
    """Dilation, then a smaller erosion."""
    return cv2.erode(cv2.dilate(raw(pixels, shape, spacing_px), _disc(0.9 * spacing_px)), _disc(0.5 * spacing_px))


def convex_hull(pixels: np.ndarray, shape: tuple[int, int], spacing_px: float) -> np.ndarray:
    """Everything between the outermost pixels."""
    out = np.zeros(shape, np.uint8)
    return cv2.fillConvexPoly(out, cv2.convexHull(pixels), 1)


def alpha_shape(pixels: np.ndarray, shape: tuple[int, int], spacing_px: float) -> np.ndarray:
    """Delaunay triangles without long edges."""
    out = raw(pixels, shape, spacing_px)
    distinct = np.unique(pixels, axis=0)
    if len(distinct) < 4:
        return out
    try:
        corners = distinct[Delaunay(distinct, qhull_options="QJ").simplices]
    except QhullError:  # all on one line
        return out
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(1)
    for triangle in corners[longest < 2.2 * spacing_px + 1]:
        cv2.fillConvexPoly(out, triangle, 1)
    return out


def voronoi_labels(pixels: np.ndarray, labels: np.ndarray, cut_px: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """(H, W) int32: the label of the nearest point of all things, -1 beyond that point's cut; nearer points last."""
    seed = np.full(shape, -1, np.int32)
    seed[pixels[:, 1], pixels[:, 0]] = np.arange(len(pixels))
    distance, cell = cv2.distanceTransformWithLabels(
        (seed < 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    owner = np.full(int(cell.max()) + 1, -1, np.int32)
    owner[cell[seed >= 0]] = seed[seed >= 0]
    nearest = owner[cell]
    return np.where(distance <= cut_px[nearest], labels[nearest], -1).astype(np.int32)


BASELINES: dict[str, Baseline] = {
    "raw points": raw,
    "dilation r=3": dilated(3),
    "dilation r=7": dilated(7),
    "dilation r=13": dilated(13),
    "dilation by depth": dilated_by_depth,
    "closing": closed,
    "convex hull": convex_hull,
    "alpha shape": alpha_shape,
}


def _disc(radius_px: float) -> np.ndarray:
    r = max(1, round(radius_px))
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * r + 1, 2 * r + 1))
