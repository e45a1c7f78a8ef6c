"""The baselines of the benchmark lifting_peers on plates of voxels whose views are written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.peers_greedy import match_share_of_mask, match_visible_part
from benchmarks.peers_superpoints import TreeRules, lifted, merge_up_the_tree
from benchmarks.peers_views import PeerViews
from moss_ros.masks2d.evidence import EvidenceStore, ViewEvidence

SIDE = 40  # id = SIDE * column + row


def rectangle(columns: tuple[int, int], rows: tuple[int, int]) -> np.ndarray:
    y, z = np.meshgrid(np.arange(*columns), np.arange(*rows), indexing="ij")
    return (SIDE * y + z).ravel().astype(np.int32)


A, B = rectangle((0, 10), (0, 10)), rectangle((20, 30), (10, 20))
LEFT, RIGHT = rectangle((0, 20), (0, SIDE)), rectangle((20, SIDE), (0, SIDE))  # what a view may see


def view(*masks: np.ndarray, seen: np.ndarray | None = None) -> ViewEvidence:
    label = np.zeros(SIDE * SIDE, np.int32)
    for number, mask in enumerate(masks, 1):
        label[mask] = number
    voxels = np.arange(SIDE * SIDE, dtype=np.int32) if seen is None else np.sort(seen)
    return ViewEvidence(voxels, label[voxels], len(masks))


def plate(*views: ViewEvidence) -> PeerViews:
    """Superpoints of 5 x 5 voxels."""
    store = EvidenceStore()
    store.resize(SIDE * SIDE)
    for slot, evidence in enumerate(views):
        store.put(slot, evidence)
    y, z = np.divmod(np.arange(SIDE * SIDE), SIDE)
    steps = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b]
    around = np.stack([(y + a) * SIDE + z + b for a, b in steps], 1)
    inside = np.stack([(y + a >= 0) & (y + a < SIDE) & (z + b >= 0) & (z + b < SIDE) for a, b in steps], 1)
    neighbours = np.where(inside, around, -1).astype(np.int32)
    superpoints = (y // 5 * 8 + z // 5).astype(np.int32)
    return PeerViews(store, list(range(len(views))), np.ones(SIDE * SIDE, bool), superpoints, neighbours)


WAYS = {
    "tree": lambda v: merge_up_the_tree(v, TreeRules()),
    "visible part": match_visible_part,
    "share of mask": match_share_of_mask,
}


@pytest.mark.parametrize("way", WAYS)
def test_things_that_all_views_show_are_found_once(way: str) -> None:
    found = WAYS[way](plate(*[view(A, B)] * 5))
    assert sorted(v.tolist() for v in found.voxels) == [sorted(A.tolist()), sorted(B.tolist())]
    assert found.votes.tolist() == [5, 5]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_seen_nothing_found(way: str) -> None:
    for views in ([], [view()], [view(seen=np.zeros(0, np.int32))]):
        found = WAYS[way](plate(*views))
        assert found.voxels == [] and len(found.votes) == 0


def test_superpoints_are_taken_where_a_mask_holds_half_of_what_is_seen() -> None:
    # Columns 0..7: the second column of superpoints (5..9) is held to three fifths; of the third nothing.
    wide = rectangle((0, 8), (0, 10))
    held, seen, of_view = lifted(plate(view(wide), view(rectangle((0, 7), (0, 10)))), 64, 1)
    assert held[0].indices.tolist() == [0, 1, 8, 9] and held[1].indices.tolist() == [0, 1]
    assert of_view.tolist() == [0, 1] and seen.sum() == 128
    assert lifted(plate(view(rectangle((0, 5), (0, 5)))), 64, 2)[0].shape == (0, 64)  # one superpoint is too few


def test_the_tree_joins_what_overlaps_enough() -> None:
    half = rectangle((0, 5), (0, 10))
    views = plate(view(A), view(half))  # two of four superpoints: IoU .5
    assert len(merge_up_the_tree(views, TreeRules(0.5, 1)).voxels) == 1
    assert len(merge_up_the_tree(views, TreeRules(0.6, 1)).voxels) == 2


def test_the_tree_joins_views_that_are_far_apart() -> None:
    found = merge_up_the_tree(plate(view(A), view(B), view(B), view(B), view(A)), TreeRules())
    assert sorted(found.votes.tolist()) == [2, 3]


def test_superpoints_that_few_views_confirm_go() -> None:
    leaking = np.concatenate([A, rectangle((10, 15), (0, 5))])
    views = [view(leaking)] + [view(A)] * 9
    (voxels,) = merge_up_the_tree(plate(*views), TreeRules(0.5, 1)).voxels
    assert sorted(voxels.tolist()) == sorted(A.tolist())


def test_only_the_visible_part_of_a_thing_is_compared() -> None:
    # The second view sees a fifth of the thing and shows all of that.
    strip = rectangle((8, 10), (0, 10))
    views = plate(view(A), view(strip, seen=strip))
    found = match_visible_part(views)
    assert len(found.voxels) == 1 and found.votes.tolist() == [2]


def test_voxels_that_few_frames_confirm_go() -> None:
    leaking = np.concatenate([A, rectangle((10, 12), (0, 5))])
    (voxels,) = match_visible_part(plate(view(leaking), *[view(A)] * 9)).voxels
    assert sorted(voxels.tolist()) == sorted(A.tolist())


def test_a_part_joins_the_thing_that_holds_it_and_islands_go() -> None:
    part = rectangle((0, 5), (0, 5))
    far = np.concatenate([A, rectangle((35, 38), (35, 38))])
    (voxels,) = match_share_of_mask(plate(view(far), view(part), view(A))).voxels
    assert sorted(voxels.tolist()) == sorted(A.tolist())


def test_what_is_seen_too_rarely_is_left_out() -> None:
    assert match_share_of_mask(plate(view(A), view(A))).voxels == []


@pytest.mark.parametrize("way", WAYS)
def test_two_halves_of_a_room_do_not_disturb_each_other(way: str) -> None:
    views = [view(A, seen=LEFT), view(B, seen=RIGHT)] * 4
    found = WAYS[way](plate(*views))
    assert sorted(len(v) for v in found.voxels) == [100, 100] and found.votes.tolist() == [4, 4]
