"""Mesh primitives: closed, facing outwards, of the size asked for."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from small_home import small_scene

from moss_ros.sim import decor, food, furniture, kitchen, kitchenware, office, soft, storage, walls
from moss_ros.sim.mesh import ball, box, cylinder, heightfield, join, lathe, rounded_box, signed_volume_m3, tube
from moss_ros.sim.scene import FLOOR_ID, Thing
from moss_ros.sim.triangles import build, split_long

MODULES = (decor, food, furniture, kitchen, kitchenware, office, soft, storage, walls)
BUILDERS = [
    f
    for m in MODULES
    for name, f in inspect.getmembers(m, inspect.isfunction)
    if f.__module__ == m.__name__ and not name.startswith("_") and f.__annotations__.get("return") == "Thing"
]


@pytest.mark.parametrize(
    ("mesh", "volume", "tolerance"),
    [
        (box((0, 0, 0), (1, 2, 3)), 6.0, 1e-9),
        (cylinder(0.5, 2.0, 96), np.pi * 0.5, 0.01),
        (ball(1.0, 48), 4 / 3 * np.pi, 0.05),
        (rounded_box((2, 2, 2), 1.0, 8), 4 / 3 * np.pi, 0.1),
        (rounded_box((1, 1, 1), 0.0001), 1.0, 1e-3),
        (tube([(0, 0, 0), (1, 0, 0), (2, 0, 0)], 0.1, 64), np.pi * 0.01 * 2, 1e-3),
        (heightfield(np.full((5, 5), 0.5), (2.0, 1.0)), 1.0, 1e-6),
        (lathe([(0, 0), (1, 0), (0, 1)], 96), np.pi / 3, 0.01),
    ],
)
def test_volume_is_positive_and_right(mesh: object, volume: float, tolerance: float) -> None:
    assert signed_volume_m3(mesh) == pytest.approx(volume, abs=tolerance)  # type: ignore[arg-type]


def test_turning_and_moving_keep_the_volume() -> None:
    mesh = box((0, 0, 0), (1, 2, 3)).turned(0, 0.7).turned(1, 0.3).moved(5, -2, 1, 1.1)
    assert signed_volume_m3(mesh) == pytest.approx(6.0)
    assert box((0, 0, 0), (1, 2, 3)).turned(2, np.pi / 2).lo_m == pytest.approx([-2, 0, 0])


def test_splitting_keeps_area_and_bounds_edges() -> None:
    fine = split_long(join([box((0, 0, 0), (1, 0.5, 0.3))]), 0.1)
    edges = np.linalg.norm(fine.corners_m - np.roll(fine.corners_m, -1, 1), axis=2)
    assert edges.max() <= 0.4
    a, b = fine.corners_m[:, 1] - fine.corners_m[:, 0], fine.corners_m[:, 2] - fine.corners_m[:, 0]
    assert np.linalg.norm(np.cross(a, b), axis=1).sum() / 2 == pytest.approx(2 * (0.5 + 0.3 + 0.15))


def test_there_are_enough_builders() -> None:
    assert len(BUILDERS) >= 60


@pytest.mark.parametrize("build", BUILDERS, ids=lambda f: f.__name__)
def test_things_stand_centred_on_their_origin(build: object) -> None:
    for seed in range(3):
        thing: Thing = build(np.random.default_rng(seed))  # type: ignore[operator]
        assert thing.lo_m[2] == pytest.approx(0, abs=1e-9)
        assert thing.lo_m[:2] == pytest.approx(-thing.hi_m[:2], abs=1e-9)
        assert all(np.isfinite(p.mesh.corners_m).all() and np.isfinite(p.mesh.uv).all() for p in thing.parts)
        assert 0.01 < thing.size_m.max() < 2.6
        for s in thing.supports:
            assert s.tags and s.clearance_m > 0 and s.lo_m[0] < s.hi_m[0] and s.lo_m[1] < s.hi_m[1]


def test_normals_are_smooth_on_round_things_and_sharp_at_edges() -> None:
    scene, _ = small_scene()
    triangles = build(scene)
    normal, face = triangles.point_normal[triangles.point], triangles.face_normals[:, None]
    cosine = (normal * face).sum(2)
    assert np.linalg.norm(triangles.point_normal, axis=1) == pytest.approx(1, abs=1e-4)
    assert cosine.min() > 0.6
    floor = triangles.instance == FLOOR_ID
    assert cosine[floor].min() == pytest.approx(1, abs=1e-6)
    ball_id = next(p.id for p in scene.placed if p.thing.category == "ball")
    assert np.quantile(cosine[triangles.instance == ball_id], 0.1) < 0.9999
