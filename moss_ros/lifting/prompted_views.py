"""From 3D to 2D and back through a model that answers prompts: proposals are shown in the keyframes that see them best.

A proposal is expanded to a dense mask of the keyframe. Its box, its inmost points and points on its neighbours ask the
model; the answer, on the voxels that the keyframe saw, speaks in the refinement in place of the view's own 2D masks.
Letters: K proposals, H, W size of the colour image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numba import njit

from moss_ros.config import LiftingConfig
from moss_ros.geometry.bits import popcount
from moss_ros.lifting.dense_masks import dense_masks
from moss_ros.lifting.expansion import Expansion
from moss_ros.lifting.mask_votes import Answer
from moss_ros.lifting.target_view import TargetView
from moss_ros.mapping.keyframes import Keyframe
from moss_ros.mapping.voxel_map import VoxelMap
from moss_ros.masks2d.evidence import EvidenceStore, ViewEvidence
from moss_ros.masks2d.sam.sam_prompted import PromptedMasks
from moss_ros.masks2d.sam.sam_prompts import Prompts, prompts_from_masks
from moss_ros.records import MaskProposals

Answers = dict[bytes, tuple[Answer, ...]]  # by the voxels of the proposal, ordered by slot
_Pair = tuple[bytes, int]  # voxels of a proposal, and the slot of a keyframe


class Prompter(Protocol):
    """Answers prompts on images; see PromptedSegmenter."""

    def masks(self, color_rgb: np.ndarray, prompts: Prompts, stamp_ns: int) -> PromptedMasks:
        """One mask for each prompt."""
        ...


@dataclass(frozen=True, slots=True)
class _Asked:
    """What came of showing a proposal in a keyframe."""

    view: ViewEvidence  # what the keyframe said when it was asked
    prompt: bytes  # empty: its mask was too small to ask
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class _Shown:
    """The proposals that a keyframe shows large enough."""

    rows: np.ndarray  # (n,) of the proposals
    masks: np.ndarray  # (n, H, W) bool


class PromptedViews:
    """Remembers the answers: a pair of proposal and keyframe is asked once, while neither changes. Not thread-safe.

    A full update also asks again where neighbours or positions changed the prompt, so that its result does not depend
    on the history.
    """

    def __init__(self, config: LiftingConfig, prompter: Prompter, expansion: Expansion) -> None:
        self._config = config
        self._prompter = prompter
        self._expansion = expansion
        self._asked: dict[_Pair, _Asked] = {}
        self.prompted = 0  # prompts that the last update asked

    def update(
        self,
        proposals: MaskProposals,
        keyframes: Mapping[int, Keyframe],
        evidence: EvidenceStore,
        voxels: VoxelMap,
        full: bool = False,
    ) -> Answers:
        """What the model says of the proposals; full: every keyframe is gone through, not only some of those that
        have something to ask."""
        self.prompted = 0
        keys = [v.tobytes() for v in proposals.voxels]
        seen = _seen_counts(proposals, evidence.seen)
        wanted = self._wanted(proposals, seen, evidence.slots())
        due = {s: [k for k in rows if full or self._is_new((keys[k], s), evidence)] for s, rows in wanted.items()}
        order = sorted((s for s in due if due[s]), key=lambda s: (-len(due[s]), s))
        for slot in order if full else order[: self._config.prompt_keyframes]:
            visible = np.flatnonzero(seen[:, slot])
            self._ask(keyframes[slot], evidence.views[slot], due[slot], visible, proposals.voxels, keys, voxels)
        pairs = [(keys[k], slot) for slot, rows in wanted.items() for k in rows]
        self._asked = {p: self._asked[p] for p in pairs if not self._is_new(p, evidence)}
        return _by_proposal(keys, self._asked)

    def _wanted(self, proposals: MaskProposals, seen: np.ndarray, slots: list[int]) -> dict[int, list[int]]:
        """Rows of the proposals to show in each keyframe: in those that see most of their voxels, of equal ones the
        first."""
        c = self._config
        wanted: dict[int, list[int]] = {slot: [] for slot in slots}
        sizes = np.array([len(v) for v in proposals.voxels], np.int64)
        of_slots = seen[:, slots]
        best = np.argsort(-of_slots, axis=1, kind="stable")[:, : c.prompt_views]
        enough = np.take_along_axis(of_slots, best, 1) >= np.maximum(c.prompt_min_seen * sizes, 1)[:, None]
        enough &= (sizes <= c.refine_max_voxels)[:, None]
        for k, place in zip(*np.nonzero(enough), strict=True):
            wanted[slots[best[k, place]]].append(int(k))
        return wanted

    def _is_new(self, pair: _Pair, evidence: EvidenceStore) -> bool:
        asked = self._asked.get(pair)
        return asked is None or asked.view is not evidence.views[pair[1]]

    def _ask(
        self,
        keyframe: Keyframe,
        view: ViewEvidence,
        rows: list[int],
        visible: np.ndarray,
        members: tuple[np.ndarray, ...],
        keys: list[bytes],
        voxels: VoxelMap,
    ) -> None:
        """Show the proposals at rows in a keyframe; the others that it sees are their neighbours."""
        shown = self._shown(keyframe, visible, members, voxels)
        place = {int(k): number for number, k in enumerate(shown.rows)}
        large = [k for k in rows if k in place]
        for k in set(rows).difference(large):
            self._asked[keys[k], keyframe.slot] = _Asked(view, b"", None)
        prompts = prompts_from_masks(shown.masks, rows=[place[k] for k in large])
        texts = [_bytes_of(prompts, row) for row in range(len(prompts))]
        fresh = []
        for row, k in enumerate(large):
            known = self._asked.get((keys[k], keyframe.slot))
            if known is None or known.view is not view or known.prompt != texts[row]:
                fresh.append(row)
        if not fresh:
            return
        self.prompted += len(fresh)
        said = self._prompter.masks(keyframe.color_rgb, prompts.take(fresh), keyframe.stamp_ns)
        lift = _Lift.of(keyframe, view, voxels)
        for number, row in enumerate(fresh):
            k = large[row]
            mask, asked_with = said.masks[number], shown.masks[place[k]]
            answer = None
            if said.stability[number] >= self._config.prompt_min_stability and (
                _iou(mask, asked_with) >= self._config.prompt_min_iou
            ):
                answer = self._answer(keyframe.slot, lift.voxels(mask), members[k], lift.seen, said.scores[number])
            self._asked[keys[k], keyframe.slot] = _Asked(view, texts[row], answer)

    def _shown(
        self, keyframe: Keyframe, visible: np.ndarray, members: tuple[np.ndarray, ...], voxels: VoxelMap
    ) -> _Shown:
        target = TargetView(keyframe.color_camera, keyframe.world_from_camera, keyframe.depth_m, keyframe.camera)
        masks = dense_masks(self._expansion.id_buffer(voxels, target), [members[k] for k in visible])
        large = np.count_nonzero(masks, axis=(1, 2)) >= self._config.prompt_min_pixels
        return _Shown(visible[large], masks[large])

    def _answer(
        self, slot: int, found: np.ndarray, members: np.ndarray, seen: np.ndarray, score: float
    ) -> Answer | None:
        """The answer with its weight; None where it is not about what the keyframe sees of the proposal."""
        visible = members[seen[members]]
        common = len(np.intersect1d(visible, found, assume_unique=True))
        iou = common / max(len(visible) + len(found) - common, 1)
        weight = iou * float(np.clip(score, 0, 1))
        return Answer(slot, found, weight) if iou >= self._config.refine_min_iou and weight > 0 else None


@dataclass(frozen=True, slots=True)
class _Lift:
    """Takes masks of a keyframe's colour image to the N voxels that it saw."""

    to_depth: TargetView
    image: np.ndarray  # (h, w) int32 voxel of each pixel of depth, -1 = none
    pixels: np.ndarray  # (N,) how many pixels show each voxel
    seen: np.ndarray  # (N,) bool

    @classmethod
    def of(cls, keyframe: Keyframe, view: ViewEvidence, voxels: VoxelMap) -> _Lift:
        image = voxels.voxel_image(keyframe.depth_m, keyframe.world_from_camera, keyframe.camera)
        seen = np.zeros(voxels.count, bool)
        seen[view.voxels] = True
        target = TargetView(keyframe.camera, keyframe.world_from_camera, None, keyframe.color_camera)
        return cls(target, image, np.bincount(image[image >= 0], minlength=voxels.count), seen)

    def voxels(self, mask: np.ndarray) -> np.ndarray:
        """(n,) int32 ascending: voxels that the keyframe saw, with most of their pixels in the mask (H, W)."""
        inside = self.image[self.to_depth.at_target(mask, False)]
        ids, count = np.unique(inside[inside >= 0], return_counts=True)
        return ids[(2 * count > self.pixels[ids]) & self.seen[ids]].astype(np.int32)


