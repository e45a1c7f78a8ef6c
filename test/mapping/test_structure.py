"""Floor, walls and supports of the synthetic room, and tolerances that follow the spread of a plane."""

from dataclasses import replace

import numpy as np
import pytest
from scenes import (
    CHAIR_TOP_M,
    FLOOR_M,
    TABLE_TOP_M,
    THINGS,
    find_structure,
    inside_box,
    room,
    room_map,
)

from moss_ros.config import StructureConfig
from moss_ros.geometry.voxels import NEIGHBOUR_OFFSETS

CONFIG = StructureConfig()


def of_room(noise_m=0.0, config=CONFIG):
    voxels, normals = room_map(noise_m)
    structure = find_structure(voxels.position, normals.two_rings, normals.solid, voxels.neighbours, config)
    return structure, voxels.position, normals.solid


def of_points(*surfaces, config=CONFIG):
    """Structure of surfaces [(points (n, 3), normal)], all solid, without neighbours."""
    position = np.concatenate([p for p, _ in surfaces]).astype(np.float32)
    normal = np.concatenate([np.broadcast_to(n, p.shape) for p, n in surfaces]).astype(np.float32)
    n = len(position)
    return find_structure(position, normal, np.ones(n, bool), np.full((n, 26), -1, np.int32), config)


def sheet(u, v, w, size=(3.0, 2.4), step=0.02, at=0.0, lift=None):
    """Points on a rectangle along unit vectors u and v, at offset ``at`` along w; lift moves them along w."""
    i, j = np.meshgrid(*[np.arange(0, side, step) + step / 2 for side in size], indexing="ij")
    i, j = i.ravel(), j.ravel()
    offset = at + (0.0 if lift is None else np.resize(lift, len(i)))
    return np.outer(i, u) + np.outer(j, v) + np.outer(np.broadcast_to(offset, i.shape), w)


X, Y, Z = np.eye(3)


@pytest.mark.parametrize("noise_m", [0.0, 0.005])
def test_floor_height_of_the_room(noise_m):
    structure, position, solid = of_room(noise_m)
    assert structure.floor_height_m == pytest.approx(FLOOR_M, abs=0.002)
    open_floor = solid & (np.abs(position[:, 2] - FLOOR_M) < 0.005)
    assert structure.is_structure[open_floor].mean() > 0.99


@pytest.mark.parametrize("noise_m", [0.0, 0.005])
def test_four_walls_of_the_room(noise_m):
    structure, position, solid = of_room(noise_m)
    walls = sorted((np.round(w.normal + 0.0, 2).tolist(), w.offset_m) for w in structure.walls)
    assert [n for n, _ in walls] == [[-1, 0, 0], [0, -1, 0], [0, 1, 0], [1, 0, 0]]
    assert [o for _, o in walls] == pytest.approx([1.51, 1.31, 1.31, 1.51], abs=0.005)
    on_wall = solid & (np.abs(np.abs(position[:, 0]) - 1.51) < 0.004)
    assert structure.is_structure[on_wall].mean() > 0.99


@pytest.mark.parametrize("noise_m", [0.0, 0.005])
def test_supports_of_the_room(noise_m):
    structure, position, _ = of_room(noise_m)
    heights = [s.height_m for s in structure.supports]
    assert heights == pytest.approx([TABLE_TOP_M, CHAIR_TOP_M], abs=0.003)  # the largest first
    table = position[structure.supports[0].voxels]
    assert (np.abs(table[:, 0]) < 0.46).all() and (np.abs(table[:, 1]) < 0.31).all()
    for number, support in enumerate(structure.supports, 1):
        assert np.array_equal(np.flatnonzero(structure.support_of == number), support.voxels)


def test_things_are_neither_structure_nor_support():
    structure, position, solid = of_room()
    for box in room().boxes:
        if box.id in THINGS:
            body = solid & inside_box(position, box, 0.002) & (position[:, 2] > TABLE_TOP_M + 0.03)
            assert body.sum() > 50
            assert not structure.is_structure[body].any()
            assert (structure.support_of[body] == 0).all()


def test_structure_and_supports_do_not_overlap():
    structure, _, solid = of_room(0.005)
    assert not (structure.is_structure & (structure.support_of > 0)).any()
    assert not (structure.is_structure | (structure.support_of > 0))[~solid].any()


def test_larger_smallest_support_drops_the_chair():
    structure, _, _ = of_room(config=replace(CONFIG, support_min_area_m2=0.2))
    assert [s.height_m for s in structure.supports] == pytest.approx([TABLE_TOP_M], abs=0.001)


@pytest.mark.parametrize(("spread_m", "belongs"), [(0.0, False), (0.016, True)])
def test_floor_tolerance_follows_the_spread(spread_m, belongs):
    # A book 3 cm above: beyond 2.1 cm, but within twice the spread of a floor that is thick by 16 mm.
    floor = sheet(X, Y, Z, lift=[-spread_m, 0.0, spread_m, -spread_m, spread_m])
    book = sheet(X, Y, Z, (0.1, 0.1), at=0.03)
    structure = of_points((floor, Z), (book, Z))
    assert structure.floor_height_m == pytest.approx(0.0, abs=1e-3)
    assert structure.is_structure[: len(floor)].all()
    assert (structure.is_structure[len(floor) :] == belongs).all()


