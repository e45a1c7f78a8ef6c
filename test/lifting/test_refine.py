"""Refinement by 2D masks: plates of voxels whose views are written by hand, and properties."""

from dataclasses import replace

import numpy as np
import pytest
from lifting_map import map_of, wall

from moss_ros.config import LiftingConfig, ProposalConfig
from moss_ros.lifting.mask_votes import MaskTable, opinions
from moss_ros.lifting.refine import Refiner, share_out
from moss_ros.masks2d.evidence import EvidenceStore, ViewEvidence
from moss_ros.proposals.solid_voxels import SolidVoxels
from moss_ros.records import MaskProposals

PLAIN = LiftingConfig(refine_snap_sources="", refine_superpoint=2.0)  # votes on voxels alone
SIDE = 40  # the plate has SIDE x SIDE voxels; id = SIDE * column + row
NO_SUPERPOINTS = np.full(SIDE * SIDE, -1, np.int32)


def plate():
    voxels = map_of(wall(5, (0, SIDE), (0, SIDE)))
    return SolidVoxels.of(voxels, np.ones(voxels.count, bool))


def rectangle(columns, rows):
    y, z = np.meshgrid(np.arange(*columns), np.arange(*rows), indexing="ij")
    return (SIDE * y + z).ravel().astype(np.int32)


THING = rectangle((10, 20), (10, 20))  # 100 voxels


def view(*masks, seen=None):
    """Evidence of a keyframe that shows the masks (voxel ids) and sees all voxels, or some."""
    label = np.zeros(SIDE * SIDE, np.int32)
    for number, mask in enumerate(masks, 1):
        label[mask] = number
    voxels = np.arange(SIDE * SIDE, dtype=np.int32) if seen is None else np.sort(seen).astype(np.int32)
    return ViewEvidence(voxels, label[voxels], len(masks))


def stored(*views):
    store = EvidenceStore()
    store.resize(SIDE * SIDE)
    for slot, evidence in enumerate(views):
        store.put(slot, evidence)
    return store


def proposals(*masks, source="object", scores=None):
    voxels = tuple(np.sort(m).astype(np.int32) for m in masks)
    scores = np.ones(len(masks)) if scores is None else scores
    return MaskProposals(voxels, np.asarray(scores, np.float32), (source,) * len(masks))


def refine(masks, store, config=PLAIN, superpoints=NO_SUPERPOINTS, source="object"):
    """Refined voxels of one mask, or of each in a list."""
    many = isinstance(masks, list)
    asked = proposals(*(masks if many else [masks]), source=source)
    found = Refiner(config).update(asked, store, plate(), superpoints)
    return list(found.voxels) if many else found.voxels[0]


def iou(a, b):
    return len(np.intersect1d(a, b)) / len(np.union1d(a, b))


def shaky(count, seed=0):
    """Views of the thing with masks that grow or shrink by a row or two on each side."""
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(count):
        a, b, c, d = rng.integers(-2, 3, 4)
        out.append(view(rectangle((10 + a, 20 + b), (10 + c, 20 + d))))
    return stored(*out)


def test_perfect_mask_stays():
    everything = replace(PLAIN, refine_remove=0.1, refine_superpoint=0.8, refine_snap_sources="object")
    superpoints = np.zeros(SIDE * SIDE, np.int32)
    superpoints[THING] = 1
    for config in (PLAIN, LiftingConfig(), everything):
        assert np.array_equal(refine(THING, stored(view(THING), view(THING)), config, superpoints), THING)


@pytest.mark.parametrize("seed", range(8))
def test_errors_of_many_views_do_not_make_a_perfect_mask_grow(seed):
    assert iou(refine(THING, shaky(25, seed)), THING) >= 0.99


def test_missing_half_is_filled():
    half = rectangle((10, 15), (10, 20))
    assert np.array_equal(refine(half, stored(view(THING), view(THING))), THING)
    # Unsure edges: two of five views miss the last column, one of five the last two.
    assert iou(refine(half, shaky(25)), THING) >= 0.8


