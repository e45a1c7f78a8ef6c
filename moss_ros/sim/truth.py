"""Exact ground truth of a recording: labelled surface points, id images and the list of instances."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from moss_ros.geometry.camera import Camera
from moss_ros.sim.capture import Recorded
from moss_ros.sim.scene import CEILING_ID, FLOOR_ID, WALL_ID, Placed, Scene

BEFORE, AFTER, ALWAYS = 1, 2, 3  # bits: holds before the switch, holds after
MIN_PIXELS, MIN_POINTS, MIN_FRAMES = 150, 60, 5
STRUCTURE = {
    FLOOR_ID: ("floor", "the floor"),
    WALL_ID: ("wall", "the walls"),
    CEILING_ID: ("ceiling", "the ceiling"),
}
NO_COLOR = ("light", "dark brown")  # names of woods, not of colours


@dataclass(frozen=True, slots=True)
class Points:
    """P labelled surface points."""

    xyz_mm: np.ndarray  # (P, 3) int16, map
    rgb: np.ndarray  # (P, 3) uint8
    instance: np.ndarray  # (P,) uint8
    valid: np.ndarray  # (P,) uint8 bits


@dataclass(frozen=True, slots=True)
class Changed:
    """Which instances change at the switch."""

    switch_frame: int
    removed: frozenset[int] = frozenset()
    moved: frozenset[int] = frozenset()


class TruthCollector:
    """Takes the frames in order; id images go to the zip at once."""

    def __init__(self, masks_file: Path, changed: Changed | None) -> None:
        self._zip = zipfile.ZipFile(masks_file, "w", zipfile.ZIP_STORED)
        self._changed = changed
        self._pixels: list[np.ndarray] = []
        self._keys: list[np.ndarray] = []
        self._xyz: list[np.ndarray] = []
        self._rgb: list[np.ndarray] = []
        self._bits: list[np.ndarray] = []

    def add(self, frame: Recorded) -> None:
        """The next frame."""
        number = len(self._pixels)
        # A fixed date keeps the archive the same byte for byte.
        self._zip.writestr(zipfile.ZipInfo(f"{number:04d}.png", (2023, 11, 14, 22, 13, 20)), frame.mask_png)
        after = self._changed is not None and number >= self._changed.switch_frame
        self._pixels.append(frame.pixels)
        self._keys.append(frame.seen.key)
        self._xyz.append(frame.seen.xyz_mm)
        self._rgb.append(frame.seen.rgb)
        self._bits.append(np.full(len(frame.seen.key), AFTER if after else BEFORE, np.uint8))

    def close(self) -> tuple[Points, np.ndarray]:
        """All points, one for each voxel and instance (the first seen), and (F, 256) pixels of each id."""
        self._zip.close()
        key, first, number = np.unique(np.concatenate(self._keys), return_index=True, return_inverse=True)
        bits = np.concatenate(self._bits)
        valid = np.zeros(len(key), np.uint8)
        np.bitwise_or.at(valid, number, bits)
        instance = (key & 255).astype(np.uint8)
        changing = sorted(self._changed.removed | self._changed.moved) if self._changed else []
        valid[~np.isin(instance, changing)] = ALWAYS
        points = Points(np.concatenate(self._xyz)[first], np.concatenate(self._rgb)[first], instance, valid)
        return points, np.stack(self._pixels)


def phrase_of(placed: Placed) -> str:
    """A text query that names a thing, e.g. "a red ceramic mug"."""
    t = placed.thing
    if t.phrase:
        return t.phrase
    name = t.category
    words = [
        w
        for w in (
            t.color,
            "" if t.material in ("organic", "wax") else "wooden" if t.material == "wood" else t.material,
        )
        if w
    ]
    phrase = " ".join([*words, name]) + (f" that says {t.text}" if t.text else "")
    return ("an " if phrase[0] in "aeiou" else "a ") + phrase


def category_ids(scene: Scene) -> dict[str, int]:
    """Category name -> id, by alphabet from 1."""
    names = {name for name, _ in STRUCTURE.values()} | {p.thing.category for p in scene.placed}
    return {name: i + 1 for i, name in enumerate(sorted(names))}


def instance_list(
    scene: Scene, after: Scene, points: Points, pixels: np.ndarray, changed: Changed | None
) -> list[dict[str, Any]]:
    """The `instances` of instances.json."""
    categories = category_ids(scene)
    rows = [_structure_row(scene, i) for i in STRUCTURE] + [_thing_row(p) for p in scene.placed]
    later = after.by_id()
    for row in rows:
        i = row["id"]
        row["frames_visible"] = int((pixels[:, i] >= MIN_PIXELS).sum())
        row["max_pixels"] = int(pixels[:, i].max())
        row["category_id"] = categories[row["category"]]
        mine = points.instance == i
        row["gt_points"] = int(mine.sum())
        thing = row["kind"] == "thing"
        row["evaluate"] = thing and row["gt_points"] >= MIN_POINTS and row["frames_visible"] >= MIN_FRAMES
        before = mine & (points.valid & BEFORE > 0)
        row.update(_visible(points.xyz_mm[before if changed else mine], ""))
        if changed is not None:
            _add_change(row, later.get(i), points, pixels, mine, changed)
    return rows


def _structure_row(scene: Scene, number: int) -> dict[str, Any]:
    corners = np.concatenate([p.mesh.corners_m.reshape(-1, 3) for p in scene.structure[number]])
    name, phrase = STRUCTURE[number]
    return {
        "id": number,
        "category": name,
        "phrase": phrase,
        "source": "procedural",
        "kind": "structure",
        "aabb_min": _rounded(corners.min(0)),
        "aabb_max": _rounded(corners.max(0)),
    }


def _thing_row(placed: Placed) -> dict[str, Any]:
    low, high = placed.aabb_m()
    attributes = {
        "color": placed.thing.color,
        "material": placed.thing.material,
        "text": placed.thing.text or None,
    }
    return {
        "id": placed.id,
        "category": placed.thing.category,
        "phrase": phrase_of(placed),
        "source": "procedural",
        "kind": "thing",
        "attributes": attributes,
        "support": placed.support_id,
        "relation": placed.relation,
        "aabb_min": _rounded(low),
        "aabb_max": _rounded(high),
    }


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(v), 4) for v in values]


def _visible(xyz_mm: np.ndarray, suffix: str) -> dict[str, list[float]]:
    if not len(xyz_mm):
        return {}
    m = xyz_mm.astype(np.float64) / 1000
    return {
        f"visible_centroid{suffix}": _rounded(m.mean(0)),
        f"visible_aabb_min{suffix}": _rounded(m.min(0)),
        f"visible_aabb_max{suffix}": _rounded(m.max(0)),
    }


def _add_change(
    row: dict[str, Any],
    later: Placed | None,
    points: Points,
    pixels: np.ndarray,
    mine: np.ndarray,
    changed: Changed,
) -> None:
    i = row["id"]
    row["state"] = "removed" if i in changed.removed else "moved" if i in changed.moved else "unchanged"
    enough = pixels[:, i] >= MIN_PIXELS
    frames = {
        "before": int(enough[: changed.switch_frame].sum()),
        "after": int(enough[changed.switch_frame :].sum()),
    }
    here = {w: mine & (points.valid & bit > 0) for w, bit in (("before", BEFORE), ("after", AFTER))}
    for when in ("before", "after"):
        row[f"frames_visible_{when}"] = frames[when]
    for when in ("before", "after"):
        # What does not change is known from all frames.
        count = row["frames_visible"] if row["state"] == "unchanged" else frames[when]
        row[f"evaluate_{when}"] = bool(
            row["kind"] == "thing" and here[when].sum() >= MIN_POINTS and count >= MIN_FRAMES
        )
    if row["state"] == "moved" and later is not None:
        low, high = later.aabb_m()
        row["aabb_min_after"], row["aabb_max_after"] = _rounded(low), _rounded(high)
        row.update(_visible(points.xyz_mm[here["after"]], "_after"))


def write_points(
    path: Path,
    points: Points,
    scene: Scene,
    poses: np.ndarray,
    noisy: np.ndarray,
    camera: Camera,
    stamps_ns: np.ndarray,
    with_valid: bool,
) -> None:
    """gt_points.npz."""
    categories = category_ids(scene)
    table = np.zeros(256, np.uint8)
    for i, (name, _) in STRUCTURE.items():
        table[i] = categories[name]
    for p in scene.placed:
        table[p.id] = categories[p.thing.category]
    arrays = {
        "xyz_mm": points.xyz_mm,
        "rgb": points.rgb,
        "instance": points.instance,
        "category": table[points.instance],
        "poses": poses,
        "poses_noisy": noisy,
        "K": camera.matrix,
        "stamps_ns": stamps_ns.astype(np.int64),
    }
    if with_valid:
        arrays["valid"] = points.valid
    np.savez_compressed(path, **arrays)


def write_instances(path: Path, scene: Scene, rows: list[dict[str, Any]], camera: Camera, rate_hz: int) -> None:
    """instances.json."""
    polygon = np.array(scene.room.polygon_m)
    data = {
        "name": scene.name,
        "frame": "map",
        "room_m": [*_rounded(np.ptp(polygon, axis=0)), round(scene.room.height_m, 4)],
        "image": [camera.width, camera.height],
        "rate_hz": rate_hz,
        "categories": category_ids(scene),
        "instances": rows,
    }
    write_json(path, data)


def write_json(path: Path, data: Any) -> None:
    """Indented JSON."""
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
