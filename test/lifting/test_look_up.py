"""Which voxel a measured pixel takes: its own cell's, else the nearest within reach."""

import numpy as np
import pytest
from lifting_map import EDGE_M, FORWARD, map_of
from scenes import CAMERA

from moss_ros.lifting.look_up import nearest_voxels


def looked_up(voxels, depth_m, reach=2.0, solid=None):
    """The voxel of one measured pixel in the middle of the image."""
    depth = np.zeros((CAMERA.height, CAMERA.width), np.float32)
    depth[60, 80] = depth_m
    solid = voxels.solid() if solid is None else solid
    ids = nearest_voxels(voxels, solid, depth, FORWARD, CAMERA, reach)
    assert (np.delete(ids.ravel(), 60 * CAMERA.width + 80) == -1).all()
    return ids[60, 80]


VOXELS = [[50, -1, -1], [52, -1, -1], [60, -1, -1]]  # centres at 1.01, 1.05 and 1.21 m


@pytest.mark.parametrize(
    ("depth_m", "reach", "expected"),
    [
        (1.011, 2.0, 0),  # its own cell
        (1.029, 2.0, 0),  # empty cell between two: the nearer
        (1.032, 2.0, 1),
        (1.245, 2.0, 2),  # a cell apart: 0.035 m
        (1.245, 1.5, -1),  # beyond the reach
        (1.3, 2.0, -1),
        (0.0, 2.0, -1),  # not measured
    ],
)
def test_nearest_voxel_by_hand(depth_m, reach, expected):
    assert looked_up(map_of(VOXELS), depth_m, reach) == expected


def test_voxel_that_is_not_solid_is_passed_over():
    voxels = map_of(VOXELS)
    assert looked_up(voxels, 1.025, solid=np.array([False, True, True])) == 1


def test_cells_of_other_blocks_are_found():
    voxels = map_of([[64, -1, -1]])  # first cell of its block along x: its centre is at 1.29 m
    assert looked_up(voxels, 64 * EDGE_M - 0.005) == 0
