"""Voxel maps made by hand, and views of the small room."""

import numpy as np
from scenes import CAMERA, THINGS, cast, inside_box, orbit, room

from moss_ros.config import MappingConfig
from moss_ros.geometry.voxels import BLOCK_BITS, BLOCK_SIDE, block_key, find_block, link_neighbours
from moss_ros.lifting.target_view import TargetView
from moss_ros.mapping.voxel_map import VoxelMap

EDGE_M = 0.02
# At the origin, looking along world x: image right is -y, image down is -z.
FORWARD = np.array([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])


def map_of(grid):
    """Solid voxels at the centres of distinct cells (N, 3)."""
    grid = np.asarray(grid, np.int32).reshape(-1, 3)
    voxels = VoxelMap(MappingConfig(voxel_size_m=EDGE_M))
    index = voxels.index
    index.ensure_blocks(grid)
    voxels._reserve(len(grid))
    voxels.count = len(grid)
    voxels.grid[:] = grid
    voxels.position[:] = (grid + 0.5) * EDGE_M
    voxels.hits[:] = 10
    for number, cell in enumerate(grid.tolist()):
        block = find_block(index.keys, index.blocks, block_key(*(c >> BLOCK_BITS for c in cell)))
        x, y, z = (c % BLOCK_SIDE for c in cell)
        index.ids[block, (x * BLOCK_SIDE + y) * BLOCK_SIDE + z] = number
        voxels.block[number] = block
    link_neighbours(index.keys, index.blocks, index.ids, voxels.grid, voxels.neighbours, 0, len(grid))
    return voxels


def wall(x, ys, zs, step=1):
    """Cells of a wall that faces the camera of FORWARD."""
    y, z = np.meshgrid(np.arange(*ys, step), np.arange(*zs, step), indexing="ij")
    return np.stack([np.full(y.size, x), y.ravel(), z.ravel()], 1)


def thing_labels(voxels):
    """(N,) id of the box on the table that each voxel belongs to, 0 = another."""
    labels = np.zeros(voxels.count, np.int32)
    for box in room().boxes:
        if box.id in THINGS:
            labels[inside_box(voxels.position, box, 0.008) & (voxels.position[:, 2] > 0.72)] = box.id
    return labels


def room_view(pose_number, camera=CAMERA, depth_m=None, depth_camera=None):
    """The target view of one of the poses about the table, and its true ids."""
    pose = orbit()[pose_number]
    return TargetView(camera, pose, depth_m, depth_camera), cast(room(), pose, camera)[1]


def mean_iou(found, truth):
    """Mean overlap of the three things in two label images."""
    return np.mean([(((found == t) & (truth == t)).sum()) / ((found == t) | (truth == t)).sum() for t in THINGS])
