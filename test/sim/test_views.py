"""Training views come from their seed alone, and what they say about a pixel fits together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from moss_ros.sim.mesh import box
from moss_ros.sim.training_views import view_furniture, view_things
from moss_ros.sim.training_views.view_looks import Look, patterns, random_look, surface_color
from moss_ros.sim.training_views.view_placing import Surface, World, fill, turned_half
from moss_ros.sim.training_views.view_pool import VIEWS_PER_ROOM, ViewPool
from moss_ros.sim.training_views.view_rooms import build_room
from moss_ros.sim.training_views.view_shapes import Shape, Top
from moss_ros.sim.training_views.views import HEIGHT, WIDTH, RoomViews, TrainingView, random_camera

GREY = Look((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@pytest.fixture(scope="module")
def views() -> list[TrainingView]:
    return list(RoomViews(5).views(3))


def test_same_seed_gives_the_same_views(views: list[TrainingView]) -> None:
    again = list(RoomViews(5).views(3))
    for a, b in zip(views, again, strict=True):
        assert np.array_equal(a.depth_mm, b.depth_mm)
        assert np.array_equal(a.color_rgb, b.color_rgb)
        assert np.array_equal(a.instance, b.instance)
        assert np.array_equal(a.world_from_camera, b.world_from_camera)


def test_other_seeds_give_other_rooms() -> None:
    assert build_room(5).size_m != build_room(6).size_m


def test_views_hold_a_room_seen_from_inside(views: list[TrainingView]) -> None:
    for view in views:
        assert view.depth_mm.shape == (HEIGHT, WIDTH)
        assert view.instance.max() < len(view.support)
        assert (view.instance[view.depth_mm == 0] == 0).all()
        turn = view.world_from_camera[:3, :3]
        assert np.allclose(turn @ turn.T, np.eye(3), atol=1e-9) and np.linalg.det(turn) > 0
        assert turn[2, 1] < 0  # the image's down is the world's down


def test_points_of_structure_lie_on_the_room(views: list[TrainingView]) -> None:
    """No pixel lies below the floor."""
    for view in views:
        v, u = np.nonzero(view.depth_mm)
        z = view.depth_mm[v, u] / 1000
        rays = np.stack([(u - view.camera.cx) / view.camera.fx, (v - view.camera.cy) / view.camera.fy, np.ones(len(u))])
        height = view.world_from_camera[2, :3] @ (rays * z) + view.world_from_camera[2, 3]
        assert height.min() > -0.15


def test_supports_come_before_what_they_carry() -> None:
    room = build_room(3)
    assert room.support[0] == 0
    assert all(s < i for i, s in enumerate(room.support.tolist()) if i)
    assert set(np.unique(room.instance)) <= set(range(len(room.support)))


@pytest.mark.parametrize("build", [b for b, _ in view_things.SMALL] + [b for b, _, _ in view_furniture.FURNITURE])
def test_shapes_stand_on_the_ground(build) -> None:  # type: ignore[no-untyped-def]
    for seed in range(3):
        shape = build(np.random.default_rng(seed))
        assert abs(shape.lo_m[2]) < 0.06
        assert np.isfinite(shape.hi_m).all() and (shape.hi_m - shape.lo_m).max() < 4


def test_things_do_not_overlap_on_a_surface() -> None:
    cube = Shape(((box((-0.1, -0.1, 0), (0.1, 0.1, 0.2)), GREY),))
    surface = Surface(np.zeros(3), 0.0, Top((-1.0, -1.0), (1.0, 1.0), 0.7, 1.0), 0)
    surface.taken.append((-0.1, -0.1, 0.1, 0.1, 0.2))
    assert surface.overlap_height(0.05, 0.05, 0.2, 0.2) == 0.2
    assert surface.overlap_height(0.11, 0.0, 0.3, 0.1) == 0.0
    assert turned_half(cube, np.pi / 4) == pytest.approx((0.1 * np.sqrt(2),) * 2)


def test_filled_surface_carries_its_things() -> None:
    world = World()
    fill(
        np.random.default_rng(0),
        world,
        Surface(np.array([0.0, 0.0, 1.0]), 0.3, Top((-0.5, -0.5), (0.5, 0.5), 0.7, 0.5), 0),
        5,
    )
    assert len(world.support) > 1
    lowest = min(c[..., 2].min() for c in world.corners)
    assert lowest == pytest.approx(1.7, abs=0.01)


def test_looks_of_unknown_family_are_refused() -> None:
    with pytest.raises(ValueError, match="no family"):
        random_look(np.random.default_rng(0), "glass")


def test_color_blends_two_colors_by_the_pattern() -> None:
    bank = np.zeros((1, 2, 2), np.float32)
    bank[0, 0, 1] = 1
    first, second = np.array([[1, 0, 0]], np.float32), np.array([[0, 0, 1]], np.float32)
    uv = np.array([[[0, 0], [1, 0], [0, 1]]], np.float32)
    at = np.array([0, 0, -1], np.int32)
    u, v = np.array([0.2, 0.7, 0], np.float32), np.array([0.1, 0.1, 0], np.float32)
    one, zero = np.ones(1, np.float32), np.zeros(1, np.int32)
    out = surface_color(at, u, v, uv, zero, first, second, zero, one, bank)
    assert out.tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 0]]
    assert patterns().min() >= 0 and patterns().max() <= 1


def test_cameras_are_wide_and_narrow() -> None:
    rng = np.random.default_rng(0)
    angles = [2 * np.degrees(np.arctan(WIDTH / 2 / random_camera(rng).fx)) for _ in range(200)]
    assert 44 < min(angles) < 55 and 75 < max(angles) < 91


def test_pool_gives_the_views_of_the_seed(tmp_path: Path) -> None:
    pool = ViewPool(tmp_path)
    count = pool.count(5)
    assert 0 < count <= VIEWS_PER_ROOM
    want = next(RoomViews(5).views(1))
    got = pool.view(5, 0)
    assert np.array_equal(got.depth_mm, want.depth_mm) and np.array_equal(got.instance, want.instance)
    assert np.abs(got.color_rgb.astype(int) - want.color_rgb).mean() < 4  # JPEG
    assert got.camera == want.camera
    assert np.array_equal(pool.view(5, count).depth_mm, got.depth_mm)  # the index wraps
