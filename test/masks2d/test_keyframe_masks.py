"""Which keyframes are kept, and which are segmented again when the background changes."""

from dataclasses import replace

import numpy as np
import pytest
from scenes import MAPPING, TABLE_TOP_M, orbit, outward, render, room

from moss_ros.config import MasksConfig
from moss_ros.mapping.normals import NormalMap
from moss_ros.mapping.voxel_map import VoxelMap
from moss_ros.masks2d.geometric import GeometricSegmenter
from moss_ros.masks2d.keyframe_masks import KeyframeMasks

MASKS = MasksConfig()
NEAR = orbit()[0]
AWAY = outward(4)


class Setup:
    """A map and its keyframes, with nothing but the floor as background at first."""

    def __init__(self, budget=20, config=MASKS):
        self.voxels, self.normals = VoxelMap(MAPPING), NormalMap()
        self.masks = KeyframeMasks(config, budget, GeometricSegmenter(config))

    def add(self, *poses, stamp_ns, depth=True):
        for i, pose in enumerate(poses):
            frame = render(room(), pose, stamp_ns=stamp_ns + i)
            if not depth:
                frame = replace(frame, depth_m=np.zeros_like(frame.depth_m))
            self.voxels.integrate(frame)
            self.masks.add(frame, 1.0)

    def refresh(self, background=None, everything=False):
        self.normals.update(self.voxels, self.voxels.take_touched())
        if background is None:
            background = self.low()
        return self.masks.refresh(self.voxels, self.normals.two_rings, background, everything)

    def low(self, height_m=0.02):
        return self.voxels.position[:, 2] < height_m

    def stamps(self):
        return sorted(self.masks.stamps_ns().values())


def test_new_keyframes_are_segmented_once():
    s = Setup()
    s.add(NEAR, *AWAY, stamp_ns=0)
    assert s.refresh() == 5
    assert s.masks.evidence.slots() == [0, 1, 2, 3, 4]
    assert s.refresh() == 0


def test_evidence_holds_what_the_keyframe_saw():
    s = Setup()
    s.add(NEAR, stamp_ns=0)
    s.refresh()
    view = s.masks.evidence.views[0]
    assert np.all(np.diff(view.voxels) > 0)
    assert len(view.voxels) > 0.95 * s.voxels.count
    assert view.count >= 1 and set(np.unique(view.labels)) <= set(range(view.count + 1))
    assert (view.labels[s.low()[view.voxels]] == 0).all()


def test_only_keyframes_with_changed_background_are_redone():
    s = Setup()
    s.add(NEAR, AWAY[0], stamp_ns=0)
    s.refresh()
    background = s.low()
    only_first = np.setdiff1d(s.masks.evidence.views[0].voxels, s.masks.evidence.views[1].voxels)
    background[only_first] ^= True
    assert s.refresh(background) == 1
    assert s.refresh(background) == 0


@pytest.mark.parametrize(("share", "redone"), [(0.01, 0), (0.05, 1)])
def test_few_changed_voxels_are_tolerated(share, redone):
    s = Setup()
    s.add(NEAR, stamp_ns=0)
    s.refresh()
    background = s.low()
    background[: int(share * len(background))] ^= True
    assert s.refresh(background) == redone


def test_full_refresh_tolerates_nothing():
    s = Setup()
    s.add(NEAR, stamp_ns=0)
    s.refresh()
    background = s.low()
    background[s.masks.evidence.views[0].voxels[0]] ^= True
    assert s.refresh(background) == 0
    assert s.refresh(background, everything=True) == 1
    assert s.refresh(background, everything=True) == 0


def test_one_pass_redoes_a_bounded_number():
    s = Setup(config=replace(MASKS, refresh_keyframes=2))
    s.add(NEAR, *AWAY, stamp_ns=0)
    s.refresh()
    background = ~s.low()
    assert [s.refresh(background) for _ in range(4)] == [2, 2, 1, 0]


def test_the_stalest_keyframe_is_redone_first():
    s = Setup(config=replace(MASKS, refresh_keyframes=1))
    s.add(NEAR, *AWAY[:2], stamp_ns=0)
    s.refresh()
    views = s.masks.evidence.views
    old = s.low()
    background = old.copy()
    only_second = np.setdiff1d(views[1].voxels, np.union1d(views[0].voxels, views[2].voxels))
    only_first = np.setdiff1d(views[0].voxels, np.union1d(views[1].voxels, views[2].voxels))
    background[only_second] ^= True
    background[only_first[: len(views[0].voxels) // 20]] ^= True
    before = {slot: view for slot, view in views.items()}
    s.refresh(background)
    assert [slot for slot in (0, 1, 2) if views[slot] is not before[slot]] == [1]


def test_keyframes_without_depth_do_not_starve_stale_ones():
    s = Setup(config=replace(MASKS, refresh_keyframes=2))
    s.add(*AWAY[:3], stamp_ns=0, depth=False)
    s.add(NEAR, stamp_ns=10)
    s.refresh()
    assert s.refresh() == 0
    before = s.masks.evidence.views[3]
    assert s.refresh(s.low(TABLE_TOP_M + 0.02)) == 1
    assert s.masks.evidence.views[3] is not before


def test_budget_drops_the_most_redundant():
    s = Setup(budget=4)
    s.add(AWAY[0], stamp_ns=0)  # alone with its view of the wall
    s.add(NEAR, NEAR, NEAR, stamp_ns=10)
    s.refresh()
    s.add(AWAY[2], stamp_ns=20)
    assert s.stamps() == [0, 11, 12, 20]  # of three equal views the oldest went


def test_view_without_depth_goes_first():
    s = Setup(budget=3)
    s.add(NEAR, stamp_ns=0)
    s.add(AWAY[0], stamp_ns=1, depth=False)
    s.add(AWAY[1], stamp_ns=2)
    s.refresh()
    s.add(AWAY[2], stamp_ns=3)
    assert s.stamps() == [0, 2, 3]


def test_budget_holds_before_the_first_segmentation_and_the_oldest_go():
    s = Setup(budget=3)
    s.add(NEAR, NEAR, NEAR, NEAR, NEAR, stamp_ns=0)
    assert s.stamps() == [2, 3, 4]


def test_dropped_keyframe_leaves_no_evidence():
    s = Setup(budget=2)
    s.add(NEAR, AWAY[0], stamp_ns=0)
    s.refresh()
    s.add(AWAY[1], stamp_ns=5)
    assert len(s.masks.evidence.slots()) == 1
    s.refresh()
    assert s.masks.evidence.slots() == sorted(s.masks.keyframes)
    bits = np.bitwise_or.reduce(s.masks.evidence.seen[:, 0])
    assert int(bits) == sum(1 << slot for slot in s.masks.keyframes)


def test_slots_are_reused():
    s = Setup(budget=2)
    for i in range(6):
        s.add(orbit()[4 * i], stamp_ns=i)
        s.refresh()
    assert set(s.masks.keyframes) <= {0, 1, 2}
    assert all(k.slot == slot for slot, k in s.masks.keyframes.items())
