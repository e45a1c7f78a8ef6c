"""The keyframes with their 2D masks and evidence, segmented again only when their background changed."""

from __future__ import annotations

import numpy as np

from moss_ros.config import MasksConfig
from moss_ros.geometry.bits import ones_per_row
from moss_ros.mapping.keyframes import Keyframe, make_keyframe
from moss_ros.mapping.voxel_map import VoxelMap
from moss_ros.masks2d.evidence import EvidenceStore, lift
from moss_ros.masks2d.segmenter import MapView, Segmenter
from moss_ros.records import Frame


class KeyframeMasks:
    """A bounded set of keyframes; each has a slot number that its evidence uses."""

    def __init__(self, config: MasksConfig, budget: int, segmenter: Segmenter) -> None:
        self._config = config
        self._segmenter = segmenter
        self._budget = budget
        self.keyframes: dict[int, Keyframe] = {}
        self.evidence = EvidenceStore()
        self._background: dict[int, np.ndarray] = {}  # of the evidence's voxels, when it was made
        self._labels: dict[int, np.ndarray] = {}  # masks that were made without the map, until they are lifted
        self._new: set[int] = set()

    def add(self, frame: Frame, sharpness: float, floor_m: float | None = None) -> None:
        """Keep a frame; when the budget is full the keyframe best covered by others goes first.

        floor_m: height of the floor, where it is known.
        """
        if len(self.keyframes) >= self._budget:
            self._drop(self._most_redundant())
        slot = next(s for s in range(self._budget + 1) if s not in self.keyframes)
        self.keyframes[slot] = make_keyframe(frame, slot, sharpness)
        self._new.add(slot)
        if not self._segmenter.needs_map:
            self._labels[slot] = self._segmenter.labels(self.keyframes[slot], floor_m, None).astype(np.uint16)

    def stamps_ns(self) -> dict[int, int]:
        """Stamp of each slot."""
        return {slot: keyframe.stamp_ns for slot, keyframe in self.keyframes.items()}

    def refresh(self, voxels: VoxelMap, normal: np.ndarray, background: np.ndarray, everything: bool) -> int:
        """Lift the masks of new keyframes, and segment the stalest old ones again; returns how many."""
        self.evidence.resize(voxels.count)
        aging = self.evidence.slots() if self._segmenter.needs_map else []
        stale = {slot: self._staleness(slot, background) for slot in aging}
        limit = 0.0 if everything else self._config.stale_share
        due = sorted((s for s in stale if stale[s] > limit), key=lambda s: (-stale[s], s))
        if not everything:
            due = due[: self._config.refresh_keyframes]
        work = sorted(self._new) + due
        for slot in work:
            self._lift(self.keyframes[slot], voxels, normal, background)
        self._new.clear()
        return len(work)

    def _lift(self, keyframe: Keyframe, voxels: VoxelMap, normal: np.ndarray, background: np.ndarray) -> None:
        image = voxels.voxel_image(keyframe.depth_m, keyframe.world_from_camera, keyframe.camera)
        labels = self._labels.pop(keyframe.slot, None)
        if labels is None:
            view = MapView(image, voxels.position, normal, background)
            labels = self._segmenter.labels(keyframe, None, view)
        evidence = lift(image, labels)
        self.evidence.put(keyframe.slot, evidence)
        self._background[keyframe.slot] = background[evidence.voxels]

    def _staleness(self, slot: int, background: np.ndarray) -> float:
        """Share of the keyframe's voxels whose background flag changed since it was segmented."""
        voxels = self.evidence.views[slot].voxels
        if not len(voxels):
            return 0.0  # it had no depth: segmenting it again would only keep others waiting
        return float(np.mean(background[voxels] != self._background[slot]))

    def _drop(self, slot: int) -> None:
        del self.keyframes[slot]
        self.evidence.drop(slot)
        self._background.pop(slot, None)
        self._labels.pop(slot, None)
        self._new.discard(slot)

    def _most_redundant(self) -> int:
        """The keyframe with the smallest share of voxels that fewer than two others see."""
        if not self.evidence.views:
            return min(self.keyframes, key=lambda s: self.keyframes[s].stamp_ns)
        seen_by = ones_per_row(self.evidence.seen)
        own = {
            s: float(np.mean(seen_by[v.voxels] <= 2)) if len(v.voxels) else 0.0 for s, v in self.evidence.views.items()
        }
        return min(own, key=lambda s: (own[s], self.keyframes[s].stamp_ns))
