"""Voxel masks made whole by the 2D masks that agree with them: the way from 3D to 2D and back.

Whatever made a voxel mask, the keyframes hold 2D masks of the same thing. Those that match what their view sees of it
vote on the voxels around: what was missed is added, and where that is asked for, leaks are removed and edges snap to
superpoints. What is added comes last: it takes voxels that nobody holds, and a small share of a much larger mask, as
the foot of a mug from its table.

Where a view was asked for a voxel mask (prompted_views.py), its answer speaks and its own 2D masks are silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numba import njit

from moss_ros.config import LiftingConfig, ProposalConfig
from moss_ros.geometry.components import sort_by_label
from moss_ros.lifting.mask_votes import Answer, MaskTable, opinions, with_answers
from moss_ros.lifting.voxel_votes import Limits, MapArrays, Scratch, Speakers, refine_all
from moss_ros.masks2d.evidence import EvidenceStore
from moss_ros.proposals.shared_voxels import SharedVoxels
from moss_ros.proposals.solid_voxels import SolidVoxels
from moss_ros.proposals.union import exclusive, suppress
from moss_ros.records import MaskProposals

_MUCH_LARGER = 2.0  # a mask so many times larger lends voxels to what 2D masks added to another
_LENT = 0.1  # to each at most this share of its own


@dataclass(frozen=True, slots=True)
class _Known:
    """A refined mask, and what it depends on."""

    voxels: np.ndarray  # (n,) int32
    slots: np.ndarray  # (W,) uint64 keyframes that see the mask
    blocks: np.ndarray  # (m,) int32 of the map
    answers: tuple[Answer, ...]


class Refiner:
    """Refines proposals; a proposal is looked at again only when it, its keyframes or the map around it changed.

    The result does not depend on the history: it equals refining everything anew.
    """

    def __init__(self, config: LiftingConfig) -> None:
        self._config = config
        self._snapped = frozenset(name.strip() for name in config.refine_snap_sources.split(",") if name.strip())
        self._table = MaskTable()
        self._known: dict[tuple[bytes, bool], _Known] = {}  # by voxels, and whether they snap
        self._group = np.zeros(0, np.int32)  # of the last call: superpoint of each voxel, -2 where it is not solid
        self.redone = 0  # proposals looked at by the last update

    def update(
        self,
        proposals: MaskProposals,
        evidence: EvidenceStore,
        voxels: SolidVoxels,
        superpoints: np.ndarray,
        answers: Mapping[bytes, tuple[Answer, ...]] | None = None,
    ) -> MaskProposals:
        """The refined proposals, in the same order, with the same scores and sources.

        superpoints (N,) int32, -1 = none; none lies in more than one block. answers: of views that were asked for a
        proposal, by its voxels.
        """
        if not self._config.refine:
            return proposals
        renewed = self._table.update(evidence)
        dirty = self._dirty_blocks(voxels, superpoints)
        out = list(proposals.voxels)
        rows = [k for k, v in enumerate(out) if len(v) <= self._config.refine_max_voxels]
        keys = [(out[k].tobytes(), proposals.sources[k] in self._snapped) for k in rows]
        slots = [_seen_by(evidence.seen, out[k]) for k in rows]
        given = [(answers or {}).get(key, ()) for key, _ in keys]
        stale = self._stale(keys, slots, given, renewed, dirty)
        self.redone = len(stale)
        asked = [out[rows[i]] for i in stale], [keys[i][1] for i in stale], [given[i] for i in stale]
        found = self._refine(*asked, evidence, voxels, superpoints) if stale else []
        for i, (mask, blocks) in zip(stale, found, strict=True):
            self._known[keys[i]] = _Known(mask, slots[i], blocks, given[i])
        self._known = {key: self._known[key] for key in keys}
        for k, key in zip(rows, keys, strict=True):
            out[k] = self._known[key].voxels
        return replace(proposals, voxels=tuple(out))

    def _dirty_blocks(self, voxels: SolidVoxels, superpoints: np.ndarray) -> np.ndarray:
        """(B,) bool: blocks with a voxel that became or ceased to be solid, or went to another superpoint."""
        group = np.where(voxels.solid, superpoints, -2)
        changed = group != np.pad(self._group, (0, len(group) - len(self._group)), constant_values=-3)
        self._group = group
        dirty = np.zeros(voxels.index.block_count, bool)
        dirty[voxels.block[changed]] = True
        return dirty

    def _stale(
        self,
        keys: list[tuple[bytes, bool]],
        slots: list[np.ndarray],
        answers: list[tuple[Answer, ...]],
        renewed: list[int],
        dirty: np.ndarray,
    ) -> list[int]:
        """Rows that must be refined anew."""
        bits = np.zeros(max([1, *(len(s) for s in slots)]), np.uint64)
        for slot in renewed:
            if slot // 64 < len(bits):
                bits[slot // 64] |= np.uint64(1 << (slot % 64))
        stale = []
        for k, (key, now) in enumerate(zip(keys, slots, strict=True)):
            known = self._known.get(key)
            if known is None:
                stale.append(k)
                continue
            before = np.zeros(len(now), np.uint64)
            before[: len(known.slots)] = known.slots[: len(now)]
            if known.answers != answers[k] or ((now | before) & bits).any() or dirty[known.blocks].any():
                stale.append(k)
        return stale

    def _refine(
        self,
        masks: list[np.ndarray],
        snaps: list[bool],
        answers: list[tuple[Answer, ...]],
        evidence: EvidenceStore,
        voxels: SolidVoxels,
        superpoints: np.ndarray,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Refined voxels of each mask, and the blocks that they depend on."""
        c, n = self._config, len(voxels.solid)
        said = opinions(masks, n, evidence, self._table, c)
        said, offsets, mask_voxels = with_answers(said, answers, self._table)
        count = int(superpoints.max(initial=-1)) + 1
        members, ends = sort_by_label(superpoints + 1, count)
        world = MapArrays(voxels.neighbours, voxels.solid, evidence.seen, voxels.block, superpoints, members, ends)
        found, ends, blocks, last = refine_all(
            np.concatenate(masks),
            np.cumsum([0, *(len(m) for m in masks)]),
            np.array(snaps),
            Speakers(said.first, said.masks, said.slots, said.weights, offsets, mask_voxels),
            world,
            Scratch.of(n, count, voxels.index.block_count),
            Limits(c.refine_add, c.refine_remove, c.refine_superpoint, c.refine_min_views),
        )
        for k, own in enumerate(masks):
            refined = found[ends[k] : ends[k + 1]]
            yield refined if len(refined) else own, blocks[last[k] : last[k + 1]]


