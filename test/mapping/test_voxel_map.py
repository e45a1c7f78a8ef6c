"""Running means by hand, stable ids, and removal by see-through evidence alone."""

from dataclasses import replace

import numpy as np
import pytest
from scenes import MAPPING, Box, Plane, Scene, inside_box, look_at, render, room_frames

from moss_ros.config import InputConfig, MappingConfig
from moss_ros.geometry.camera import Camera
from moss_ros.mapping.voxel_map import VoxelMap, color_at_depth
from moss_ros.records import Frame

# Only the middle pixel has four neighbours.
DOT = Camera(fx=100.0, fy=100.0, cx=1.0, cy=1.0, width=3, height=3)
CUBE = Box(7, (0.01, 0.01, 0.11), (0.2, 0.2, 0.2))
SCENE = Scene(planes=(Plane(1, (0, 0, 1), 0.01),), boxes=(CUBE,))
VIEWS = [look_at((0.8 * np.cos(a), 0.8 * np.sin(a), 0.7), (0.0, 0.0, 0.1)) for a in np.arange(6) * np.pi / 3]


def dot(x=0.002, z=0.01, depth=0.4, gray=100, y=0.01):
    """A frame that measures one point at (x, y, z + depth)."""
    pose = np.eye(4)
    pose[:3, 3] = x, y, z
    color = np.full((3, 3, 3), gray, np.uint8)
    return Frame(0, color, DOT, np.full((3, 3), depth, np.float32), DOT, pose)


def built(frames, config=MAPPING):
    voxels = VoxelMap(config)
    for frame in frames:
        voxels.integrate(frame)
    return voxels


def rolled(frame):
    """The same measurement by a camera that hangs upside down: the same points in opposite order."""
    c = frame.depth_camera
    camera = replace(c, cx=c.width - 1 - c.cx, cy=c.height - 1 - c.cy)
    pose = frame.world_from_camera @ np.diag([-1.0, -1.0, 1.0, 1.0])
    depth, color = (np.ascontiguousarray(a[::-1, ::-1]) for a in (frame.depth_m, frame.color_rgb))
    return Frame(frame.stamp_ns, color, camera, depth, camera, pose)


def looked_through(voxels, scene, views):
    for pose in views:
        voxels.count_see_through(voxels.view(render(scene, pose)))


def test_means_of_equal_weights_by_hand():
    voxels = built([dot(0.002, gray=10), dot(0.006, gray=20), dot(0.010, gray=60)])
    assert voxels.count == 1
    assert voxels.grid.tolist() == [[0, 0, 20]]
    assert np.allclose(voxels.position, [[0.006, 0.01, 0.41]], atol=1e-6)
    assert np.allclose(voxels.color, 30.0, atol=1e-3)
    assert np.allclose(voxels.viewpoint, [[0.006, 0.01, 0.01]], atol=1e-6)
    assert voxels.hits.tolist() == [3]
    assert voxels.weight[0] == pytest.approx(3.0)  # depth 0.4 m has weight 1


def test_far_depth_weighs_less():
    # At 1.4 m the noise is 1 + 1.9 times as large, the weight 1 / 2.9^2.
    voxels = built([dot(0.002), dot(0.010, z=-0.99, depth=1.4)])
    w = 1 / 2.9**2
    assert voxels.weight[0] == pytest.approx(1 + w, rel=1e-5)
    assert voxels.position[0, 0] == pytest.approx((0.002 + w * 0.010) / (1 + w), rel=1e-4)


def test_weight_is_capped_and_the_mean_forgets():
    voxels = built([dot(0.002), dot(0.006), dot(0.010)], replace(MAPPING, max_weight=2.0))
    assert voxels.weight[0] == 2.0
    assert voxels.position[0, 0] == pytest.approx(0.007, abs=1e-6)  # half of 0.004 and half of 0.010


def test_one_frame_hits_a_voxel_once():
    frame = render(SCENE, VIEWS[0])
    voxels = built([frame])
    assert (voxels.hits == 1).all()
    assert voxels.weight.max() > 1.0  # though several pixels fell on it


