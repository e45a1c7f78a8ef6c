"""Pixels to points and back; what a camera sees, sees through, and cannot see."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import CAMERA, MAPPING, look_at, orbit, render, room, room_frames, room_map

from moss_ros.geometry.camera import Camera
from moss_ros.geometry.projection import (
    back_project,
    blocks_in_view,
    look_up,
    project_visible,
    reliable_depth,
    to_grid,
)
from moss_ros.geometry.transforms import from_translation_quaternion, inverse
from moss_ros.mapping.voxel_map import VoxelMap

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)
SMALL = Camera(fx=10.0, fy=20.0, cx=3.0, cy=2.0, width=7, height=5)


def random_pose(rng):
    return from_translation_quaternion(rng.uniform(-5, 5, 3), rng.normal(size=4))


def seen(points, pose, camera, depth, in_view=(True,), block_of=None):
    block_of = np.zeros(len(points), np.int32) if block_of is None else block_of
    return project_visible(
        np.asarray(points, np.float32),
        block_of,
        np.array(in_view),
        inverse(pose),
        camera.matrix,
        np.asarray(depth, np.float32),
        0.05,
        0.02,
        0.06,
        0.02,
    )


@PROPERTY
@given(seed=st.integers(0, 10**6), stride=st.integers(1, 3))
def test_back_projected_pixels_project_onto_themselves(seed, stride):
    rng = np.random.default_rng(seed)
    fx, fy, cx, cy = rng.uniform([40, 40, 20, 15], [90, 90, 40, 30])
    camera = Camera(fx, fy, cx, cy, 61, 43)
    pose = random_pose(rng)
    depth = rng.uniform(0.3, 4.0, (43, 61)).astype(np.float32)
    ok = rng.random(depth.shape) < 0.8
    points, pixels = back_project(depth, ok, pose, camera.matrix, stride)
    visible, where, through = seen(points, pose, camera, depth)
    chosen = np.zeros(depth.shape, bool)
    chosen[::stride, ::stride] = True
    assert pixels.tolist() == np.flatnonzero(ok & chosen).tolist()
    assert visible.tolist() == list(range(len(points)))
    assert where.tolist() == pixels.tolist()
    assert len(through) == 0


def test_back_projection_by_hand():
    # Camera at (1, 2, 3) that looks along world x: right is -y, down is -z.
    pose = look_at((1.0, 2.0, 3.0), (9.0, 2.0, 3.0))
    depth = np.full((5, 7), 2.0, np.float32)
    points, pixels = back_project(depth, np.ones((5, 7), bool), pose, SMALL.matrix, 1)
    at = dict(zip(pixels.tolist(), points.tolist(), strict=True))
    assert np.allclose(at[2 * 7 + 3], [3.0, 2.0, 3.0])  # the principal point
    assert np.allclose(at[2 * 7 + 4], [3.0, 1.8, 3.0])  # one pixel right: 2 m / 10
    assert np.allclose(at[3 * 7 + 3], [3.0, 2.0, 2.9])  # one pixel down: 2 m / 20


@pytest.mark.parametrize(("u", "pixel"), [(-0.6, None), (-0.4, 0), (0.4, 0), (0.6, 1), (6.4, 6), (6.6, None)])
def test_points_fall_into_the_pixel_they_round_to(u, pixel):
    point = [[(u - 3.0) / 10.0, 0.0, 1.0]]
    visible, pixels, _ = seen(point, np.eye(4), SMALL, np.ones((5, 7)))
    assert pixels.tolist() == ([] if pixel is None else [2 * 7 + pixel])
    assert len(visible) == len(pixels)


@pytest.mark.parametrize("z", [-1.0, 0.0, 0.05])
def test_points_behind_or_in_the_camera_are_never_visible(z):
    visible, _, through = seen([[0.0, 0.0, z]], np.eye(4), SMALL, np.full((5, 7), 1.0))
    assert len(visible) == len(through) == 0


def test_pixels_without_depth_show_nothing_and_see_through_nothing():
    visible, _, through = seen([[0.0, 0.0, 1.0]], np.eye(4), SMALL, np.zeros((5, 7)))
    assert len(visible) == len(through) == 0


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [
        (1.0, "visible"),
        (1.04, "visible"),
        (0.96, "visible"),
        (0.94, "hidden"),  # 6 cm in front of the point
        (1.07, "neither"),  # behind, but within 0.06 + 0.02 z^2
        (1.09, "through"),
        (3.0, "through"),
    ],
)
def test_verdict_on_a_point_at_one_metre(measured, verdict):
    visible, _, through = seen([[0.0, 0.0, 1.0]], np.eye(4), SMALL, np.full((5, 7), measured))
    assert (len(visible), len(through)) == {"visible": (1, 0), "through": (0, 1)}.get(verdict, (0, 0))


def test_tolerance_grows_with_depth():
    depth = np.full((5, 7), 5.09)  # 2 % of 5 m is 10 cm
    visible, _, _ = seen([[0.0, 0.0, 5.0], [0.0, 0.0, 4.98]], np.eye(4), SMALL, depth)
    assert visible.tolist() == [0]


def test_blocks_out_of_view_are_skipped():
    points = [[0.0, 0.0, 1.0], [0.0, 0.0, 1.01]]
    visible, _, _ = seen(points, np.eye(4), SMALL, np.ones((5, 7)), (False, True), np.array([0, 1], np.int32))
    assert visible.tolist() == [1]


@PROPERTY
@given(seed=st.integers(0, 10**6))
def test_no_block_with_a_visible_voxel_is_culled(seed):
    rng = np.random.default_rng(seed)
    side, far = 0.64, 4.0
    fx, fy, cx, cy = rng.uniform([20, 20, -30, -30], [200, 200, 190, 150])
    camera = Camera(fx, fy, cx, cy, 160, 120)
    pose = random_pose(rng)
    # Points in front of the camera in every pixel, on and beyond the image border.
    z = rng.uniform(0.1, far - 1e-3, 400)
    rays = [
        (rng.uniform(-1, 161, 400) - camera.cx) / camera.fx,
        (rng.uniform(-1, 121, 400) - camera.cy) / camera.fy,
    ]
    points = (np.stack([rays[0] * z, rays[1] * z, z], 1) @ pose[:3, :3].T + pose[:3, 3]).astype(np.float32)
    blocks, block_of = np.unique(np.floor(points / side), axis=0, return_inverse=True)
    centers, radius = (blocks + 0.5) * side, side * np.sqrt(3) / 2
    in_view = blocks_in_view(centers, radius, inverse(pose), camera.matrix, 160, 120, far)
    local = (points - pose[:3, 3]) @ pose[:3, :3]
    u = local[:, 0] / local[:, 2] * camera.fx + camera.cx
    v = local[:, 1] / local[:, 2] * camera.fy + camera.cy
    inside = (u >= -0.5) & (u < 159.5) & (v >= -0.5) & (v < 119.5)
    assert in_view[block_of.ravel()[inside]].all()


def test_blocks_behind_and_beside_and_beyond_are_culled():
    centers = np.array([[0, 0, 2.0], [0, 0, -1.0], [9, 0, 2.0], [0, -9, 2.0], [0, 0, 5.0]])
    in_view = blocks_in_view(centers, 0.55, np.eye(4), CAMERA.matrix, 160, 120, 4.0)
    assert in_view.tolist() == [True, False, False, False, False]


def test_culling_changes_nothing_in_the_room():
    voxels, _ = room_map()
    for frame in room_frames()[::7]:
        everything = project_visible(
            voxels.position,
            voxels.block,
            np.ones(voxels.index.block_count, bool),
            inverse(frame.world_from_camera),
            frame.depth_camera.matrix,
            frame.depth_m,
            0.05,
            0.02,
            MAPPING.see_through_base_m,
            MAPPING.see_through_slope,
        )
        view = voxels.view(frame)
        assert np.array_equal(view.visible, everything[0])
        assert np.array_equal(view.pixels, everything[1])


def test_grid_rounds_down_below_zero_too():
    points = np.array([[0.0, 0.019, 0.021], [-0.001, -0.02, -0.021], [1.0, -1.0, 0.03]])
    # -1.0 / 0.02 and 1.0 / 0.02 are exact in float64.
    assert to_grid(points, 0.02).tolist() == [[0, 0, 1], [-1, -1, -2], [50, -50, 1]]


def test_every_integrated_pixel_finds_its_voxel():
    frame = render(room(), orbit()[3])
    voxels = VoxelMap(MAPPING)
    voxels.integrate(frame)
    index, ok = voxels.index, voxels.reliable(frame.depth_m)
    k = frame.depth_camera.matrix
    image = look_up(index.keys, index.blocks, index.ids, frame.depth_m, ok, frame.world_from_camera, k, 0.02)
    points, pixels = back_project(frame.depth_m, ok, frame.world_from_camera, k, 1)
    assert ((image >= 0) == ok).all()
    assert np.array_equal(voxels.grid[image.ravel()[pixels]], np.floor(points / 0.02))


def test_look_up_finds_nothing_in_an_empty_map():
    frame = render(room(), orbit()[0])
    index = VoxelMap(MAPPING).index
    image = look_up(
        index.keys,
        index.blocks,
        index.ids,
        frame.depth_m,
        frame.depth_m > 0,
        frame.world_from_camera,
        frame.depth_camera.matrix,
        0.02,
    )
    assert image.shape == (120, 160) and (image == -1).all()


def test_reliable_depth_by_hand():
    depth = np.full((5, 7), 1.0, np.float32)
    depth[2, 5] = 1.2  # a step: the pixel and its four neighbours lie on an edge
    ok = reliable_depth(depth, 0.3, 4.0, 0.02, 0.03)
    expected = np.zeros((5, 7), bool)
    expected[1:4, 1:6] = True
    expected[2, 4:6] = expected[1, 5] = expected[3, 5] = False
    assert np.array_equal(ok, expected)


@pytest.mark.parametrize("z", [0.0, 0.29, 4.1, np.nan, np.inf])
def test_depth_out_of_range_is_unreliable(z):
    assert not reliable_depth(np.full((5, 7), z, np.float32), 0.3, 4.0, 0.02, 0.03).any()


def test_pixel_beside_a_hole_is_unreliable():
    depth = np.full((5, 7), 1.0, np.float32)
    depth[2, 3] = 0.0
    ok = reliable_depth(depth, 0.3, 4.0, 0.02, 0.03)
    assert not ok[2, 2] and not ok[2, 4] and not ok[1, 3] and not ok[3, 3] and ok[1, 2]
