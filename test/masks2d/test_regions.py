"""Agglomeration of affinities made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moss_ros.masks2d.regions import RegionRules, find_regions

OFFSETS = [(0, 1), (1, 0), (0, 4), (4, 0)]  # the first four of the network's
H, W = 24, 32
RULES = RegionRules(join=0.75, level=0.8, other_levels=(0.65, 0.5))


def affinities(ids: np.ndarray, between: float, within: float = 0.98) -> np.ndarray:
    """(4, H, W): pairs of equal ids belong together."""
    out = np.zeros((len(OFFSETS), *ids.shape), np.float32)
    for k, (dy, dx) in enumerate(OFFSETS):
        here = (slice(0, ids.shape[0] - dy), slice(0, ids.shape[1] - dx))
        out[(k, *here)] = np.where(ids[here] == ids[dy:, dx:], within, between)
    return out


def regions_of(ids: np.ndarray, between: float, rules: RegionRules | None = None, thing: np.ndarray | None = None):  # type: ignore[no-untyped-def]
    thing = (ids > 0).astype(np.float32) if thing is None else thing
    return find_regions(thing, affinities(ids, between), OFFSETS, np.ones(ids.shape, bool), rules or RULES)


def halves() -> np.ndarray:
    ids = np.ones((H, W), int)
    ids[:, 16:] = 2
    return ids


def same_partition(a: np.ndarray, b: np.ndarray) -> bool:
    pairs = np.unique(np.stack([a.ravel(), b.ravel()]), axis=1)
    return len(pairs[0]) == len(np.unique(pairs[0])) == len(np.unique(pairs[1]))


def test_unlike_halves_stay_apart() -> None:
    out = regions_of(halves(), 0.1)
    assert same_partition(out.labels, halves())
    assert out.labels.min() == 1 and len(out.label_scores) == 2
    # Inside .98; nearly all pairs that leave a half say .1; 384 pixels of a sure thing.
    assert out.label_scores == pytest.approx([0.98 * 0.9 * 384 / 444] * 2, abs=1e-3)


def test_a_doubtful_border_gives_both_hypotheses() -> None:
    """At affinity 0.7 the halves are apart in the label image and joined at the lower cuts."""
    out = regions_of(halves(), 0.7)
    assert same_partition(out.labels, halves())
    areas = sorted(int(out.mask(m).sum()) for m in range(len(out.scores)))
    assert areas == [H * W // 2, H * W // 2, H * W]
    whole = next(m for m in range(3) if out.mask(m).all())
    assert out.scores[whole] > 2 * out.label_scores.max()  # hardly anything says that the halves are two


def test_likely_same_halves_are_joined() -> None:
    out = regions_of(halves(), 0.7, RegionRules(join=0.75, level=0.6))
    assert (out.labels == 1).all()
    assert len(out.label_scores) == 1 and out.label_scores[0] > 0.85


def test_structure_and_missing_depth_have_no_label() -> None:
    ids = halves()
    ids[:5] = 0
    measured = np.ones((H, W), bool)
    measured[10:13] = False
    out = find_regions((ids > 0).astype(np.float32), affinities(ids, 0.1), OFFSETS, measured, RULES)
    assert (out.labels[:5] == 0).all() and (out.labels[10:13] == 0).all()
    assert (out.labels[5:10] > 0).all()


def test_small_seeds_join_their_surroundings() -> None:
    ids = halves()
    ids[8:10, 8:10] = 3
    out = regions_of(ids, 0.1)
    assert same_partition(out.labels, halves())


def test_one_weak_pixel_in_a_border_joins_nothing() -> None:
    """Neighbours alone would leak through it: the pairs that straddle the border hold it shut."""
    aff = affinities(halves(), 0.1)
    aff[0, 10, 15] = 0.99
    out = find_regions(np.ones((H, W), np.float32), aff, OFFSETS, np.ones((H, W), bool), RULES)
    assert same_partition(out.labels, halves())


def test_thin_things_are_joined_by_their_neighbours() -> None:
    ids = np.zeros((H, W), int)
    ids[2:22, 10:12] = 1
    assert regions_of(ids, 0.1).labels.max() == 1


def test_groups_that_only_far_pairs_connect_stay_apart() -> None:
    ids = np.ones((H, W), int)
    thing = np.ones((H, W), np.float32)
    thing[:, 14:19] = 0  # a gap wider than the reach of near pairs
    ids[:, 16:] = 1
    offsets = [(0, 1), (1, 0), (0, 8)]
    aff = np.full((3, H, W), 0.98, np.float32)
    out = find_regions(thing, aff, offsets, np.ones((H, W), bool), RULES)
    assert out.labels.max() == 2


def test_average_not_best_link_decides() -> None:
    """One strong link does not join two long borders."""
    aff = affinities(halves(), 0.2)
    aff[0, 3, 15] = 1.0
    aff[0, 3, 15] = 0.74  # below the seed threshold: else it would make one seed
    out = find_regions(np.ones((H, W), np.float32), aff, OFFSETS, np.ones((H, W), bool), RULES)
    assert out.labels.max() == 2


def test_empty_image() -> None:
    out = regions_of(np.zeros((H, W), int), 0.1)
    assert out.labels.max() == 0 and len(out.scores) == 0 and out.members.shape == (0, 0)


def test_offsets_must_start_with_the_neighbours() -> None:
    with pytest.raises(ValueError, match="neighbour"):
        find_regions(np.ones((4, 4)), np.ones((1, 4, 4)), [(0, 2)], np.ones((4, 4), bool), RegionRules())


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_result_does_not_depend_on_the_order(seed: int) -> None:
    """Turning the image upside down renumbers the seeds; the regions stay."""
    rng = np.random.default_rng(seed)
    blocks = rng.permutation(np.arange(1, 13)).reshape(3, 4)
    ids = blocks.repeat(8, 0).repeat(8, 1)
    link = rng.uniform(0.3, 0.99, (13, 13))
    link = np.minimum(link, link.T)
    offsets = [(0, 1), (1, 0)]
    aff = np.zeros((2, 24, 32), np.float32)
    aff[0, :, :-1] = np.where(ids[:, :-1] == ids[:, 1:], 1, link[ids[:, :-1], ids[:, 1:]] * 0.74)
    aff[1, :-1] = np.where(ids[:-1] == ids[1:], 1, link[ids[:-1], ids[1:]] * 0.74)
    rules = RegionRules(level=0.55, other_levels=(0.4,))
    everywhere, thing = np.ones((24, 32), bool), np.ones((24, 32), np.float32)
    out = find_regions(thing, aff, offsets, everywhere, rules)
    flipped = np.zeros_like(aff)
    flipped[0] = aff[0, ::-1]
    flipped[1, :-1] = aff[1, :-1][::-1]
    other = find_regions(thing, flipped, offsets, everywhere, rules)
    assert same_partition(out.labels, other.labels[::-1])
    assert sorted(out.scores) == pytest.approx(sorted(other.scores), abs=1e-5)
    assert {out.mask(m).tobytes() for m in range(len(out.scores))} == {
        other.mask(m)[::-1].tobytes() for m in range(len(other.scores))
    }


def test_masks_of_lower_cuts_hold_those_of_higher_ones() -> None:
    out = regions_of(halves(), 0.7)
    big = max(range(len(out.scores)), key=lambda m: out.mask(m).sum())
    assert all((out.mask(big) | ~out.mask(m)).all() for m in range(len(out.scores)))