def test_means_lie_in_their_voxel():
    voxels = built(room_frames()[:6])
    assert np.array_equal(
        np.floor(voxels.position / 0.02 + 1e-4).astype(int) >= voxels.grid, np.ones_like(voxels.grid, bool)
    )
    assert (voxels.position <= (voxels.grid + 1) * 0.02 + 1e-5).all()


def test_report_counts_new_surface():
    frame = render(SCENE, VIEWS[0])
    voxels = VoxelMap(MAPPING)
    first, again = voxels.integrate(frame), voxels.integrate(frame)
    assert first.pixels == first.new_pixels == again.pixels == int(voxels.reliable(frame.depth_m).sum())
    assert first.new_voxels == voxels.count
    assert (again.new_pixels, again.new_voxels) == (0, 0)


def test_stride_takes_every_second_pixel():
    frame = render(SCENE, VIEWS[0])
    voxels = VoxelMap(MappingConfig(pixel_stride=2))
    assert voxels.integrate(frame).pixels == int(voxels.reliable(frame.depth_m)[::2, ::2].sum())


def test_order_of_pixels_does_not_matter():
    frames = room_frames(0.004)[:3]
    voxels, other = built(frames), built([rolled(f) for f in frames])
    rows = {tuple(g): i for i, g in enumerate(other.grid.tolist())}
    assert rows.keys() == set(map(tuple, voxels.grid.tolist()))
    same = [rows[tuple(g)] for g in voxels.grid.tolist()]
    assert np.allclose(voxels.position, other.position[same], atol=1e-5)
    assert np.allclose(voxels.color, other.color[same], atol=1e-2)
    assert np.array_equal(voxels.hits, other.hits[same])


def test_order_of_frames_does_not_matter():
    frames = room_frames(0.004)[:6]
    voxels, other = built(frames), built(frames[::-1])
    order = [np.lexsort(v.grid.T) for v in (voxels, other)]
    assert np.array_equal(voxels.grid[order[0]], other.grid[order[1]])
    assert np.allclose(voxels.position[order[0]], other.position[order[1]], atol=1e-5)
    assert np.allclose(voxels.weight[order[0]], other.weight[order[1]], rtol=1e-4)
    assert np.array_equal(voxels.hits[order[0]], other.hits[order[1]])


def test_ids_are_stable_while_the_map_grows():
    frames = room_frames()
    voxels = built(frames[:1])
    early = voxels.grid.copy()
    for frame in frames[1:]:
        voxels.integrate(frame)
    assert voxels.count > 2 * 4096  # storage has grown
    assert np.array_equal(voxels.grid[: len(early)], early)
    assert len(np.unique(voxels.grid, axis=0)) == voxels.count


def test_neighbour_table_holds_across_frames():
    voxels = built(room_frames()[:4])
    a, o = np.nonzero(voxels.neighbours >= 0)
    b = voxels.neighbours[a, o]
    assert np.abs(voxels.grid[a] - voxels.grid[b]).max() == 1
    assert (voxels.neighbours[b, 25 - o] == a).all()


def test_a_voxel_counts_after_enough_hits():
    voxels = VoxelMap(replace(MAPPING, min_hits=3))
    verdict = []
    for _ in range(4):
        voxels.integrate(dot())
        verdict.append(bool(voxels.solid()[0]))
    assert verdict == [False, False, True, True]


def test_see_through_count_by_hand():
    voxels = built([dot(), dot()])  # hit twice: four looks through it are tolerated
    view = voxels.view(dot(depth=2.0))
    assert view.through.tolist() == [0]
    verdict = []
    for _ in range(5):
        voxels.count_see_through(view)
        verdict.append(bool(voxels.solid()[0]))
    assert verdict == [True, True, True, True, False]
    voxels.integrate(dot())  # it is there after all
    assert voxels.through.tolist() == [4]
    assert voxels.solid()[0]


