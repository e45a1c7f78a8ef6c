"""Rooms of boxes, cylinders and balls with exact ids, mapped from noisy depth: input of the expansion benchmark."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numba import njit

from moss_ros.config import InputConfig, MappingConfig
from moss_ros.geometry.camera import Camera
from moss_ros.mapping.voxel_map import VoxelMap
from moss_ros.records import Frame

CAMERA = Camera(fx=585.0, fy=585.0, cx=319.5, cy=239.5, width=640, height=480)
STRUCTURE = 1000  # ids from here on are floor, walls and ceiling
_ROOM_M = np.array([5.0, 5.0, 2.6])
_FAR_M = 4.5
_BOX, _CYLINDER, _BALL = 0, 1, 2


@dataclass(frozen=True, slots=True)
class RoomView:
    """A held-out view with its truth."""

    camera: Camera
    pose: np.ndarray  # (4, 4) world_from_camera
    true_ids: np.ndarray  # (H, W) int32
    depth_m: np.ndarray  # (H, W) float32 as a sensor gives it, 0 = no measurement


@dataclass(frozen=True, slots=True)
class MappedRoom:
    """A voxel map, the thing each voxel belongs to, and the held-out views."""

    voxels: VoxelMap
    labels: np.ndarray  # (N,) int32
    views: tuple[RoomView, ...]


def mapped_room(seed: int, frames: int = 24, views: int = 6) -> MappedRoom:
    """Every second held-out view has twice the focal length."""
    rng = np.random.default_rng(seed)
    shapes = _furnish(rng)
    voxels = VoxelMap(MappingConfig(), InputConfig())
    votes: list[tuple[np.ndarray, np.ndarray]] = []
    seen = []
    for i in range(frames):
        pose = _pose(rng, 2 * np.pi * i / frames)
        depth, ids = cast(shapes, pose, CAMERA)
        noisy = _sensor(depth, rng, holes=False)
        believed = pose.copy()
        believed[:3, 3] += rng.normal(0, 0.003, 3)
        color = np.zeros((*depth.shape, 3), np.uint8)
        voxels.integrate(Frame(i, color, CAMERA, noisy, CAMERA, believed))
        seen.append((noisy, believed, ids))
    for noisy, believed, ids in seen:
        image = voxels.voxel_image(noisy, believed, CAMERA)
        votes.append((image[image >= 0], ids[image >= 0]))
    labels = _majority(np.concatenate([v for v, _ in votes]), np.concatenate([i for _, i in votes]), voxels.count)
    held_out = tuple(_held_out(shapes, rng, 1.0 + i % 2) for i in range(views))
    return MappedRoom(voxels, labels, held_out)


def thinned(room: MappedRoom, keep: np.ndarray) -> MappedRoom:
    """The same room with only the kept voxels (N,) bool solid."""
    voxels = VoxelMap(MappingConfig(), InputConfig())
    voxels.index, voxels.count = room.voxels.index, room.voxels.count
    voxels._arrays = {**room.voxels._arrays, "hits": np.where(_long(keep, room.voxels), room.voxels._arrays["hits"], 0)}
    return replace(room, voxels=voxels)


def keep_probability(kind: str, position_m: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(N,) chance of each voxel to stay: full, random (60 %) or uneven (12 to 100 %, smooth in space)."""
    if kind == "full":
        return np.ones(len(position_m))
    if kind == "random":
        return np.full(len(position_m), 0.6)
    waves = sum(np.sin(position_m @ (rng.normal(size=3) * 2) + rng.uniform(0, 6)) for _ in range(6))
    return np.clip(0.55 + 0.35 * waves / 1.7, 0.12, 1)


def _long(keep: np.ndarray, voxels: VoxelMap) -> np.ndarray:
    out = np.zeros(len(voxels._arrays["hits"]), bool)
    out[: len(keep)] = keep
    return out


