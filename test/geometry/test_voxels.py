"""Voxel index: what was put in is found, everywhere in space, and neighbours know each other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moss_ros.geometry.voxels import (
    BLOCK_BITS,
    BLOCK_SIDE,
    NEIGHBOUR_OFFSETS,
    VoxelIndex,
    block_key,
    find_block,
    link_neighbours,
    voxel_at,
)

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)
near = st.integers(-40, 40)  # both sides of zero and of several block borders
far = st.integers(-(2**24), 2**24)


def grids(coordinate):
    return st.lists(st.tuples(coordinate, coordinate, coordinate), min_size=1, max_size=60, unique=True).map(
        lambda rows: np.array(rows, np.int32)
    )


def put(index, grid, first=0):
    """Enter voxels with ids first, first + 1, ... the way the map does."""
    index.ensure_blocks(grid)
    for number, (x, y, z) in enumerate(grid, first):
        block = block_of(index, (x, y, z))
        cell = tuple(int(c) % BLOCK_SIDE for c in (x, y, z))
        index.ids[block, (cell[0] * BLOCK_SIDE + cell[1]) * BLOCK_SIDE + cell[2]] = number


def block_of(index, xyz):
    return find_block(index.keys, index.blocks, block_key(*(int(c) // BLOCK_SIDE for c in xyz)))


def get(index, xyz):
    return voxel_at(index.keys, index.blocks, index.ids, *(int(c) for c in xyz))


def linked(index, grid, first=0, table=None):
    table = np.full((len(grid), 26), -7, np.int32) if table is None else table
    link_neighbours(index.keys, index.blocks, index.ids, grid, table, first, len(grid))
    return table


def brute_force(grid):
    number = {tuple(row): i for i, row in enumerate(grid.tolist())}
    around = NEIGHBOUR_OFFSETS.tolist()
    return [[number.get((x + i, y + j, z + k), -1) for i, j, k in around] for x, y, z in grid.tolist()]


@PROPERTY
@given(grid=grids(near) | grids(far))
def test_finds_what_was_inserted(grid):
    index = VoxelIndex()
    put(index, grid)
    assert [get(index, row) for row in grid] == list(range(len(grid)))


@PROPERTY
@given(grid=grids(near), probe=st.tuples(near, near, near))
def test_finds_nothing_where_nothing_is(grid, probe):
    index = VoxelIndex()
    put(index, grid)
    rows = grid.tolist()
    assert get(index, probe) == (rows.index(list(probe)) if list(probe) in rows else -1)


def test_minus_one_and_zero_lie_in_different_blocks():
    index = VoxelIndex()
    last = BLOCK_SIDE - 1
    index.ensure_blocks(np.array([[-1, 0, 0], [0, 0, 0], [last, 0, 0], [last + 1, 0, 0]], np.int32))
    assert index.block_count == 3
    assert block_of(index, (0, 0, 0)) == block_of(index, (last, 0, 0)) != block_of(index, (-1, 0, 0))


def test_many_blocks_survive_growth_of_table_and_storage():
    # 1331 blocks: more than the 64 stored and half the 1024 slots that an index starts with.
    side = np.arange(-5, 6) * BLOCK_SIDE
    grid = np.stack(np.meshgrid(side, side, side, indexing="ij"), -1).reshape(-1, 3).astype(np.int32)
    index = VoxelIndex()
    for first in range(0, len(grid), 100):
        put(index, grid[first : first + 100], first)
    assert index.block_count == 11**3
    assert [get(index, row) for row in grid] == list(range(len(grid)))


def test_known_blocks_are_not_made_again():
    index = VoxelIndex()
    grid = np.array([[0, 0, 0], [40, 0, 0], [1, 1, 1], [41, 3, 3]], np.int32)
    index.ensure_blocks(grid)
    index.ensure_blocks(grid[::-1].copy())
    assert index.block_count == 2


def test_keys_of_blocks_near_and_far_differ():
    side = [-1048576, -2, -1, 0, 1, 1048575]
    keys = {block_key(x, y, z) for x in side for y in side for z in side}
    assert len(keys) == len(side) ** 3
    assert min(keys) >= 0


def test_opposite_offset_is_25_minus():
    assert (-NEIGHBOUR_OFFSETS[::-1] == NEIGHBOUR_OFFSETS).all()
    assert len({tuple(o) for o in NEIGHBOUR_OFFSETS.tolist()}) == 26
    assert BLOCK_SIDE == 2**BLOCK_BITS


@PROPERTY
@given(grid=grids(st.integers(-3, 2)) | grids(st.integers(29, 34)))
def test_neighbours_equal_brute_force(grid):
    index = VoxelIndex()
    put(index, grid)
    assert linked(index, grid).tolist() == brute_force(grid)


@PROPERTY
@given(grid=grids(st.integers(-2, 2)), share=st.floats(0, 1))
def test_neighbours_that_come_later_are_linked_too(grid, share):
    index, cut = VoxelIndex(), int(share * len(grid))
    table = np.full((len(grid), 26), -7, np.int32)
    put(index, grid[:cut].reshape(-1, 3))
    link_neighbours(index.keys, index.blocks, index.ids, grid, table, 0, cut)
    put(index, grid[cut:].reshape(-1, 3), cut)
    assert linked(index, grid, cut, table).tolist() == brute_force(grid)


@PROPERTY
@given(grid=grids(st.integers(-3, 3)))
def test_neighbourhood_is_symmetric(grid):
    index = VoxelIndex()
    put(index, grid)
    table = linked(index, grid)
    a, o = np.nonzero(table >= 0)
    assert (table[table[a, o], 25 - o] == a).all()


@pytest.mark.parametrize("corner", [(0, 0, 0), (-32, 31, 32)])
def test_full_cube_has_26_neighbours_in_the_middle(corner):
    offset = np.stack(np.meshgrid(*[range(3)] * 3, indexing="ij"), -1).reshape(-1, 3)
    grid = (offset + corner).astype(np.int32)
    index = VoxelIndex()
    put(index, grid)
    counts = (linked(index, grid) >= 0).sum(1).reshape(3, 3, 3)
    assert counts[1, 1, 1] == 26
    assert counts[0, 0, 0] == 7 and counts[1, 0, 0] == 11 and counts[1, 1, 0] == 17
