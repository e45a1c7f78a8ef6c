"""View consensus: masks of different views that agree on the voxels both see are one object.

MaskClustering (Yan et al., CVPR 2024) on voxels instead of points; the observer threshold walks down the
percentiles 75, 50, 25, 10. Observers count only where the mask has labelled voxels.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numba import njit

from moss_ros.config import ProposalConfig
from moss_ros.geometry.bits import ones_per_row, pack_rows, popcount
from moss_ros.masks2d.evidence import EvidenceStore
from moss_ros.records import MaskProposals

_PERCENTILES = (75, 50, 25, 10)  # the last for things that few views see


class ConsensusMap:
    """The clusters of the evidence; formed anew only when a keyframe came, went or was segmented again."""

    def __init__(self, config: ProposalConfig) -> None:
        self._config = config
        self._version = -1
        self._proposals = MaskProposals.join([])

    def update(self, evidence: EvidenceStore, solid: np.ndarray) -> MaskProposals:
        """Proposals of the evidence as it is now, on the solid voxels (N,) bool."""
        if evidence.version != self._version:
            self._proposals, self._version = consensus_proposals(evidence, self._config), evidence.version
        found = self._proposals
        voxels = tuple(v[solid[v]] for v in found.voxels)
        rows = np.array([i for i, v in enumerate(voxels) if len(v) >= self._config.mask_min_voxels], np.int64)
        return MaskProposals(voxels, found.scores, found.sources).take(rows)


def consensus_proposals(evidence: EvidenceStore, config: ProposalConfig) -> MaskProposals:
    """Clusters of agreeing masks as voxel masks, each voxel in the cluster with most votes.

    Scores are masks x mean detection ratio, scaled to [0, 1].
    """
    mask_slot, mask_voxels = evidence.masks()
    if not mask_voxels:
        return MaskProposals.join([])
    views = np.unique(mask_slot, return_inverse=True)[1]
    clusters = cluster_masks(evidence.pair_counts(), views, config)
    clusters = [c for c in clusters if len(c) >= config.consensus_min_masks]
    voxels, quality = _vote(clusters, mask_slot, mask_voxels, evidence.seen, config)
    keep = [i for i, v in enumerate(voxels) if len(v) >= config.mask_min_voxels]
    scores = np.array([quality[i] for i in keep], np.float32)
    scores /= max(scores.max(initial=0.0), 1e-9)
    return MaskProposals(tuple(voxels[i] for i in keep), scores, ("consensus",) * len(keep))


def cluster_masks(shared: sp.csr_matrix, view: np.ndarray, config: ProposalConfig) -> list[np.ndarray]:
    """Groups of mask numbers that are one object.

    shared (M, M) float32 voxels in common (diagonal: own size), view (M,) the view of each mask.
    """
    contained, visible, under = _relations(shared, view, config)
    active = np.flatnonzero((shared.diagonal() >= config.mask_min_voxels) & ~under)
    nodes = [np.array([i]) for i in active]
    sees = pack_rows(visible[active])
    inside = contained[active]
    histogram = _observer_histogram(sees)
    if not histogram[1:].any():
        return nodes
    for percentile in _PERCENTILES:
        threshold = max(_percentile_of_counts(histogram, percentile), 1.0)
        label, count = _agreeing(sees, inside, threshold, config.consensus_agreement)
        if count == len(nodes):
            continue
        join = sp.csr_matrix(
            (np.ones(len(nodes), np.float32), (label, np.arange(len(nodes)))), shape=(count, len(nodes))
        )
        inside = (join @ inside).tocsr()
        inside.data[:] = 1
        merged = np.zeros((count, sees.shape[1]), np.uint64)
        np.bitwise_or.at(merged, label, sees)
        sees = merged
        order = np.argsort(label, kind="stable")
        ends = np.searchsorted(label[order], np.arange(count + 1))
        nodes = [np.concatenate([nodes[i] for i in order[ends[c] : ends[c + 1]]]) for c in range(count)]
    return nodes


def _agreeing(sees: np.ndarray, inside: sp.csr_matrix, threshold: float, agreement: float) -> tuple[np.ndarray, int]:
    """Connected groups of nodes whose common observers are enough and mostly support them."""
    supporters = sp.triu(inside @ inside.T, 1).tocoo()
    observers = ones_per_row(sees[supporters.row] & sees[supporters.col])
    agree = (observers >= threshold) & (supporters.data >= agreement * observers)
    graph = sp.csr_matrix(
        (np.ones(int(agree.sum()), np.int8), (supporters.row[agree], supporters.col[agree])),
        shape=supporters.shape,
    )
    count, label = sp.csgraph.connected_components(graph, directed=False)
    return label, count


def _relations(
    shared: sp.csr_matrix, view: np.ndarray, c: ProposalConfig
) -> tuple[sp.csr_matrix, np.ndarray, np.ndarray]:
    """contained (M, M): row lies in column's mask; visible (M, V) bool; under-segmented masks (M,) bool."""
    masks, views = len(view), int(view.max()) + 1
    size = shared.diagonal()
    big = size >= c.mask_min_voxels
    member = sp.csr_matrix((np.ones(masks, np.float32), (np.arange(masks), view)), shape=(masks, views))
    labelled = (shared @ member).toarray()  # voxels of a mask that a view labelled at all
    visible = (labelled >= c.consensus_visible * size[:, None]) | (labelled >= c.consensus_visible_voxels)
    visible &= big[:, None]
    pairs = shared.tocoo()
    row, column = pairs.row, pairs.col
    holds = (pairs.data >= c.consensus_containment * labelled[row, view[column]]) & big[column]
    holds &= visible[row, view[column]]
    row, column = row[holds], column[holds]
    has = np.zeros_like(visible)
    has[row, view[column]] = True
    split = (visible & ~has).sum(1)
    under = (split > c.consensus_under_segmentation * np.maximum(visible.sum(1), 1)) & big
    visible &= has
    # An under-segmented mask says nothing about others: its column and, for those inside it, its view go.
    wrong = under[column]
    visible[row[wrong], view[column[wrong]]] = False
    row, column = row[~wrong], column[~wrong]
    contained = sp.csr_matrix((np.ones(len(row), np.float32), (row, column)), shape=(masks, masks))
    return contained, visible, under


