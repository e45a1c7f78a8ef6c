"""Which proposals share which voxels: worked out once, used for ranking and for suppression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from moss_ros.records import MaskProposals


@dataclass(frozen=True, slots=True)
class SharedVoxels:
    """K proposals over N voxels; proposals that hold voxel v: holders[first[v] : first[v + 1]]."""

    offsets: np.ndarray  # (K + 1,) int64: members of proposal k are members[offsets[k] : offsets[k + 1]]
    members: np.ndarray  # (M,) int32 voxel ids
    first: np.ndarray  # (N + 1,) int64
    holders: np.ndarray  # (M,) int32 proposals, ascending for each voxel
    shared: np.ndarray  # (K, K) int32 voxels in common; the diagonal holds the sizes

    @property
    def sizes(self) -> np.ndarray:
        """(K,) int32 voxels of each proposal."""
        return self.shared.diagonal()

    @classmethod
    def of(cls, proposals: MaskProposals, voxel_count: int) -> SharedVoxels:
        """Count what the proposals share."""
        offsets, members = _joined(proposals.voxels)
        first, holders = _invert(offsets, members, voxel_count)
        return cls(offsets, members, first, holders, _count_shared(first, holders, len(proposals)))


def holders_of(masks: Sequence[np.ndarray], voxel_count: int) -> tuple[np.ndarray, np.ndarray]:
    """first (N + 1,) and holders (M,) as in SharedVoxels, of voxel masks alone."""
    return _invert(*_joined(masks), voxel_count)


def _joined(masks: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """offsets (K + 1,) int64 and members (M,) int32."""
    offsets = np.concatenate([[0], np.cumsum([len(v) for v in masks])]).astype(np.int64)
    return offsets, np.concatenate([np.zeros(0, np.int32), *masks]).astype(np.int32)


@njit(cache=True, nogil=True)
def _invert(offsets, members, voxel_count):
    first = np.zeros(voxel_count + 1, np.int64)
    for v in members:
        first[v + 1] += 1
    for v in range(voxel_count):
        first[v + 1] += first[v]
    fill = first[:-1].copy()
    holders = np.empty(len(members), np.int32)
    for k in range(len(offsets) - 1):
        for i in range(offsets[k], offsets[k + 1]):
            v = members[i]
            holders[fill[v]] = k
            fill[v] += 1
    return first, holders


@njit(cache=True, nogil=True)
def _count_shared(first, holders, count):
    out = np.zeros((count, count), np.int32)
    for v in range(len(first) - 1):
        for i in range(first[v], first[v + 1]):
            for j in range(first[v], first[v + 1]):
                out[holders[i], holders[j]] += 1
    return out


@njit(cache=True, nogil=True)
def overlaps_in_view(first, holders, count, voxels, labels, masks):
    """What a view (its voxels and their 2D masks, 1..masks, 0 = none) shows of `count` proposals: voxels shared by
    proposal and mask (count, masks + 1), voxels seen of each proposal (count,), of each mask (masks + 1,).

    first, holders: the proposals that hold each voxel, as in SharedVoxels.
    """
    shared = np.zeros((count, masks + 1), np.int32)
    visible = np.zeros(count, np.int64)
    area = np.zeros(masks + 1, np.int64)
    for i in range(len(voxels)):
        area[labels[i]] += 1
        for j in range(first[voxels[i]], first[voxels[i] + 1]):
            visible[holders[j]] += 1
            shared[holders[j], labels[i]] += 1
    return shared, visible, area