def test_share_of_the_views_decides():
    # Two of three views (weights 1) show 20 more voxels: added at 2/3, not at 3/4. One view sees them and says no.
    wider = rectangle((10, 22), (10, 20))
    store = stored(view(wider), view(wider), view(THING))
    weights = 2 * (100 / 120) / (2 * (100 / 120) + 1)  # IoU with the mask is the weight: 0.625
    assert np.array_equal(refine(THING, store, replace(PLAIN, refine_add=weights - 0.01)), wider)
    assert np.array_equal(refine(THING, store, replace(PLAIN, refine_add=weights + 0.01)), THING)


def test_views_that_do_not_see_a_voxel_have_no_say_in_it():
    half = rectangle((10, 15), (10, 20))
    blind = view(half, seen=half)
    assert np.array_equal(refine(half, stored(blind, blind, blind, view(THING))), THING)


def test_leak_is_removed_only_when_asked_and_by_two_views():
    leaking = np.concatenate([THING, rectangle((20, 25), (12, 18))])
    store = stored(view(THING), view(THING))
    asked = replace(PLAIN, refine_remove=0.1)
    assert np.array_equal(refine(leaking, store), np.sort(leaking))
    assert np.array_equal(refine(leaking, store, asked), THING)
    assert np.array_equal(refine(leaking, stored(view(THING)), asked), np.sort(leaking))


def test_leak_that_no_view_sees_stays():
    leak = rectangle((20, 22), (12, 18))
    unseen = np.setdiff1d(np.arange(SIDE * SIDE), leak)
    store = stored(view(THING, seen=unseen), view(THING, seen=unseen))
    leaking = np.sort(np.concatenate([THING, leak]))
    assert np.array_equal(refine(leaking, store, replace(PLAIN, refine_remove=0.1)), leaking)


def test_far_island_stays_out():
    near, island = rectangle((20, 22), (10, 20)), rectangle((30, 34), (10, 14))
    store = stored(*[view(np.concatenate([THING, near, island]))] * 3)
    assert np.array_equal(refine(THING, store), np.sort(np.concatenate([THING, near])))


def test_mask_cut_in_three_speaks_as_one():
    parts = [rectangle((10, 13), (10, 20)), rectangle((13, 17), (10, 20)), rectangle((17, 20), (10, 20))]
    kept = rectangle((10, 19), (10, 20))  # all but a column, which the third part holds
    store = stored(view(*parts), view(*parts))
    inside = replace(PLAIN, refine_inside=0.6)
    assert np.array_equal(refine(kept, store, inside), THING)
    table = MaskTable()
    table.update(store)
    said = opinions([kept], SIDE * SIDE, store, table, inside)
    assert said.masks.tolist() == [0, 1, 2, 3, 4, 5]
    assert np.allclose(said.weights, 0.9)


def test_mask_much_larger_than_the_thing_says_nothing():
    table_top = rectangle((0, 40), (0, 40))
    assert np.array_equal(refine(THING, stored(view(table_top), view(table_top))), THING)


@pytest.mark.parametrize(
    "store",
    [stored(), stored(view()), stored(view(THING, seen=np.zeros(0, int))), stored(view(rectangle((30, 40), (30, 40))))],
)
def test_without_views_nothing_changes(store):
    assert np.array_equal(refine(THING, store), THING)
    assert refine([], store) == []


def test_fewest_views():
    half = rectangle((10, 15), (10, 20))
    two = replace(PLAIN, refine_min_views=2)
    assert np.array_equal(refine(half, stored(view(THING)), two), half)
    assert np.array_equal(refine(half, stored(view(THING), view(THING)), two), THING)


def test_single_voxel():
    one = np.array([SIDE * 12 + 12], np.int32)
    assert np.array_equal(refine(one, stored(view(one))), one)
    assert np.array_equal(refine(one, stored(view(THING), view(THING))), one)  # 1 of 100: the mask is of something else


