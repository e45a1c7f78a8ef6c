"""Majority votes by hand, and pair counts against brute force while views come and go."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moss_ros.masks2d.evidence import EvidenceStore, ViewEvidence, lift

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True)


def images(voxels, labels):
    return np.array([voxels], np.int32), np.array([labels], np.int32)


def view(pairs, count):
    """Evidence from {voxel: label}."""
    voxels = np.array(sorted(pairs), np.int32)
    return ViewEvidence(voxels, np.array([pairs[v] for v in sorted(pairs)], np.int32), count)


def store(size, **views):
    out = EvidenceStore()
    out.resize(size)
    for slot, evidence in views.items():
        out.put(int(slot[1:]), evidence)
    return out


def brute_force(views):
    """Voxels shared by every two masks, by set arithmetic."""
    masks = [
        {int(v) for v, label in zip(e.voxels, e.labels, strict=True) if label == m}
        for _, e in sorted(views.items())
        for m in range(1, e.count + 1)
    ]
    return [[float(len(a & b)) for b in masks] for a in masks]


@st.composite
def evidences(draw, voxels=12):
    count = draw(st.integers(0, 3))
    pairs = draw(st.dictionaries(st.integers(0, voxels - 1), st.integers(0, count), max_size=voxels))
    return view(pairs, count)


def test_majority_by_hand():
    # Voxel 4: 1 1 2 -> 1; voxel 7: 2 0 2 -> 2; voxel 9: 0 0 1 -> no mask.
    evidence = lift(*images([4, 7, 4, 9, 7, 9, 4, 7, 9], [1, 2, 1, 0, 0, 0, 2, 2, 1]))
    assert evidence.voxels.tolist() == [4, 7, 9]
    assert evidence.labels.tolist() == [1, 2, 0]
    assert evidence.count == 2


def test_pixels_without_voxel_do_not_vote():
    evidence = lift(*images([-1, 3, -1, -1], [2, 1, 2, 2]))
    assert (evidence.voxels.tolist(), evidence.labels.tolist(), evidence.count) == ([3], [1], 2)


@PROPERTY
@given(seed=st.integers(0, 10**6))
def test_a_true_majority_wins_in_any_order(seed):
    rng = np.random.default_rng(seed)
    voxel, label = rng.integers(-1, 6, (9, 11)), rng.integers(0, 3, (9, 11))
    evidence = lift(voxel.astype(np.int32), label.astype(np.int32))
    assert evidence.voxels.tolist() == [v for v in range(6) if (voxel == v).any()]
    for v, winner in zip(evidence.voxels, evidence.labels, strict=True):
        votes = np.bincount(label[voxel == v])
        if 2 * votes.max() > votes.sum():
            assert winner == votes.argmax()


@pytest.mark.parametrize("shape", [(0, 0), (3, 4)])
def test_image_that_sees_nothing(shape):
    evidence = lift(np.full(shape, -1, np.int32), np.ones(shape, np.int32))
    assert len(evidence.voxels) == len(evidence.labels) == evidence.count == 0


def test_every_voxel_needs_a_label():
    with pytest.raises(ValueError, match="one label per voxel"):
        ViewEvidence(np.zeros(2, np.int32), np.zeros(1, np.int32), 1)


def test_pair_counts_by_hand():
    evidence = store(9, s0=view({0: 1, 1: 1, 2: 2, 3: 0}, 2), s5=view({1: 1, 2: 1, 3: 1}, 1))
    assert evidence.pair_counts().toarray().tolist() == [[2, 0, 1], [0, 1, 1], [1, 1, 3]]


@PROPERTY
@given(actions=st.lists(st.tuples(st.integers(0, 4), st.none() | evidences()), min_size=1, max_size=10))
def test_pair_counts_equal_brute_force_while_views_are_replaced_and_dropped(actions):
    evidence, views = store(12), {}
    for slot, new in actions:
        if new is None:
            evidence.drop(slot)
            views.pop(slot, None)
        else:
            evidence.put(slot, new)
            views[slot] = new
        assert evidence.pair_counts().toarray().tolist() == brute_force(views)
        assert evidence.slots() == sorted(views)


def test_pair_counts_hold_when_the_map_grows():
    evidence = store(4, s0=view({0: 1, 3: 1}, 1))
    evidence.pair_counts()
    evidence.resize(100)
    evidence.put(1, view({3: 1, 99: 1}, 1))
    assert evidence.pair_counts().toarray().tolist() == [[2, 1], [1, 2]]


@pytest.mark.parametrize("slot", [0, 1, 63, 64, 200])
def test_seen_bit_of_each_slot(slot):
    evidence = store(5, s2=view({0: 0}, 0))
    evidence.put(slot, view({1: 0, 4: 1}, 1))
    word, bit = slot // 64, slot % 64
    assert [int(row[word]) >> bit & 1 for row in evidence.seen] == [0, 1, 0, 0, 1]
    assert int(evidence.seen[0, 0]) == 4
    evidence.drop(slot)
    assert int(evidence.seen.sum()) == 4


def test_replaced_view_clears_its_old_bits():
    evidence = store(4, s1=view({0: 1, 1: 1}, 1))
    evidence.put(1, view({2: 1}, 1))
    assert evidence.seen[:, 0].tolist() == [0, 0, 2, 0]


def test_dropping_an_unknown_slot_is_nothing():
    evidence = store(3, s1=view({0: 1}, 1))
    evidence.drop(7)
    assert evidence.slots() == [1]


def test_masks_in_order_of_slot_and_label():
    evidence = store(9, s3=view({5: 2, 6: 1, 7: 2, 8: 0}, 2), s1=view({0: 1}, 2))
    slots, voxels = evidence.masks()
    assert slots.tolist() == [1, 1, 3, 3]
    assert [v.tolist() for v in voxels] == [[0], [], [6], [5, 7]]


def test_empty_store():
    slots, voxels = store(0).masks()
    assert len(slots) == 0 and voxels == []
    assert store(0).pair_counts().shape == (0, 0)


def test_map_never_shrinks():
    evidence = store(5)
    evidence.resize(3)
    assert len(evidence.seen) == 5
