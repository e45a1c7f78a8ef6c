"""Ground truth on the voxels of a map itself, for maps whose poses drift: there the true surface lies elsewhere."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.sparse import csr_matrix

from moss_ros.evaluation.class_agnostic import MIN_POINTS
from moss_ros.evaluation.ground_truth import GroundTruth
from moss_ros.mapping.voxel_map import VoxelMap
from moss_ros.masks2d.oracle import IdImages
from moss_ros.records import Frame

TRUTH_VOXEL_M = 0.01  # of gt_points.npz


def truth_in_map(voxels: VoxelMap, frames: Iterable[Frame], images: IdImages, truth: GroundTruth) -> GroundTruth:
    """The solid voxels, each with the instance that most of its pixels show.

    frames: the recording once more, with the poses that made the map, so that each pixel falls on the voxel it was
    mapped to. truth: says what the ids mean. Voxels that no pixel falls on are void.
    """
    solid = np.flatnonzero(voxels.solid())
    instance = _majority(voxels, frames, images)[solid]
    table = np.zeros(256, np.int32)
    for number, known in truth.instances.items():
        table[number] = known.category_id
    points_m = voxels.position[solid].astype(np.float64)
    return GroundTruth(points_m, instance, table[instance], truth.instances, truth.categories)


def min_points_in_map(voxel_size_m: float) -> int:
    """Points of a thing of the least area that is scored: MIN_POINTS counts the finer voxels of the true surface."""
    return max(round(MIN_POINTS * (TRUTH_VOXEL_M / voxel_size_m) ** 2), 1)


def _majority(voxels: VoxelMap, frames: Iterable[Frame], images: IdImages) -> np.ndarray:
    """(N,) int32 id that most pixels of each voxel show; of equal ones the lowest, 0 where there are none."""
    shape = (voxels.count, 256)
    pixels = csr_matrix(shape, dtype=np.int32)
    for frame in frames:
        image = voxels.voxel_image(frame.depth_m, frame.world_from_camera, frame.depth_camera)
        hit = image >= 0
        ids = images.ids(frame.stamp_ns)[hit]
        pixels += csr_matrix((np.ones(len(ids), np.int32), (image[hit], ids)), shape=shape)
    return np.asarray(pixels.argmax(axis=1)).ravel().astype(np.int32)
