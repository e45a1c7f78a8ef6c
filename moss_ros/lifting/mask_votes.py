"""Which 2D masks speak for a voxel mask, read from the evidence of the keyframes.

A view speaks with all its 2D masks that lie in the voxel mask or match it, put together: a view that cuts a thing in
three still says one thing about it. Letters: K voxel masks, N voxels, M 2D masks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numba import njit

from moss_ros.config import LiftingConfig
from moss_ros.geometry.components import sort_by_label
from moss_ros.masks2d.evidence import EvidenceStore, ViewEvidence
from moss_ros.proposals.shared_voxels import overlaps_in_view

_SEEN_SHARE = 0.1  # a view that sees less of a voxel mask says nothing about it


@dataclass(frozen=True, slots=True)
class Opinions:
    """The 2D masks that speak for voxel mask k are masks[first[k] : first[k + 1]], ordered by slot."""

    first: np.ndarray  # (K + 1,) int64
    masks: np.ndarray  # (n,) int64 rows of the mask table
    slots: np.ndarray  # (n,) int64 keyframe slot of each
    weights: np.ndarray  # (n,) float32 IoU of the view's masks with what it sees of k; the same within a view


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What one view says of one voxel mask when it is asked for it; two answers are the same when they are one."""

    slot: int
    voxels: np.ndarray  # (n,) int32 ascending, all seen by the keyframe
    weight: float  # (0, 1]


class MaskTable:
    """Voxels of every 2D mask of the evidence; only views that are new since the last call are sorted."""

    def __init__(self) -> None:
        self._views: dict[int, tuple[ViewEvidence, np.ndarray, np.ndarray]] = {}
        self.first_mask: dict[int, int] = {}  # row of the first mask of each slot
        self.offsets = np.zeros(1, np.int64)  # mask m has voxels[offsets[m] : offsets[m + 1]]
        self.voxels = np.zeros(0, np.int32)

    def update(self, evidence: EvidenceStore) -> list[int]:
        """Bring the table up to date; returns the slots whose view came, went or was replaced."""
        gone = [s for s in self._views if s not in evidence.views]
        new = [s for s, v in evidence.views.items() if s not in self._views or self._views[s][0] is not v]
        if not gone and not new:
            return []
        for slot in gone:
            del self._views[slot]
        for slot in new:
            view = evidence.views[slot]
            order, ends = sort_by_label(view.labels, view.count)
            self._views[slot] = (view, view.voxels[order], np.diff(ends))
        slots = sorted(self._views)
        starts = np.cumsum([0, *(self._views[s][0].count for s in slots)])
        self.first_mask = dict(zip(slots, starts.tolist(), strict=False))
        sizes = np.concatenate([np.zeros(0, np.int64), *(self._views[s][2] for s in slots)])
        self.offsets = np.concatenate([[0], np.cumsum(sizes)])
        self.voxels = np.concatenate([np.zeros(0, np.int32), *(self._views[s][1] for s in slots)])
        return gone + new


def opinions(
    masks: list[np.ndarray], voxel_count: int, evidence: EvidenceStore, table: MaskTable, c: LiftingConfig
) -> Opinions:
    """Which 2D masks speak for K voxel masks, given as voxel ids; the table is of the same evidence.

    A 2D mask counts when it overlaps the visible part well, lies in it, or holds it without being much larger.
    """
    offsets = np.cumsum([0, *(len(v) for v in masks)])
    members = np.concatenate([np.zeros(0, np.int32), *masks])
    shape = (len(masks), voxel_count)
    held = sp.csr_matrix((np.ones(len(members), np.int8), members, offsets), shape=shape).tocsc()
    sizes = np.diff(offsets)
    rows, weights = [np.zeros((0, 3), np.int64)], [np.zeros(0, np.float32)]
    for slot in evidence.slots():
        view = evidence.views[slot]
        pairs, weight = _speaking(
            held.indptr, held.indices, sizes, view.voxels, view.labels, view.count, c.refine_min_iou, c.refine_inside
        )
        pairs[:, 1] += table.first_mask[slot]
        rows.append(np.column_stack([pairs, np.full(len(pairs), slot)]))
        weights.append(weight)
    pair, weight = np.concatenate(rows), np.concatenate(weights)
    order = np.argsort(pair[:, 0], kind="stable")
    first = np.searchsorted(pair[order, 0], np.arange(len(masks) + 1))
    return Opinions(first, pair[order, 1], pair[order, 2], weight[order])


def with_answers(
    said: Opinions, answers: list[tuple[Answer, ...]], table: MaskTable
) -> tuple[Opinions, np.ndarray, np.ndarray]:
    """The opinions with each answer in place of the 2D masks of its view; answers of the K voxel masks, by slot.

    Also returns offsets and voxels as the table has them, with the answers behind.
    """
    given = [a for mine in answers for a in mine]
    if not given:
        return said, table.offsets, table.voxels
    row = np.repeat(np.arange(len(answers)), np.diff(said.first))
    asked = {(k, a.slot) for k, mine in enumerate(answers) for a in mine}
    stays = np.array([(k, s) not in asked for k, s in zip(row.tolist(), said.slots.tolist(), strict=True)], bool)
    row = np.concatenate([row[stays], np.repeat(np.arange(len(answers)), [len(mine) for mine in answers])])
    slots = np.concatenate([said.slots[stays], [a.slot for a in given]])
    masks = np.concatenate([said.masks[stays], len(table.offsets) - 1 + np.arange(len(given))])
    weights = np.concatenate([said.weights[stays], [a.weight for a in given]]).astype(np.float32)
    order = np.lexsort((slots, row))
    first = np.searchsorted(row[order], np.arange(len(answers) + 1))
    offsets = np.concatenate([table.offsets, table.offsets[-1] + np.cumsum([len(a.voxels) for a in given])])
    voxels = np.concatenate([table.voxels, *(a.voxels for a in given)])
    return Opinions(first, masks[order], slots[order], weights[order]), offsets, voxels


@njit(cache=True, nogil=True)
def _speaking(first, holders, size, voxels, labels, count, min_iou, inside):
    """Pairs (n, 2) of voxel mask and 2D mask (from 0) of one view, and the weight of each (n,)."""
    shared, visible, area = overlaps_in_view(first, holders, len(size), voxels, labels, count)
    pairs = np.empty((len(size) * count, 2), np.int64)
    weights = np.empty(len(pairs), np.float32)
    n = 0
    for k in range(len(size)):
        if visible[k] == 0 or visible[k] < _SEEN_SHARE * size[k]:
            continue
        start, common, total = n, 0, 0
        for m in range(1, count + 1):
            s = shared[k, m]
            overlaps = s >= min_iou * (visible[k] + area[m] - s)
            holds = s >= inside * visible[k] and s >= min_iou * area[m]
            if s > 0 and (overlaps or holds or s >= inside * area[m]):
                pairs[n, 0], pairs[n, 1] = k, m - 1
                n, common, total = n + 1, common + s, total + area[m]
        iou = common / (visible[k] + total - common)
        if iou < min_iou:
            n = start  # what the view shows of it is too little, or too much
        weights[start:n] = iou
    return pairs[:n], weights[:n]
