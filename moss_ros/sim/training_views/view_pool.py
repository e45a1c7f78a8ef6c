"""Training views kept on disk, one file for each room, made when first asked for.

A room's file depends on its seed alone, so a pool can be thrown away and comes back the same.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from moss_ros.geometry.camera import Camera
from moss_ros.sim.training_views.views import RoomViews, TrainingView

VIEWS_PER_ROOM = 10
POOL_VERSION = 1  # raise it when rooms or views change
_IMAGES = ("depth", "color", "instance", "facing", "gloss")


class ViewPool:
    """Views by room seed. Safe to use from several processes: files appear whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = Path(folder) / f"views_v{POOL_VERSION}"
        self._folder.mkdir(parents=True, exist_ok=True)

    def path(self, seed: int) -> Path:
        """File of a room."""
        return self._folder / f"{seed:07d}.npz"

    def count(self, seed: int) -> int:
        """Views that a room has; makes the room when it is missing."""
        with np.load(self._made(seed)) as data:
            return len(data["focal"])

    def view(self, seed: int, index: int) -> TrainingView:
        """A view of a room; the index wraps around the room's views."""
        with np.load(self._made(seed)) as data:
            k = index % len(data["focal"])
            height, width = (int(v) for v in data["size"])
            fx, fy, cx, cy = (float(v) for v in data["focal"][k])
            depth, color, instance, facing, gloss = (_decoded(data[f"{name}{k}"]) for name in _IMAGES)
            return TrainingView(
                depth,
                np.ascontiguousarray(color[..., ::-1]),
                instance,
                facing,
                gloss,
                data["support"],
                Camera(fx, fy, cx, cy, width, height),
                data["pose"][k],
            )

    def _made(self, seed: int) -> Path:
        path = self.path(seed)
        if not path.exists():
            save_views(path, seed)
        return path


def save_views(path: Path, seed: int) -> None:
    """Make a room and write its views; a room in which no view succeeds is replaced by one of another seed."""
    views: list[TrainingView] = []
    attempt = seed
    while not views:
        room = RoomViews(attempt)
        views = list(room.views(VIEWS_PER_ROOM))
        attempt += 100_000_000
    data: dict[str, np.ndarray] = {
        "focal": np.array([(v.camera.fx, v.camera.fy, v.camera.cx, v.camera.cy) for v in views]),
        "size": np.array(views[0].depth_mm.shape),
        "pose": np.stack([v.world_from_camera for v in views]),
        "support": views[0].support,
    }
    for k, v in enumerate(views):
        data[f"depth{k}"] = encoded(".png", v.depth_mm, cv2.IMWRITE_PNG_COMPRESSION, 2)
        data[f"instance{k}"] = encoded(".png", v.instance, cv2.IMWRITE_PNG_COMPRESSION, 2)
        data[f"gloss{k}"] = encoded(".png", v.gloss, cv2.IMWRITE_PNG_COMPRESSION, 2)
        data[f"facing{k}"] = encoded(".jpg", v.facing, cv2.IMWRITE_JPEG_QUALITY, 92)
        data[f"color{k}"] = encoded(".jpg", v.color_rgb[..., ::-1], cv2.IMWRITE_JPEG_QUALITY, 95)
    store_arrays(path, data)


def store_arrays(path: Path, data: dict[str, Any]) -> None:
    """Write an .npz file that is there whole or not at all, also when several processes make it."""
    part = path.with_suffix(f".{os.getpid()}.part")
    with open(part, "wb") as stream:
        np.savez(stream, **data)
    part.replace(path)


def _decoded(data: np.ndarray) -> np.ndarray:
    image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError("an image of the pool is damaged: delete the pool, it comes back the same")
    return np.asarray(image)


def encoded(kind: str, image: np.ndarray, flag: int, value: int) -> np.ndarray:
    """An image as the bytes (n,) uint8 of a file; kind ".png" or ".jpg" with one OpenCV flag."""
    ok, data = cv2.imencode(kind, np.ascontiguousarray(image), [flag, value])
    if not ok:
        raise ValueError(f"could not encode a {kind} image of shape {image.shape}")
    return data