def _percentile_of_counts(histogram: np.ndarray, percentile: float) -> float:
    """Percentile (linear) of the positive values whose numbers a histogram holds."""
    cumulative = np.cumsum(np.r_[0, histogram[1:]])
    position = percentile / 100 * (cumulative[-1] - 1)
    low = np.searchsorted(cumulative, np.floor(position), side="right")
    high = np.searchsorted(cumulative, np.ceil(position), side="right")
    return float(low + (position - np.floor(position)) * (high - low))


def _vote(
    clusters: list[np.ndarray],
    mask_slot: np.ndarray,
    mask_voxels: list[np.ndarray],
    seen: np.ndarray,
    config: ProposalConfig,
) -> tuple[list[np.ndarray], list[float]]:
    """Voxels of each cluster: put there by enough of its views that see them; best cluster wins a voxel."""
    n = len(seen)
    best_votes = np.zeros(n, np.int32)
    best_ratio = np.zeros(n, np.float32)
    owner = np.full(n, -1, np.int32)
    votes = np.zeros(n, np.int32)
    for number, cluster in enumerate(clusters):
        bits = np.zeros(seen.shape[1], np.uint64)
        for slot in mask_slot[cluster]:
            bits[slot // 64] |= np.uint64(1 << int(slot % 64))
        members = np.concatenate([mask_voxels[i] for i in cluster])
        _vote_cluster(members, votes, seen, bits, config.consensus_detection, number, best_votes, best_ratio, owner)
    owned = np.flatnonzero(owner >= 0)
    order = owned[np.argsort(owner[owned], kind="stable")]
    ends = np.searchsorted(owner[order], np.arange(len(clusters) + 1))
    voxels = [order[ends[i] : ends[i + 1]].astype(np.int32) for i in range(len(clusters))]
    quality = [
        len(np.unique(mask_slot[c])) * float(best_ratio[v].mean()) if len(v) else 0.0
        for c, v in zip(clusters, voxels, strict=True)
    ]
    return voxels, quality


@njit(cache=True, nogil=True)
def _vote_cluster(members, votes, seen, bits, detection, number, best_votes, best_ratio, owner):
    for v in members:
        votes[v] += 1
    for v in members:
        if votes[v] == 0:
            continue
        observers = 0
        for w in range(len(bits)):
            observers += popcount(seen[v, w] & bits[w])
        ratio = np.float32(votes[v] / max(observers, 1))
        better = votes[v] > best_votes[v] or (votes[v] == best_votes[v] and ratio > best_ratio[v])
        if ratio >= detection and better:
            best_votes[v], best_ratio[v], owner[v] = votes[v], ratio, number
        votes[v] = 0


@njit(cache=True, nogil=True)
def _observer_histogram(sees):
    """How many pairs of nodes have 0, 1, 2, ... common observers (a node with itself counts too)."""
    out = np.zeros(64 * sees.shape[1] + 1, np.int64)
    for i in range(len(sees)):
        for j in range(i, len(sees)):
            common = 0
            for w in range(sees.shape[1]):
                common += popcount(sees[i, w] & sees[j, w])
            out[common] += 1 if i == j else 2
    return out
