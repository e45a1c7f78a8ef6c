"""Connected components against scipy, and heights by hand."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from moss_ros.geometry.components import ComponentMap, find_root, number_roots
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


def connected_components(neighbours, group):
    """Labels 1..n of all components, and n."""
    components = ComponentMap()
    components.update(neighbours, group, np.zeros(len(group), np.float32))
    return number_roots(components.root)


def level_components(neighbours, keep, z, step):
    """The same, parted where heights step."""
    components = ComponentMap(step)
    components.update(neighbours, keep.astype(np.int32), z)
    return number_roots(components.root)


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


@PROPERTY
@given(seed=st.integers(0, 10**6), density=st.floats(0.1, 0.5), changes=st.integers(0, 8))
def test_changes_give_what_starting_anew_gives(seed, density, changes):
    rng = np.random.default_rng(seed)
    cells = np.argwhere(rng.random((SIDE, SIDE, SIDE)) < density)
    rng.shuffle(cells)
    n = len(cells)
    group = rng.integers(-1, 3, n).astype(np.int32)
    z = rng.random(n).astype(np.float32)
    known = ComponentMap(0.3)
    half = n // 2  # the second half of the cells comes later
    first = neighbours_of(cells[:half])
    known.update(first, group[:half], z[:half])
    for _ in range(3):
        where = rng.integers(0, max(n, 1), changes) if n else np.zeros(0, np.int64)
        moved = np.zeros(n, bool)
        moved[where] = True
        group[where] = rng.integers(-1, 3, changes if n else 0)
        z[where] = rng.random(len(where))
        before = known.root
        redone = known.update(neighbours_of(cells), group, z, moved)
        anew = ComponentMap(0.3)
        anew.update(neighbours_of(cells), group, z)
        assert known.root.tolist() == anew.root.tolist()
        kept = ~redone[: len(before)]
        assert known.root[: len(before)][kept].tolist() == before[kept].tolist()


def test_untouched_component_is_left_alone():
    cells = np.array([[0, 0, 0], [1, 0, 0], [4, 0, 0], [5, 0, 0]])
    components = ComponentMap()
    group, z = np.array([1, 1, 1, 1], np.int32), np.zeros(4, np.float32)
    components.update(neighbours_of(cells), group, z)
    redone = components.update(neighbours_of(cells), np.array([1, 0, 1, 1], np.int32), z)
    assert redone.tolist() == [True, True, False, False]
    assert components.root.tolist() == [1, 0, 3, 3]
