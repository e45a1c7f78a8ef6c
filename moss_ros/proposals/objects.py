"""Objects: connected parts above one support that hardly touch anything else.

Parts that hover (the far side of a mug seen from above) join the object beneath or beside them.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from scipy.spatial import cKDTree

from moss_ros.config import ProposalConfig
from moss_ros.geometry.components import number_roots, sort_by_label
from moss_ros.mapping.structure import Structure
from moss_ros.proposals.solid_voxels import SolidVoxels


def find_objects(
    voxels: SolidVoxels,
    structure: Structure,
    rest: np.ndarray,
    candidate: np.ndarray,
    root: np.ndarray,
    c: ProposalConfig,
) -> np.ndarray:
    """(N,) int32 object label, 0 = none; root (N,) of the connected candidates."""
    label, count = number_roots(root)
    order, ends = sort_by_label(label, count)
    size, leak, low, high = _measure(label, order, ends, voxels.neighbours, voxels.position, rest, candidate)
    extent = (high - low).max(1)
    tight = leak < c.object_leak * size
    tight[0] = False
    fits = (size >= c.object_min_voxels) & (extent < c.object_max_m) & tight
    height = {s.key: s.height_m for s in structure.supports}
    below = np.array([0.0] + [height[candidate[v]] for v in order[ends[:-1]]])
    hovering = (low[:, 2] - below > c.fragment_gap_m) & (extent < c.object_max_m)
    hovering[0] = False
    standing = fits & ~hovering
    out = np.where(standing[label], label, 0).astype(np.int32)
    fragments = np.flatnonzero((hovering & tight)[label])
    base = np.flatnonzero(out > 0)
    if len(fragments) and len(base):
        _join_fragments(voxels.position, label, out, fragments, base, c.fragment_gap_m)
    return out


def _join_fragments(
    position: np.ndarray,
    label: np.ndarray,
    out: np.ndarray,
    fragments: np.ndarray,
    base: np.ndarray,
    gap_m: float,
) -> None:
    """Hovering parts join the object that most of their near voxels lie next to."""
    distance, nearest = cKDTree(position[base]).query(position[fragments], distance_upper_bound=gap_m)
    near = np.isfinite(distance)
    owner = np.zeros(len(fragments), np.int64)
    owner[near] = out[base[nearest[near]]]
    for fragment in np.unique(label[fragments[near]]):
        rows = label[fragments] == fragment
        votes = owner[rows & near]
        out[fragments[rows]] = np.bincount(votes).argmax()


@njit(cache=True, nogil=True)
def _measure(label, order, ends, neighbours, position, rest, candidate):
    """Size, leak (foreign voxels that touch the part outside its support's column) and bounds of each part."""
    count = len(ends) - 1
    size = np.zeros(count + 1, np.int64)
    leak = np.zeros(count + 1, np.int64)
    low = np.full((count + 1, 3), 1e9)
    high = np.full((count + 1, 3), -1e9)
    counted_for = np.zeros(len(label), np.int32)
    for part in range(1, count + 1):
        for n in range(ends[part - 1], ends[part]):
            v = order[n]
            size[part] += 1
            for a in range(3):
                low[part, a] = min(low[part, a], position[v, a])
                high[part, a] = max(high[part, a], position[v, a])
            for o in range(26):
                u = neighbours[v, o]
                if u < 0 or not rest[u] or label[u] == part or counted_for[u] == part or candidate[u] == -candidate[v]:
                    continue
                counted_for[u] = part
                leak[part] += 1
    return size, leak, low, high
