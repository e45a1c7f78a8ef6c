"""Connected components against scipy, and heights by hand."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from moss_ros.geometry.components import connected_components, find_root, level_components
from moss_ros.geometry.voxels import NEIGHBOUR_OFFSETS

PROPERTY = settings(max_examples=50, deadline=None, derandomize=True)
SIDE = 6


def neighbours_of(cells):
    """26-neighbour table of cells (N, 3), by search."""
    number = {tuple(c): i for i, c in enumerate(cells.tolist())}
    return np.array(
        [[number.get(tuple(np.add(c, o)), -1) for o in NEIGHBOUR_OFFSETS.tolist()] for c in cells.tolist()],
        np.int32,
    ).reshape(-1, 26)


def canonical(labels):
    """Labels renumbered in order of appearance, 0 kept."""
    seen = {0: 0}
    return [seen.setdefault(label, len(seen)) for label in labels.tolist()]


@PROPERTY
@given(seed=st.integers(0, 10**6), density=st.floats(0.02, 0.5), groups=st.integers(1, 3))
def test_components_equal_scipy(seed, density, groups):
    rng = np.random.default_rng(seed)
    cells = np.argwhere(rng.random((SIDE, SIDE, SIDE)) < density)
    rng.shuffle(cells)
    group = rng.integers(-1, groups + 1, len(cells)).astype(np.int32)
    labels, count = connected_components(neighbours_of(cells), group)
    expected, total = np.zeros(len(cells), np.int64), 0
    for g in range(1, groups + 1):
        volume = np.zeros((SIDE, SIDE, SIDE), bool)
        volume[tuple(cells[group == g].T)] = True
        label, found = ndimage.label(volume, np.ones((3, 3, 3)))
        expected[group == g] = label[tuple(cells[group == g].T)] + total
        total += found
    assert count == total
    assert labels.tolist() == canonical(expected)  # numbered by the lowest voxel id


def test_only_positive_groups_are_labelled():
    cells = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0]])
    labels, count = connected_components(neighbours_of(cells), np.array([5, 0, -5, 5], np.int32))
    assert labels.tolist() == [1, 0, 0, 2]
    assert count == 2


def test_no_voxels_no_components():
    labels, count = connected_components(np.zeros((0, 26), np.int32), np.zeros(0, np.int32))
    assert len(labels) == 0 and count == 0


def test_heights_part_at_the_step():
    cells = np.array([[i, 0, 0] for i in range(5)])
    z = np.array([0.0, 0.009, 0.018, 0.032, 0.040], np.float32)  # one step of 14 mm
    labels, count = level_components(neighbours_of(cells), np.ones(5, bool), z, 0.012)
    assert labels.tolist() == [1, 1, 1, 2, 2]
    assert count == 2


def test_dropped_voxels_do_not_connect():
    cells = np.array([[i, 0, 0] for i in range(3)])
    keep = np.array([True, False, True])
    labels, count = level_components(neighbours_of(cells), keep, np.zeros(3, np.float32), 1.0)
    assert labels.tolist() == [1, 0, 2]
    assert count == 2


def test_root_of_a_chain():
    parent = np.array([0, 0, 1, 2, 4], np.int32)
    assert [find_root(parent, i) for i in range(5)] == [0, 0, 0, 0, 4]
