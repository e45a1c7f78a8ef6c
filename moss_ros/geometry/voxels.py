"""Voxel index: a hash of 32^3 blocks with dense ids inside, and the 26-neighbour table.

Looking a voxel up costs one hash probe per block and one array read per voxel; walking along a surface
stays in one block, so the probe is rare.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

BLOCK_BITS = 5
BLOCK_SIDE = 1 << BLOCK_BITS
BLOCK_VOXELS = BLOCK_SIDE**3

# Lexicographic order without the centre, so that the opposite of offset o is 25 - o.
NEIGHBOUR_OFFSETS = np.array(
    [(i, j, k) for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1) if (i, j, k) != (0, 0, 0)],
    np.int32,
)


@njit(cache=True, nogil=True, inline="always")
def block_key(bx: int, by: int, bz: int) -> int:
    """Block coordinates packed into one non-negative int64 (21 bits each)."""
    return ((bx + 1048576) << 42) | ((by + 1048576) << 21) | (bz + 1048576)


@njit(cache=True, nogil=True, inline="always")
def block_of_key(key: Any) -> tuple[Any, Any, Any]:
    """Block coordinates of a key; takes arrays too."""
    return (key >> 42) - 1048576, ((key >> 21) & 0x1FFFFF) - 1048576, (key & 0x1FFFFF) - 1048576


@njit(cache=True, nogil=True)
def find_block(keys: np.ndarray, blocks: np.ndarray, key: int) -> int:
    """Block number of a key, -1 when unknown; keys is an open-addressing table of 2^n slots."""
    mask = len(keys) - 1
    slot = ((key * 0x9E3779B97F4A7C1) >> 20) & mask
    while keys[slot] != -1:
        if keys[slot] == key:
            return blocks[slot]
        slot = (slot + 1) & mask
    return -1


@njit(cache=True, nogil=True)
def insert_block(keys: np.ndarray, blocks: np.ndarray, key: int, block: int) -> None:
    """Enter a new key; the table must have a free slot."""
    mask = len(keys) - 1
    slot = ((key * 0x9E3779B97F4A7C1) >> 20) & mask
    while keys[slot] != -1:
        slot = (slot + 1) & mask
    keys[slot] = key
    blocks[slot] = block


@njit(cache=True, nogil=True)
def voxel_at(keys: np.ndarray, blocks: np.ndarray, ids: np.ndarray, x: int, y: int, z: int) -> int:
    """Voxel id at grid coordinates, -1 when there is none."""
    block = find_block(keys, blocks, block_key(x >> BLOCK_BITS, y >> BLOCK_BITS, z >> BLOCK_BITS))
    if block < 0:
        return -1
    m = BLOCK_SIDE - 1
    return ids[block, ((x & m) << (2 * BLOCK_BITS)) | ((y & m) << BLOCK_BITS) | (z & m)]


@njit(cache=True, nogil=True)
def _unknown_blocks(keys: np.ndarray, blocks: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Distinct block coordinates (n, 3) of grid rows whose block is unknown, in order of appearance."""
    out = np.empty((len(grid), 3), np.int32)
    n = 0
    last = -1
    for i in range(len(grid)):
        bx, by, bz = grid[i, 0] >> BLOCK_BITS, grid[i, 1] >> BLOCK_BITS, grid[i, 2] >> BLOCK_BITS
        key = block_key(bx, by, bz)
        if key == last:
            continue
        last = key
        if find_block(keys, blocks, key) >= 0:
            continue
        known = False
        for j in range(n):
            if out[j, 0] == bx and out[j, 1] == by and out[j, 2] == bz:
                known = True
                break
        if not known:
            out[n, 0], out[n, 1], out[n, 2] = bx, by, bz
            n += 1
    return out[:n].copy()


@njit(cache=True, nogil=True)
def link_neighbours(
    keys: np.ndarray,
    blocks: np.ndarray,
    ids: np.ndarray,
    grid: np.ndarray,
    table: np.ndarray,
    first: int,
    last: int,
) -> None:
    """Fill the 26-neighbour table for the new voxels first..last-1, in both directions."""
    m = BLOCK_SIDE - 1
    for v in range(first, last):
        x, y, z = grid[v, 0], grid[v, 1], grid[v, 2]
        home = find_block(keys, blocks, block_key(x >> BLOCK_BITS, y >> BLOCK_BITS, z >> BLOCK_BITS))
        lx, ly, lz = x & m, y & m, z & m
        inside = 0 < lx < m and 0 < ly < m and 0 < lz < m
        for o in range(26):
            i, j, k = NEIGHBOUR_OFFSETS[o, 0], NEIGHBOUR_OFFSETS[o, 1], NEIGHBOUR_OFFSETS[o, 2]
            if inside:
                other = ids[home, ((lx + i) << (2 * BLOCK_BITS)) | ((ly + j) << BLOCK_BITS) | (lz + k)]
            else:
                other = voxel_at(keys, blocks, ids, x + i, y + j, z + k)
            table[v, o] = other
            if other >= 0:
                table[other, 25 - o] = v


class VoxelIndex:
    """Grid coordinates -> stable voxel ids, grown on demand."""

    def __init__(self) -> None:
        self.keys = np.full(1024, -1, np.int64)
        self.blocks = np.zeros(1024, np.int32)
        self.ids = np.full((64, BLOCK_VOXELS), -1, np.int32)
        self.block_count = 0

    def ensure_blocks(self, grid: np.ndarray) -> None:
        """Create the blocks that hold the grid coordinates (n, 3) int32."""
        for bx, by, bz in _unknown_blocks(self.keys, self.blocks, grid):
            if 2 * (self.block_count + 1) > len(self.keys):
                self._grow_table()
            if self.block_count == len(self.ids):
                grown = np.full((2 * len(self.ids), BLOCK_VOXELS), -1, np.int32)
                grown[: len(self.ids)] = self.ids
                self.ids = grown
            insert_block(self.keys, self.blocks, block_key(int(bx), int(by), int(bz)), self.block_count)
            self.block_count += 1

    def _grow_table(self) -> None:
        old_keys, old_blocks = self.keys, self.blocks
        self.keys = np.full(4 * len(old_keys), -1, np.int64)
        self.blocks = np.zeros(4 * len(old_keys), np.int32)
        for slot in np.flatnonzero(old_keys != -1):
            insert_block(self.keys, self.blocks, old_keys[slot], old_blocks[slot])
