"""Union of all proposals: ranked ones are greedily suppressed, and each voxel is given to one instance."""

from __future__ import annotations

import numpy as np

from moss_ros.config import ProposalConfig
from moss_ros.geometry.components import sort_by_label
from moss_ros.records import MaskProposals

_LEAST_SCORE = 1e-3  # nothing is dearer than for a score of this


def suppress(shared: np.ndarray, scores: np.ndarray, iou: float) -> np.ndarray:
    """Rows of the proposals that survive, the best first (ties: first come).

    A proposal that overlaps a kept one by more than iou goes; shared (K, K): voxels in common.
    """
    size = shared.diagonal()
    alive = size > 0
    keep = []
    for i in np.argsort(-scores, kind="stable"):
        if alive[i]:
            keep.append(i)
            alive &= shared[i] <= iou * (size[i] + size - shared[i])
    return np.array(keep, np.int64)


def exclusive(proposals: MaskProposals, voxel_count: int, config: ProposalConfig) -> tuple[MaskProposals, np.ndarray]:
    """The confident proposals with each voxel given to one of them.

    The best takes its voxels first. A smaller one takes voxels from a better, larger one (a mug from its table) as
    long as that has not lent out more than a share of its own; voxels cost the more, the less sure the one is that
    takes them (a cushion from its sofa). One that gets less than half of its voxels goes.
    Returns them, the best first, and the row (N,) int32 that owns each voxel, -1 = none.
    """
    size = np.array([len(v) for v in proposals.voxels], np.int64)
    free = np.floor(config.map_lend_share * size)  # voxels that each may still give away to one as sure as itself
    owner = np.full(voxel_count, -1, np.int32)
    for i in np.argsort(-proposals.scores, kind="stable"):
        if proposals.scores[i] < config.map_min_score:
            break
        voxels = proposals.voxels[i]
        before = owner[voxels]
        wanted = np.bincount(before[before >= 0], minlength=len(size))
        cost = wanted * (proposals.scores / max(proposals.scores[i], _LEAST_SCORE))
        lenders = (wanted > 0) & (cost <= free) & (size > size[i])
        takes = (before < 0) | lenders[before]
        if takes.sum() >= 0.5 * size[i]:
            owner[voxels[takes]] = i
            free -= np.where(lenders, cost, 0)
    order, ends = sort_by_label(owner + 1, len(size))
    kept = np.argsort(-proposals.scores, kind="stable")
    kept = kept[ends[kept + 1] > ends[kept]]
    number = np.full(len(size) + 1, -1, np.int32)
    number[kept] = np.arange(len(kept))
    voxels_of = tuple(order[ends[i] : ends[i + 1]] for i in kept)
    sources = tuple(proposals.sources[i] for i in kept)
    return MaskProposals(voxels_of, proposals.scores[kept], sources), number[owner]
