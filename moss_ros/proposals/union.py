"""Union of all proposals: ranked, greedily suppressed, and each voxel given to one instance."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from moss_ros.config import ProposalConfig
from moss_ros.records import MaskProposals


def unite(
    objects: MaskProposals,
    flat: MaskProposals,
    consensus: MaskProposals,
    position: np.ndarray,
    is_structure: np.ndarray,
    voxel_size_m: float,
    config: ProposalConfig,
) -> MaskProposals:
    """Rank the proposals of all sources and suppress those that repeat a better one."""
    ranked = MaskProposals.join(
        [
            _scored(objects, _object_scores(objects)),
            _scored(consensus, _consensus_scores(consensus, objects, position, is_structure)),
            _scored(flat, _flat_scores(flat, position, voxel_size_m)),
        ]
    )
    return suppress(ranked, len(position), config.suppress_iou)


def suppress(proposals: MaskProposals, voxel_count: int, iou: float) -> MaskProposals:
    """Greedy by score (ties: first come): a mask that overlaps a kept one by more than iou goes."""
    if not len(proposals):
        return proposals
    masks = as_matrix(proposals, voxel_count)
    size = np.asarray(masks.sum(1)).ravel()
    shared = (masks @ masks.T).tocsr()
    alive = size > 0
    keep = []
    for i in np.argsort(-proposals.scores, kind="stable"):
        if not alive[i]:
            continue
        keep.append(i)
        row = slice(shared.indptr[i], shared.indptr[i + 1])
        j, n = shared.indices[row], shared.data[row]
        alive[j[n / (size[i] + size[j] - n) > iou]] = False
    return proposals.take(np.array(keep, np.int64))


def exclusive(proposals: MaskProposals, voxel_count: int, min_score: float) -> tuple[MaskProposals, np.ndarray]:
    """The confident proposals with each voxel given to the smallest of them (a mug before its table).

    Returns them and the row (N,) int32 that owns each voxel, -1 = none.
    """
    rows = np.flatnonzero(proposals.scores >= min_score)
    chosen = proposals.take(rows)
    owner = np.full(voxel_count, -1, np.int32)
    for i in sorted(range(len(chosen)), key=lambda i: (-len(chosen.voxels[i]), -i)):
        owner[chosen.voxels[i]] = i  # the smallest writes last
    order = np.argsort(owner, kind="stable").astype(np.int32)
    ends = np.searchsorted(owner[order], np.arange(len(chosen) + 1))
    voxels = tuple(order[ends[i] : ends[i + 1]] for i in range(len(chosen)))
    kept = np.array([i for i, v in enumerate(voxels) if len(v)], np.int64)
    number = np.full(len(chosen) + 1, -1, np.int32)
    number[kept] = np.arange(len(kept))
    result = MaskProposals(voxels, chosen.scores, chosen.sources).take(kept)
    return result, number[owner]


def as_matrix(proposals: MaskProposals, voxel_count: int) -> sp.csr_matrix:
    """(K, N) float32 0/1 matrix of the masks."""
    lengths = [len(v) for v in proposals.voxels]
    columns = np.concatenate(proposals.voxels) if lengths else np.zeros(0, np.int32)
    pointer = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return sp.csr_matrix((np.ones(len(columns), np.float32), columns, pointer), shape=(len(lengths), voxel_count))


def _scored(proposals: MaskProposals, scores: np.ndarray) -> MaskProposals:
    return MaskProposals(proposals.voxels, scores.astype(np.float32), proposals.sources)


def _object_scores(objects: MaskProposals) -> np.ndarray:
    size = np.array([len(v) for v in objects.voxels])
    is_object = np.array([s == "object" for s in objects.sources], bool)
    furniture = np.where(size >= 500, 0.95, np.where(size >= 100, 0.6, 0.1))
    return np.where(is_object, np.where(size >= 30, 1.0, 0.75), furniture)


def _consensus_scores(
    consensus: MaskProposals, objects: MaskProposals, position: np.ndarray, is_structure: np.ndarray
) -> np.ndarray:
    """What 2D parts add: things that touch furniture sideways; slivers, repeats and structure rank low."""
    if not len(consensus):
        return np.zeros(0)
    n = len(position)
    parts = as_matrix(consensus, n)
    size = np.asarray(parts.sum(1)).ravel()
    bonus = consensus.scores * 0.4
    extent, width = _shape(consensus, position)
    small = extent < 0.6
    score = np.where(small, 0.55, 0.3) + 0.1 * bonus
    score = np.where(small & ((width < 0.05) | (size < 25)), 0.12 + 0.1 * bonus, score)
    is_object = np.array([s == "object" for s in objects.sources], bool)
    if is_object.any():
        inside = (parts @ as_matrix(objects.take(np.flatnonzero(is_object)), n).T).max(1).toarray().ravel() / size
        score = np.where(inside > 0.6, 0.05, score)
    score = np.where((parts @ is_structure.astype(np.float32)) / size > 0.5, 0.02, score)
    if (~is_object).any():
        furniture = objects.take(np.flatnonzero(~is_object))
        shared = (parts @ as_matrix(furniture, n).T).toarray()
        best = shared.argmax(1)
        share = shared.max(1) / np.array([len(v) for v in furniture.voxels])[best]
        score = np.where((share > 0.3) & (share < 0.5), 0.3, score)
    return score


def _flat_scores(flat: MaskProposals, position: np.ndarray, voxel_size_m: float) -> np.ndarray:
    scores = np.full(len(flat), 0.15)
    for i, voxels in enumerate(flat.voxels):
        sides = np.sort(np.ptp(position[voxels], axis=0))
        filled = len(voxels) * voxel_size_m**2 / max(sides[1] * sides[2], 1e-4)
        if filled > 0.5 and len(voxels) >= 40:
            scores[i] = 0.5
    return scores


def _shape(proposals: MaskProposals, position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Longest side of the bounds, and second principal width (of an even slab: sqrt(12 variance)), m."""
    extent = np.zeros(len(proposals))
    width = np.zeros(len(proposals))
    for i, voxels in enumerate(proposals.voxels):
        p = position[voxels].astype(np.float64)
        extent[i] = np.ptp(p, axis=0).max()
        if len(p) > 3:
            centered = p - p.mean(0)
            width[i] = np.sqrt(12 * max(np.linalg.eigvalsh(centered.T @ centered / len(p))[1], 0.0))
    return extent, width
