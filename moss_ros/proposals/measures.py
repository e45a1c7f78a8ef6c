"""What each proposal says by itself: its shape, what touches it, and how the views agree on it.

Remembered from call to call; a proposal is measured again only when its voxels, what touches them or a view of them
changed, and the result equals measuring everything anew.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from moss_ros.geometry.components import spread
from moss_ros.geometry.moments import add_point
from moss_ros.masks2d.evidence import EvidenceStore, ViewEvidence, exchanged
from moss_ros.proposals.shared_voxels import SharedVoxels, holders_of, overlaps_in_view
from moss_ros.proposals.solid_voxels import SolidVoxels
from moss_ros.records import MaskProposals

SHAPE = 5  # columns: principal widths, lowest and highest z
CONTACTS = 3  # touching voxels per voxel, mean crease, mean colour step
VIEWS = 4  # log2(1 + views), mean share seen, mean best mask IoU, mean best share in one mask
_SEEN_SHARE = 0.1  # a view that sees less of a proposal is no view of it


class Measures:
    """Keeps the last measures of the proposals by their voxels."""

    def __init__(self) -> None:
        self._known: dict[bytes, np.ndarray] = {}
        self._views: dict[int, ViewEvidence] = {}

    def update(
        self,
        proposals: MaskProposals,
        shared: SharedVoxels,
        voxels: SolidVoxels,
        normal: np.ndarray,
        evidence: EvidenceStore,
        changed: np.ndarray,
    ) -> np.ndarray:
        """(K, SHAPE + CONTACTS + VIEWS) float64.

        shared: of the same proposals; normal (N, 3) of the map; changed (N,) bool: voxels of which the position,
        colour, normal or solidity changed since the last call.
        """
        keys = [v.tobytes() for v in proposals.voxels]
        out = np.zeros((len(keys), SHAPE + CONTACTS + VIEWS))
        known = np.array([key in self._known for key in keys], bool)
        for row in np.flatnonzero(known):
            out[row] = self._known[keys[row]]
        near_change = spread(changed, voxels.neighbours)
        moved = np.flatnonzero(~known | _any_marked(shared.offsets, shared.members, near_change))
        out[moved, :SHAPE] = _shape(moved, shared.offsets, shared.members, voxels.position)
        out[moved, SHAPE:-VIEWS] = _contacts(
            moved, shared.offsets, shared.members, voxels.neighbours, voxels.solid, normal, voxels.color_rgb
        )
        in_new_view = self._in_new_views(evidence, len(changed))
        renewed = np.flatnonzero(~known | _any_marked(shared.offsets, shared.members, in_new_view))
        out[renewed, -VIEWS:] = _agreement([proposals.voxels[row] for row in renewed], len(changed), evidence)
        self._known = dict(zip(keys, out.copy(), strict=True))
        return out

    def _in_new_views(self, evidence: EvidenceStore, count: int) -> np.ndarray:
        """(N,) bool: voxels of the views that came, went or were replaced since the last call."""
        marked = np.zeros(count, bool)
        gone, come = exchanged(self._views, evidence.views)
        for view in gone + come:
            marked[view.voxels] = True
        self._views = dict(evidence.views)
        return marked


@njit(cache=True, nogil=True)
def _any_marked(offsets, members, marked):
    out = np.zeros(len(offsets) - 1, np.bool_)
    for k in range(len(out)):
        for i in range(offsets[k], offsets[k + 1]):
            if marked[members[i]]:
                out[k] = True
                break
    return out


def _shape(rows: np.ndarray, offsets: np.ndarray, members: np.ndarray, position: np.ndarray) -> np.ndarray:
    """(R, SHAPE) of the proposals in rows: principal widths m, largest first, lowest and highest z."""
    sums = _moments(rows, offsets, members, position)
    size = np.maximum(sums[:, :1], 1)
    mean = sums[:, 1:4] / size
    second = (sums[:, 4:10] / size)[:, [0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(-1, 3, 3)
    covariance = second - mean[:, :, None] * mean[:, None, :]
    widths = np.sqrt(12 * np.maximum(np.linalg.eigvalsh(covariance), 0))[:, ::-1]
    return np.column_stack([widths, sums[:, 10:]])


@njit(cache=True, nogil=True)
def _moments(rows, offsets, members, position):
    """(R, 12): moments as in add_point, relative to the first voxel, and lowest and highest z."""
    out = np.zeros((len(rows), 12))
    for row in range(len(rows)):
        k = rows[row]
        s = out[row]
        s[10], s[11] = np.inf, -np.inf
        origin = position[members[offsets[k]]]
        for i in range(offsets[k], offsets[k + 1]):
            p = position[members[i]]
            x, y, z = float(p[0]) - origin[0], float(p[1]) - origin[1], float(p[2]) - origin[2]
            add_point(s, x, y, z)
            s[10] = min(s[10], p[2])
            s[11] = max(s[11], p[2])
    return out


@njit(cache=True, nogil=True)
def _contacts(rows, offsets, members, neighbours, solid, normal, color):
    """(R, CONTACTS) of the proposals in rows."""
    out = np.zeros((len(rows), 3))
    mark = np.full(len(solid), -1, np.int32)  # the last proposal that holds or touches the voxel
    for row in range(len(rows)):
        k = rows[row]
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
        out[row, 0] = count / (offsets[k + 1] - offsets[k])
        if count:
            out[row, 1], out[row, 2] = crease / count, step / count
    return out


def _agreement(masks: list[np.ndarray], voxel_count: int, evidence: EvidenceStore) -> np.ndarray:
    """(R, VIEWS) of the voxel masks."""
    sizes = np.array([len(v) for v in masks], np.int64)
    first, holders = holders_of(masks, voxel_count)
    out = np.zeros((len(masks), VIEWS))
    for slot in evidence.slots():
        view = evidence.views[slot]
        _add_view(first, holders, view.voxels, view.labels, view.count, sizes, out)
    out[:, 1:] /= np.maximum(out[:, :1], 1)
    out[:, 0] = np.log2(1 + out[:, 0])
    return out


@njit(cache=True, nogil=True)
def _add_view(first, holders, voxels, labels, count, size, out):
    """Add one view to the sums of _agreement for the masks of which it saw enough."""
    shared, visible, area = overlaps_in_view(first, holders, len(size), voxels, labels, count)
    for p in range(len(size)):
        if visible[p] == 0 or visible[p] < _SEEN_SHARE * size[p]:
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
