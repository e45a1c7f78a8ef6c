"""What makes the 2D masks of a keyframe. Everything after it only sees label images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from moss_ros.mapping.keyframes import Keyframe
from moss_ros.masks2d.pixel_pairs import PixelPairs, pairs_of_labels


@dataclass(frozen=True, slots=True)
class MapView:
    """The map as one keyframe sees it; N voxels."""

    voxel_image: np.ndarray  # (H, W) int32: the voxel that holds each pixel's point, -1 = none
    position: np.ndarray  # (N, 3) float32
    normal: np.ndarray  # (N, 3) float32, zero where unknown
    background: np.ndarray  # (N,) bool: structure, supports, and voxels that are not solid


class Segmenter(Protocol):
    """Not thread-safe: the pipeline's worker owns it."""

    @property
    def needs_map(self) -> bool:
        """True: masks are made when the map is segmented, and again when its background changed.

        False: they are made once, when the keyframe comes.
        """
        ...

    def labels(self, keyframe: Keyframe, floor_m: float | None, view: MapView | None) -> np.ndarray:
        """(H, W) int32 of the size of the depth image: 0 = no mask, else 1..n.

        floor_m: height of the floor in the world, None = not known yet; view: given to those that need the map.
        """
        ...


@runtime_checkable
class PairSegmenter(Segmenter, Protocol):
    """One that knows more about pairs of pixels than its label images tell."""

    def masks(self, keyframe: Keyframe, floor_m: float | None) -> tuple[np.ndarray, PixelPairs]:
        """The label image, as labels makes it, and what it was made from."""
        ...


def masks_of(
    segmenter: Segmenter, keyframe: Keyframe, floor_m: float | None, view: MapView | None
) -> tuple[np.ndarray, PixelPairs]:
    """Label image and pairs of a keyframe from any segmenter; labels alone cost less."""
    if isinstance(segmenter, PairSegmenter):
        return segmenter.masks(keyframe, floor_m)
    labels = segmenter.labels(keyframe, floor_m, view)
    return labels, pairs_of_labels(labels)
