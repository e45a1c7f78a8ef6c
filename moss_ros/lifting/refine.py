"""Voxel masks made whole by the 2D masks that agree with them: the way from 3D to 2D and back.

Whatever made a voxel mask, the keyframes hold 2D masks of the same thing. Those that match what their view sees of it
vote on the voxels around: what was missed is added, and where that is asked for, leaks are removed and edges snap to
superpoints. What is added comes last: it takes no voxel that another mask holds.

Where a view was asked for a voxel mask (prompted_views.py), its answer speaks and its own 2D masks are silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from moss_ros.config import LiftingConfig, ProposalConfig
from moss_ros.geometry.components import sort_by_label
from moss_ros.lifting.mask_votes import Answer, MaskTable, opinions, with_answers
from moss_ros.lifting.voxel_votes import Limits, MapArrays, Scratch, refined
from moss_ros.masks2d.evidence import EvidenceStore
from moss_ros.proposals.shared_voxels import SharedVoxels
from moss_ros.proposals.solid_voxels import SolidVoxels
from moss_ros.proposals.union import exclusive, suppress
from moss_ros.records import MaskProposals


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
        self.redone = 0  # proposals looked at by the last update

    def update(
        self,
        proposals: MaskProposals,
        evidence: EvidenceStore,
        voxels: SolidVoxels,
        superpoints: np.ndarray,
        changed: np.ndarray,
        answers: Mapping[bytes, tuple[Answer, ...]] | None = None,
    ) -> MaskProposals:
        """The refined proposals, in the same order, with the same scores and sources.

        superpoints (N,) int32, -1 = none; changed (N,) bool: voxels of which position, solidity or normal changed
        since the last call; answers: of views that were asked for a proposal, by its voxels.
        """
        if not self._config.refine or not len(proposals):
            self.redone = 0
            return proposals
        renewed = self._table.update(evidence)
        out = list(proposals.voxels)
        rows = [k for k, v in enumerate(out) if len(v) <= self._config.refine_max_voxels]
        masks = [out[k] for k in rows]
        keys = [(out[k].tobytes(), proposals.sources[k] in self._snapped) for k in rows]
        slots = [np.bitwise_or.reduce(evidence.seen[v], axis=0) for v in masks]
        given = [(answers or {}).get(key, ()) for key, _ in keys]
        stale = self._stale(keys, slots, given, renewed, changed, voxels)
        self.redone = len(stale)
        asked = [masks[i] for i in stale], [keys[i][1] for i in stale], [given[i] for i in stale]
        for i, (mask, blocks) in zip(stale, self._refine(*asked, evidence, voxels, superpoints), strict=True):
            self._known[keys[i]] = _Known(mask, slots[i], blocks, given[i])
        self._known = {key: self._known[key] for key in keys}
        for k, key in zip(rows, keys, strict=True):
            out[k] = self._known[key].voxels
        return replace(proposals, voxels=tuple(out))

    def _stale(
        self,
        keys: list[tuple[bytes, bool]],
        slots: list[np.ndarray],
        answers: list[tuple[Answer, ...]],
        renewed: list[int],
        changed: np.ndarray,
        voxels: SolidVoxels,
    ) -> list[int]:
        """Rows that must be refined anew."""
        bits = np.zeros(max([1, *(len(s) for s in slots)]), np.uint64)
        for slot in renewed:
            if slot // 64 < len(bits):
                bits[slot // 64] |= np.uint64(1 << (slot % 64))
        dirty = np.zeros(voxels.index.block_count, bool)
        dirty[voxels.block[changed]] = True
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
        snap: list[bool],
        answers: list[tuple[Answer, ...]],
        evidence: EvidenceStore,
        voxels: SolidVoxels,
        superpoints: np.ndarray,
    ) -> list[tuple[np.ndarray, np.ndarray]]:
        """Refined voxels of each mask, and the blocks that they depend on."""
        if not masks:
            return []
        c, n = self._config, len(voxels.solid)
        said = opinions(masks, n, evidence, self._table, c)
        said, offsets, mask_voxels = with_answers(said, answers, self._table)
        count = int(superpoints.max(initial=-1)) + 1
        members, ends = sort_by_label(superpoints + 1, count)
        world = MapArrays(voxels.neighbours, voxels.solid, evidence.seen, voxels.block, superpoints, members, ends)
        work = Scratch(
            np.zeros(n, np.float32),
            np.zeros(n, np.float32),
            np.zeros(n, np.int8),
            np.empty(n, np.int32),
            np.zeros(count, np.bool_),
            np.zeros(voxels.index.block_count, np.bool_),
        )
        out = []
        for k, own in enumerate(masks):
            rows = slice(said.first[k], said.first[k + 1])
            limits = Limits(c.refine_add, c.refine_remove, c.refine_superpoint, c.refine_min_views, snap[k])
            speaking = said.masks[rows], said.slots[rows], said.weights[rows]
            mask, blocks = refined(own, *speaking, offsets, mask_voxels, world, work, limits)
            out.append((mask if len(mask) else own, blocks))
        return out


def share_out(
    proposals: MaskProposals, refined_ones: MaskProposals, voxel_count: int, config: ProposalConfig
) -> tuple[MaskProposals, MaskProposals]:
    """Drop repeats, and give each voxel to one proposal; what refinement added takes only what is free.

    proposals, best first, and the same ones refined. Returns the refined ones without repeats, and the confident ones
    with the voxels that each owns.
    """
    shared = SharedVoxels.of(refined_ones, voxel_count).shared
    rows = suppress(shared, refined_ones.scores, config.suppress_iou)
    whole = refined_ones.take(rows)
    cores = tuple(
        np.intersect1d(proposals.voxels[k], refined_ones.voxels[k], assume_unique=True).astype(np.int32) for k in rows
    )
    numbered = MaskProposals(cores, whole.scores, tuple(str(row) for row in range(len(rows))))
    owned, owner = exclusive(numbered, voxel_count, config)
    order = [int(row) for row in owned.sources]
    for number, row in enumerate(order):
        added = whole.voxels[row]
        owner[added[owner[added] < 0]] = number
    members, ends = sort_by_label(owner + 1, len(order))
    voxels = tuple(members[a:b] for a, b in zip(ends[:-1], ends[1:], strict=True))
    return whole, MaskProposals(voxels, owned.scores, tuple(whole.sources[row] for row in order))