def share_out(
    proposals: MaskProposals, refined_ones: MaskProposals, voxel_count: int, config: ProposalConfig
) -> tuple[MaskProposals, MaskProposals]:
    """Drop repeats, and give each voxel to one proposal; what refinement added takes what is free or lent.

    proposals, best first, and the same ones refined. Returns the refined ones without repeats, and the confident ones
    with the voxels that each owns.
    """
    shared = SharedVoxels.of(refined_ones, voxel_count).shared
    rows = suppress(shared, refined_ones.scores, config.suppress_iou)
    whole = refined_ones.take(rows)
    cores = tuple(_in_both(proposals.voxels[k], refined_ones.voxels[k]) for k in rows)
    numbered = MaskProposals(cores, whole.scores, tuple(str(row) for row in range(len(rows))))
    owned, owner = exclusive(numbered, voxel_count, config)
    order = [int(row) for row in owned.sources]
    _give_added(owner, [whole.voxels[row] for row in order], np.array([len(v) for v in owned.voxels], np.int64))
    members, ends = sort_by_label(owner + 1, len(order))
    voxels = tuple(members[a:b] for a, b in zip(ends[:-1], ends[1:], strict=True))
    return whole, MaskProposals(voxels, owned.scores, tuple(whole.sources[row] for row in order))


def _give_added(owner: np.ndarray, wanted: list[np.ndarray], size: np.ndarray) -> None:
    """Enter into owner (N,) what each mask wants and is free, or held by a much larger one that hardly misses it.

    wanted: voxels of each refined mask, the best first; size: what each owns.
    """
    for number, voxels in enumerate(wanted):
        before = owner[voxels]
        asked = np.bincount(before[before >= 0], minlength=len(size))
        lends = (size >= _MUCH_LARGER * size[number]) & (asked <= _LENT * size)
        owner[voxels[(before < 0) | lends[before]]] = number


@njit(cache=True, nogil=True)
def _seen_by(seen, voxels):
    """(W,) uint64: the keyframes that saw any of the voxels."""
    out = np.zeros(seen.shape[1], np.uint64)
    for v in voxels:
        for w in range(len(out)):
            out[w] |= seen[v, w]
    return out


@njit(cache=True, nogil=True)
def _in_both(first, second):
    """What two ascending arrays share."""
    out = np.empty(min(len(first), len(second)), np.int32)
    i, j, n = 0, 0, 0
    while i < len(first) and j < len(second):
        a, b = first[i], second[j]
        if a == b:
            out[n] = a
            n += 1
        i += a <= b
        j += b <= a
    return out[:n]
