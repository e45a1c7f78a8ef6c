"""Measured pixels: the nearest solid voxel of each back-projected point."""

from __future__ import annotations

import numpy as np
from numba import njit

from moss_ros.geometry.camera import Camera
from moss_ros.geometry.voxels import BLOCK_BITS, BLOCK_SIDE, block_key, find_block
from moss_ros.mapping.voxel_map import VoxelMap


def nearest_voxels(
    voxels: VoxelMap,
    solid: np.ndarray,
    depth_m: np.ndarray,
    world_from_camera: np.ndarray,
    camera: Camera,
    reach: float,
) -> np.ndarray:
    """(H, W) int32: a solid voxel within reach (voxel edges, at most 2) of each measured point, -1 without one.

    The voxel of the point's own cell comes first, then the nearest of the cells around it, ring by ring.
    """
    index = voxels.index
    return _nearest_voxels(
        index.keys,
        index.blocks,
        index.ids,
        voxels.position,
        solid,
        depth_m,
        world_from_camera,
        camera.matrix,
        voxels.voxel_size_m,
        reach * voxels.voxel_size_m,
    )


@njit(cache=True, nogil=True)
def _nearest_voxels(keys, blocks, ids, position, solid, depth, pose, k, voxel_size, reach_m):
    height, width = depth.shape
    out = np.full((height, width), -1, np.int32)
    point = np.empty(3)
    cell = np.empty(3, np.int64)
    for v in range(height):
        for u in range(width):
            z = depth[v, u]
            if z <= 0:
                continue
            x, y = (u - k[0, 2]) / k[0, 0] * z, (v - k[1, 2]) / k[1, 1] * z
            for a in range(3):
                point[a] = pose[a, 0] * x + pose[a, 1] * y + pose[a, 2] * z + pose[a, 3]
                cell[a] = int(np.floor(point[a] / voxel_size))
            out[v, u] = _nearest_voxel(keys, blocks, ids, position, solid, point, cell, reach_m)
    return out


@njit(cache=True, nogil=True)
def _nearest_voxel(keys, blocks, ids, position, solid, point, cell, reach_m):
    m = BLOCK_SIDE - 1
    x, y, z = cell[0], cell[1], cell[2]
    last_key = block_key(x >> BLOCK_BITS, y >> BLOCK_BITS, z >> BLOCK_BITS)
    block = find_block(keys, blocks, last_key)
    lx, ly, lz = x & m, y & m, z & m
    inside = min(lx, ly, lz) >= 2 and max(lx, ly, lz) + 2 <= m
    if inside and block < 0:
        return -1
    if block >= 0:
        own = ids[block, (lx << (2 * BLOCK_BITS)) | (ly << BLOCK_BITS) | lz]
        if own >= 0 and solid[own]:
            return own
    best, nearest = -1, reach_m * reach_m
    for ring in range(1, 3):
        for a in range(-ring, ring + 1):
            for b in range(-ring, ring + 1):
                whole = abs(a) == ring or abs(b) == ring
                for c in range(-ring, ring + 1, 1 if whole else 2 * ring):
                    if not inside:  # the block changes at most once along z
                        key = block_key((x + a) >> BLOCK_BITS, (y + b) >> BLOCK_BITS, (z + c) >> BLOCK_BITS)
                        if key != last_key:
                            last_key, block = key, find_block(keys, blocks, key)
                        if block < 0:
                            continue
                    j = ids[
                        block, (((lx + a) & m) << (2 * BLOCK_BITS)) | (((ly + b) & m) << BLOCK_BITS) | ((lz + c) & m)
                    ]
                    if j < 0 or not solid[j]:
                        continue
                    dx, dy, dz = position[j, 0] - point[0], position[j, 1] - point[1], position[j, 2] - point[2]
                    distance = dx * dx + dy * dy + dz * dz
                    if distance < nearest:
                        best, nearest = j, distance
        if best >= 0:
            return best
    return -1
