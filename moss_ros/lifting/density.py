"""How densely the map is filled around each voxel, and where its surface ends: the cues of the expansion.

Independent of views and labels, so it is kept by voxel id and redone only where the map changed.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from moss_ros.config import LiftingConfig
from moss_ros.geometry.moments import add_point
from moss_ros.geometry.voxels import BLOCK_BITS, BLOCK_SIDE, NEIGHBOUR_OFFSETS, block_key, find_block
from moss_ros.mapping.normals import normal_of_moments
from moss_ros.mapping.voxel_map import VoxelMap


class DensityMap:
    """Per voxel id: local spacing, first moment of the neighbours, and normal; zero where the voxel is not solid.

    ``spacing_m`` (N,): distance between neighbours on the surface; n points on a disc of radius R lie
    R sqrt(pi / n) apart. ``inward_m`` (N, 3): mean offset of the neighbours, about zero inside a surface and
    pointing away from its rim. ``rim`` (N,): how much of a rim the voxel is, [0, 1]. ``normal`` (N, 3): unit, of
    either side, since the surface is seen by whoever looks. All float32, world axes.
    """

    def __init__(self, config: LiftingConfig) -> None:
        self._config = config
        self.solid = np.zeros(0, bool)
        self.spacing_m = np.zeros(0, np.float32)
        self.inward_m = np.zeros((0, 3), np.float32)
        self.rim = np.zeros(0, np.float32)
        self.normal = np.zeros((0, 3), np.float32)
        self._position = np.zeros((0, 3), np.float32)  # as of the last update

    def update(self, voxels: VoxelMap) -> np.ndarray:
        """Redo what depends on voxels that moved, came or went since the last call; returns those (N,) bool.

        The sums run in a fixed order, so the result equals a full run exactly.
        """
        c, n = self._config, voxels.count
        solid = voxels.solid()
        self.spacing_m, self.rim = _padded(self.spacing_m, n), _padded(self.rim, n)
        self.inward_m, self.normal = _padded(self.inward_m, n), _padded(self.normal, n)
        self.solid, self._position = _padded(self.solid, n), _padded(self._position, n)
        moved = _take_moved(voxels.position, solid, self._position, self.solid)
        if not moved.any():
            return moved
        index, size = voxels.index, voxels.voxel_size_m
        radii = np.array([c.density_radius, c.sparse_radius])
        where = _around(voxels.grid, moved, _reach(radii.max()))
        _measure(
            index.keys,
            index.blocks,
            index.ids,
            voxels.grid,
            voxels.position,
            solid,
            where,
            radii * size,
            np.array([_reach(r) for r in radii]),
            c.sparse_neighbours,
            c.spacing_min * size,
            c.spacing_max * size,
            c.rim_offset,
            self.spacing_m,
            self.inward_m,
            self.rim,
            self.normal,
        )
        return where


def _padded(array: np.ndarray, rows: int) -> np.ndarray:
    if len(array) == rows:
        return array
    out = np.zeros((rows, *array.shape[1:]), array.dtype)
    out[: len(array)] = array
    return out


def _reach(radius: float) -> int:
    """Cells to either side that hold every point within the radius (in voxel edges)."""
    return int(np.ceil(radius))


def _around(grid: np.ndarray, moved: np.ndarray, reach: int) -> np.ndarray:
    """(N,) bool: at least the voxels within reach cells of a moved one; whole cubes of that side, so a few more."""
    key = _packed((grid // reach).astype(np.int64))
    changed = np.unique(key[moved])
    steps = _packed(NEIGHBOUR_OFFSETS.astype(np.int64)) - _packed(np.zeros((1, 3), np.int64))
    touched = np.unique(np.concatenate([changed, *(changed + step for step in steps)]))
    at = np.searchsorted(touched, key).clip(0, len(touched) - 1)
    return moved | (touched[at] == key)


def _packed(cube: np.ndarray) -> np.ndarray:
    return ((cube[:, 0] + 1048576) << 42) | ((cube[:, 1] + 1048576) << 21) | (cube[:, 2] + 1048576)


@njit(cache=True, nogil=True)
def _take_moved(position, solid, old_position, was_solid):
    """(N,) bool: solid voxels at a new place, and those that became or ceased to be solid; the old ones become the
    new."""
    out = np.zeros(len(solid), np.bool_)
    for i in range(len(solid)):
        displaced = False
        for a in range(3):
            displaced |= position[i, a] != old_position[i, a]
            old_position[i, a] = position[i, a]
        out[i] = solid[i] != was_solid[i] or (solid[i] and displaced)
        was_solid[i] = solid[i]
    return out


@njit(cache=True, nogil=True)
def _measure(
    keys,
    blocks,
    ids,
    grid,
    position,
    solid,
    where,
    radii,
    reaches,
    few,
    spacing_min,
    spacing_max,
    rim_offset,
    spacing,
    inward,
    rim,
    normal,
):
    sums = np.empty(10)
    for i in range(len(where)):
        if not where[i]:
            continue
        spacing[i] = rim[i] = 0.0
        for a in range(3):
            inward[i, a] = normal[i, a] = 0.0
        if not solid[i]:
            continue
        radius = radii[0]
        _moments_within(keys, blocks, ids, grid, position, solid, i, radius, reaches[0], sums)
        if sums[0] - 1 < few:
            radius = radii[1]
            _moments_within(keys, blocks, ids, grid, position, solid, i, radius, reaches[1], sums)
        count = max(sums[0] - 1.0, 1.0)
        spacing[i] = min(max(radius * np.sqrt(np.pi / count), spacing_min), spacing_max)
        length = 0.0
        for a in range(3):
            inward[i, a] = sums[1 + a] / count
            length += inward[i, a] ** 2
        rim[i] = min(1.0, np.sqrt(length) / (rim_offset * radius))
        normal_of_moments(sums, position[i], position[i], normal[i])


@njit(cache=True, nogil=True)
def _moments_within(keys, blocks, ids, grid, position, solid, i, radius, reach, sums):
    """Sums of 1, p, p p^T over the solid voxels within the radius of voxel i and itself, from its own mean."""
    sums[:] = 0.0
    m = BLOCK_SIDE - 1
    x, y, z = grid[i, 0], grid[i, 1], grid[i, 2]
    last_key = block_key(x >> BLOCK_BITS, y >> BLOCK_BITS, z >> BLOCK_BITS)
    block = find_block(keys, blocks, last_key)
    lx, ly, lz = x & m, y & m, z & m
    inside = min(lx, ly, lz) >= reach and max(lx, ly, lz) + reach <= m
    px, py, pz = float(position[i, 0]), float(position[i, 1]), float(position[i, 2])
    for a in range(-reach, reach + 1):
        for b in range(-reach, reach + 1):
            for c in range(-reach, reach + 1):
                if not inside:  # the block changes at most once along z
                    key = block_key((x + a) >> BLOCK_BITS, (y + b) >> BLOCK_BITS, (z + c) >> BLOCK_BITS)
                    if key != last_key:
                        last_key, block = key, find_block(keys, blocks, key)
                    if block < 0:
                        continue
                j = ids[block, (((lx + a) & m) << (2 * BLOCK_BITS)) | (((ly + b) & m) << BLOCK_BITS) | ((lz + c) & m)]
                if j < 0 or not solid[j]:
                    continue
                dx, dy, dz = position[j, 0] - px, position[j, 1] - py, position[j, 2] - pz
                if dx * dx + dy * dy + dz * dz > radius * radius:
                    continue
                add_point(sums, dx, dy, dz)
