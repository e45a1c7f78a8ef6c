"""Things on supports and furniture: the synthetic room, and stacks of voxel blocks small enough to count."""

from dataclasses import replace

import numpy as np
import pytest
from scenes import (
    CHAIR,
    CONFIG,
    TABLE,
    TABLE_TOP_M,
    THINGS,
    block,
    find_parts,
    find_structure,
    inside_box,
    room,
    room_map,
    voxels_of,
)

from moss_ros.config import ProposalConfig
from moss_ros.geometry.voxels import VoxelIndex
from moss_ros.mapping.structure import Structure, Support
from moss_ros.proposals.parts import object_proposals
from moss_ros.proposals.solid_voxels import SolidVoxels

P = ProposalConfig()


def scene(supports, *things, config=P, spread_m=0.0):
    """Parts of supports (blocks one cell high; order as given) with blocks on them; ids of each block."""
    blocks = [*supports, *things]
    ends = np.cumsum([0, *(len(b) for b in blocks)])
    ids = [np.arange(a, b) for a, b in zip(ends[:-1], ends[1:], strict=True)]
    voxels = voxels_of(np.concatenate(blocks))
    support_of = np.zeros(ends[-1], np.int32)
    found = []
    for number, own in enumerate(ids[: len(supports)], 1):
        support_of[own] = number
        found.append(Support(float(voxels.position[own[0], 2]), own.astype(np.int32), spread_m))
    structure = Structure(0.0, (), tuple(found), np.zeros(ends[-1], bool), support_of)
    return find_parts(voxels, structure, config), ids[len(supports) :], voxels


def sets(groups):
    return sorted(sorted(g.tolist()) for g in groups)


TABLE_CELLS = block((0, 40), (0, 30), (35, 36))  # top at 71 cm
MUG = block((5, 9), (5, 9), (36, 41))
BOOK = block((20, 28), (10, 16), (36, 38))


def room_parts(noise_m=0.0):
    voxels, normals = room_map(noise_m)
    structure = find_structure(voxels.position, normals.two_rings, normals.solid, voxels.neighbours, CONFIG.structure)
    return find_parts(SolidVoxels.of(voxels, normals.solid), structure, P), structure, voxels.position, normals.solid


@pytest.mark.parametrize("noise_m", [0.0, 0.003])
def test_things_on_the_table_are_one_object_each(noise_m):
    parts, _, position, solid = room_parts(noise_m)
    things = [b for b in room().boxes if b.id in THINGS]
    assert len(parts.objects) == 3
    for thing in things:
        (found,) = [o for o in parts.objects if inside_box(position[o], thing, 0.02).mean() > 0.95]
        body = solid & inside_box(position, thing, 0.004) & (position[:, 2] > TABLE_TOP_M + 0.02)
        assert np.isin(np.flatnonzero(body), found).mean() > 0.95


def test_table_and_chair_are_furniture():
    parts, _, position, _ = room_parts()
    boxes = room().boxes
    owners = []
    for part in sorted(parts.furniture, key=len, reverse=True)[:2]:
        share = {
            kind: np.mean(np.any([inside_box(position[part], b, 0.01) for b in boxes if b.id == kind], 0))
            for kind in (TABLE, CHAIR)
        }
        owners.append(max(share, key=share.get))
        assert max(share.values()) > 0.95
    assert owners == [TABLE, CHAIR]


def test_background_is_structure_supports_and_rims():
    parts, structure, position, solid = room_parts()
    assert parts.background[structure.is_structure].all()
    assert parts.background[structure.support_of > 0].all()
    assert parts.background[~solid].all()
    for objects in parts.objects:
        assert not parts.background[objects].any()


def test_parts_do_not_overlap():
    parts, structure, _, solid = room_parts(0.003)
    everything = np.concatenate([*parts.objects, *parts.furniture])
    assert len(np.unique(everything)) == len(everything)
    assert solid[everything].all() and not structure.is_structure[everything].any()


def test_two_blocks_on_a_table_by_hand():
    parts, (mug, book), _ = scene([TABLE_CELLS], MUG, BOOK)
    assert sets(parts.objects) == [mug.tolist(), book.tolist()]
    assert sets(parts.furniture) == [list(range(len(TABLE_CELLS)))]
    assert np.flatnonzero(parts.background).tolist() == list(range(len(TABLE_CELLS)))


def test_touching_blocks_are_one_object():
    parts, (a, b), _ = scene([TABLE_CELLS], MUG, MUG + [4, 0, 0])
    assert sets(parts.objects) == [[*a.tolist(), *b.tolist()]]


def test_small_thing_is_no_object():
    crumb = block((5, 7), (5, 7), (36, 38))  # 8 of 12 voxels
    parts, _, _ = scene([TABLE_CELLS], crumb)
    assert parts.objects == ()


def test_thing_beside_the_table_is_no_object():
    beside = block((45, 50), (5, 10), (36, 42))
    parts, (ids,), _ = scene([TABLE_CELLS], beside)
    assert parts.objects == ()
    assert ids.tolist() in sets(parts.furniture)


def test_tall_thing_is_no_object():
    parts, _, _ = scene([TABLE_CELLS], MUG, config=replace(P, object_max_m=0.07))
    assert parts.objects == ()


