"""Proposals from the affinities of all views: every group of the merge tree that stands out from its surroundings.

voxel_affinity -> elements -> element_links -> merge_tree -> the groups that stand out, without near repeats
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from moss_ros.config import ProposalConfig
from moss_ros.masks2d.evidence import EvidenceStore
from moss_ros.proposals.element_links import LinkMap
from moss_ros.proposals.elements import find_elements
from moss_ros.proposals.merge_tree import MergeTree, merge
from moss_ros.proposals.solid_voxels import SolidVoxels
from moss_ros.proposals.voxel_affinity import VoxelAffinity
from moss_ros.records import MaskProposals

SOURCE = "affinity"
NUMBERS = ("inner", "outer", "born", "died")  # of MergeTree, for each proposal
_THING = 0.2  # voxels of lower probability are in no group: the ranking sees to the others
_HALF_SCORE_VOXELS = 60  # a group so large has half the score that a huge one would have
_LEAST_SCORE = 0.15
_REPEAT = 0.8  # of two groups of which one holds so much of the other the better one is kept


@dataclass(frozen=True, slots=True)
class AffinityProposals:
    """Groups of voxels, and what the tree says about them."""

    proposals: MaskProposals  # scores: how well each stands out, in [0, 1]
    numbers: np.ndarray  # (K, 4) float32, see NUMBERS
    thing: np.ndarray  # (N,) float32 probability that a voxel is on a thing


class AffinityMap:
    """The groups of the evidence; formed anew when the evidence, a solid voxel or a colour changed."""

    def __init__(self, config: ProposalConfig) -> None:
        self._config = config
        self._voxels = VoxelAffinity()
        self._links = LinkMap()
        self._solid = np.zeros(0, bool)
        self._color = np.zeros((0, 3), np.float32)
        self._last = AffinityProposals(MaskProposals.join([]), np.zeros((0, len(NUMBERS)), np.float32), np.zeros(0))

    def update(self, evidence: EvidenceStore, voxels: SolidVoxels) -> AffinityProposals:
        """Proposals of the evidence as it is now, on the solid voxels."""
        changed = self._voxels.update(evidence, voxels.grid)
        same = np.array_equal(self._solid, voxels.solid) and np.array_equal(self._color, voxels.color_rgb)
        if changed or not same:
            self._solid, self._color = voxels.solid.copy(), voxels.color_rgb.copy()
            self._last = self._formed(evidence, voxels)
        return self._last

    def _formed(self, evidence: EvidenceStore, voxels: SolidVoxels) -> AffinityProposals:
        thing = self._voxels.thing
        inside = voxels.solid & (thing > _THING)
        first, second, affinity = self._voxels.edges(inside, voxels.neighbours)
        element, count = find_elements(first, second, affinity, voxels.color_rgb)
        links = self._links.update(evidence.pairs, element, voxels.solid, voxels.grid, (first, second))
        tree = merge(links, count)
        order, start, end = _ranges(tree, np.bincount(element, minlength=count + 1)[1:])
        size = end - start
        score = tree.inner * (1 - tree.outer) * size / (size + _HALF_SCORE_VOXELS)
        good = (score > _LEAST_SCORE) & (size >= self._config.mask_min_voxels)
        rows = _distinct(np.argsort(-score, kind="stable"), good, size, tree.parent, _REPEAT)
        members = _members(element, order, count)
        found = tuple(np.sort(members[start[m] : end[m]]) for m in rows)
        numbers = np.stack([tree.inner, tree.outer, tree.born, tree.died], 1)[rows]
        return AffinityProposals(
            MaskProposals(found, score[rows].astype(np.float32), (SOURCE,) * len(rows)), numbers, thing
        )


def _members(element: np.ndarray, order: np.ndarray, count: int) -> np.ndarray:
    """Voxels of all elements, the elements in the given order."""
    place = np.zeros(count + 1, np.int64)
    place[order + 1] = np.arange(1, count + 1)
    inside = np.flatnonzero(element)
    return inside[np.argsort(place[element[inside]], kind="stable")].astype(np.int32)


@njit(cache=True, nogil=True)
def _walk(parent, children, size, order, start, end):
    voxels, leaves = 0, 0
    stack = [np.int64(0)]
    stack.pop()
    for root in range(len(parent) - 1, -1, -1):
        if parent[root] >= 0:
            continue
        stack.append(np.int64(root))
        while len(stack):
            m = stack.pop()
            start[m] = voxels
            if children[m, 0] >= 0:
                stack.append(np.int64(children[m, 1]))
                stack.append(np.int64(children[m, 0]))
            else:
                order[leaves] = m
                leaves += 1
                voxels += size[m]
    for row in range(len(parent)):
        if children[row, 0] < 0:
            end[row] = start[row] + size[row]
        else:  # children come before their parent
            end[row] = max(end[children[row, 0]], end[children[row, 1]])


def _ranges(tree: MergeTree, size: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Order (S,) of the elements in which every node is one range of voxels, and start and end (M,) of these."""
    nodes = len(tree.parent)
    order, start, end = np.zeros(len(size), np.int64), np.zeros(nodes, np.int64), np.zeros(nodes, np.int64)
    _walk(tree.parent, tree.children, size, order, start, end)
    return order, start, end


@njit(cache=True, nogil=True)
def _distinct(ranked, good, size, parent, repeat):
    """Rows of the good nodes, the best first, without those that repeat a better one that holds them or that they
    hold."""
    kept = np.zeros(len(parent), np.bool_)
    holds_kept = np.zeros(len(parent), np.bool_)  # a kept node nearly as large lies in it
    rows = []
    for m in ranked:
        if not good[m] or holds_kept[m]:
            continue
        above = parent[m]
        while above >= 0 and size[m] > repeat * size[above] and not kept[above]:
            above = parent[above]
        if above >= 0 and kept[above] and size[m] > repeat * size[above]:
            continue
        kept[m] = True
        rows.append(m)
        above = parent[m]
        while above >= 0 and size[m] > repeat * size[above]:
            holds_kept[above] = True
            above = parent[above]
    return np.array(rows, np.int64) if len(rows) else np.empty(0, np.int64)