@pytest.mark.parametrize(("spread_m", "belongs"), [(0.0, False), (0.02, True)])
def test_wall_tolerance_follows_the_spread(spread_m, belongs):
    floor = sheet(X, Y, Z)
    wall = sheet(Y, Z, X, (2.4, 2.0), at=3.0, lift=[-spread_m, 0.0, spread_m, -spread_m, spread_m])
    picture = sheet(Y, Z, X, (0.2, 0.2), at=2.965) + [
        0,
        1.0,
        1.0,
    ]  # 3.5 cm before the wall: 3 cm is the least
    structure = of_points((floor, Z), (wall, -X), (picture, -X))
    outer = [w for w in structure.walls if w.normal @ X > 0.99]
    assert [w.offset_m for w in outer] == pytest.approx([3.0], abs=0.005)
    assert (structure.is_structure[-len(picture) :] == belongs).all()


def test_front_of_a_wardrobe_is_no_wall():
    floor = sheet(X, Y, Z)
    wall = sheet(Y, Z, X, (2.4, 2.2), at=3.0)
    front = sheet(Y, Z, X, (1.2, 2.0), at=2.4)
    structure = of_points((floor, Z), (wall, -X), (front, -X))
    assert [w.offset_m for w in structure.walls if w.normal @ X > 0.99] == pytest.approx([3.0], abs=1e-3)
    assert not structure.is_structure[-len(front) :][front[:, 2] > 0.05].any()


def test_small_wall_is_no_wall():
    structure = of_points((sheet(X, Y, Z), Z), (sheet(Y, Z, X, (1.2, 1.5), at=3.0), -X))  # 1.8 m2
    assert structure.walls == ()


def test_walls_of_a_turned_room():
    turn = np.radians(30)
    u, v = np.array([np.cos(turn), np.sin(turn), 0]), np.array([-np.sin(turn), np.cos(turn), 0])
    floor = sheet(u, v, Z)
    walls = [(sheet(v, Z, u, (2.4, 2.0), at=3.0), -u), (sheet(u, Z, v, (3.0, 2.0), at=2.4), -v)]
    structure = of_points((floor, Z), *walls)
    assert len(structure.walls) == 2
    for normal, offset in ((u, 3.0), (v, 2.4)):
        wall = max(structure.walls, key=lambda w: w.normal @ normal)
        assert np.allclose(wall.normal, normal, atol=0.01)
        assert wall.offset_m == pytest.approx(offset, abs=0.02)


def test_lowest_strong_level_is_the_floor():
    # The table top is larger than the visible floor; a few stray points lie below the floor.
    floor, table = sheet(X, Y, Z, (1.0, 1.0), at=0.2), sheet(X, Y, Z, (1.6, 1.0), at=0.95)
    stray = sheet(X, Y, Z, (0.1, 0.1), at=-0.3)
    structure = of_points((floor, Z), (table, Z), (stray, Z))
    assert structure.floor_height_m == pytest.approx(0.2, abs=1e-6)


def test_nothing_level_nothing_upright():
    slope = np.array([0.6, 0.0, 0.8])
    structure = of_points((sheet(X, Y, Z, (1.0, 1.0)), slope))
    assert not structure.is_structure.any()
    assert structure.walls == () and structure.supports == ()


@pytest.mark.parametrize("n", [0, 5])
def test_no_solid_voxel_no_structure(n):
    structure = find_structure(
        np.zeros((n, 3), np.float32),
        np.zeros((n, 3), np.float32),
        np.zeros(n, bool),
        np.full((n, 26), -1, np.int32),
        CONFIG,
    )
    assert structure.supports == structure.walls == ()
    assert structure.is_structure.shape == structure.support_of.shape == (n,)
    assert not structure.is_structure.any()


@pytest.mark.parametrize(("thickness_m", "supports"), [(0.0, 0), (0.008, 1)])
def test_a_thick_floor_lets_supports_be_thick(thickness_m, supports):
    """Pose jitter thickens all surfaces alike; a table 18 mm thick is none on a clean map."""
    n = 60
    i, j = (a.ravel() for a in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    floor = np.stack([0.02 * i, 0.02 * j, thickness_m * (-1.0) ** (i + j)], 1)
    table = np.stack([0.02 * i + 3.0, 0.02 * j, 0.7 + 0.018 * (i / n - 0.5) * 2], 1)
    position = np.concatenate([floor, table]).astype(np.float32)
    number = {(r, c): r * n + c for r in range(n) for c in range(n)}
    steps = NEIGHBOUR_OFFSETS.tolist()
    one = np.array([[number.get((r + a, c + b), -1) if d == 0 else -1 for a, b, d in steps] for r, c in number])
    neighbours = np.concatenate([one, np.where(one < 0, -1, one + n * n)]).astype(np.int32)
    normal = np.tile(np.array([0, 0, 1], np.float32), (2 * n * n, 1))
    structure = find_structure(
        position, normal, np.ones(2 * n * n, bool), neighbours, replace(CONFIG, support_spread_m=0.006)
    )
    assert len(structure.supports) == supports
