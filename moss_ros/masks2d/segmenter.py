"""What makes the 2D masks of a keyframe. Everything after it only sees label images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from moss_ros.mapping.keyframes import Keyframe


@dataclass(frozen=True, slots=True)
class MapState:
    """What a segmenter may know of the map; one row per voxel."""

    position: np.ndarray  # (N, 3) float32
    normal: np.ndarray  # (N, 3) float32, zero where unknown
    background: np.ndarray  # (N,) bool: structure, supports, and voxels that are not solid


class Segmenter(Protocol):
    """Not thread-safe: the pipeline's worker owns it."""

    @property
    def needs_background(self) -> bool:
        """Whether masks grow stale when the background of the map changes."""
        ...

    def labels(self, keyframe: Keyframe, voxel_image: np.ndarray, state: MapState) -> np.ndarray:
        """(H, W) int32 of the size of the depth image: 0 = no mask, else 1..n.

        voxel_image (H, W) int32: the voxel that holds each pixel's point, -1 = none.
        """
        ...
