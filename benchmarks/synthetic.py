"""A made-up room with furniture and small things, rendered by ray casting: input where no bag is at hand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numba import njit

from moss_ros.geometry.camera import Camera
from moss_ros.records import Frame

CAMERA = Camera(fx=570.0, fy=570.0, cx=319.5, cy=239.5, width=640, height=480)
_ROOM_M = np.array([[0.0, 0.0, 0.0], [6.0, 5.0, 2.6]])  # low and high corner
_STEP_NS = 100_000_000


def room_frames(count: int, seed: int = 0) -> Iterator[Frame]:
    """A camera that circles in the room and looks outwards and down; the same frames for the same seed."""
    rng = np.random.default_rng(seed)
    boxes, colors = _furniture(rng)
    for i in range(count):
        turn = 2 * np.pi * i / count
        pose = _look(np.array([3 + 0.8 * np.cos(turn), 2.5 + 0.8 * np.sin(turn), 1.5]), turn, 0.35)
        depth, box = _cast(boxes, _ROOM_M, pose, CAMERA.matrix, CAMERA.width, CAMERA.height)
        noise = rng.normal(0, 1, depth.shape).astype(np.float32)
        depth += noise * (0.001 + 0.0019 * np.maximum(depth - 0.4, 0) ** 2)
        yield Frame(1 + i * _STEP_NS, colors[box], CAMERA, depth, CAMERA, pose)


def _furniture(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (n, 2, 3): tables along the walls with things on them; colours (n + 1, 3), the room's last."""
    boxes = []
    for x, y in (
        (0.1, 0.1),
        (2.0, 0.1),
        (4.2, 0.1),
        (0.1, 3.9),
        (2.2, 3.9),
        (4.5, 3.8),
        (0.1, 2.0),
        (5.2, 2.0),
    ):
        size = np.array([rng.uniform(0.7, 1.3), rng.uniform(0.6, 0.9), rng.uniform(0.45, 0.9)])
        boxes.append((np.array([x, y, 0.0]), np.minimum(np.array([x, y, 0.0]) + size, _ROOM_M[1])))
        for _ in range(5):
            low = np.array([*(np.array([x, y]) + rng.uniform(0.05, 0.8, 2) * size[:2]), size[2]])
            boxes.append((low, low + rng.uniform(0.06, 0.2, 3)))
    return np.array(boxes), rng.integers(30, 226, (len(boxes) + 1, 3)).astype(np.uint8)


def _look(eye: np.ndarray, azimuth: float, down: float) -> np.ndarray:
    """world_from_camera of an optical frame at eye that looks along azimuth, tilted down (rad)."""
    forward = np.array([np.cos(azimuth) * np.cos(down), np.sin(azimuth) * np.cos(down), -np.sin(down)])
    right = np.array([np.sin(azimuth), -np.cos(azimuth), 0.0])
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], 1)
    pose[:3, 3] = eye
    return pose


@njit(cache=True)
def _cast(boxes, room, pose, k, width, height):
    """Depth (H, W) float32 and the number of the box each ray meets first; len(boxes) is the room itself."""
    depth = np.empty((height, width), np.float32)
    hit = np.full((height, width), len(boxes), np.int64)
    ray = np.empty(3)
    for v in range(height):
        for u in range(width):
            a, b = (u - k[0, 2]) / k[0, 0], (v - k[1, 2]) / k[1, 1]
            best = 1e9
            for c in range(3):
                ray[c] = pose[c, 0] * a + pose[c, 1] * b + pose[c, 2]
                if ray[c] != 0:
                    wall = room[1, c] if ray[c] > 0 else room[0, c]
                    best = min(best, (wall - pose[c, 3]) / ray[c])
            for n in range(len(boxes)):
                near, far = 0.0, 1e9
                for c in range(3):
                    r = ray[c] if ray[c] != 0 else 1e-12
                    s, t = (boxes[n, 0, c] - pose[c, 3]) / r, (boxes[n, 1, c] - pose[c, 3]) / r
                    near, far = max(near, min(s, t)), min(far, max(s, t))
                if 0 < near < far and near < best:
                    best = near
                    hit[v, u] = n
            depth[v, u] = best
    return depth, hit
