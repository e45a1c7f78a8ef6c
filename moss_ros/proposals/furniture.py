"""Furniture: the connected rest of the room; small parts (legs, cushions) join a bigger one close by."""

from __future__ import annotations

import numpy as np
from numba import njit

from moss_ros.config import ProposalConfig
from moss_ros.geometry.components import ComponentMap, number_roots, sort_by_label
from moss_ros.geometry.voxels import BLOCK_BITS, BLOCK_SIDE, block_key, block_of_key, find_block, voxel_at
from moss_ros.proposals.solid_voxels import SolidVoxels

_SAMPLE = 400  # voxels of a part that are enough to find what it touches
_LEAST = 4  # voxels of a part that joins another


class FurnitureMap:
    """Connected parts and what lies near the small ones, looked up again only near a change."""

    def __init__(self, config: ProposalConfig) -> None:
        self._config = config
        self._connected = ComponentMap()
        self._root = np.zeros(0, np.int32)  # of the last call
        self._near: dict[int, tuple[np.ndarray, np.ndarray]] = {}  # by root of a part: other roots, pairs

    def update(self, voxels: SolidVoxels, member: np.ndarray, changed: np.ndarray) -> np.ndarray:
        """(N,) int32 furniture number of the member voxels (N,) bool, 0 = none.

        changed (N,) bool: voxels whose position changed since the last call.
        """
        self._connected.update(voxels.neighbours, member.astype(np.int32), voxels.position[:, 2])
        root = self._connected.root
        moved = changed.copy()
        moved[: len(self._root)] |= root[: len(self._root)] != self._root
        moved[len(self._root) :] = True
        self._root = root.copy()
        label, count = number_roots(root)
        order, ends = sort_by_label(label, count)
        self._look_around(voxels, root, order, ends, _blocks_near(moved, voxels))
        joined = _join(label, order, ends, self._near, self._config.furniture_glue)
        return joined[label]

    def _look_around(
        self, voxels: SolidVoxels, root: np.ndarray, order: np.ndarray, ends: np.ndarray, dirty: np.ndarray
    ) -> None:
        """Refresh what lies near each part that may be joined to another."""
        gap, index = self._config.furniture_gap_m, voxels.index
        size = np.diff(ends)
        limit = self._config.furniture_glue * size.max(initial=0)
        near, votes = {}, np.zeros(len(root) + 1, np.int32)
        for part in np.flatnonzero((size >= _LEAST) & (size <= limit)):
            members = order[ends[part] : ends[part + 1]]
            name = int(members[0]) + 1
            if name in self._near and not dirty[voxels.block[members]].any():
                near[name] = self._near[name]
                continue
            sample = members[:: -(-len(members) // _SAMPLE)]
            cells = int(round(gap / voxels.voxel_size_m))
            near[name] = _near_votes(
                sample, voxels.grid, voxels.position, root, index.keys, index.blocks, index.ids, cells, gap, votes
            )
        self._near = near


def _join(label, order, ends, near, glue):
    """(parts + 1,) final number of each part: the smallest first, each to the bigger part it is nearest to."""
    size = np.r_[0, np.diff(ends)]
    limit = glue * size.max(initial=0)
    target = np.arange(len(size), dtype=np.int32)

    def final(part: int) -> int:
        while target[part] != part:
            part = target[part]
        return part

    for part in np.argsort(size, kind="stable"):
        if part == 0 or size[part] < _LEAST or size[part] > limit:
            continue
        others, pairs = near[int(order[ends[part - 1]]) + 1]
        votes: dict[int, int] = {}
        for other, n in zip(label[others - 1].tolist(), pairs.tolist(), strict=True):
            other = final(other)
            if size[other] > size[part]:
                votes[other] = votes.get(other, 0) + n
        if votes:
            best = min(votes, key=lambda other: (-votes[other], other))
            target[part] = best
            size[best] += size[part]
            size[part] = 0
    return np.array([final(part) for part in range(len(target))], np.int32)


def _blocks_near(moved: np.ndarray, voxels: SolidVoxels) -> np.ndarray:
    """(B,) bool: blocks that hold a moved voxel or touch one that does; the gap is shorter than a block."""
    index = voxels.index
    dirty = np.zeros(index.block_count, bool)
    dirty[voxels.block[moved]] = True
    out = np.zeros(index.block_count, np.bool_)
    _dilate_blocks(index.keys, index.blocks, dirty, out)
    return out


@njit(cache=True, nogil=True)
def _dilate_blocks(keys, blocks, dirty, out):
    for slot in range(len(keys)):
        key = keys[slot]
        if key == -1 or not dirty[blocks[slot]]:
            continue
        x, y, z = block_of_key(key)
        for i in range(-1, 2):
            for j in range(-1, 2):
                for k in range(-1, 2):
                    near = find_block(keys, blocks, block_key(x + i, y + j, z + k))
                    if near >= 0:
                        out[near] = True


@njit(cache=True, nogil=True)
def _near_votes(members, grid, position, root, keys, blocks, ids, cells, gap, votes):
    """Other parts within the gap (m) of the members: their roots, and pairs of a member and a voxel of theirs.

    votes: zeros, given back as zeros.
    """
    found = np.empty(64, np.int32)
    count = 0
    top = BLOCK_SIDE - 1
    own = root[members[0]]
    for a in members:
        x, y, z = grid[a, 0], grid[a, 1], grid[a, 2]
        lx, ly, lz = x & top, y & top, z & top
        home = find_block(keys, blocks, block_key(x >> BLOCK_BITS, y >> BLOCK_BITS, z >> BLOCK_BITS))
        inside = min(lx, ly, lz) >= cells and max(lx, ly, lz) <= top - cells
        for i in range(-cells, cells + 1):
            for j in range(-cells, cells + 1):
                for k in range(-cells, cells + 1):
                    if inside:  # no hash probe needed
                        cell = ((lx + i) << (2 * BLOCK_BITS)) | ((ly + j) << BLOCK_BITS) | (lz + k)
                        b = ids[home, cell]
                    else:
                        b = voxel_at(keys, blocks, ids, x + i, y + j, z + k)
                    if b < 0 or root[b] == 0 or root[b] == own:
                        continue
                    d = 0.0
                    for c in range(3):
                        d += (position[a, c] - position[b, c]) ** 2
                    if d > gap * gap:
                        continue
                    other = root[b]
                    if votes[other] == 0:
                        if count == len(found):
                            found = np.concatenate((found, np.empty(count, np.int32)))
                        found[count] = other
                        count += 1
                    votes[other] += 1
    others = np.sort(found[:count])
    pairs = votes[others]
    votes[others] = 0
    return others, pairs
