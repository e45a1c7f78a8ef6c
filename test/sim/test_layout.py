"""Furnished homes: full, without intersections, everything at rest, the same for the same seed."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from moss_ros.sim.collision import inside_room, overlap_m, placed_blocks
from moss_ros.sim.layout import make_home
from moss_ros.sim.scene import CEILING_ID, FLOOR_ID, WALL_ID, Scene

SEEDS = range(5)


@cache
def home(seed: int) -> Scene:
    return make_home(seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_many_things_of_many_categories(seed: int) -> None:
    scene = home(seed)
    assert len(scene.placed) >= 60
    assert len({p.thing.category for p in scene.placed}) >= 40
    ids = [p.id for p in scene.placed]
    assert len(set(ids)) == len(ids) and min(ids) > CEILING_ID and max(ids) < 256


@pytest.mark.parametrize("seed", SEEDS)
def test_solids_do_not_enter_each_other(seed: int) -> None:
    blocks = [(p, b) for p in home(seed).placed for b in placed_blocks(p)]
    low = np.array([[*b.corners_m.min(0), b.low_m] for _, b in blocks])
    high = np.array([[*b.corners_m.max(0), b.high_m] for _, b in blocks])
    for i, (p, block) in enumerate(blocks):
        for j in np.flatnonzero(((low < high[i]) & (high > low[i])).all(1)):
            other = blocks[j][0]
            if other.id > p.id:
                depth = overlap_m(block, blocks[j][1])
                assert depth < 1e-3, f"{p.thing.category} enters {other.thing.category} by {depth:.4f} m"


@pytest.mark.parametrize("seed", SEEDS)
def test_things_rest_on_their_supports(seed: int) -> None:
    scene = home(seed)
    things = scene.by_id()
    for p in scene.placed:
        bottom = p.position_m[2] + float(p.thing.lo_m[2])
        if p.support_id == FLOOR_ID:
            assert abs(bottom) < 2e-3, p.thing.category
        elif p.support_id in things:
            carrier = things[p.support_id]
            heights = [carrier.position_m[2] + s.height_m for s in carrier.thing.supports if s.relation == p.relation]
            assert min(abs(bottom - h) for h in heights) < 2e-3, p.thing.category
        else:
            assert p.support_id in (WALL_ID, CEILING_ID)


@pytest.mark.parametrize("seed", SEEDS)
def test_things_stand_above_their_carrier_and_inside_the_room(seed: int) -> None:
    scene = home(seed)
    things = scene.by_id()
    for p in scene.placed:
        assert all(inside_room(scene.room, b, -1e-6) for b in placed_blocks(p)), p.thing.category
        if p.support_id in things:
            low, high = things[p.support_id].aabb_m()
            assert (np.array(p.position_m[:2]) > low[:2]).all() and (np.array(p.position_m[:2]) < high[:2]).all()


def test_same_seed_same_home_and_other_seed_another() -> None:
    first, again, other = home(1), make_home(1), home(2)
    assert [(p.id, p.thing.category, p.position_m, p.yaw_rad) for p in first.placed] == [
        (p.id, p.thing.category, p.position_m, p.yaw_rad) for p in again.placed
    ]
    for p, q in zip(first.placed, again.placed, strict=True):
        for a, b in zip(p.thing.parts, q.thing.parts, strict=True):
            assert np.array_equal(a.mesh.corners_m, b.mesh.corners_m)
            assert np.array_equal(a.material.texture, b.material.texture)
    assert [p.position_m for p in first.placed] != [p.position_m for p in other.placed]


def test_homes_have_clutter_and_rooms_differ() -> None:
    relations = {p.relation for seed in SEEDS for p in home(seed).placed}
    assert {"on", "in", "under", "wall"} <= relations
    assert len({home(seed).room.polygon_m for seed in SEEDS}) == len(SEEDS)
    assert any(home(seed).room.partition_x_m is not None for seed in SEEDS)
    square = [
        all(x in (0.0, max(q[0] for q in home(s).room.polygon_m)) for x, _ in home(s).room.polygon_m) for s in SEEDS
    ]
    assert not all(square) or any(len({y for _, y in home(s).room.polygon_m}) > 2 for s in SEEDS)