def _by_proposal(keys: Iterable[bytes], asked: Mapping[_Pair, _Asked]) -> Answers:
    found: dict[bytes, list[Answer]] = {key: [] for key in keys}
    for (key, _), entry in asked.items():
        if entry.answer is not None:
            found[key].append(entry.answer)
    return {key: tuple(sorted(answers, key=lambda a: a.slot)) for key, answers in found.items() if answers}


def _bytes_of(prompts: Prompts, row: int) -> bytes:
    one = prompts.take([row])
    assert one.boxes is not None  # masks have boxes
    return one.boxes.tobytes() + one.points.tobytes() + one.labels.tobytes()


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    return int(np.count_nonzero(a & b)) / max(int(np.count_nonzero(a | b)), 1)


def _seen_counts(proposals: MaskProposals, seen: np.ndarray) -> np.ndarray:
    """(K, 64 W) int32: voxels of each proposal that the keyframe in each slot saw; seen (N, W) uint64."""
    offsets = np.cumsum([0, *(len(v) for v in proposals.voxels)])
    members = np.concatenate([np.zeros(0, np.int32), *proposals.voxels])
    return _count_bits(offsets, members, seen)


@njit(cache=True, nogil=True)
def _count_bits(offsets, members, seen):
    out = np.zeros((len(offsets) - 1, 64 * seen.shape[1]), np.int32)
    for k in range(len(offsets) - 1):
        for i in range(offsets[k], offsets[k + 1]):
            for w in range(seen.shape[1]):
                left = seen[members[i], w]
                while left:
                    lowest = left & (~left + np.uint64(1))
                    out[k, 64 * w + popcount(lowest - np.uint64(1))] += 1
                    left ^= lowest
    return out