def _majority(voxel: np.ndarray, label: np.ndarray, count: int) -> np.ndarray:
    """(N,) the label most often given to each voxel, -1 where none was."""
    pair, times = np.unique(voxel.astype(np.int64) * 4096 + label, return_counts=True)
    order = np.argsort(times, kind="stable")
    out = np.full(count, -1, np.int32)
    out[pair[order] // 4096] = pair[order] % 4096
    return out


def _held_out(shapes: np.ndarray, rng: np.random.Generator, zoom: float) -> RoomView:
    camera = replace(CAMERA, fx=CAMERA.fx * zoom, fy=CAMERA.fy * zoom)
    pose = _pose(rng, rng.uniform(0, 2 * np.pi))
    depth, ids = cast(shapes, pose, camera)
    return RoomView(camera, pose, ids, _sensor(depth, rng, holes=True))


def _pose(rng: np.random.Generator, turn: float) -> np.ndarray:
    """world_from_camera on a ring about the room's middle, looking in and down."""
    turn += rng.uniform(-0.1, 0.1)
    distance = rng.uniform(1.4, 2.3)
    eye = np.array([distance * np.cos(turn), distance * np.sin(turn), rng.uniform(0.9, 1.9)])
    target = np.array([rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(0.1, 0.6)])
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], 1)
    pose[:3, 3] = eye
    return pose


def _sensor(depth_m: np.ndarray, rng: np.random.Generator, holes: bool) -> np.ndarray:
    """Noise that grows with squared depth; holes: 8 % in blobs, and 60 % of the pixels at depth edges."""
    out = depth_m + rng.normal(size=depth_m.shape) * (0.0012 + 0.0019 * (depth_m - 0.4) ** 2)
    out[depth_m > _FAR_M] = 0
    if holes:
        blobs = cv2.GaussianBlur(rng.normal(size=depth_m.shape), (0, 0), 12)
        out[blobs > np.quantile(blobs, 0.92)] = 0
        kernel = np.ones((3, 3), np.uint8)
        edge = cv2.dilate(depth_m, kernel) - cv2.erode(depth_m, kernel) > 0.05 * depth_m
        out[edge & (rng.random(depth_m.shape) < 0.6)] = 0
    return out.astype(np.float32)


def _furnish(rng: np.random.Generator, things: int = 14) -> np.ndarray:
    """(S, 10): kind, id, centre m, half size m, cosine and sine of the yaw."""
    shapes: list[tuple[float, ...]] = []
    thing = 0

    def put(kind: int, spot: np.ndarray, turn: np.ndarray, offset, half) -> None:
        shapes.append((kind, thing, *(spot + turn @ np.array(offset, float)), *half, turn[0, 0], turn[1, 0]))

    for _ in range(things):
        thing += 1
        spot, turn = np.array([*rng.uniform(-1.7, 1.7, 2), 0.0]), _yaw(rng)
        match rng.choice(["box", "ball", "cylinder", "lamp", "panel", "chair", "table"]):
            case "box":
                half = rng.uniform(0.1, 0.4, 3)
                put(_BOX, spot, turn, (0, 0, half[2]), half)
            case "ball":
                radius = rng.uniform(0.08, 0.3)
                put(_BALL, spot, turn, (0, 0, radius), (radius,) * 3)
            case "cylinder":
                radius, height = rng.uniform(0.06, 0.25), rng.uniform(0.1, 0.5)
                put(_CYLINDER, spot, turn, (0, 0, height), (radius, radius, height))
            case "lamp":
                put(_CYLINDER, spot, turn, (0, 0, 0.8), (0.03, 0.03, 0.8))
                put(_CYLINDER, spot, turn, (0, 0, 0.02), (0.18, 0.18, 0.02))
                put(_BALL, spot, turn, (0, 0, 1.6), (0.12,) * 3)
            case "panel":
                put(_BOX, spot, turn, (0, 0, 0.6), (0.35, 0.02, 0.45))
                put(_BOX, spot, turn, (0, 0, 0.08), (0.05, 0.03, 0.08))
            case "chair":
                put(_BOX, spot, turn, (0, 0, 0.45), (0.22, 0.22, 0.025))
                put(_BOX, spot, turn, (0, 0.2, 0.7), (0.22, 0.02, 0.25))
                for x, y in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
                    put(_BOX, spot, turn, (0.19 * x, 0.19 * y, 0.21), (0.022, 0.022, 0.21))
            case "table":
                put(_BOX, spot, turn, (0, 0, 0.72), (0.55, 0.35, 0.02))
                for x, y in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
                    put(_BOX, spot, turn, (0.5 * x, 0.3 * y, 0.35), (0.025, 0.025, 0.35))
                for _ in range(2):
                    thing += 1
                    half = rng.uniform(0.04, 0.12, 3)
                    shift = turn @ np.array([rng.uniform(-0.4, 0.4), rng.uniform(-0.2, 0.2), 0.74 + half[2]])
                    put(_BOX, spot + shift, _yaw(rng), (0, 0, 0), half)
    return np.array(shapes)


