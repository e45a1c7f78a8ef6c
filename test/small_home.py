"""A hand-made room with few things, and how to record it with a tiny camera."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tqdm import tqdm

from moss_ros.geometry.camera import Camera
from moss_ros.sim import furniture, kitchenware, office, soft, storage
from moss_ros.sim.camera_path import look_at, with_drift
from moss_ros.sim.light import LightQuality
from moss_ros.sim.placing import Placer
from moss_ros.sim.run import CAMERA, Plan, record
from moss_ros.sim.scene import Room, Scene
from moss_ros.sim.structure import ceiling_lights, structure_parts

FRAMES = 8
SMALL_CAMERA = CAMERA.resized(128, 96)


def small_scene() -> tuple[Scene, Placer]:
    """A table with a mug, a bowl and a book, and an open box with a ball in it."""
    rng = np.random.default_rng(5)
    room = Room(((0.0, 0.0), (4.0, 0.0), (4.0, 3.5), (0.0, 3.5)), 2.5)
    placer = Placer(rng, room)
    table = placer.stand(furniture.coffee_table(rng), 2.0, 1.6, 0.3)
    box = placer.stand(storage.cardboard_box(rng), 2.9, 2.2, 0.1, walkway_m=0.0)
    assert table is not None and box is not None
    for thing in (kitchenware.mug(rng), kitchenware.bowl(rng), office.book(rng)):
        assert placer.rest(thing, table, table.thing.supports[0]) is not None
    assert placer.rest(soft.toy_ball(rng), box, box.thing.supports[0], tries=50) is not None
    scene = Scene("small", room, structure_parts(rng, room), tuple(placer.placed), tuple(ceiling_lights(rng, room)))
    return scene, placer


def small_plan() -> Plan:
    """A short arc around the table."""
    scene, _ = small_scene()
    angles = np.linspace(3.4, 4.2, FRAMES)
    eyes = [np.array([2.2 + 1.3 * np.cos(a), 1.8 + 1.3 * np.sin(a), 1.3]) for a in angles]
    poses = np.stack([look_at(e, np.array([2.2, 1.8, 0.4])) for e in eyes])
    return Plan(scene, None, poses, with_drift(poses, np.random.default_rng(0)), None)


def record_small(folder: Path, workers: int = 1, camera: Camera = SMALL_CAMERA) -> Plan:
    """Write the recording of the small plan."""
    plan = small_plan()
    with tqdm(total=FRAMES, disable=True) as steps:
        record(folder, plan, 5, workers, camera, steps, LightQuality(1, 2))
    return plan
