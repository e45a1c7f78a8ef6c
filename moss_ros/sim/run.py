"""`moss sim`: make a home, walk a depth camera through it, write the recording and its truth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from moss_ros.geometry.camera import Camera
from moss_ros.sim import camera_path, changes, queries, triangles, truth
from moss_ros.sim.bag_writer import PERIOD_NS, BagWriter, stamp_ns
from moss_ros.sim.capture import Recorded, Shot, take
from moss_ros.sim.changes import Change
from moss_ros.sim.crew import Crew
from moss_ros.sim.facts import Facts, facts
from moss_ros.sim.layout import furnish
from moss_ros.sim.light import FINE, LightQuality
from moss_ros.sim.scene import Scene

CAMERA = Camera(fx=570.0, fy=570.0, cx=319.5, cy=239.5, width=640, height=480)
USUAL_BRIGHTNESS = 0.55  # exposure brings the mean light on surfaces to this


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is decided before the first ray."""

    scene: Scene
    change: Change | None
    poses: np.ndarray  # (F, 4, 4) world_from_camera
    noisy: np.ndarray  # (F, 4, 4) the same with drift
    changes_json: dict[str, Any] | None


def generate(
    out: Path, seed: int = 0, frames: int = 90, changes: bool = False, workers: int = 2, progress: bool = True
) -> None:
    """Write the recording of one home to a folder: bag, instances, points, id images, queries, changes.

    The folder must not hold a recording yet. The same seed and frames give the same content.
    """
    out = Path(out)
    if frames < 2:
        raise ValueError(f"a recording needs at least 2 frames, got {frames}")
    check_new(out)
    with tqdm(total=frames, unit="frame", disable=not progress, desc="furnishing") as steps:
        record(out, make_plan(seed, frames, changes, CAMERA), seed, workers, CAMERA, steps)


def check_new(out: Path) -> None:
    """Recordings are never mixed or overwritten."""
    if (out / "bag").exists():
        raise ValueError(f"{out} holds a recording already: choose a new folder or remove it")


def record(
    out: Path, plan: Plan, seed: int, workers: int, camera: Camera, steps: tqdm, quality: LightQuality = FINE
) -> None:
    """Render a plan with any camera and write everything; steps is moved on by one for each frame."""
    check_new(out)
    out.mkdir(parents=True, exist_ok=True)
    collector = truth.TruthCollector(out / "instance_masks.zip", plan.change.changed if plan.change else None)
    bag: AbstractContextManager[BagWriter] = BagWriter(out / "bag", camera)
    with bag as writer:
        for index, frame in enumerate(_frames(plan, seed, workers, camera, steps, quality)):
            writer.add(index, frame.jpeg, frame.depth_png, plan.poses[index], plan.noisy[index])
            collector.add(frame)
            steps.update()
    _write_truth(out, plan, collector, camera, seed)


def make_plan(seed: int, frames: int, with_changes: bool, camera: Camera) -> Plan:
    """Furnish, choose the walk and what changes."""
    scene, placer = furnish(seed)
    rng = np.random.default_rng([seed, 21])
    if not with_changes:
        poses = camera_path.walk(scene, frames, rng)
        return Plan(scene, None, poses, camera_path.with_drift(poses, rng), None)
    # The way back passes everything again.
    half = frames // 2
    there = camera_path.walk(scene, frames - half, rng)
    poses = np.concatenate([there, there[::-1][:half]])
    old = changes.glance(triangles.build(scene), camera, poses)
    change = changes.change_things(scene, placer, old, frames - half, rng)
    new = changes.glance(triangles.build(change.after), camera, poses)
    return Plan(scene, change, poses, camera_path.with_drift(poses, rng), changes.describe(scene, change, old, new))


def _frames(
    plan: Plan, seed: int, workers: int, camera: Camera, steps: tqdm, quality: LightQuality
) -> Iterator[Recorded]:
    """All frames in order; each state of the home is lit once."""
    count = len(plan.poses)
    switch = plan.change.changed.switch_frame if plan.change else count
    states = [(plan.scene, range(0, switch))] + ([(plan.change.after, range(switch, count))] if plan.change else [])
    exposure = 0.0
    for scene, numbers in states:
        flat = triangles.build(scene)
        with Crew(flat, scene.lights, seed, workers) as crew:
            steps.set_description("lighting")
            light = crew.bake(quality)
            exposure = exposure or USUAL_BRIGHTNESS / max(float(light.mean()), 1e-3)
            steps.set_description("rendering")
            shots = [Shot(i, camera, plan.poses[i], exposure, seed) for i in numbers]
            yield from crew.render(take, shots)


def _write_truth(out: Path, plan: Plan, collector: truth.TruthCollector, camera: Camera, seed: int) -> None:
    points, pixels = collector.close()
    scene, change = plan.scene, plan.change
    after = change.after if change else scene
    rows = truth.instance_list(scene, after, points, pixels, change.changed if change else None)
    truth.write_instances(out / "instances.json", scene, rows, camera, round(1e9 / PERIOD_NS))
    stamps = np.array([stamp_ns(i) for i in range(len(plan.poses))])
    truth.write_points(out / "gt_points.npz", points, scene, plan.poses, plan.noisy, camera, stamps, change is not None)
    if change:
        truth.write_json(out / "changes.json", plan.changes_json)
        now = facts(after, rows, "_after", "evaluate_after")
        before: Facts | None = facts(scene, rows, "", "evaluate_before")
    else:
        now, before = facts(scene, rows), None
    asked = queries.make_queries(now, before, np.random.default_rng([seed, 22]))
    truth.write_json(out / "queries.json", {"scene": scene.name, "frame": "map", "note": NOTE, "queries": asked})


NOTE = (
    "instances: ids (see instances.json) that answer the query; every one of them should be returned for a count "
    "query, any one of them is right otherwise. also_ok: further ids that are not counted as wrong. present false: the "
    'right answer is "not there". kind: synonym, attribute, function, relation, count, absent, absent_hard (the object '
    "or the place exists, the combination does not). points and radii_m: centre and half diagonal of the seen part of "
    "each answer, in map."
)
