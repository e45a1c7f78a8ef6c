"""What can be said of a proposal before anybody knows what it is: shape, surroundings, and how the views agree.

The ranking learns from these numbers which proposals are whole things.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from moss_ros.mapping.structure import Structure
from moss_ros.proposals.affinity import NUMBERS, AffinityProposals
from moss_ros.proposals.affinity import SOURCE as AFFINITY
from moss_ros.proposals.measures import SHAPE
from moss_ros.proposals.shared_voxels import SharedVoxels
from moss_ros.records import MaskProposals

SOURCES = ("object", "furniture", "consensus", "flat")
_KINDS = (*SOURCES, AFFINITY)

FEATURES = (
    "voxels",  # log10 of their number
    "length_m",  # principal widths of the voxels: of an even slab the sides
    "width_m",
    "thickness_m",
    "bottom_m",  # above the floor
    "top_m",
    "structure",  # share of voxels on floor and walls
    "support",  # share on level surfaces above the floor
    "touching",  # voxels outside that touch it, per voxel
    "crease",  # mean angle between its normals and those of the touching voxels, 1 - cosine
    "color_step",  # mean distance in RGB to the touching voxels
    "views",  # log2 of 1 + keyframes that saw a tenth of it
    "seen",  # mean share seen by these keyframes
    "mask_iou",  # mean over these of the best overlap with a 2D mask
    "mask_inside",  # mean over these of the largest share within one 2D mask
    "other_iou",  # best overlap with a proposal of another source
    "parent",  # largest share within a bigger proposal
    "children",  # share covered by smaller proposals that lie in it
    "consensus",  # score of the view consensus, 0 for other sources
    *(f"is_{source}" for source in SOURCES),
    # All below are 0 when the view consensus is the source. Names are appended, never moved: rankings know them.
    "thing",  # mean probability that its voxels are on a thing
    "inner",  # of groups of the affinity tree, 0 for other sources: mean affinity within
    "outer",  # across the border
    "born",  # at which its halves were joined
    "died",  # at which it was joined to another
    "stands_out",  # from these and its size
    f"is_{AFFINITY}",
)


def features_of(
    proposals: MaskProposals,
    measures: np.ndarray,
    shared: SharedVoxels,
    structure: Structure,
    affinity: AffinityProposals | None = None,
) -> np.ndarray:
    """(K, F) float32, columns as in FEATURES.

    measures and shared: of the same proposals; affinity: where it is the source of the views; those of the proposals
    that are its groups come in its order.
    """
    if not len(proposals):
        return np.zeros((0, len(FEATURES)), np.float32)
    source = np.array([[s == name for name in _KINDS] for s in proposals.sources], np.float64)
    shape, around = measures[:, :SHAPE].copy(), measures[:, SHAPE:]
    shape[:, -2:] -= structure.floor_height_m
    thing = np.zeros(0, np.float32) if affinity is None else affinity.thing
    shares = _shares(shared.offsets, shared.members, structure.is_structure, structure.support_of, thing)
    columns = [
        np.log10(shared.sizes),
        *shape.T,
        *shares[:, :2].T,
        *around.T,
        *_overlaps(shared, source.argmax(1)).T,
        proposals.scores * source[:, SOURCES.index("consensus")],
        *source[:, : len(SOURCES)].T,
        shares[:, 2],
        *_of_the_tree(source[:, -1] > 0, affinity).T,
    ]
    return np.stack(columns, 1).astype(np.float32)


@njit(cache=True, nogil=True)
def _shares(offsets, members, is_structure, support_of, thing):
    """(K, 3): share of the voxels on structure, on supports, and mean of thing, which may be empty."""
    out = np.zeros((len(offsets) - 1, 3))
    for k in range(len(offsets) - 1):
        for i in range(offsets[k], offsets[k + 1]):
            v = members[i]
            out[k, 0] += is_structure[v]
            out[k, 1] += support_of[v] > 0
            if len(thing):
                out[k, 2] += thing[v]
        out[k] /= offsets[k + 1] - offsets[k]
    return out


def _of_the_tree(group: np.ndarray, affinity: AffinityProposals | None) -> np.ndarray:
    """(K, 6): NUMBERS, stands_out and whether it is a group of the affinity tree; group (K,) bool."""
    out = np.zeros((len(group), len(NUMBERS) + 2))
    if affinity is not None:
        out[group, :-1] = np.column_stack([affinity.numbers, affinity.proposals.scores])
        out[:, -1] = group
    return out


def _overlaps(shared: SharedVoxels, source: np.ndarray) -> np.ndarray:
    """(K, 3): best IoU with another source, largest share in a bigger one, share covered by smaller ones inside."""
    iou, within, child = _best_overlaps(shared.shared, shared.sizes, source)
    covered = _covered(shared.offsets, shared.members, shared.first, shared.holders, child)
    return np.stack([iou, within, covered / shared.sizes], 1)


@njit(cache=True, nogil=True)
def _best_overlaps(shared, size, source):
    """Best IoU with another source (K,), largest share in a bigger proposal (K,), and child (K, K) bool: column lies in
    the row and is smaller."""
    count = len(size)
    iou, within = np.zeros(count), np.zeros(count)
    child = np.zeros((count, count), np.bool_)
    for i in range(count):
        a = size[i]
        for j in range(count):
            n, b = shared[i, j], size[j]
            if n == 0:
                continue
            if source[i] != source[j]:
                iou[i] = max(iou[i], n / (a + b - n))
            if b > a and n < 0.9 * b:  # a repeat of itself is no parent
                within[i] = max(within[i], n / a)
            child[i, j] = a > b and n > 0.8 * b and b < 0.8 * a
    return iou, within, child


@njit(cache=True, nogil=True)
def _covered(offsets, members, first, holders, child):
    """(K,) voxels of each proposal that lie in one of its children (K, K) bool."""
    out = np.zeros(len(offsets) - 1, np.int64)
    for k in range(len(out)):
        if not child[k].any():
            continue
        for i in range(offsets[k], offsets[k + 1]):
            v = members[i]
            for j in range(first[v], first[v + 1]):
                if child[k, holders[j]]:
                    out[k] += 1
                    break
    return out
