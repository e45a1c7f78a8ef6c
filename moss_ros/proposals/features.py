"""What can be said of a proposal before anybody knows what it is: shape, surroundings, and how the views agree.

The ranking learns from these numbers which proposals are whole things.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from moss_ros.geometry.components import spread
from moss_ros.mapping.structure import Structure
from moss_ros.masks2d.evidence import EvidenceStore
from moss_ros.proposals.affinity import NUMBERS, AffinityProposals
from moss_ros.proposals.affinity import SOURCE as AFFINITY
from moss_ros.proposals.shared_voxels import SharedVoxels, overlaps_in_view
from moss_ros.proposals.solid_voxels import SolidVoxels
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


class FeatureMap:
    """Features of the proposals; what touches a proposal is looked at again only when something there changed."""

    def __init__(self) -> None:
        self._contacts: dict[bytes, np.ndarray] = {}  # by the voxels of the proposal

    def update(
        self,
        proposals: MaskProposals,
        shared: SharedVoxels,
        voxels: SolidVoxels,
        color_rgb: np.ndarray,
        normal: np.ndarray,
        structure: Structure,
        evidence: EvidenceStore,
        changed: np.ndarray,
        affinity: AffinityProposals | None = None,
    ) -> np.ndarray:
        """(K, F) float32, columns as in FEATURES.

        shared: of the same proposals; color_rgb and normal (N, 3) of the map; changed (N,) bool: voxels of which the
        position, colour, normal or solidity changed since the last call; affinity: where it is the source of the
        views; those of the proposals that are its groups come in its order.
        """
        if not len(proposals):
            return np.zeros((0, len(FEATURES)), np.float32)
        offsets, members = shared.offsets, shared.members
        widths, bottom, top = _extents(offsets, members, voxels.position)
        source = np.array([[s == name for name in _KINDS] for s in proposals.sources], np.float64)
        columns = [
            np.log10(shared.sizes),
            *widths.T,
            bottom - structure.floor_height_m,
            top - structure.floor_height_m,
            np.add.reduceat(structure.is_structure[members], offsets[:-1], dtype=np.int64) / shared.sizes,
            np.add.reduceat(structure.support_of[members] > 0, offsets[:-1], dtype=np.int64) / shared.sizes,
            *self._touch(proposals, shared, voxels, color_rgb, normal, changed).T,
            *_agreement(shared, evidence).T,
            *_overlaps(shared, source.argmax(1)).T,
            proposals.scores * source[:, SOURCES.index("consensus")],
            *source[:, : len(SOURCES)].T,
            *_of_the_tree(shared, source[:, -1] > 0, affinity).T,
        ]
        return np.stack(columns, 1).astype(np.float32)

    def _touch(
        self,
        proposals: MaskProposals,
        shared: SharedVoxels,
        voxels: SolidVoxels,
        color_rgb: np.ndarray,
        normal: np.ndarray,
        changed: np.ndarray,
    ) -> np.ndarray:
        """(K, 3) of _contacts."""
        keys = [v.tobytes() for v in proposals.voxels]
        near_change = spread(changed, voxels.neighbours)
        stale = np.logical_or.reduceat(near_change[shared.members], shared.offsets[:-1])
        stale |= np.array([key not in self._contacts for key in keys])
        out = np.zeros((len(keys), 3))
        _contacts(stale, shared.offsets, shared.members, voxels.neighbours, voxels.solid, normal, color_rgb, out)
        for row in np.flatnonzero(~stale):
            out[row] = self._contacts[keys[row]]
        self._contacts = dict(zip(keys, out, strict=True))
        return out


def _of_the_tree(shared: SharedVoxels, group: np.ndarray, affinity: AffinityProposals | None) -> np.ndarray:
    """(K, 7): thing, NUMBERS, stands_out and whether it is a group of the affinity tree; group (K,) bool."""
    out = np.zeros((len(group), len(NUMBERS) + 3))
    if affinity is not None:
        out[:, 0] = np.add.reduceat(affinity.thing[shared.members], shared.offsets[:-1], dtype=np.float64)
        out[:, 0] /= shared.sizes
        out[group, 1:-1] = np.column_stack([affinity.numbers, affinity.proposals.scores])
        out[:, -1] = group
    return out


def _extents(offsets: np.ndarray, members: np.ndarray, position: np.ndarray):
    """Principal widths (K, 3) m, largest first, and lowest and highest z (K,)."""
    sums = _moments(offsets, members, position)
    size = np.maximum(np.diff(offsets), 1)[:, None]
    mean = sums[:, :3] / size
    second = (sums[:, 3:9] / size)[:, [0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(-1, 3, 3)
    covariance = second - mean[:, :, None] * mean[:, None, :]
    widths = np.sqrt(12 * np.maximum(np.linalg.eigvalsh(covariance), 0))[:, ::-1]
    return widths, sums[:, 9], sums[:, 10]


@njit(cache=True, nogil=True)
def _moments(offsets, members, position):
    """First and second moments relative to the first voxel, lowest and highest z."""
    out = np.zeros((len(offsets) - 1, 11))
    for k in range(len(offsets) - 1):
        out[k, 9], out[k, 10] = np.inf, -np.inf
        origin = position[members[offsets[k]]]
        for i in range(offsets[k], offsets[k + 1]):
            p = position[members[i]]
            x, y, z = float(p[0]) - origin[0], float(p[1]) - origin[1], float(p[2]) - origin[2]
            out[k, 0] += x
            out[k, 1] += y
            out[k, 2] += z
            out[k, 3] += x * x
            out[k, 4] += x * y
            out[k, 5] += x * z
            out[k, 6] += y * y
            out[k, 7] += y * z
            out[k, 8] += z * z
            out[k, 9] = min(out[k, 9], p[2])
            out[k, 10] = max(out[k, 10], p[2])
    return out


@njit(cache=True, nogil=True)
def _contacts(where, offsets, members, neighbours, solid, normal, color, out):
    """Touching voxels per voxel, and their mean crease and colour step, of the proposals in where (K,) bool."""
    mark = np.full(len(solid), -1, np.int32)  # the last proposal that holds or touches the voxel
    for k in range(len(offsets) - 1):
        if not where[k]:
            continue
        for i in range(offsets[k], offsets[k + 1]):
            mark[members[i]] = k
        count, crease, step = 0, 0.0, 0.0
        for i in range(offsets[k], offsets[k + 1]):
            v = members[i]
            for o in range(26):
                u = neighbours[v, o]
                if u < 0 or mark[u] == k or not solid[u]:
                    continue
                mark[u] = k
                count += 1
                cosine, square = 0.0, 0.0
                for a in range(3):
                    cosine += normal[v, a] * normal[u, a]
                    square += (color[v, a] - color[u, a]) ** 2
                crease += 1.0 - cosine
                step += np.sqrt(square)
        out[k, 0] = count / (offsets[k + 1] - offsets[k])
        if count:
            out[k, 1], out[k, 2] = crease / count, step / count


def _agreement(shared: SharedVoxels, evidence: EvidenceStore) -> np.ndarray:
    """(K, 4): log2(1 + views), mean share seen, mean best mask IoU, mean best share in one mask."""
    out = np.zeros((len(shared.sizes), 4))
    for slot in evidence.slots():
        view = evidence.views[slot]
        _add_view(shared.first, shared.holders, view.voxels, view.labels, view.count, shared.sizes, out)
    out[:, 1:] /= np.maximum(out[:, :1], 1)
    out[:, 0] = np.log2(1 + out[:, 0])
    return out


@njit(cache=True, nogil=True)
def _add_view(first, holders, voxels, labels, count, size, out):
    """Add one view to the sums of _agreement for the proposals of which it saw a tenth."""
    shared, visible, area = overlaps_in_view(first, holders, len(size), voxels, labels, count)
    for p in range(len(size)):
        if visible[p] == 0 or visible[p] < 0.1 * size[p]:
            continue
        iou, inside = 0.0, 0.0
        for mask in range(1, count + 1):
            n = shared[p, mask]
            if n == 0:
                continue
            iou = max(iou, n / (visible[p] + area[mask] - n))
            inside = max(inside, n / visible[p])
        out[p, 0] += 1
        out[p, 1] += visible[p] / size[p]
        out[p, 2] += iou
        out[p, 3] += inside


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
