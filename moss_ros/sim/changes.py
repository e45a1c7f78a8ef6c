"""Takes some small things away and moves others part-way through a recording."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from moss_ros.geometry.camera import Camera
from moss_ros.sim.bag_writer import stamp_ns
from moss_ros.sim.clutter import place_again
from moss_ros.sim.placing import Placer
from moss_ros.sim.rays import RayScene
from moss_ros.sim.render import pixel_rays
from moss_ros.sim.scene import Placed, Scene
from moss_ros.sim.triangles import Triangles
from moss_ros.sim.truth import MIN_PIXELS, Changed

GLANCE_PX = 160  # width of the small pictures that tell what a frame sees
AROUND_SWITCH = 3  # frames next to the switch in which no changing thing is in view
MOVED_AT_LEAST_M = 0.5


@dataclass(frozen=True, slots=True)
class Change:
    """The home after the switch and what became different."""

    after: Scene
    changed: Changed


def glance(triangles: Triangles, camera: Camera, poses: np.ndarray) -> np.ndarray:
    """(F, 256) about how many pixels of each instance every frame has."""
    rays = RayScene(triangles.corners_m)
    small = camera.resized(GLANCE_PX, GLANCE_PX * camera.height // camera.width)
    scale = camera.width * camera.height / (small.width * small.height)
    out = np.zeros((len(poses), 256))
    for k, pose in enumerate(poses):
        directions = pixel_rays(small, pose)
        hits = rays.cast(np.broadcast_to(pose[:3, 3].astype(np.float32), directions.shape), directions)
        out[k] = np.bincount(triangles.instance[hits.triangle[hits.triangle >= 0]], minlength=256) * scale
    return out


def change_things(
    scene: Scene,
    placer: Placer,
    pixels: np.ndarray,
    switch_frame: int,
    rng: np.random.Generator,
    removed: int = 3,
    moved: int = 4,
) -> Change:
    """Choose among small things that are seen before and whose place is seen again; pixels are (F, 256)."""
    seen = pixels >= MIN_PIXELS
    before, after = seen[:switch_frame].sum(0), seen[switch_frame:].sum(0)
    near = pixels[max(0, switch_frame - AROUND_SWITCH) : switch_frame + AROUND_SWITCH].max(0)
    carriers = {p.support_id for p in scene.placed}
    able = [
        p
        for p in scene.placed
        if p.relation in ("on", "in", "under")
        and p.id not in carriers
        and float(p.thing.size_m.max()) < 0.7
        and min(before[p.id], after[p.id]) >= 3
    ]
    # Things out of view at the switch come first: nobody sees them vanish.
    order = sorted(able, key=lambda p: (near[p.id] > 0, rng.random()))
    leaving = frozenset(p.id for p in order[:removed])
    moving = order[removed : removed + 3 * moved]
    # The old places of moving things stay taken, so that a thing that finds no new place can stay where it is.
    rest = placer.without(set(leaving))
    carriers_seen = {int(i) for i in np.flatnonzero(after >= 3)} - {p.id for p in moving}
    done: dict[int, Placed] = {}
    for p in moving:
        new = place_again(rest, p, carriers_seen, MOVED_AT_LEAST_M) if len(done) < moved else None
        if new is not None:
            done[p.id] = new
    placed = tuple(done.get(p.id, p) for p in scene.placed if p.id not in leaving)
    return Change(replace(scene, placed=placed), Changed(switch_frame, leaving, frozenset(done)))


def describe(scene: Scene, change: Change, pixels_if_unchanged: np.ndarray, pixels_after: np.ndarray) -> dict[str, Any]:
    """changes.json. pixels (F, 256): what every frame would see of the old home, and sees of the new one."""
    later, switch = change.after.by_id(), change.changed.switch_frame
    removed, moved = [], []
    for p in scene.placed:
        if p.id not in change.changed.removed | change.changed.moved:
            continue
        seen = pixels_if_unchanged[switch:, p.id] >= MIN_PIXELS
        if p.id in change.changed.moved:
            seen |= pixels_after[switch:, p.id] >= MIN_PIXELS
        first = stamp_ns(switch + int(np.argmax(seen))) if seen.any() else None
        entry = {"id": p.id, "category": p.thing.category}
        if p.id in change.changed.removed:
            removed.append({**entry, "position": _middle(p), "first_evidence_stamp_ns": first})
        else:
            moved.append(
                {
                    **entry,
                    "position_before": _middle(p),
                    "position_after": _middle(later[p.id]),
                    "first_evidence_stamp_ns": first,
                }
            )
    stamps: list[Any] = [
        e["first_evidence_stamp_ns"] for e in removed + moved if e["first_evidence_stamp_ns"] is not None
    ]
    return {
        "scene": scene.name,
        "frame": "map",
        "switch_frame": switch,
        "stamp_ns": stamp_ns(switch),
        "removed": removed,
        "moved": moved,
        "first_evidence_stamp_ns": min(stamps) if stamps else None,
    }


def _middle(placed: Placed) -> list[float]:
    low, high = placed.aabb_m()
    return [round(float(v), 4) for v in (low + high) / 2]
