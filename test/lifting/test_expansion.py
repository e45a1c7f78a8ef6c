"""The id buffer: scenes small enough for paper, properties, and the same answer from every backend."""

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from lifting_map import EDGE_M, FORWARD, map_of, mean_iou, room_view, thing_labels, wall
from scenes import CAMERA, THINGS, build_map, orbit, render, room, room_frames, room_map

from moss_ros.config import ConfigError, LiftingConfig
from moss_ros.lifting import expansion as expansion_module
from moss_ros.lifting.dense_masks import dense_masks
from moss_ros.lifting.expansion import Expansion
from moss_ros.lifting.growth import grow
from moss_ros.lifting.surfels import Surfels, visible_surfels
from moss_ros.lifting.target_view import TargetView

CONFIG = LiftingConfig()
SHAPE = (CAMERA.height, CAMERA.width)
NEAR, FAR = 50, 100  # cells along x: 1.01 and 2.01 m
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")


def buffer_of(voxels, depth_m=None, config=CONFIG, camera=CAMERA, pose=FORWARD):
    return Expansion(config).id_buffer(voxels, TargetView(camera, pose, depth_m))


def pixels_of(voxels):
    """Rounded image position (N,) u, v of voxels before the camera of FORWARD."""
    x, y, z = voxels.position.T
    return np.rint(-y / x * CAMERA.fx + CAMERA.cx).astype(int), np.rint(-z / x * CAMERA.fy + CAMERA.cy).astype(int)


def test_wall_without_depth_is_filled_and_hardly_outgrown():
    voxels = map_of(wall(NEAR, (-20, 20), (-15, 15)))
    found = buffer_of(voxels) >= 0
    half_width, half_height = 20 * EDGE_M / 1.01 * CAMERA.fx, 15 * EDGE_M / 1.01 * CAMERA.fy
    v, u = np.mgrid[: CAMERA.height, : CAMERA.width]
    off_u, off_v = np.abs(u - CAMERA.cx) - half_width, np.abs(v - CAMERA.cy) - half_height
    assert found[(off_u < 0) & (off_v < 0)].all()
    edge_px = EDGE_M / 1.01 * CAMERA.fx
    assert not found[(off_u > 0.9 * edge_px) | (off_v > 0.9 * edge_px)].any()


def test_every_voxel_keeps_the_pixel_it_falls_on():
    voxels = map_of(wall(NEAR, (-20, 20), (-15, 15), step=2))  # 4.75 px apart: no two share a pixel
    u, v = pixels_of(voxels)
    assert np.array_equal(buffer_of(voxels)[v, u], np.arange(voxels.count))


def test_pixel_goes_to_the_nearest_voxel_of_a_facing_wall():
    voxels = map_of(wall(NEAR, (-10, 10), (-10, 10), step=2))
    found = buffer_of(voxels)
    x, y, z = voxels.position.T
    centers = np.stack([-y / x * CAMERA.fx + CAMERA.cx, -z / x * CAMERA.fy + CAMERA.cy], 1)
    rows, columns = np.nonzero(found >= 0)
    distance = np.linalg.norm(np.stack([columns, rows], 1)[:, None] - centers[None], axis=2)
    chosen = distance[np.arange(len(rows)), found[rows, columns]]
    inner = (np.abs(centers[found[rows, columns]] - [CAMERA.cx, CAMERA.cy]) < 20).all(1)  # rims have other spacings
    assert inner.sum() > 500
    assert (chosen <= distance.min(1) + 0.05)[inner].all()


def test_looked_up_pixels_are_never_given_away():
    voxels, _ = room_map()
    frame = render(room(), orbit()[4])
    expansion = Expansion(CONFIG)
    view = TargetView(CAMERA, frame.world_from_camera, frame.depth_m)
    found = expansion.id_buffer(voxels, view)
    looked_up = expansion._looked_up(voxels, view)[0]
    assert (looked_up >= 0).mean() > 0.8
    assert np.array_equal(found[looked_up >= 0], looked_up[looked_up >= 0])


