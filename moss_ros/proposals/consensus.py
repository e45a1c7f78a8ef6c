"""View consensus: masks of different views that agree on the voxels both see are one object.

MaskClustering (Yan et al., CVPR 2024) on voxels instead of points; the observer threshold walks down the
percentiles 75, 50, 25. Observers count only where the mask has labelled voxels.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numba import njit

from moss_ros.config import ProposalConfig
from moss_ros.masks2d.evidence import EvidenceStore
from moss_ros.records import MaskProposals

_PERCENTILES = (75, 50, 25)


def consensus_proposals(evidence: EvidenceStore, config: ProposalConfig) -> MaskProposals:
    """Clusters of agreeing masks as voxel masks, each voxel in the cluster with most votes.

    Scores are masks x mean detection ratio, scaled to [0, 1].
    """
    mask_slot, mask_voxels = evidence.masks()
    if not mask_voxels:
        return MaskProposals.join([])
    views = np.unique(mask_slot, return_inverse=True)[1]
    shared = evidence.pair_counts()
    clusters = cluster_masks(shared, views, config)
    clusters = [c for c in clusters if len(c) >= config.consensus_min_masks]
    voxels, quality = _vote(clusters, mask_slot, mask_voxels, evidence.seen, config)
    keep = [i for i, v in enumerate(voxels) if len(v) >= config.mask_min_voxels]
    scores = np.array([quality[i] for i in keep], np.float32)
    scores /= max(scores.max(initial=0.0), 1e-9)
    return MaskProposals(tuple(voxels[i] for i in keep), scores, ("consensus",) * len(keep))


def cluster_masks(shared: np.ndarray, view: np.ndarray, config: ProposalConfig) -> list[np.ndarray]:
    """Groups of mask numbers that are one object.

    shared (M, M) float32 voxels in common (diagonal: own size), view (M,) the view of each mask.
    """
    contained, visible, under = _relations(shared, view, config)
    size = np.diag(shared)
    active = np.flatnonzero((size >= config.mask_min_voxels) & ~under)
    nodes = [np.array([i]) for i in active]
    sees = visible[active].astype(np.float32)
    inside = sp.csr_matrix(contained[active], dtype=np.float32)  # a mask lies in few others
    if not nodes:
        return []
    observers = sees @ sees.T
    positive = observers[observers > 0]
    if not len(positive):
        return nodes
    for percentile in _PERCENTILES:
        threshold = max(float(np.percentile(positive, percentile)), 1.0)
        observers = sees @ sees.T
        supporters = (inside @ inside.T).toarray()
        np.fill_diagonal(observers, 0)
        agree = (observers >= threshold) & (supporters >= config.consensus_agreement * observers)
        count, label = sp.csgraph.connected_components(sp.csr_matrix(agree), directed=False)
        if count == len(nodes):
            continue
        join = sp.csr_matrix(
            (np.ones(len(nodes), np.float32), (label, np.arange(len(nodes)))), shape=(count, len(nodes))
        )
        sees = ((join @ sees) > 0).astype(np.float32)
        inside = ((join @ inside) > 0).astype(np.float32).tocsr()
        order = np.argsort(label, kind="stable")
        ends = np.searchsorted(label[order], np.arange(count + 1))
        nodes = [np.concatenate([nodes[i] for i in order[ends[c] : ends[c + 1]]]) for c in range(count)]
    return nodes


def _relations(
    shared: np.ndarray, view: np.ndarray, c: ProposalConfig
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """contained (M, M): row lies in column's mask; visible (M, V); under-segmented masks (M,)."""
    views = int(view.max()) + 1
    size = np.diag(shared).copy()
    big = size >= c.mask_min_voxels
    member = sp.csr_matrix((np.ones(len(view), np.float32), (np.arange(len(view)), view)), shape=(len(view), views))
    labelled = np.asarray((member.T @ shared.T).T)  # voxels of a mask that a view labelled at all
    visible = (labelled >= c.consensus_visible * size[:, None]) | (labelled >= c.consensus_visible_voxels)
    visible &= big[:, None]
    ratio = shared / np.maximum(labelled[:, view], 1)
    contained = (ratio >= c.consensus_containment) & visible[:, view] & big[None, :]
    has = np.asarray((contained @ member) > 0)
    split = (visible & ~has).sum(1)
    under = (split > c.consensus_under_segmentation * np.maximum(visible.sum(1), 1)) & big
    visible &= has
    # An under-segmented mask says nothing about others: its column and, for those inside it, its view go.
    for mask in np.flatnonzero(under):
        rows = np.flatnonzero(contained[:, mask])
        contained[rows, mask] = False
        visible[rows, view[mask]] = False
    return contained, visible, under


def _vote(
    clusters: list[np.ndarray], mask_slot: np.ndarray, mask_voxels: list[np.ndarray], seen: np.ndarray,
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
        _vote_cluster(
            members, votes, seen, bits, config.consensus_detection, number, best_votes, best_ratio, owner
        )
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
            observers += _popcount(seen[v, w] & bits[w])
        ratio = np.float32(votes[v] / max(observers, 1))
        better = votes[v] > best_votes[v] or (votes[v] == best_votes[v] and ratio > best_ratio[v])
        if ratio >= detection and better:
            best_votes[v], best_ratio[v], owner[v] = votes[v], ratio, number
        votes[v] = 0


@njit(cache=True, nogil=True, inline="always")
def _popcount(x):
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * np.uint64(0x0101010101010101)) >> np.uint64(56))
