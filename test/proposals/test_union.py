"""Suppression and the exclusive map, with properties over random masks."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moss_ros.config import ProposalConfig
from moss_ros.proposals.shared_voxels import SharedVoxels
from moss_ros.proposals.union import exclusive
from moss_ros.proposals.union import suppress as suppress_rows
from moss_ros.records import MaskProposals

PROPERTY = settings(max_examples=60, deadline=None, derandomize=True)
CONFIG = ProposalConfig()
N = 20
NONE = MaskProposals.join([])


def proposals(*masks, scores=None, source="object"):
    voxels = tuple(np.array(sorted(m), np.int32) for m in masks)
    scores = np.ones(len(masks)) if scores is None else scores
    sources = (source,) * len(masks) if isinstance(source, str) else source
    return MaskProposals(voxels, np.asarray(scores, np.float32), sources)


def iou(a, b):
    a, b = set(a.tolist()), set(b.tolist())
    return len(a & b) / len(a | b)


def suppress(asked, n, limit):
    """The proposals that survive."""
    return asked.take(suppress_rows(SharedVoxels.of(asked, n).shared, asked.scores, limit))


masks = st.lists(st.sets(st.integers(0, N - 1), min_size=1, max_size=N), min_size=0, max_size=8)


@PROPERTY
@given(masks=masks, seed=st.integers(0, 99), limit=st.sampled_from([0.0, 0.3, 0.5, 0.9]))
def test_no_two_kept_masks_overlap_by_more(masks, seed, limit):
    scores = np.random.default_rng(seed).integers(0, 5, len(masks)) / 4
    kept = suppress(proposals(*masks, scores=scores), N, limit)
    for i in range(len(kept)):
        for j in range(i):
            assert iou(kept.voxels[i], kept.voxels[j]) <= limit + 1e-6


@PROPERTY
@given(masks=masks, seed=st.integers(0, 99))
def test_a_dropped_mask_repeats_a_kept_one_that_is_not_worse(masks, seed):
    scores = np.random.default_rng(seed).integers(0, 5, len(masks)) / 4
    everything = proposals(*masks, scores=scores)
    kept = suppress(everything, N, 0.5)
    assert (np.diff(kept.scores) <= 0).all()
    left = [v.tolist() for v in kept.voxels]
    for voxels, score in zip(everything.voxels, everything.scores, strict=True):
        if voxels.tolist() not in left:
            better = [k for k, s in zip(kept.voxels, kept.scores, strict=True) if s >= score]
            assert any(iou(voxels, k) > 0.5 for k in better)


def test_suppressed_masks_suppress_nobody():
    # a beats b, b would beat c, but b is gone: c stays.
    a, b, c = set(range(0, 10)), set(range(2, 12)), set(range(5, 15))
    kept = suppress(proposals(a, b, c, scores=[0.9, 0.8, 0.7]), N, 0.5)
    assert [v[0] for v in kept.voxels] == [0, 5]


def test_first_of_equals_is_kept():
    kept = suppress(proposals({1, 2, 3}, {1, 2, 3}, source=("object", "flat")), N, 0.5)
    assert kept.sources == ("object",)


def test_empty_masks_are_dropped():
    assert len(suppress(proposals(set(), {1}), N, 0.5)) == 1
    assert len(suppress(NONE, N, 0.5)) == 0


@PROPERTY
@given(masks=masks, seed=st.integers(0, 99), lend=st.sampled_from([0.0, 0.2, 1.0]))
def test_exclusive_gives_each_voxel_to_one_of_its_proposals(masks, seed, lend):
    scores = np.random.default_rng(seed).integers(0, 5, len(masks)) / 4
    asked = proposals(*masks, scores=scores)
    result, owner = exclusive(asked, N, replace(CONFIG, map_lend_share=lend))
    assert (np.diff(result.scores) <= 0).all() and (result.scores >= CONFIG.map_min_score).all()
    for row, voxels in enumerate(result.voxels):
        assert np.flatnonzero(owner == row).tolist() == voxels.tolist()
        whole = [v for v in asked.voxels if set(voxels.tolist()) <= set(v.tolist())]
        assert any(len(voxels) >= (0.5 - lend) * len(v) for v in whole)
    best = int(np.argmax(scores)) if len(masks) else 0
    if len(masks) and scores[best] >= CONFIG.map_min_score:  # the best loses no more than it lends
        assert len(result.voxels[0]) >= len(masks[best]) - int(lend * len(masks[best]))


def test_mug_on_its_table():
    table, mug = set(range(20)), {3, 4, 5}
    both = proposals(table, mug, scores=[0.9, 0.6], source=("furniture", "object"))
    result, owner = exclusive(both, N, CONFIG)
    assert result.voxels[1].tolist() == [3, 4, 5]
    assert result.sources == ("furniture", "object")
    assert owner.tolist() == [0] * 3 + [1] * 3 + [0] * 14


def test_surer_mug_needs_no_loan():
    result, _ = exclusive(proposals(set(range(8)), {0, 1, 2, 3}, scores=[0.5, 0.9]), N, CONFIG)
    assert [v.tolist() for v in result.voxels] == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_halves_of_a_surer_thing_do_not_tear_it_apart():
    result, _ = exclusive(proposals(set(range(8)), {0, 1, 2, 3}, {4, 5, 6, 7}, scores=[0.9, 0.8, 0.8]), N, CONFIG)
    assert [v.tolist() for v in result.voxels] == [list(range(8))]


def test_loans_add_up():
    # A quarter of 20 voxels may go; two each cost 2 * .9 / .8 = 2.25 and 2 * .9 / .7 = 2.57, of 5: no third.
    small = [{0, 1}, {2, 3}, {4, 5}]
    config = replace(CONFIG, map_lend_share=0.25)
    result, _ = exclusive(proposals(set(range(20)), *small, scores=[0.9, 0.8, 0.7, 0.6]), N, config)
    assert [v.tolist() for v in result.voxels] == [list(range(4, 20)), [0, 1], [2, 3]]


def test_voxels_cost_more_the_less_sure_the_taker_is():
    # 6 of 20 voxels may go. Three of them cost 3 for one as sure, 6 for one half as sure, 9 for one a third as sure.
    for score, taken in ((0.9, 3), (0.45, 3), (0.3, 0)):
        result, _ = exclusive(proposals(set(range(20)), {0, 1, 2}, scores=[0.9, score]), N, CONFIG)
        assert len(result.voxels[0]) == 20 - taken


def test_group_of_surer_things_vanishes():
    result, owner = exclusive(proposals({0, 1, 2, 3}, {0, 1}, {2, 3}, scores=[0.5, 0.9, 0.8]), N, CONFIG)
    assert [v.tolist() for v in result.voxels] == [[0, 1], [2, 3]]
    assert owner[:4].tolist() == [0, 0, 1, 1]


def test_unsure_proposals_get_no_voxel():
    unsure = CONFIG.map_min_score - 0.01
    result, owner = exclusive(proposals({0, 1}, {4, 2}, scores=[unsure, 0.5]), N, CONFIG)
    assert [v.tolist() for v in result.voxels] == [[2, 4]]
    assert (owner >= 0).sum() == 2


@pytest.mark.parametrize("n", [0, 5])
def test_nothing_proposed_nothing_owned(n):
    result, owner = exclusive(NONE, n, CONFIG)
    assert len(result) == 0 and owner.tolist() == [-1] * n