def depth_step():
    """A near wall left of column 80 and a far one behind it, both thinned, and their exact depth."""
    near, far = wall(NEAR, (0, 45), (-30, 30), step=2), wall(FAR, (-70, 30), (-55, 55), step=2)
    depth = np.full(SHAPE, (FAR + 0.5) * EDGE_M, np.float32)
    depth[:, :80] = (NEAR + 0.5) * EDGE_M
    return map_of(np.concatenate([near, far])), len(near), depth


def test_growth_stops_at_a_depth_edge():
    voxels, near, depth = depth_step()
    found = buffer_of(voxels, depth, replace(CONFIG, look_up_reach=0.5))  # nearly all is left to growth
    assert (found[10:-10, 10:-10] >= 0).mean() > 0.99
    assert (found[:, :80] < near).all()
    assert ((found[:, 80:] >= near) | (found[:, 80:] == -1)).all()


def test_near_wall_hides_the_far_one_without_depth():
    voxels, near, _ = depth_step()
    found = buffer_of(voxels)
    assert (found[5:-5, 5:76] < near).all() and (found[5:-5, 5:76] >= 0).all()
    assert (found[5:-5, 84:-5] >= near).all()


def test_no_depth_is_as_good_as_a_depth_image_of_holes():
    voxels, _ = room_map()
    pose = orbit()[2]
    assert np.array_equal(buffer_of(voxels, pose=pose), buffer_of(voxels, np.zeros(SHAPE, np.float32), pose=pose))


def test_order_of_the_voxels_does_not_matter():
    voxels, _ = room_map(0.003)
    density = Expansion(CONFIG).density
    density.update(voxels)
    nothing, empty = np.full(SHAPE, -1, np.int32), np.zeros(SHAPE, np.float32)
    surfels = visible_surfels(voxels, density, CAMERA, orbit()[0], empty, nothing < 0, CONFIG)
    order = np.random.default_rng(0).permutation(len(surfels.voxels))
    shuffled = Surfels(surfels.voxels[order], surfels.table[order])
    one, other = grow(surfels, nothing, empty, CONFIG), grow(shuffled, nothing, empty, CONFIG)
    assert np.mean(one == other) > 0.9999  # exact ties in distance may fall the other way


def test_masks_of_a_partition_are_a_partition_and_unions_are_unions():
    voxels, _ = room_map()
    labels = thing_labels(voxels)
    found = buffer_of(voxels, pose=orbit()[1])
    parts = [np.flatnonzero(labels == t) for t in (0, *THINGS)]
    masks = dense_masks(found, [*parts, np.flatnonzero(labels > 0)])
    assert np.array_equal(masks[:4].sum(0), found >= 0)
    assert np.array_equal(masks[4], masks[1:4].any(0))


@pytest.mark.parametrize(("with_depth", "bar"), [(True, 0.93), (False, 0.85)])
def test_things_on_the_table(with_depth, bar):
    voxels, _ = room_map(0.002)
    labels = thing_labels(voxels)
    for pose_number in (0, 7, 15):
        depth = render(room(), orbit()[pose_number], noise_m=0.002).depth_m
        view, truth = room_view(pose_number, depth_m=depth if with_depth else None)
        ids = Expansion(CONFIG).id_buffer(voxels, view)
        assert mean_iou(np.where(ids >= 0, labels[ids], 0), truth) > bar


def test_color_with_more_pixels_than_depth():
    voxels, _ = room_map(0.002)
    labels, large = thing_labels(voxels), CAMERA.resized(320, 240)
    depth = render(room(), orbit()[0], noise_m=0.002).depth_m
    view, truth = room_view(0, large, depth, CAMERA)
    ids = Expansion(CONFIG).id_buffer(voxels, view)
    assert ids.shape == (240, 320)
    assert mean_iou(np.where(ids >= 0, labels[ids], 0), truth) > 0.9


