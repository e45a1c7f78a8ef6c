"""The map as the proposal stages see it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moss_ros.geometry.voxels import VoxelIndex
from moss_ros.mapping.voxel_map import VoxelMap


@dataclass(frozen=True, slots=True)
class SolidVoxels:
    """Arrays have one row per voxel of the map."""

    position: np.ndarray  # (N, 3) float32
    color_rgb: np.ndarray  # (N, 3) float32, 0..255
    grid: np.ndarray  # (N, 3) int32
    neighbours: np.ndarray  # (N, 26) int32
    solid: np.ndarray  # (N,) bool
    block: np.ndarray  # (N,) int32 block of each voxel in the index
    index: VoxelIndex
    voxel_size_m: float

    @classmethod
    def of(cls, voxels: VoxelMap, solid: np.ndarray) -> SolidVoxels:
        """The map with its solid voxels (N,) bool."""
        return cls(
            voxels.position,
            voxels.color,
            voxels.grid,
            voxels.neighbours,
            solid,
            voxels.block,
            voxels.index,
            voxels.voxel_size_m,
        )
