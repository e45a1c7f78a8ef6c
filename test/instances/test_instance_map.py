"""Identities over time: stable ids, merge and split, confirmation by observations."""

import numpy as np
import pytest

from moss_ros.config import InstanceConfig
from moss_ros.instances import instance_map
from moss_ros.instances.instance_map import InstanceMap
from moss_ros.records import InstanceState, MaskProposals

N = 100
CONFIG = InstanceConfig()


class World:
    """N voxels in a row, 2 cm apart; every update is one second after the last."""

    def __init__(self, n=N):
        self.map = InstanceMap(CONFIG)
        self.position = np.zeros((n, 3), np.float32)
        self.position[:, 0] = 0.02 * np.arange(n)
        self.color = np.full((n, 3), 99.6, np.float32)
        self.seen = np.zeros((n, 2), np.uint64)
        self.slots = {}
        self.now_ns = 0

    def look(self, slot, voxels, stamp_ns):
        """A keyframe that sees the voxels."""
        self.slots[slot] = stamp_ns
        self.seen[list(voxels), slot // 64] |= np.uint64(1 << (slot % 64))

    def update(self, *masks, moved=None):
        self.now_ns += 10**9
        voxels = tuple(np.array(sorted(m), np.int32) for m in masks)
        proposals = MaskProposals(voxels, np.full(len(masks), 0.75, np.float32), ("object",) * len(masks))
        return self.map.update(proposals, self.position, self.color, self.seen, self.slots, self.now_ns, moved)

    def log(self):
        """Events of the last update."""
        return [(e.kind, e.id, e.others) for e in self.map.events if e.stamp_ns == self.now_ns]


def ids_by_first_voxel(world, snapshot):
    return {int(np.flatnonzero(world.map.owner == i.id)[0]): i.id for i in snapshot.instances}


def span(first, last):
    return range(first, last)


def test_new_instances_are_numbered_from_one():
    world = World()
    snapshot = world.update(span(0, 10), span(20, 30))
    assert [i.id for i in snapshot.instances] == [1, 2]
    assert snapshot.changed_ids == {1, 2} and snapshot.removed_ids == frozenset()
    assert world.log() == [("new", 1, ()), ("new", 2, ())]
    assert world.map.owner[[0, 9, 10, 20, 30]].tolist() == [1, 1, 0, 2, 0]


def test_same_masks_again_change_nothing():
    world = World()
    world.update(span(0, 10), span(20, 30))
    snapshot = world.update(span(0, 10), span(20, 30))
    assert [i.id for i in snapshot.instances] == [1, 2]
    assert snapshot.changed_ids == snapshot.removed_ids == frozenset()
    assert world.log() == []


def test_ids_follow_voxels_not_order():
    world = World()
    world.update(span(0, 10), span(20, 30))
    snapshot = world.update(span(20, 30), span(0, 10))
    assert ids_by_first_voxel(world, snapshot) == {0: 1, 20: 2}
    assert snapshot.changed_ids == frozenset()


def test_id_survives_another_segmentation():
    world = World()
    world.update(span(0, 10), span(20, 30))
    snapshot = world.update(span(3, 14), span(18, 27))
    assert ids_by_first_voxel(world, snapshot) == {3: 1, 18: 2}
    assert snapshot.changed_ids == {1, 2}


def test_id_survives_many_small_shifts():
    world = World()
    for first in range(0, 60, 2):
        snapshot = world.update(span(first, first + 10))
    assert [i.id for i in snapshot.instances] == [1]


@pytest.mark.parametrize(("overlap", "instance_id"), [(4, 1), (3, 2)])  # IoU 4 / 16 and 3 / 17 against 0.2
def test_overlap_that_keeps_an_id(overlap, instance_id):
    world = World()
    world.update(span(0, 10))
    snapshot = world.update(span(10 - overlap, 20 - overlap))
    assert [i.id for i in snapshot.instances] == [instance_id]


def test_matching_is_joint():
    # Greedy would give id 1 to the large mask (15 / 30) and a new id to the small one;
    # together 10 / 25 for id 2 and 5 / 20 for id 1 are more.
    world = World()
    world.update(span(0, 20), span(20, 30))
    snapshot = world.update(span(5, 30), span(0, 5))
    assert ids_by_first_voxel(world, snapshot) == {5: 2, 0: 1}


def test_merge_keeps_the_larger_share_and_is_logged():
    world = World()
    world.update(span(0, 12), span(12, 20))
    snapshot = world.update(span(0, 20))
    assert [i.id for i in snapshot.instances] == [1]
    assert snapshot.removed_ids == {2}
    assert world.log() == [("merge", 1, (2,))]


def test_split_keeps_the_id_on_the_larger_part_and_is_logged():
    world = World()
    world.update(span(0, 20))
    snapshot = world.update(span(12, 20), span(0, 12))
    assert ids_by_first_voxel(world, snapshot) == {0: 1, 12: 2}
    assert world.log() == [("split", 2, (1,))]


def test_vanished_instance_is_lost_and_its_id_never_comes_back():
    world = World()
    world.update(span(0, 10), span(20, 30))
    snapshot = world.update(span(0, 10))
    assert snapshot.removed_ids == {2}
    assert world.log() == [("lost", 2, ())]
    snapshot = world.update(span(0, 10), span(20, 30))
    assert [i.id for i in snapshot.instances] == [1, 3]


def test_exchanged_voxels_are_new():
    world = World()
    world.update(span(0, 10))
    snapshot = world.update(span(50, 60))
    assert ([i.id for i in snapshot.instances], snapshot.removed_ids) == ([2], {1})
    assert world.log() == [("new", 2, ()), ("lost", 1, ())]


def test_three_observations_confirm():
    world = World()
    states = []
    for slot in range(4):
        world.look(slot, span(0, 10), 100 + slot)
        (instance,) = world.update(span(0, 10)).instances
        states.append((instance.observations, instance.state.name))
    assert states == [(1, "TENTATIVE"), (2, "TENTATIVE"), (3, "CONFIRMED"), (4, "CONFIRMED")]


def test_confirmation_is_a_change():
    world = World()
    for slot in (0, 1):
        world.look(slot, span(0, 10), 0)
    world.update(span(0, 10))
    world.look(2, span(0, 10), 0)
    assert world.update(span(0, 10)).changed_ids == {1}


def test_confirmed_stays_confirmed_when_keyframes_are_forgotten():
    world = World()
    for slot in (0, 1, 70):
        world.look(slot, span(0, 10), slot)
    assert world.update(span(0, 10)).instances[0].state is InstanceState.CONFIRMED
    world.seen[:] = 0
    world.slots = {}
    (instance,) = world.update(span(0, 10)).instances
    assert instance.state is InstanceState.CONFIRMED
    assert (instance.observations, instance.first_seen_ns, instance.last_seen_ns) == (3, 0, 70)


@pytest.mark.parametrize(("seen", "observations"), [(1, 0), (2, 1), (20, 1)])
def test_a_glimpse_is_no_observation(seen, observations):
    world = World()
    world.look(5, span(0, seen), 50)  # of 20 voxels: a tenth is two
    (instance,) = world.update(span(0, 20)).instances
    assert instance.observations == observations


def test_first_and_last_seen_by_hand():
    world = World()
    for slot, stamp in ((0, 500), (65, 200), (3, 900)):
        world.look(slot, span(0, 10), stamp)
    world.look(4, span(50, 60), 9999)  # sees something else
    (instance,) = world.update(span(0, 10)).instances
    assert (instance.first_seen_ns, instance.last_seen_ns, instance.observations) == (200, 900, 3)


def test_never_seen_in_a_keyframe_counts_from_now():
    world = World()
    (instance,) = world.update(span(0, 10)).instances
    assert instance.first_seen_ns == instance.last_seen_ns == world.now_ns
    assert instance.observations == 0


def test_description_by_hand():
    world = World()
    (instance,) = world.update(span(0, 11)).instances
    assert np.allclose(instance.centroid_m, (0.1, 0, 0))
    assert np.allclose(instance.box.center_m, (0.1, 0, 0), atol=1e-6)
    assert np.allclose(instance.box.size_m, (0.2, 0.005, 0.005), atol=1e-6)
    assert instance.points_m.shape == (11, 3)
    assert instance.colors_rgb.dtype == np.uint8 and (instance.colors_rgb == 100).all()
    assert (instance.score, instance.source, instance.label, instance.label_score) == (
        0.75,
        "object",
        "object",
        0.0,
    )


def test_single_voxel_instance():
    world = World()
    world.look(0, [7], 5)
    (instance,) = world.update([7]).instances
    assert instance.points_m.tolist() == world.position[[7]].tolist()
    assert instance.box.size_m.tolist() == [0.005, 0.005, 0.005]
    assert instance.observations == 1
    assert world.update([7]).changed_ids == frozenset()


def test_map_may_grow():
    world = World(20)
    world.update(span(0, 10))
    bigger = World(50)
    bigger.map = world.map
    snapshot = bigger.update(span(0, 10), span(30, 40))
    assert [i.id for i in snapshot.instances] == [1, 2]
    assert snapshot.changed_ids == {2}
    assert len(bigger.map.owner) == 50


@pytest.mark.parametrize("n", [0, 10])
def test_nothing_proposed(n):
    world = World(n)
    snapshot = world.update()
    assert snapshot.instances == () and snapshot.changed_ids == snapshot.removed_ids == frozenset()
    assert world.map.owner.tolist() == [0] * n


def test_everything_may_vanish():
    world = World()
    world.update(span(0, 10), span(20, 30))
    snapshot = world.update()
    assert (snapshot.instances, snapshot.removed_ids) == ((), {1, 2})
    assert not world.map.owner.any()


def test_confirmation_is_logged_once():
    world = World()
    for slot in range(4):
        world.look(slot, span(0, 10), slot)
        world.update(span(0, 10))
    lines = [(e.segmentation, e.kind) for e in world.map.events]
    assert lines == [(1, "new"), (3, "confirmed")]


def test_lines_of_one_segmentation_are_in_the_order_of_ids():
    world = World()
    for slot in range(3):
        world.look(slot, span(0, 60), slot)
    world.update(span(0, 12), span(12, 20), span(30, 40))
    world.update(span(50, 60), span(0, 20))
    assert world.log() == [("merge", 1, (2,)), ("new", 4, ()), ("confirmed", 4, ()), ("lost", 3, ())]


def random_world(updates=40):
    """A world of masks that come, grow, part and go, and what was in it after each update."""
    rng = np.random.default_rng(5)
    world, alive = World(), []
    for _ in range(updates):
        cuts = np.sort(rng.choice(N, 12, replace=False))
        masks = [span(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=True) if b - a > 2]
        alive.append({i.id for i in world.update(*masks).instances})
    return world, alive


def test_log_tells_which_ids_are_alive():
    world, alive = random_world()
    events = world.map.take_events()
    told: set[int] = set()
    for segmentation, ids in enumerate(alive, 1):
        for event in (e for e in events if e.segmentation == segmentation):
            if event.kind in ("new", "split"):
                assert event.id not in told and set(event.others) <= told
                told.add(event.id)
            elif event.kind == "merge":
                told -= set(event.others)
            elif event.kind == "lost":
                told.remove(event.id)
        assert told == ids
    assert {"new", "split", "merge", "lost"} == {e.kind for e in events}
    assert events == random_world()[0].map.take_events()


def test_lines_are_taken_once_and_numbered_without_gaps():
    world = World()
    world.update(span(0, 10), span(20, 30))
    first = world.map.take_events()
    world.update(span(0, 10))
    second = world.map.take_events()
    assert [e.number for e in first + second] == [1, 2, 3]
    assert [(e.segmentation, e.kind) for e in second] == [(2, "lost")]
    assert world.map.take_events() == []


def test_log_is_bounded_and_a_gap_of_numbers_shows_it(monkeypatch):
    monkeypatch.setattr(instance_map, "_EVENTS_KEPT", 5)
    world = World()
    for first in (0, 30, 60, 80):
        world.update(span(first, first + 5), span(first + 10, first + 15))
    events = world.map.take_events()
    assert len(events) == 5 and events[0].number > 1 and events[-1].number == events[0].number + 4


def test_end_of_the_map_is_logged():
    world = World()
    world.update(span(0, 10), span(20, 30))
    world.map.take_events()
    world.map.lose_all(77)
    assert [(e.stamp_ns, e.kind, e.id, e.number) for e in world.map.take_events()] == [
        (77, "lost", 1, 3),
        (77, "lost", 2, 4),
    ]
    assert not world.map.owner.any()


def test_only_bodies_that_changed_are_worked_out_again():
    world = World()
    nothing = np.zeros(N, bool)
    first = world.update(range(10), range(20, 30)).instances
    world.position[25] += 0.01
    world.color[3] = 0.0  # not announced, so not looked at
    moved = nothing.copy()
    moved[25] = True
    same, shifted = world.update(range(10), range(20, 30), moved=moved).instances
    assert same.points_m is first[0].points_m and same.box is first[0].box
    assert shifted.points_m[5].tolist() == world.position[25].tolist()
    shrunk, _ = world.update(range(9), range(20, 30), moved=nothing).instances
    assert len(shrunk.points_m) == 9