def test_nothing_in_sight():
    away = FORWARD.copy()
    away[:3, :3] = FORWARD[:3, :3] @ np.diag([-1.0, 1.0, -1.0])
    voxels = map_of(wall(NEAR, (-20, 20), (-15, 15)))
    for found in (buffer_of(voxels, pose=away), buffer_of(map_of(np.zeros((0, 3))))):
        assert found.dtype == np.int32
        assert (found == -1).all()


def test_only_solid_voxels_own_pixels():
    voxels = map_of(wall(NEAR, (-20, 20), (-15, 15)))
    voxels.hits[::2] = 0
    found = buffer_of(voxels)
    assert (found[found >= 0] % 2 == 1).all()


def test_map_that_grows_between_views():
    first, rest = room_frames()[:2], room_frames()[2:8]
    voxels, _ = build_map(first)
    expansion = Expansion(CONFIG)
    view = TargetView(CAMERA, orbit()[3])
    expansion.id_buffer(voxels, view)
    for frame in rest:
        voxels.integrate(frame)
    assert np.array_equal(expansion.id_buffer(voxels, view), Expansion(CONFIG).id_buffer(voxels, view))


def hollow_depth(pose_number):
    depth = render(room(), orbit()[pose_number], noise_m=0.002).depth_m
    depth[30:70, 40:110] = 0
    return depth


@needs_torch
@pytest.mark.parametrize("config", [CONFIG, replace(CONFIG, look_up_reach=0.5, max_reach_px=3.0)])
@pytest.mark.parametrize("depth", ["none", "full", "holes"])
def test_torch_gives_the_same_ids(config, depth):
    voxels, _ = room_map(0.002)
    pose_number = 5
    full = render(room(), orbit()[pose_number], noise_m=0.002).depth_m
    image = {"none": None, "full": full, "holes": hollow_depth(pose_number)}[depth]
    ours = buffer_of(voxels, image, config, pose=orbit()[pose_number])
    theirs = buffer_of(voxels, image, replace(config, backend="torch"), pose=orbit()[pose_number])
    assert theirs.dtype == ours.dtype
    assert np.mean(ours == theirs) >= 0.999


@needs_torch
def test_torch_in_small_chunks_gives_the_same_ids(monkeypatch):
    from moss_ros.lifting import expansion_torch

    voxels = map_of(wall(NEAR, (-20, 20), (-15, 15)))
    config = replace(CONFIG, backend="torch")
    whole = buffer_of(voxels, config=config)
    monkeypatch.setitem(expansion_torch._PAIRS, "cpu", 1000)
    monkeypatch.setitem(expansion_torch._PAIRS, "cuda", 1000)
    assert np.array_equal(buffer_of(voxels, config=config), whole)


@needs_torch
def test_torch_with_nothing_in_sight():
    assert (buffer_of(map_of(np.zeros((0, 3))), config=replace(CONFIG, backend="torch")) == -1).all()


@pytest.mark.parametrize(("with_depth", "bar"), [(True, 0.85), (False, 0.75)])
def test_opencv_is_a_coarser_answer(with_depth, bar):
    voxels, _ = room_map(0.002)
    labels, config = thing_labels(voxels), replace(CONFIG, backend="opencv")
    view, truth = room_view(0, depth_m=hollow_depth(0) if with_depth else None)
    ids = Expansion(config).id_buffer(voxels, view)
    assert mean_iou(np.where(ids >= 0, labels[ids], 0), truth) > bar
    assert (buffer_of(map_of(np.zeros((0, 3))), config=config) == -1).all()


def test_opencv_stops_at_a_depth_edge():
    voxels, near, depth = depth_step()
    found = buffer_of(voxels, depth, replace(CONFIG, backend="opencv", look_up_reach=0.5))
    assert (found[:, :80] < near).all()
    assert ((found[:, 80:] >= near) | (found[:, 80:] == -1)).all()


def test_missing_torch_is_a_configuration_error(monkeypatch):
    monkeypatch.setattr(expansion_module, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="pip install torch"):
        Expansion(replace(CONFIG, backend="torch"))
