"""Which keyframes speak for an instance: those that see much of it, large, sharp, whole, and each another side.

A new view is worth what it adds: surface that the views chosen before did not show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moss_ros.mapping.keyframes import Keyframe

_SAMPLES = 256  # voxels of an instance that are asked; more change nothing
_LARGE_PX = 96.0  # an object this wide is large enough for any model
_BORDER_SHARE = 0.1  # of the image width: nearer to the border an object is probably cut
_CUT_WEIGHT = 0.3  # of a view whose object's centre lies on the border
_KNOWN_SURFACE = 0.2  # worth of a view that shows nothing new, beside one that shows all
_MIN_SHARE = 0.15  # of the voxels that a view must see
_SHARPNESS = (0.5, 1.2)  # bounds of the sharpness over that of the median keyframe


@dataclass(frozen=True, slots=True)
class ChosenView:
    """One keyframe for one instance."""

    slot: int
    stamp_ns: int
    weight: float  # visible share x size in the image x centredness x sharpness, about [0, 1]
    camera_m: tuple[float, float, float] = (0.0, 0.0, 0.0)  # where the camera was, world


class Views:
    """The keyframes of the moment, prepared for many instances."""

    def __init__(self, keyframes: Sequence[Keyframe], seen: np.ndarray) -> None:
        """seen: (N, W) uint64, the bit of each keyframe's slot in each voxel that it saw."""
        self._keyframes = [k for k in keyframes if k.slot // 64 < seen.shape[1]]
        self._seen = seen
        slots = np.array([k.slot for k in self._keyframes], np.int64)
        self._word, self._bit = slots // 64, (slots % 64).astype(np.uint64)
        poses = np.array([k.world_from_camera for k in self._keyframes]).reshape(-1, 4, 4)
        self._rotation, self._origin_m = poses[:, :3, :3], poses[:, :3, 3]
        cameras = [k.color_camera for k in self._keyframes]
        self._focal = np.array([[c.fx, c.fy] for c in cameras]).reshape(-1, 2)
        self._center = np.array([[c.cx, c.cy] for c in cameras]).reshape(-1, 2)
        self._size = np.array([[c.width, c.height] for c in cameras], float).reshape(-1, 2)
        sharp = np.array([k.sharpness for k in self._keyframes])
        self._sharp = np.clip(sharp / max(float(np.median(sharp)), 1e-9), *_SHARPNESS) if len(sharp) else sharp

    def choose(self, voxels: np.ndarray, position_m: np.ndarray, voxel_size_m: float, limit: int) -> list[ChosenView]:
        """At most `limit` views of the instance made of these voxels, the most telling first."""
        if not self._keyframes or not len(voxels):
            return []
        sample = voxels[np.linspace(0, len(voxels) - 1, min(len(voxels), _SAMPLES)).astype(np.int64)]
        shown = (self._seen[sample][:, self._word] >> self._bit) & np.uint64(1) > 0
        weight = self._weights(shown.mean(0), position_m[sample].mean(0), len(voxels), voxel_size_m)
        chosen: list[ChosenView] = []
        fresh = np.ones(len(sample), bool)
        worth = weight.copy()
        for _ in range(min(limit, len(weight))):
            best = int(np.argmax(worth))
            if worth[best] <= 0:
                break
            keyframe = self._keyframes[best]
            x, y, z = self._origin_m[best].tolist()
            chosen.append(ChosenView(keyframe.slot, keyframe.stamp_ns, float(weight[best]), (x, y, z)))
            weight_left = np.where(worth > 0, weight, 0)
            weight_left[best] = 0
            fresh &= ~shown[:, best]
            new = shown[fresh].sum(0) / np.maximum(shown.sum(0), 1)
            worth = weight_left * (_KNOWN_SURFACE + (1 - _KNOWN_SURFACE) * new)
        return chosen

    def _weights(self, share: np.ndarray, center_m: np.ndarray, count: int, voxel_size_m: float) -> np.ndarray:
        """(S,) weight of each keyframe for an instance of `count` voxels around center_m."""
        camera_m = np.einsum("sji,sj->si", self._rotation, center_m - self._origin_m)
        z = np.maximum(camera_m[:, 2], 1e-3)
        pixel = camera_m[:, :2] / z[:, None] * self._focal + self._center
        width_px = np.sqrt(share * count) * self._focal.mean(1) * voxel_size_m / z
        border = np.minimum(pixel, self._size - 1 - pixel).min(1) / (_BORDER_SHARE * self._size[:, 0])
        centred = _CUT_WEIGHT + (1 - _CUT_WEIGHT) * np.clip(border, 0, 1)
        weight = share * np.minimum(width_px / _LARGE_PX, 1) * centred * self._sharp
        return np.where((share >= _MIN_SHARE) & (camera_m[:, 2] > 0), weight, 0)
