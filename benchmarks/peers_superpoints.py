"""2D masks lifted to superpoints and merged up a tree of frames.

After what Open3DIS (Nguyen et al., CVPR 2024) describes. Their test of deep features beside the overlap is left out:
without weights there are no such features.
Letters: N voxels, S superpoints, M 2D masks, V views.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from benchmarks.peers_views import LiftedThings, PeerViews

COVERED = 0.5  # share of the seen voxels of a superpoint that a mask holds
VOTED = 0.2  # share of the views of a thing that must hold a superpoint of it
LEAST_VOXELS = 50


@dataclass(frozen=True, slots=True)
class TreeRules:
    """What is merged."""

    iou: float = 0.9
    min_superpoints: int = 2  # smaller masks are dropped


def merge_up_the_tree(views: PeerViews, rules: TreeRules) -> LiftedThings:
    """Masks of single frames become those of pairs of neighbouring frames, of four, and so on up to all."""
    size = np.bincount(views.superpoints[views.solid & (views.superpoints >= 0)]).astype(np.float64)
    held, seen, of_view = lifted(views, len(size), rules.min_superpoints)
    groups = [[np.array([row]) for row in np.flatnonzero(of_view == v)] for v in range(len(views.slots))]
    while len(groups) > 1:
        pairs = [groups[i : i + 2] for i in range(0, len(groups), 2)]
        groups = [_joined([g for part in pair for g in part], held, size, rules.iou) for pair in pairs]
    masks, votes = [], []
    for group in groups[0] if groups else []:
        count = np.asarray(held[group].sum(0)).ravel()
        looks = np.asarray(seen[np.unique(of_view[group])].sum(0)).ravel()
        kept = np.zeros(len(size) + 1, bool)  # the last entry stands for no superpoint
        kept[:-1] = (count > 0) & (count >= VOTED * looks)
        voxels = np.flatnonzero(kept[views.superpoints] & views.solid)
        if len(voxels) >= LEAST_VOXELS:
            masks.append(voxels)
            votes.append(len(np.unique(of_view[group])))
    return LiftedThings(masks, np.array(votes, float))


def lifted(
    views: PeerViews, superpoint_count: int, min_superpoints: int
) -> tuple[sp.csr_matrix, sp.csr_matrix, np.ndarray]:
    """Superpoints that each mask holds (M, S), that each view sees (V, S), both of ones, and the view of each mask."""
    rows, seen, of_view = [], [], []
    for number, slot in enumerate(views.slots):
        view = views.evidence.views[slot]
        superpoint = views.superpoints[view.voxels]
        on = superpoint >= 0
        visible = np.bincount(superpoint[on], minlength=superpoint_count)
        masked = on & (view.labels > 0)
        at = (view.labels[masked] - 1, superpoint[masked])
        counts = sp.coo_matrix((np.ones(masked.sum()), at), shape=(view.count, superpoint_count)).tocsr()
        counts.data = (counts.data >= COVERED * visible[counts.indices]).astype(float)
        counts.eliminate_zeros()
        kept = np.flatnonzero(np.diff(counts.indptr) >= min_superpoints)
        rows.append(counts[kept])
        of_view += [number] * len(kept)
        seen.append(sp.csr_matrix((visible > 0).astype(float)[None]))
    empty = sp.csr_matrix((0, superpoint_count))
    return sp.vstack([empty, *rows]).tocsr(), sp.vstack([empty, *seen]).tocsr(), np.array(of_view, np.int64)


def _joined(groups: list[np.ndarray], held: sp.csr_matrix, size: np.ndarray, iou: float) -> list[np.ndarray]:
    """Groups of masks whose superpoints overlap well enough become one, also by way of a third."""
    if len(groups) < 2:
        return groups
    which = np.repeat(np.arange(len(groups)), [len(g) for g in groups])
    member = sp.csr_matrix((np.ones(len(which)), (which, np.arange(len(which)))), shape=(len(groups), len(which)))
    union = (member @ held[np.concatenate(groups)]).tocsr()
    union.data[:] = 1
    shared = (union.multiply(size[None])) @ union.T
    area = shared.diagonal()
    pair = sp.coo_matrix(shared)
    close = pair.data >= iou * (area[pair.row] + area[pair.col] - pair.data)
    graph = sp.coo_matrix((np.ones(close.sum()), (pair.row[close], pair.col[close])), shape=shared.shape)
    count, label = sp.csgraph.connected_components(graph, directed=False)
    return [np.concatenate([groups[i] for i in np.flatnonzero(label == c)]) for c in range(count)]
