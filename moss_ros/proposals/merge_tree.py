"""Average linkage of elements: again and again the two touching groups that most surely are one thing are joined.

Where to stop decides between a thing, its parts, and what it stands on; so every group that ever was is kept.
Nodes: 0..S-1 the elements, S.. the joins in order.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numba import njit

from moss_ros.masks2d.pixel_pairs import SURE
from moss_ros.proposals.element_links import Links

_LOWEST = 0.15  # groups of lower affinity are not joined


@dataclass(frozen=True, slots=True)
class MergeTree:
    """M nodes over S elements."""

    parent: np.ndarray  # (M,) int32, -1 = none
    children: np.ndarray  # (M, 2) int32, -1 of an element
    born: np.ndarray  # (M,) float32 affinity at which its halves were joined; 1 of an element
    died: np.ndarray  # (M,) float32 affinity at which it was joined to another; 0 of a root
    inner: np.ndarray  # (M,) float32 mean affinity of all pairs of pixels within
    outer: np.ndarray  # (M,) float32 of those across its border


def merge(links: Links, count: int) -> MergeTree:
    """The tree of count elements, numbered 1..count in the links."""
    own = links.first == links.second
    within = np.zeros((count, 2), np.int64)
    within[links.first[own] - 1] = np.stack([links.same[own], links.pairs[own]], 1)
    around = np.zeros((count, 2), np.int64)
    for end in (links.first, links.second):
        rows = ~own & (end > 0)
        np.add.at(around, end[rows] - 1, np.stack([links.same[rows], links.pairs[rows]], 1))
    between = ~own & (links.first > 0)
    ends = np.stack([links.first[between] - 1, links.second[between] - 1], 1).astype(np.int32)
    sums = np.stack([links.same[between], links.pairs[between], links.near[between]], 1)
    children, height, joined = _joins(count, ends, sums, _LOWEST * SURE)
    parent, inner, outer = _measure(count, children, within, around, joined)
    height = np.minimum.accumulate(height) / SURE  # a join can make a third group closer: heights are made to fall
    born = np.concatenate([np.ones(count), height]).astype(np.float32)
    died = np.where(parent >= 0, born[parent], 0).astype(np.float32)
    of_elements = np.full((count, 2), -1, np.int32)
    return MergeTree(parent, np.concatenate([of_elements, children]), born, died, inner, outer)


@njit(cache=True, nogil=True)
def _joins(count, ends, sums, lowest):
    """(J, 2) int32 nodes joined, (J,) mean between them, (J, 2) int64 sum and pairs between them.

    ends (E, 2) int32 and sums (E, 3) int64 of the links between elements; both are changed. Each group keeps a list of
    its links; entry 2e + s of the lists is end s of link e.
    """
    following = np.full(2 * len(ends), -1, np.int64)
    head = np.full(count, -1, np.int64)
    degree = np.zeros(count, np.int64)
    for entry in range(2 * len(ends)):
        group = ends[entry >> 1, entry & 1]
        following[entry] = head[group]
        head[group] = entry
        degree[group] += 1
    stamp = np.zeros(len(ends), np.int64)  # counts the changes of a link; -1: it is no more
    heap = [(0.0, np.int64(0), np.int64(0))]
    heap.pop()
    for row in range(len(ends)):
        if sums[row, 2] > 0:
            heap.append((-sums[row, 0] / sums[row, 1], np.int64(row), np.int64(0)))
    heapq.heapify(heap)
    node = np.arange(count).astype(np.int32)
    link_to = np.full(count, -1, np.int64)
    children = np.empty((max(count - 1, 0), 2), np.int32)
    height = np.empty(len(children))
    joined = np.empty((len(children), 2), np.int64)
    done = 0
    while len(heap):
        value, e, when = heapq.heappop(heap)
        if stamp[e] != when:
            continue
        if -value < lowest:
            break
        keep, gone = ends[e, 0], ends[e, 1]
        if degree[gone] > degree[keep]:
            keep, gone = gone, keep
        children[done] = min(node[keep], node[gone]), max(node[keep], node[gone])
        height[done] = -value
        joined[done] = sums[e, :2]
        node[keep] = count + done
        done += 1
        stamp[e] = -1
        entry = head[keep]
        while entry >= 0:
            if stamp[entry >> 1] >= 0:
                link_to[ends[entry >> 1, 1 - (entry & 1)]] = entry >> 1
            entry = following[entry]
        entry = head[gone]
        while entry >= 0:
            link, after = entry >> 1, following[entry]
            if stamp[link] >= 0:
                other = ends[link, 1 - (entry & 1)]
                into = link_to[other]
                if into >= 0:
                    for c in range(3):
                        sums[into, c] += sums[link, c]
                    stamp[link] = -1
                else:
                    into = link
                    ends[link, entry & 1] = keep
                    following[entry] = head[keep]
                    head[keep] = entry
                    degree[keep] += 1
                if stamp[into] >= 0 and sums[into, 2] > 0:
                    stamp[into] += 1
                    heapq.heappush(heap, (-sums[into, 0] / sums[into, 1], into, stamp[into]))
            entry = after
        entry = head[keep]
        while entry >= 0:
            link_to[ends[entry >> 1, 1 - (entry & 1)]] = -1
            entry = following[entry]
    return children[:done], height[:done], joined[:done]


@njit(cache=True, nogil=True)
def _measure(count, children, within, around, joined):
    """(M,) parents, and mean affinity within each node and across its border."""
    nodes = count + len(children)
    parent = np.full(nodes, -1, np.int32)
    inside, across = np.zeros((nodes, 2)), np.zeros((nodes, 2))
    inside[:count], across[:count] = within, around
    for j in range(len(children)):
        a, b, new = children[j, 0], children[j, 1], count + j
        parent[a], parent[b] = new, new
        for c in range(2):
            inside[new, c] = inside[a, c] + inside[b, c] + joined[j, c]
            across[new, c] = across[a, c] + across[b, c] - 2 * joined[j, c]
    inner, outer = np.zeros(nodes, np.float32), np.zeros(nodes, np.float32)
    for m in range(nodes):
        inner[m] = inside[m, 0] / (SURE * max(inside[m, 1], 1.0))
        outer[m] = across[m, 0] / (SURE * max(across[m, 1], 1.0))
    return parent, inner, outer
