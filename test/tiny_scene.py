"""The synthetic room with a table as a scene on disk: bag, truth, id images."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from bag_writer import START, drive, pose_message, write_bag
from scenes import CAMERA, CHAIR, FLOOR, TABLE, THINGS, WALL, cast, orbit, render, room

from moss_ros.records import Frame

POSES = orbit(16)
STEP_NS = 100_000_000
KINDS = {FLOOR: "structure", WALL: "structure", TABLE: "thing", CHAIR: "thing", **dict.fromkeys(THINGS, "thing")}


def surface(frames: list[Frame]) -> tuple[np.ndarray, np.ndarray]:
    """Points (P, 3) int16 mm and their ids (P,): what the frames see, on 1 cm voxels."""
    parts = []
    for frame in frames:
        depth, ids, _ = cast(room(), frame.world_from_camera)
        v, u = np.nonzero(depth)
        z = depth[v, u]
        rays = np.stack([(u - CAMERA.cx) / CAMERA.fx * z, (v - CAMERA.cy) / CAMERA.fy * z, z], 1)
        points = rays @ frame.world_from_camera[:3, :3].T + frame.world_from_camera[:3, 3]
        parts.append(np.column_stack([points, ids[v, u]]))
    seen = np.concatenate(parts)
    cells = np.column_stack([np.floor(seen[:, :3] / 0.01), seen[:, 3]]).astype(np.int64)
    keys = cells @ np.array([1 << 40, 1 << 24, 1 << 8, 1])
    seen = seen[np.unique(keys, return_index=True)[1]]
    return np.round(seen[:, :3] * 1000).astype(np.int16), seen[:, 3].astype(np.uint8)


def drifted(pose: np.ndarray, number: int) -> np.ndarray:
    moved = pose.copy()
    moved[:3, 3] += np.array([0.01, 0.004, 0.0]) * number
    return moved


def write_tiny_scene(folder: Path) -> Path:
    """Bag with true and drifting poses, id images, points and instances of a drive around the table."""
    folder.mkdir(parents=True)
    frames = [render(room(), pose, stamp_ns=START + i * STEP_NS) for i, pose in enumerate(POSES)]
    noisy = []
    for i, frame in enumerate(frames):
        wrong = replace(frame, world_from_camera=drifted(frame.world_from_camera, i))
        noisy.append(("/camera/pose_noisy", frame.stamp_ns, pose_message(wrong, frame.stamp_ns)))
    write_bag(folder / "bag", sorted([*drive(frames), *noisy], key=lambda message: message[1]))
    with zipfile.ZipFile(folder / "instance_masks.zip", "w") as archive:
        for i, pose in enumerate(POSES):
            png = cv2.imencode(".png", cast(room(), pose)[1].astype(np.uint8))[1]
            archive.writestr(f"{i:04d}.png", png.tobytes())
    points, ids = surface(frames)
    np.savez(
        folder / "gt_points.npz",
        xyz_mm=points,
        instance=ids.astype(np.uint8),
        category=ids.astype(np.uint8),
        stamps_ns=np.array([f.stamp_ns for f in frames]),
    )
    listed = [
        {"id": i, "category": str(i), "category_id": i, "kind": kind, "evaluate": i in (*THINGS, TABLE)}
        for i, kind in KINDS.items()
    ]
    (folder / "instances.json").write_text(json.dumps({"categories": {}, "instances": listed}))
    return folder
