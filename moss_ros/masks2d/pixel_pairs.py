"""Which pixels of an image belong to one thing: what a segmenter knows before it decides on masks.

H, W: the image reduced by stride_for(width); K: the pixels at OFFSETS that each pixel is compared with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moss_ros.masks2d.gravity_input import stride_for
from moss_ros.masks2d.regions import OFFSETS
from moss_ros.records import _require

SURE = 255  # probability 1


@dataclass(frozen=True, slots=True)
class PixelPairs:
    """Probabilities as bytes, 255 = certain: sums of bytes are exact in any order."""

    thing: np.ndarray  # (H, W) uint8 that the pixel is on a thing
    same: np.ndarray  # (K, H, W) uint8 that it and the pixel at each offset are on one thing
    measured: np.ndarray  # (H, W) bool

    def __post_init__(self) -> None:
        _require(self.thing.dtype == self.same.dtype == np.uint8, "probabilities are bytes")
        _require(self.same.shape == (len(OFFSETS), *self.thing.shape), "one probability per offset and pixel")
        _require(self.measured.shape == self.thing.shape, "measured has one value per pixel")


@dataclass(frozen=True, slots=True)
class ViewPairs:
    """PixelPairs of a keyframe with the voxel at each pixel."""

    voxels: np.ndarray  # (H, W) int32, -1 = none or not measured
    pairs: PixelPairs


def bytes_of(probability: np.ndarray) -> np.ndarray:
    """Probabilities in [0, 1] as uint8."""
    return (probability * SURE + 0.5).astype(np.uint8)


def pairs_of_labels(labels: np.ndarray) -> PixelPairs:
    """What a label image (H', W') of any size says about pairs: all or nothing; 0 = no thing."""
    small = _reduced(labels, stride_for(labels.shape[1]))
    height, width = small.shape
    same = np.zeros((len(OFFSETS), height, width), np.uint8)
    for out, (down, right) in zip(same, OFFSETS, strict=True):
        low, high = max(-right, 0), width - max(right, 0)
        if down < height and low < high:
            there = small[down:, low + right : high + right]
            here = small[: height - down, low:high]
            out[: height - down, low:high] = SURE * ((here > 0) & (here == there))
    return PixelPairs((SURE * (small > 0)).astype(np.uint8), same, np.ones(small.shape, bool))


def on_voxels(pairs: PixelPairs, voxel_image: np.ndarray) -> ViewPairs:
    """voxel_image (H', W') int32 of the whole image: the voxel that holds each pixel's point, -1 = none."""
    height, width = pairs.thing.shape
    voxels = _reduced(voxel_image, stride_for(voxel_image.shape[1]))[:height, :width]
    return ViewPairs(np.where(pairs.measured, voxels, -1).astype(np.int32), pairs)


def _reduced(image: np.ndarray, stride: int) -> np.ndarray:
    """The pixel in the middle of each whole block."""
    height, width = (n // stride * stride for n in image.shape)
    return image[:height, :width][stride // 2 :: stride, stride // 2 :: stride]