def test_thing_that_leaks_off_the_table_is_furniture():
    # A wide shelf board that only rests a corner on the table.
    board = block((38, 70), (5, 20), (36, 38))
    parts, _, _ = scene([TABLE_CELLS], board)
    assert parts.objects == ()


def test_hovering_fragment_joins_the_object_next_to_it():
    # The upper part of the mug was seen apart: a gap of one cell, 12 cm above the table.
    lid = block((5, 9), (5, 9), (42, 43))
    parts, (mug, top), _ = scene([TABLE_CELLS], MUG, lid)
    assert sets(parts.objects) == [[*mug.tolist(), *top.tolist()]]


def test_hovering_fragment_chooses_the_nearest_object():
    far = MUG + [14, 0, 0]
    lid = block((5, 9), (5, 9), (42, 43))
    parts, (mug, other, top), _ = scene([TABLE_CELLS], MUG, far, lid)
    assert sets(parts.objects) == [[*mug.tolist(), *top.tolist()], other.tolist()]


def test_fragment_far_from_everything_joins_nobody():
    lamp = block((25, 30), (20, 25), (50, 54))
    parts, (mug, shade), _ = scene([TABLE_CELLS], MUG, lamp)
    assert sets(parts.objects) == [mug.tolist()]
    assert shade.tolist() in sets(parts.furniture)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_things_belong_to_the_highest_support_below_them(order):
    # Shelf boards 24 cm apart over each other: the upper thing lies above both.
    boards = [block((0, 40), (0, 30), (20, 21)), block((0, 40), (0, 30), (32, 33))]
    low, high = block((5, 10), (5, 10), (21, 25)), block((5, 10), (5, 10), (33, 37))
    parts, (a, b), _ = scene([boards[i] for i in order], low, high)
    assert sets(parts.objects) == [a.tolist(), b.tolist()]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_rim_of_the_highest_support_is_background_whatever_the_order(order):
    # The same two boards; the ragged edge of the upper one is at its height but not part of it.
    boards = [block((0, 40), (0, 30), (20, 21)), block((0, 38), (0, 30), (32, 33))]
    rim = block((38, 39), (0, 30), (32, 33))
    parts, (edge,), _ = scene([boards[i] for i in order], rim)
    assert parts.background[edge].all()
    assert parts.objects == ()


@pytest.mark.parametrize(("spread_m", "objects"), [(0.0, 1), (0.015, 0)])
def test_rim_follows_the_spread_of_the_support(spread_m, objects):
    sheet = block((5, 12), (5, 12), (36, 37))  # 2 cm above the table: noise, where the table is thick
    parts, (ids,), _ = scene([TABLE_CELLS], sheet, spread_m=spread_m)
    assert len(parts.objects) == objects
    assert parts.background[ids].all() == (objects == 0)


def test_small_furniture_parts_join_a_big_one_close_by():
    body = block((0, 20), (0, 20), (10, 20))
    leg = block((2, 4), (2, 4), (2, 8))  # 2 cells below the body
    parts, (a, b), _ = scene([], body, leg)
    assert sets(parts.furniture) == [[*a.tolist(), *b.tolist()]]


def test_large_or_far_furniture_parts_stay_apart():
    body = block((0, 20), (0, 20), (10, 20))
    twin, far = body + [22, 0, 0], block((2, 6), (2, 6), (0, 5))
    parts, ids, _ = scene([], body, twin, far)
    assert sets(parts.furniture) == [i.tolist() for i in ids]


def test_equal_small_furniture_parts_do_not_join_each_other():
    body = block((0, 20), (0, 20), (10, 20))
    foot = block((40, 43), (0, 3), (0, 3))
    parts, ids, _ = scene([], body, foot, foot + [4, 0, 0])  # 1 cell apart, far from the body
    assert sets(parts.furniture) == [i.tolist() for i in ids]


def test_structure_is_no_furniture():
    voxels = voxels_of(block((0, 20), (0, 20), (0, 1)))
    n = len(voxels.grid)
    structure = Structure(0.0, (), (), np.ones(n, bool), np.zeros(n, np.int32))
    parts = find_parts(voxels, structure, P)
    assert parts.objects == parts.furniture == ()
    assert parts.background.all()


def test_proposals_carry_their_source():
    parts, _, _ = scene([TABLE_CELLS], MUG, BOOK)
    proposals = object_proposals(parts)
    assert proposals.sources == ("object", "object", "furniture")
    assert [len(v) for v in proposals.voxels] == [80, 96, 1200]


def test_empty_map():
    empty = SolidVoxels(
        np.zeros((0, 3), np.float32),
        np.zeros((0, 3), np.float32),
        np.zeros((0, 3), np.int32),
        np.zeros((0, 26), np.int32),
        np.zeros(0, bool),
        np.zeros(0, np.int32),
        VoxelIndex(),
        0.02,
    )
    parts = find_parts(empty, Structure(0.0, (), (), np.zeros(0, bool), np.zeros(0, np.int32)), P)
    assert parts.objects == parts.furniture == ()
    assert len(object_proposals(parts)) == 0
