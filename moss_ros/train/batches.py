"""Training batches of sensed views. A batch depends on the seed and its number alone, so training can be resumed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from moss_ros.masks2d.gravity_input import drop_color, gravity_input, mirrored
from moss_ros.sim.training_views.sensor_profiles import DEFAULT_MIX, random_profile, sense
from moss_ros.sim.training_views.view_pool import ViewPool

HELD_OUT = 90_000_000  # rooms from here on are never trained on
WITHOUT_COLOR = 0.5  # share of the training images that are depth alone
CLEAN = 0.4  # share of them that a nearly ideal sensor saw, beside its share among the others


@dataclass(frozen=True, slots=True)
class Batch:
    """B images of H x W."""

    channels: np.ndarray  # (B, 11, H, W) float16
    instance: np.ndarray  # (B, H, W) uint8, 0 = structure
    measured: np.ndarray  # (B, H, W) bool


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """Which rooms a batch may draw from: the pool starts with some and grows with every batch."""

    seed: int
    size: int = 4
    first_rooms: int = 250
    rooms_per_batch: float = 0.06
    sensors: tuple[str, ...] = tuple(DEFAULT_MIX)  # profiles that are drawn
    without_color: float = WITHOUT_COLOR
    clean: float = CLEAN

    def rooms(self, number: int) -> int:
        """How many rooms are in use at a batch."""
        return int(self.first_rooms + number * self.rooms_per_batch)


def make_batch(pool: ViewPool, plan: BatchPlan, number: int) -> Batch:
    """The batch of a number."""
    rng = np.random.default_rng([plan.seed, number])
    return _stack([_training_view(pool, plan, int(rng.integers(plan.rooms(number))), rng) for _ in range(plan.size)])


def held_out_batch(pool: ViewPool, room: int, views: int) -> Batch:
    """Views of one held-out room, always the same; every third has no colour."""
    items = []
    for k in range(views):
        rng = np.random.default_rng([HELD_OUT + room, k])
        item = _sensed(pool, HELD_OUT + room, k, random_profile(rng), rng)
        items.append((drop_color(item[0]), *item[1:]) if k % 3 == 2 else item)
    return _stack(items)


def _training_view(
    pool: ViewPool, plan: BatchPlan, room: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    index = int(rng.integers(1 << 30))
    profile = "nearly_ideal" if rng.random() < plan.clean else random_profile(rng, plan.sensors)
    channels, instance, measured = _sensed(pool, room, index, profile, rng)
    if rng.random() < plan.without_color:
        channels = drop_color(channels)
    if rng.random() < 0.5:
        return mirrored(channels), instance[:, ::-1], measured[:, ::-1]
    return channels, instance, measured


def _sensed(
    pool: ViewPool, room: int, index: int, profile: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    view = pool.view(room, index)
    sensed = sense(view, profile, rng)
    channels = gravity_input(sensed.depth_m, view.camera, sensed.world_from_camera, 0.0, sensed.color_rgb)
    return channels, sensed.instance, sensed.depth_m > 0


def _stack(items: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Batch:
    channels, instance, measured = zip(*items, strict=True)
    return Batch(np.stack(channels).astype(np.float16), np.stack(instance), np.stack(measured))


def quiet_opencv() -> None:
    """One thread for OpenCV: the processes of a training share the cores already."""
    cv2.setNumThreads(1)
