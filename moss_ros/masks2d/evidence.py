"""Evidence: for each keyframe the voxels it saw and the 2D mask each of them fell into.

It is the memory of the views: all 3D reasoning about 2D masks reads it, no image is looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import scipy.sparse as sp
from numba import njit

from moss_ros.masks2d.pixel_pairs import ViewPairs
from moss_ros.records import _require

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ViewEvidence:
    """What one keyframe says about the voxels."""

    voxels: np.ndarray  # (n,) int32 voxels it saw, ascending
    labels: np.ndarray  # (n,) int32 mask of each, 0 = none, masks 1..count
    count: int

    def __post_init__(self) -> None:
        _require(len(self.voxels) == len(self.labels), "one label per voxel")


def exchanged(before: Mapping[int, T], now: Mapping[int, T]) -> tuple[list[T], list[T]]:
    """What went and what came between two states of a store, by slot; what was replaced did both."""
    gone = [value for slot, value in before.items() if now.get(slot) is not value]
    return gone, [value for slot, value in now.items() if before.get(slot) is not value]


def lift(voxel_image: np.ndarray, label_image: np.ndarray) -> ViewEvidence:
    """Each seen voxel takes the mask that holds the majority of its pixels (Boyer and Moore's vote)."""
    if voxel_image.size == 0 or voxel_image.max() < 0:
        return ViewEvidence(np.zeros(0, np.int32), np.zeros(0, np.int32), 0)
    voxels, labels = _majority(voxel_image.ravel(), label_image.ravel(), int(voxel_image.max()) + 1)
    return ViewEvidence(voxels, labels, int(label_image.max()))


@njit(cache=True, nogil=True)
def _majority(voxel, label, n):
    candidate = np.full(n, -1, np.int32)
    lead = np.zeros(n, np.int32)
    for i in range(len(voxel)):
        v = voxel[i]
        if v < 0:
            continue
        if lead[v] == 0:
            candidate[v] = label[i]
            lead[v] = 1
        elif candidate[v] == label[i]:
            lead[v] += 1
        else:
            lead[v] -= 1
    count = 0
    for v in range(n):
        if candidate[v] >= 0:
            count += 1
    voxels = np.empty(count, np.int32)
    labels = np.empty(count, np.int32)
    m = 0
    for v in range(n):
        if candidate[v] >= 0:
            voxels[m], labels[m] = v, candidate[v]
            m += 1
    return voxels, labels


class EvidenceStore:
    """Evidence of all keyframes by slot, with the pair counts between their masks kept up to date.

    ``seen`` (N, W) uint64 holds one bit per keyframe slot: which keyframes saw the voxel.
    """

    def __init__(self) -> None:
        self.views: dict[int, ViewEvidence] = {}
        self.pairs: dict[int, ViewPairs] = {}  # what is known about pairs of pixels, where the views say it
        self.version = 0  # counts the changes of the views
        self.seen = np.zeros((0, 1), np.uint64)
        self._pairs: dict[tuple[int, int], np.ndarray] = {}
        self._scratch = np.zeros(0, np.int32)

    def resize(self, voxel_count: int) -> None:
        """Make room for new voxels."""
        self.seen = _resized(self.seen, voxel_count)

    def put(self, slot: int, evidence: ViewEvidence, pairs: ViewPairs | None = None) -> None:
        """Enter or replace the evidence of a keyframe."""
        self.drop(slot)
        self.version += 1
        word, bit = divmod(slot, 64)
        if word >= self.seen.shape[1]:
            wider = np.zeros((len(self.seen), word + 1), np.uint64)
            wider[:, : self.seen.shape[1]] = self.seen
            self.seen = wider
        self.views[slot] = evidence
        if pairs is not None:
            self.pairs[slot] = pairs
        self.seen[evidence.voxels, word] |= np.uint64(1 << bit)

    def drop(self, slot: int) -> None:
        """Forget a keyframe."""
        old = self.views.pop(slot, None)
        if old is None:
            return
        self.pairs.pop(slot, None)
        self.version += 1
        word, bit = divmod(slot, 64)
        self.seen[old.voxels, word] &= ~np.uint64(1 << bit)
        self._pairs = {key: table for key, table in self._pairs.items() if slot not in key}

    def slots(self) -> list[int]:
        """Slots in use, ascending."""
        return sorted(self.views)

    def pair_counts(self) -> sp.csr_matrix:
        """(M, M) float32: voxels that two masks share; masks ordered by slot, then label.

        Only pairs with a new or replaced keyframe are counted; the others are remembered.
        """
        slots = self.slots()
        first = np.cumsum([0] + [self.views[s].count for s in slots])
        entries: list[np.ndarray] = []
        if len(self._scratch) < len(self.seen):
            self._scratch = np.zeros(len(self.seen), np.int32)
        for i, a in enumerate(slots):
            self._count_missing(a, [b for b in slots[i:] if (a, b) not in self._pairs])
            for j, b in enumerate(slots[i:], i):
                entries.append(self._pairs[a, b] + np.array([[first[i]], [first[j]], [0]], np.int32))
        row, column, count = np.concatenate(entries, 1) if entries else np.zeros((3, 0), np.int32)
        upper = sp.csr_matrix((count.astype(np.float32), (row, column)), shape=(first[-1], first[-1]))
        return (upper + sp.triu(upper, 1).T).tocsr()

    def _count_missing(self, slot: int, others: list[int]) -> None:
        """Pairs of one keyframe with others: (3, n) int32 rows of mask, other mask, shared voxels."""
        if not others:
            return
        view = self.views[slot]
        self._scratch[view.voxels] = view.labels
        for other in others:
            second = self.views[other]
            table = _joint_counts(self._scratch, second.voxels, second.labels, view.count, second.count)
            row, column = np.nonzero(table)
            self._pairs[slot, other] = np.stack([row, column, table[row, column]]).astype(np.int32)
        self._scratch[view.voxels] = 0

    def masks(self) -> tuple[np.ndarray, list[np.ndarray]]:
        """Keyframe slot (M,) of each mask and its voxels, ordered as in pair_counts."""
        slots: list[int] = []
        voxels: list[np.ndarray] = []
        for slot in self.slots():
            view = self.views[slot]
            order = np.argsort(view.labels, kind="stable")
            ends = np.searchsorted(view.labels[order], np.arange(view.count + 2))
            slots += [slot] * view.count
            voxels += [view.voxels[order[ends[m] : ends[m + 1]]] for m in range(1, view.count + 1)]
        return np.array(slots, np.int64), voxels


def _resized(array: np.ndarray, rows: int) -> np.ndarray:
    if len(array) >= rows:
        return array
    out = np.zeros((rows, array.shape[1]), array.dtype)
    out[: len(array)] = array
    return out


@njit(cache=True, nogil=True)
def _joint_counts(label_of, voxels, labels, rows, columns):
    out = np.zeros((rows, columns), np.int32)
    for i in range(len(voxels)):
        a, b = label_of[voxels[i]], labels[i]
        if a > 0 and b > 0:
            out[a - 1, b - 1] += 1
    return out
