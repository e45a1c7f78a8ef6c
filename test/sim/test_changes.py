"""Things that are moved or taken away part-way."""

from __future__ import annotations

import numpy as np
import pytest

from moss_ros.geometry.camera import Camera
from moss_ros.sim.bag_writer import stamp_ns
from moss_ros.sim.camera_path import walk
from moss_ros.sim.changes import Change, change_things, describe, glance
from moss_ros.sim.collision import overlap_m, placed_blocks
from moss_ros.sim.layout import furnish
from moss_ros.sim.run import CAMERA
from moss_ros.sim.scene import Scene
from moss_ros.sim.triangles import build

SWITCH = 20


@pytest.fixture(scope="module")
def changed() -> tuple[Scene, Change, np.ndarray, np.ndarray]:
    scene, placer = furnish(4)
    there = walk(scene, SWITCH, np.random.default_rng(0))
    poses = np.concatenate([there, there[::-1]])
    camera: Camera = CAMERA
    old = glance(build(scene), camera, poses)
    change = change_things(scene, placer, old, SWITCH, np.random.default_rng(1))
    return scene, change, old, glance(build(change.after), camera, poses)


def test_some_things_go_and_some_move(changed: tuple[Scene, Change, np.ndarray, np.ndarray]) -> None:
    scene, change, old, _ = changed
    before, after = scene.by_id(), change.after.by_id()
    assert change.changed.removed and change.changed.moved
    assert set(before) - set(after) == change.changed.removed
    for i in set(before) & set(after):
        away = np.linalg.norm(np.subtract(before[i].position_m, after[i].position_m))
        assert (away >= 0.5) if i in change.changed.moved else (before[i] is after[i])
    for i in change.changed.removed | change.changed.moved:
        assert (old[:SWITCH, i] > 0).any() and (old[SWITCH:, i] > 0).any()


def test_nothing_intersects_afterwards(changed: tuple[Scene, Change, np.ndarray, np.ndarray]) -> None:
    _, change, _, _ = changed
    things = change.after.by_id()
    for i in change.changed.moved:
        for other in change.after.placed:
            if other.id != i:
                depth = max(overlap_m(a, b) for a in placed_blocks(things[i]) for b in placed_blocks(other))
                assert depth < 1e-3


def test_description(changed: tuple[Scene, Change, np.ndarray, np.ndarray]) -> None:
    scene, change, old, new = changed
    told = describe(scene, change, old, new)
    assert told["switch_frame"] == SWITCH and told["stamp_ns"] == stamp_ns(SWITCH)
    assert {e["id"] for e in told["removed"]} == change.changed.removed
    assert {e["id"] for e in told["moved"]} == change.changed.moved
    stamps = [e["first_evidence_stamp_ns"] for e in told["removed"] + told["moved"]]
    assert told["first_evidence_stamp_ns"] == min(s for s in stamps if s is not None) >= stamp_ns(SWITCH)