def test_large_proposals_stay_as_they_are():
    half = rectangle((10, 15), (10, 20))
    assert np.array_equal(refine(half, stored(view(THING)), replace(PLAIN, refine_max_voxels=49)), half)


def test_switched_off():
    half = rectangle((10, 15), (10, 20))
    assert np.array_equal(refine(half, stored(view(THING)), replace(PLAIN, refine=False)), half)


def test_decided_superpoint_takes_what_no_view_sees():
    hidden = rectangle((18, 20), (10, 20))
    seen = np.setdiff1d(np.arange(SIDE * SIDE), hidden)
    superpoints = np.zeros(SIDE * SIDE, np.int32)
    superpoints[THING] = 1
    start = rectangle((10, 15), (10, 20))
    store = stored(view(THING, seen=seen), view(THING, seen=seen))
    assert np.array_equal(refine(start, store, superpoints=superpoints), rectangle((10, 18), (10, 20)))
    assert np.array_equal(refine(start, store, replace(PLAIN, refine_superpoint=0.8), superpoints), THING)


def test_superpoint_that_masks_cut_is_decided_voxel_by_voxel():
    # One superpoint for thing and table: as a whole it is not wanted, and the thing must not be rounded to it.
    superpoints = np.zeros(SIDE * SIDE, np.int32)
    start = rectangle((10, 15), (10, 20))
    config = replace(PLAIN, refine_superpoint=0.8)
    assert np.array_equal(refine(start, stored(view(THING), view(THING)), config, superpoints), THING)


def test_snapping_cuts_a_leak_that_no_view_wants():
    superpoints = np.zeros(SIDE * SIDE, np.int32)
    superpoints[THING] = 1
    leaking = np.sort(np.concatenate([THING, rectangle((20, 25), (12, 18))]))
    config = replace(PLAIN, refine_snap_sources="network, object")
    store = stored(view(THING))
    assert np.array_equal(refine(leaking, store, config, superpoints), THING)
    assert np.array_equal(refine(leaking, store, config, superpoints, source="furniture"), leaking)


def test_snapping_spares_a_small_thing_on_a_large_superpoint():
    config = replace(PLAIN, refine_snap_sources="object")
    flat = np.zeros(SIDE * SIDE, np.int32)
    assert np.array_equal(refine(THING, stored(view(THING), view(THING)), config, flat), THING)


