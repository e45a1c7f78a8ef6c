"""The keyframes with their 2D masks and evidence, segmented again only when their background changed.

Masks that need no map are made in a thread of their own, while the next frames are mapped.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from moss_ros.config import MasksConfig
from moss_ros.geometry.bits import ones_per_row
from moss_ros.mapping.keyframes import Keyframe, make_keyframe
from moss_ros.mapping.voxel_map import VoxelMap
from moss_ros.masks2d.evidence import EvidenceStore, lift
from moss_ros.masks2d.pixel_pairs import PixelPairs, on_voxels
from moss_ros.masks2d.segmenter import MapView, Segmenter, masks_of
from moss_ros.one_worker import OneWorker
from moss_ros.records import Frame

_Masks = tuple[np.ndarray, PixelPairs | None]  # label image, and its pairs where they are kept


class KeyframeMasks:
    """A bounded set of keyframes; each has a slot number that its evidence uses."""

    def __init__(self, config: MasksConfig, budget: int, segmenter: Segmenter, keep_pairs: bool = False) -> None:
        """keep_pairs: the evidence also holds the pixel pairs of each keyframe, some megabytes."""
        self._config = config
        self._segmenter = segmenter
        self._budget = budget
        self._keep_pairs = keep_pairs
        self.keyframes: dict[int, Keyframe] = {}
        self.evidence = EvidenceStore()
        self._background: dict[int, np.ndarray] = {}  # of the evidence's voxels, when it was made
        self._worker = OneWorker()  # of masks that need no map
        self._made: dict[int, Callable[[], _Masks]] = {}  # such masks, waited for when they are lifted
        self._new: set[int] = set()

    def add(self, frame: Frame, sharpness: float, floor_m: float | None = None) -> None:
        """Keep a frame; when the budget is full the keyframe best covered by others goes first.

        floor_m: height of the floor, where it is known.
        """
        if self.is_full:
            self._drop(self._most_redundant())
        slot = next(s for s in range(self._budget + 1) if s not in self.keyframes)
        self.keyframes[slot] = make_keyframe(frame, slot, sharpness)
        self._new.add(slot)
        if not self._segmenter.needs_map:
            self._made[slot] = self._worker.submit(partial(self._masks, self.keyframes[slot], floor_m, None)).result

    def settle(self) -> None:
        """Wait for masks that are being made; then the keyframes can be copied."""
        self._made = {slot: partial(_known, masks()) for slot, masks in self._made.items()}

    @property
    def is_full(self) -> bool:
        """Whether the next keyframe pushes another out."""
        return len(self.keyframes) >= self._budget

    def stamps_ns(self) -> dict[int, int]:
        """Stamp of each slot."""
        return {slot: keyframe.stamp_ns for slot, keyframe in self.keyframes.items()}

    def refresh(self, voxels: VoxelMap, normal: np.ndarray, background: np.ndarray | None, everything: bool) -> int:
        """Lift the masks of new keyframes, and segment the stalest old ones again; returns how many.

        background (N,) bool of each voxel, for a segmenter that needs the map.
        """
        self.evidence.resize(voxels.count)
        background = background if self._segmenter.needs_map else None
        stale = {} if background is None else {s: self._staleness(s, background) for s in self.evidence.slots()}
        limit = 0.0 if everything else self._config.stale_share
        due = sorted((s for s in stale if stale[s] > limit), key=lambda s: (-stale[s], s))
        if not everything:
            due = due[: self._config.refresh_keyframes]
        work = sorted(self._new) + due
        for slot in work:
            self._lift(self.keyframes[slot], voxels, normal, background)
        self._new.clear()
        return len(work)

    def _lift(self, keyframe: Keyframe, voxels: VoxelMap, normal: np.ndarray, background: np.ndarray | None) -> None:
        image = voxels.voxel_image(keyframe.depth_m, keyframe.world_from_camera, keyframe.camera)
        if keyframe.slot in self._made:
            labels, pairs = self._made.pop(keyframe.slot)()
        else:
            view = None if background is None else MapView(image, voxels.position, normal, background)
            labels, pairs = self._masks(keyframe, None, view)
        evidence = lift(image, labels)
        self.evidence.put(keyframe.slot, evidence, on_voxels(pairs, image) if pairs else None)
        if background is not None:
            self._background[keyframe.slot] = background[evidence.voxels]

    def _masks(self, keyframe: Keyframe, floor_m: float | None, view: MapView | None) -> _Masks:
        if self._keep_pairs:
            labels, pairs = masks_of(self._segmenter, keyframe, floor_m, view)
            return labels.astype(np.uint16), pairs
        return self._segmenter.labels(keyframe, floor_m, view).astype(np.uint16), None

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
        self._made.pop(slot, None)
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


def _known(masks: _Masks) -> _Masks:
    return masks
