"""Endless training views: a seed gives a room, a room gives ideal RGB-D views with exact ids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from moss_ros.geometry.camera import Camera
from moss_ros.sim.rays import Hits, RayScene
from moss_ros.sim.render import pixel_rays
from moss_ros.sim.training_views.view_looks import patterns, surface_color
from moss_ros.sim.training_views.view_rooms import TrainingRoom, build_room
from moss_ros.sim.training_views.view_shapes import Rng

HEIGHT, WIDTH = 240, 320
NEAR_M = 0.35
FEW_THINGS = 0.2  # views with a smaller share of things are mostly passed over


@dataclass(frozen=True, slots=True)
class TrainingView:
    """What an ideal sensor sees. H, W = 240, 320."""

    depth_mm: np.ndarray  # (H, W) uint16, 0 = nothing
    color_rgb: np.ndarray  # (H, W, 3) uint8
    instance: np.ndarray  # (H, W) uint8, 0 = structure or nothing
    facing: np.ndarray  # (H, W) uint8, 255 x cosine between ray and surface normal
    gloss: np.ndarray  # (H, W) uint8, 255 x how much the surface mirrors
    support: np.ndarray  # (I,) int32 what carries each instance, 0 = structure
    camera: Camera
    world_from_camera: np.ndarray  # (4, 4) float64; z up, floor at z = 0


class RoomViews:
    """One room ready for pictures."""

    def __init__(self, seed: int) -> None:
        self.room: TrainingRoom = build_room(seed)
        self._rng = np.random.default_rng([seed, 103])
        self._rays = RayScene(self.room.corners_m)
        corners = self.room.corners_m
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        self._normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        looks = self.room.looks
        self._first = np.array([k.first_rgb for k in looks], np.float32)
        self._second = np.array([k.second_rgb for k in looks], np.float32)
        self._pattern = np.array([k.pattern for k in looks], np.int32)
        self._repeats = np.array([k.repeats for k in looks], np.float32)
        self._gloss = np.array([k.gloss for k in looks], np.float32)
        self._targets = self._things()

    def views(self, count: int) -> Iterator[TrainingView]:
        """Up to so many views; a room too full to stand in gives fewer."""
        for _ in range(count):
            for _ in range(12):
                view = self._view(random_camera(self._rng), self._pose())
                if view is not None:
                    yield view
                    break

    def _things(self) -> np.ndarray:
        """(I - 1, 3) middles of the things."""
        instance, middle = self.room.instance, self.room.corners_m.mean(1)
        count = np.maximum(np.bincount(instance), 1)
        mean = np.stack([np.bincount(instance, middle[:, c]) for c in range(3)], 1) / count[:, None]
        return mean[1:]

    def _pose(self) -> np.ndarray:
        """(4, 4) a camera in the room that looks at something, with pitch and roll."""
        rng, (x, y, _) = self._rng, self.room.size_m
        if len(self._targets) and rng.random() < 0.9:
            target = self._targets[int(rng.integers(len(self._targets)))] + rng.normal(0, 0.25, 3)
        else:
            target = np.array([rng.uniform(0, x), rng.uniform(0, y), rng.uniform(0, 1.6)])
        eye = _eye(rng, target, x, y)
        away = target - eye
        level = np.hypot(away[0], away[1])
        away[2] = np.clip(away[2], -1.7 * level, 0.6 * level)
        return _upright_pose(eye, away / np.linalg.norm(away), rng.normal(0, 0.07))

    def _view(self, camera: Camera, pose: np.ndarray) -> TrainingView | None:
        directions = pixel_rays(camera, pose)
        origin = pose[:3, 3].astype(np.float32)
        hits = self._rays.cast(np.broadcast_to(origin, directions.shape), directions)
        found = hits.triangle >= 0
        depth = np.where(found, hits.distance, 0)
        if np.mean(depth < NEAR_M) > 0.08 or not found.any():
            return None
        instance = np.where(found, self.room.instance[hits.triangle], 0).astype(np.uint8)
        if np.mean(instance > 0) < FEW_THINGS and self._rng.random() < 0.85:
            return None
        shape = (camera.height, camera.width)
        normal = self._normals[hits.triangle]
        cosine = -(normal * directions).sum(1) / np.linalg.norm(directions, axis=1)
        normal = normal * np.sign(cosine)[:, None]
        color = self._color(hits, origin + directions * depth[:, None], normal)
        triangle = hits.triangle
        return TrainingView(
            np.minimum(np.rint(depth * 1000), 65535).astype(np.uint16).reshape(shape),
            color.reshape(*shape, 3),
            instance.reshape(shape),
            (np.abs(cosine) * 255).astype(np.uint8).reshape(shape),
            np.where(found, self._gloss[self.room.look[triangle]] * 255, 0).astype(np.uint8).reshape(shape),
            self.room.support,
            camera,
            pose,
        )

    def _color(self, hits: Hits, points: np.ndarray, normal: np.ndarray) -> np.ndarray:
        """(N, 3) uint8: albedo under ambient light and one lamp that casts shadows."""
        room, rng = self.room, self._rng
        albedo = surface_color(
            hits.triangle, hits.u, hits.v, room.uv, room.look,
            self._first, self._second, self._pattern, self._repeats, patterns(),
        )  # fmt: skip
        lamp = np.array(
            [rng.uniform(0, room.size_m[0]), rng.uniform(0, room.size_m[1]), room.size_m[2] - 0.1], np.float32
        )
        to_lamp = lamp - points
        far = np.linalg.norm(to_lamp, axis=1)
        lambert = np.maximum((to_lamp * normal).sum(1) / np.maximum(far, 1e-6), 0)
        lit = ~self._rays.blocked(points + normal * 0.004, to_lamp * 0.98) if rng.random() < 0.7 else 1.0
        ambient, strength = rng.uniform(0.25, 0.7), rng.uniform(0.3, 0.9)
        sky = 0.8 + 0.2 * normal[:, 2]
        light = ambient * sky + strength * lambert * lit / (0.5 + 0.2 * far)
        return (np.clip(albedo * light[:, None].astype(np.float32), 0, 1) ** np.float32(1 / 1.6) * 255).astype(np.uint8)


def random_camera(rng: Rng) -> Camera:
    """240 x 320 pixels, 45 to 90 degrees wide, principal point near the middle."""
    focal = (WIDTH / 2) / np.tan(np.radians(rng.uniform(45, 90) if rng.random() < 0.4 else rng.uniform(55, 70)) / 2)
    cx, cy = (WIDTH - 1) / 2 + rng.normal(0, 3), (HEIGHT - 1) / 2 + rng.normal(0, 3)
    return Camera(focal, focal * rng.uniform(0.98, 1.02), float(cx), float(cy), WIDTH, HEIGHT)


def _eye(rng: Rng, target: np.ndarray, x: float, y: float) -> np.ndarray:
    """A place in the room from which a target is seen well: mostly one to three metres off and above it."""
    for _ in range(20):
        far, angle = rng.uniform(0.7, 3.6), rng.uniform(0, 2 * np.pi)
        eye = target + far * np.array([np.cos(angle), np.sin(angle), 0.0])
        eye[2] = np.clip(rng.uniform(0.4, 2.0), target[2] - 0.6, None) if rng.random() < 0.85 else rng.uniform(0.4, 2.0)
        if 0.15 < eye[0] < x - 0.15 and 0.15 < eye[1] < y - 0.15:
            return eye
    return np.array([rng.uniform(0.2, x - 0.2), rng.uniform(0.2, y - 0.2), rng.uniform(0.4, 2.0)])


def _upright_pose(eye: np.ndarray, forward: np.ndarray, roll_rad: float) -> np.ndarray:
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= max(float(np.linalg.norm(right)), 1e-9)
    down = np.cross(forward, right)
    c, s = np.cos(roll_rad), np.sin(roll_rad)
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1] = c * right + s * down, c * down - s * right
    pose[:3, 2], pose[:3, 3] = forward, eye
    return pose