def random_case(seed, count=60):
    """Overlapping rectangles, views with shifted copies, superpoints of 5 x 5 voxels."""
    rng = np.random.default_rng(seed)

    def box():
        corner = rng.integers(0, SIDE - 4, 2)
        size = rng.integers(2, 14, 2)
        return rectangle(*((int(a), int(min(a + s, SIDE))) for a, s in zip(corner, size, strict=True)))

    masks = [box() for _ in range(count)]
    views = [
        view(*(masks[k] for k in rng.integers(0, count, 12)), seen=rng.choice(SIDE * SIDE, 1200, replace=False))
        for _ in range(10)
    ]
    y, z = np.divmod(np.arange(SIDE * SIDE), SIDE)
    return [box() for _ in range(count)], stored(*views), (y // 5 * 8 + z // 5).astype(np.int32)


ALL = LiftingConfig(refine_add=0.6, refine_remove=0.1, refine_snap_sources="object")


def test_order_of_proposals_does_not_matter():
    masks, store, superpoints = random_case(1)
    order = np.random.default_rng(2).permutation(len(masks))
    straight = refine(masks, store, ALL, superpoints)
    mixed = refine([masks[i] for i in order], store, ALL, superpoints)
    assert sum(not np.array_equal(a, b) for a, b in zip(masks, straight, strict=True)) > 10
    for place, i in enumerate(order):
        assert np.array_equal(mixed[place], straight[i])


def test_five_hundred_proposals_keep_scores_and_sources():
    masks, store, superpoints = random_case(3, 500)
    asked = proposals(*masks, scores=np.linspace(0, 1, 500))
    found = Refiner(ALL).update(asked, store, plate(), superpoints)
    assert len(found) == 500 and found.sources == asked.sources and np.array_equal(found.scores, asked.scores)
    for voxels in found.voxels:
        assert len(voxels) and (np.diff(voxels) > 0).all() and voxels.dtype == np.int32


def test_incremental_equals_full():
    masks, store, superpoints = random_case(4)
    _, later, _ = random_case(5)
    asked, world = proposals(*masks), plate()
    refiner = Refiner(ALL)

    def same_as_anew():
        found = refiner.update(asked, store, world, superpoints)
        anew = Refiner(ALL).update(asked, store, world, superpoints)
        return all(np.array_equal(a, b) for a, b in zip(found.voxels, anew.voxels, strict=True))

    assert same_as_anew() and refiner.redone == len(masks)
    assert same_as_anew() and refiner.redone == 0
    local = np.flatnonzero(THING >= 0)
    steps = (
        lambda: store.put(3, later.views[3]),  # segmented again
        lambda: store.put(70, view(masks[0], seen=masks[0])),  # a new keyframe, in a second word of bits
        lambda: store.drop(0),
    )
    for step in steps:
        step()
        assert same_as_anew() and refiner.redone > 0
    store.put(71, view(THING[local], seen=THING))
    assert same_as_anew() and 0 < refiner.redone < len(masks)  # only those that it sees
    superpoints[: SIDE * SIDE // 2] += 100
    assert same_as_anew()
    world.solid[masks[0]] = False
    assert same_as_anew()
    asked = proposals(*masks[1:], THING)
    assert same_as_anew() and refiner.redone == 1


def test_added_voxels_take_nothing_from_others():
    a, b = rectangle((0, 10), (0, 10)), rectangle((10, 20), (0, 10))
    grown = rectangle((0, 15), (0, 12))
    asked = proposals(a, b, scores=[0.9, 0.8])
    whole, owned = share_out(asked, replace(asked, voxels=(grown, b)), SIDE * SIDE, ProposalConfig())
    assert np.array_equal(whole.voxels[0], grown)
    assert np.array_equal(owned.voxels[0], np.setdiff1d(grown, b)) and np.array_equal(owned.voxels[1], b)
    assert np.array_equal(owned.scores, np.float32([0.9, 0.8])) and owned.sources == ("object", "object")


def test_much_larger_mask_lends_what_was_added():
    table, mug = rectangle((0, 40), (0, 20)), rectangle((10, 20), (20, 25))
    foot, half = rectangle((10, 20), (18, 20)), rectangle((0, 40), (10, 20))
    asked = proposals(table, mug, scores=[0.9, 0.8])
    for added, given in ((foot, foot), (half, half[:0])):  # a fortieth of the table, then half of it
        grown = np.sort(np.concatenate([mug, added]))
        _, owned = share_out(asked, replace(asked, voxels=(table, grown)), SIDE * SIDE, ProposalConfig())
        assert np.array_equal(owned.voxels[1], np.sort(np.concatenate([mug, given])))
        assert np.array_equal(owned.voxels[0], np.setdiff1d(table, given))


def test_fragment_of_a_refined_proposal_is_dropped():
    # The second proposal is more than half of what the first became.
    half, most = rectangle((10, 15), (10, 20)), rectangle((13, 20), (10, 20))
    asked = proposals(half, most, scores=[0.9, 0.8])
    whole, owned = share_out(asked, replace(asked, voxels=(THING, most)), SIDE * SIDE, ProposalConfig())
    assert len(whole) == 1 and np.array_equal(owned.voxels[0], THING)


def test_removed_voxels_are_given_up():
    asked = proposals(np.concatenate([THING, rectangle((20, 25), (12, 18))]))
    _, owned = share_out(asked, replace(asked, voxels=(THING,)), SIDE * SIDE, ProposalConfig())
    assert np.array_equal(owned.voxels[0], THING)


def test_nothing_to_share_out():
    none = MaskProposals.join([])
    whole, owned = share_out(none, none, 10, ProposalConfig())
    assert len(whole) == len(owned) == 0
