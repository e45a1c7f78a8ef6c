"""Ranking, suppression and the exclusive map, with properties over random masks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moss_ros.config import ProposalConfig
from moss_ros.proposals.union import as_matrix, exclusive, suppress, unite
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


def slab(count, start=(0.0, 0.0, 0.0), shape=(5, 4)):
    """count voxel centres, layer by layer of the given shape."""
    i = np.arange(count)
    cells = np.stack([i % shape[0], i // shape[0] % shape[1], i // (shape[0] * shape[1])], 1)
    return (cells * 0.02 + start).astype(np.float32)


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
@given(masks=masks, seed=st.integers(0, 99))
def test_exclusive_is_a_partition_where_the_smallest_wins(masks, seed):
    scores = np.random.default_rng(seed).integers(0, 5, len(masks)) / 4
    result, owner = exclusive(proposals(*masks, scores=scores), N, 0.5)
    chosen = [(len(m), i, m) for i, m in enumerate(masks) if scores[i] >= 0.5]
    winners = {v: min((c for c in chosen if v in c[2]), default=None, key=lambda c: c[:2]) for v in range(N)}
    for v in range(N):
        row = owner[v]
        assert (row < 0) == (winners[v] is None)
        if row >= 0:
            assert v in result.voxels[row].tolist()
            assert set(result.voxels[row].tolist()) <= winners[v][2]
    expected = {i: sorted(v for v in range(N) if winners[v] and winners[v][1] == i) for _, i, _ in chosen}
    assert [v.tolist() for v in result.voxels] == [v for _, v in sorted(expected.items()) if v]


def test_mug_before_its_table():
    table, mug = set(range(20)), {3, 4, 5}
    both = proposals(table, mug, scores=[1.0, 0.6], source=("furniture", "object"))
    result, owner = exclusive(both, N, 0.5)
    assert result.voxels[1].tolist() == [3, 4, 5]
    assert result.sources == ("furniture", "object")
    assert owner.tolist() == [0] * 3 + [1] * 3 + [0] * 14


def test_unsure_proposals_get_no_voxel():
    result, owner = exclusive(proposals({0, 1}, {1, 2}, scores=[0.49, 0.5]), N, 0.5)
    assert [v.tolist() for v in result.voxels] == [[1, 2]]
    assert (owner >= 0).sum() == 2


def test_covered_proposal_vanishes():
    result, owner = exclusive(proposals({0, 1, 2, 3}, {0, 1}, {2, 3}), N, 0.5)
    assert [v.tolist() for v in result.voxels] == [[0, 1], [2, 3]]
    assert owner[:4].tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("n", [0, 5])
def test_nothing_proposed_nothing_owned(n):
    result, owner = exclusive(NONE, n, 0.5)
    assert len(result) == 0 and owner.tolist() == [-1] * n


def test_matrix_by_hand():
    assert as_matrix(proposals({0, 2}, {1}), 3).toarray().tolist() == [[1, 0, 1], [0, 1, 0]]
    assert as_matrix(NONE, 4).shape == (0, 4)


@pytest.mark.parametrize(
    ("source", "size", "score"),
    [
        ("object", 30, 1.0),
        ("object", 29, 0.75),
        ("furniture", 500, 0.95),
        ("furniture", 499, 0.6),
        ("furniture", 100, 0.6),
        ("furniture", 99, 0.1),
    ],
)
def test_rank_of_objects_and_furniture(source, size, score):
    united = unite(proposals(range(size), source=source), NONE, NONE, slab(600), np.zeros(600, bool), 0.02, CONFIG)
    assert united.scores.tolist() == pytest.approx([score])


def part_score(position, objects=NONE, structure=None, part=None, quality=1.0):
    """Rank of one consensus part over all (or the given) voxels."""
    n = len(position)
    part = proposals(range(n) if part is None else part, scores=[quality], source="consensus")
    structure = np.zeros(n, bool) if structure is None else structure
    united = unite(objects, NONE, part, position, structure, 0.02, CONFIG)
    return [float(s) for s, name in zip(united.scores, united.sources, strict=True) if name == "consensus"]


def test_rank_of_a_compact_part():
    assert part_score(slab(100)) == pytest.approx([0.55 + 0.04])
    assert part_score(slab(100), quality=0.5) == pytest.approx([0.55 + 0.02])


def test_rank_of_a_sliver_and_of_a_tiny_part():
    assert part_score(slab(40, shape=(2, 20))) == pytest.approx([0.12 + 0.04])  # 40 cm long, 4 cm wide
    assert part_score(slab(24)) == pytest.approx([0.12 + 0.04])


def test_rank_of_a_large_part():
    assert part_score(slab(400, shape=(40, 10))) == pytest.approx([0.30 + 0.04])  # 80 cm long


def test_part_inside_an_object_is_a_candidate():
    objects = proposals(range(100))
    assert part_score(slab(100), objects, part=range(40)) == pytest.approx([0.05])


def test_part_of_structure_ranks_last():
    structure = np.arange(100) < 51
    assert part_score(slab(100), structure=structure) == pytest.approx([0.02])


@pytest.mark.parametrize(("size", "score"), [(100, 0.59), (160, 0.3), (240, 0.3)])
def test_part_that_covers_a_third_of_its_furniture(size, score):
    furniture = proposals(range(500), source="furniture")
    assert part_score(slab(500, shape=(10, 10)), furniture, part=range(size)) == pytest.approx([score])


def flat_score(position):
    united = unite(
        NONE,
        proposals(range(len(position)), source="flat"),
        NONE,
        position,
        np.ones(len(position), bool),
        0.02,
        CONFIG,
    )
    return united.scores.tolist()


def test_rank_of_flat_things():
    assert flat_score(slab(100, shape=(10, 10))) == [0.5]
    assert flat_score(slab(36, shape=(6, 6))) == pytest.approx([0.15])  # small
    sheet = slab(400, shape=(20, 20))
    frame = sheet[~((sheet[:, :2] > 0.03) & (sheet[:, :2] < 0.35)).all(1)]
    assert flat_score(frame) == pytest.approx([0.15])  # fills 40 % of its bounds


def test_better_source_wins_the_same_voxels():
    same = range(60)
    united = unite(
        proposals(same),
        proposals(same, source="flat"),
        proposals(same, source="consensus"),
        slab(60),
        np.zeros(60, bool),
        0.02,
        CONFIG,
    )
    assert united.sources == ("object",)


def test_nothing_united():
    assert len(unite(NONE, NONE, NONE, np.zeros((0, 3), np.float32), np.zeros(0, bool), 0.02, CONFIG)) == 0