def _yaw(rng: np.random.Generator) -> np.ndarray:
    a = rng.uniform(0, 2 * np.pi)
    return np.array([[np.cos(a), -np.sin(a), 0.0], [np.sin(a), np.cos(a), 0.0], [0.0, 0.0, 1.0]])


def cast(shapes: np.ndarray, pose: np.ndarray, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Exact depth (H, W) float64 m and ids (H, W) int32."""
    return _cast(shapes, pose, camera.matrix, camera.width, camera.height, _ROOM_M)


@njit(cache=True)
def _cast(shapes, pose, k, width, height, room):
    depth = np.empty((height, width))
    ids = np.empty((height, width), np.int32)
    d, e, r = np.empty(3), np.empty(3), np.empty(3)
    for v in range(height):
        for u in range(width):
            a, b = (u - k[0, 2]) / k[0, 0], (v - k[1, 2]) / k[1, 1]
            best, hit = 1e9, -1
            for c in range(3):
                d[c] = pose[c, 0] * a + pose[c, 1] * b + pose[c, 2]
                low, high = (-room[c] / 2, room[c] / 2) if c < 2 else (0.0, room[2])
                t = ((high if d[c] > 0 else low) - pose[c, 3]) / (d[c] if d[c] != 0 else 1e-12)
                if 0 < t < best:
                    best, hit = t, 1000 + 2 * c + (1 if d[c] > 0 else 0)
            for s in shapes:
                x, y = pose[0, 3] - s[2], pose[1, 3] - s[3]
                e[0], e[1], e[2] = s[8] * x + s[9] * y, -s[9] * x + s[8] * y, pose[2, 3] - s[4]
                r[0], r[1], r[2] = s[8] * d[0] + s[9] * d[1], -s[9] * d[0] + s[8] * d[1], d[2]
                t = _hit(s, e, r)
                if 1e-3 < t < best:
                    best, hit = t, int(s[1])
            depth[v, u], ids[v, u] = best, hit
    return depth, ids


@njit(cache=True)
def _hit(s, e, r):
    """Where the ray e + t r enters the shape, 1e9 where it misses."""
    near, far = -1e9, 1e9
    round_axes = 0 if s[0] == 0 else (2 if s[0] == 1 else 3)
    for c in range(round_axes, 3):
        step = r[c] if r[c] != 0 else 1e-12
        p, q = (-s[5 + c] - e[c]) / step, (s[5 + c] - e[c]) / step
        near, far = max(near, min(p, q)), min(far, max(p, q))
    if round_axes > 0:
        aa = bb = cc = 0.0
        for c in range(round_axes):
            aa += r[c] * r[c]
            bb += r[c] * e[c]
            cc += e[c] * e[c]
        root = bb * bb - aa * (cc - s[5] * s[5])
        if root <= 0:
            return 1e9
        root = np.sqrt(root)
        near, far = max(near, (-bb - root) / aa), min(far, (-bb + root) / aa)
    return near if near < far else 1e9