def test_vanished_box_goes_and_the_rest_stays():
    voxels = built([render(SCENE, p) for p in VIEWS] * 2)
    of_cube = voxels.grid[:, 2] >= 2  # above the voxel layer around the floor
    assert inside_box(voxels.position[of_cube], CUBE, 0.001).all() and of_cube.sum() > 300
    assert voxels.solid()[of_cube].all()
    looked_through(voxels, SCENE.without(7), VIEWS * 6)
    high = of_cube & (voxels.position[:, 2] > 0.13)  # lower ones have the floor too close behind them
    assert high.sum() > 200 and not voxels.solid()[high].any()
    assert voxels.solid()[~of_cube].all()


@pytest.mark.parametrize("blind", ["away", "no depth", "covered"])
def test_absence_alone_removes_nothing(blind):
    voxels = built([render(SCENE, p) for p in VIEWS] * 2)
    solid = voxels.solid()
    away = look_at((0.8, 0.0, 0.7), (3.0, 0.0, 0.0))
    near = Scene(planes=(Plane(9, (1, 0, 0), 0.4),))  # a sheet between camera and cube
    frames = {
        "away": render(SCENE.without(7), away),
        "no depth": replace(render(SCENE.without(7), VIEWS[0]), depth_m=np.zeros((120, 160), np.float32)),
        "covered": render(near, VIEWS[0]),
    }
    view = voxels.view(frames[blind])
    for _ in range(50):
        voxels.count_see_through(view)
    of_cube = inside_box(voxels.position, CUBE, 0.001) & (voxels.grid[:, 2] >= 2)
    assert np.array_equal(voxels.solid()[of_cube], solid[of_cube])


def test_view_of_the_same_frame_sees_what_it_integrated():
    frame = render(SCENE, VIEWS[0])
    voxels = built([frame])
    view = voxels.view(frame)
    assert len(view.through) == 0
    assert len(view.visible) >= 0.99 * voxels.count


def test_touched_voxels_are_told_once():
    voxels = built([dot(), dot(1.0)])
    assert voxels.take_touched().tolist() == [True, True]
    assert voxels.take_touched().tolist() == [False, False]
    voxels.integrate(dot(1.0))
    assert voxels.take_touched().tolist() == [False, True]
    voxels.count_see_through(voxels.view(dot(depth=2.0)))
    assert voxels.take_touched().tolist() == [True, False]


def test_frame_without_depth_changes_nothing():
    voxels = built([dot()])
    done = voxels.integrate(replace(dot(), depth_m=np.zeros((3, 3), np.float32)))
    assert (done.pixels, done.new_pixels, done.new_voxels) == (0, 0, 0)
    assert voxels.hits.tolist() == [1]


def test_depth_range_of_the_input_applies():
    far = VoxelMap(MAPPING, InputConfig(depth_max_m=0.35))
    far.integrate(dot())
    assert far.count == 0


def test_empty_map():
    voxels = VoxelMap(MAPPING)
    view = voxels.view(dot())
    assert len(voxels.solid()) == len(view.visible) == len(view.through) == 0
    assert len(voxels.take_touched()) == 0


def test_unknown_column_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = VoxelMap(MAPPING).nonsense


def test_color_follows_the_depth_image():
    # Depth at half size: its pixel u looks where colour pixel 2 u + 0.5 looks.
    color_camera = Camera(fx=80.0, fy=80.0, cx=15.5, cy=11.5, width=32, height=24)
    camera = color_camera.resized(16, 12)
    ramp = np.zeros((24, 32, 3), np.uint8)
    ramp[..., 0] = 8 * np.arange(32)
    ramp[..., 1] = 10 * np.arange(24)[:, None]
    frame = Frame(0, ramp, color_camera, np.ones((12, 16), np.float32), camera, np.eye(4))
    color = color_at_depth(frame)
    assert color.shape == (12, 16, 3)
    assert color[0, :, 0].tolist() == [16 * u + 4 for u in range(16)]
    assert color[:, 0, 1].tolist() == [20 * v + 5 for v in range(12)]


def test_equal_cameras_share_the_color_image():
    frame = render(SCENE, VIEWS[0])
    assert color_at_depth(frame) is frame.color_rgb
