"""One frame: what the cameras record and what the truth keeps of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from moss_ros.geometry.camera import Camera
from moss_ros.sim.render import Renderer, View, pixel_rays, tone_curve
from moss_ros.sim.sensor import noisy_color, noisy_depth_mm

TRUTH_RANGE_M = (0.3, 5.0)
TRUTH_VOXEL_M = 0.01
TRUTH_STRIDE_PX = 2
KEY_OFFSET = 1 << 15


@dataclass(frozen=True, slots=True)
class Shot:
    """Where and how a frame is taken."""

    index: int
    camera: Camera
    world_from_camera: np.ndarray  # (4, 4)
    exposure: float  # of the whole recording
    seed: int


@dataclass(frozen=True, slots=True)
class Seen:
    """Surface samples of one frame, one for each voxel and instance."""

    key: np.ndarray  # (P,) int64 voxel and instance
    xyz_mm: np.ndarray  # (P, 3) int16, map
    rgb: np.ndarray  # (P, 3) uint8


@dataclass(frozen=True, slots=True)
class Recorded:
    """A frame ready to be written."""

    jpeg: bytes
    depth_png: bytes  # 16 bit, mm
    mask_png: bytes  # 8 bit instance ids
    pixels: np.ndarray  # (256,) int64 pixels of each instance id
    seen: Seen


def take(renderer: Renderer, shot: Shot) -> Recorded:
    """Render, disturb and encode one frame."""
    view = renderer.view(shot.camera, shot.world_from_camera)
    rng = np.random.default_rng([shot.seed, 41, shot.index])
    display = tone_curve(view.color_linear, _exposure(view.color_linear, shot.exposure))
    balance = 1 + 0.015 * np.sin(0.05 * shot.index + np.array([0.0, 2.1, 4.2]))
    color = noisy_color(display, rng, balance)
    depth = noisy_depth_mm(view.depth_m, view.facing, view.hidden, shot.camera.fx, rng)
    return Recorded(
        jpeg=_encoded(".jpg", color[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90]),
        depth_png=_encoded(".png", depth, [cv2.IMWRITE_PNG_COMPRESSION, 4]),
        mask_png=_encoded(".png", view.instance, [cv2.IMWRITE_PNG_COMPRESSION, 6]),
        pixels=np.bincount(view.instance.ravel(), minlength=256),
        seen=_surface(view, shot, display),
    )


def _exposure(linear: np.ndarray, usual: float) -> float:
    """Automatic exposure that follows the picture only in part, as a camera's does."""
    mean = float(np.exp(np.log(linear.mean(2) + 0.01).mean()))
    return float(usual * np.clip((0.24 / (usual * mean)) ** 0.6, 0.6, 1.7))


def _encoded(kind: str, image: np.ndarray, flags: list[int]) -> bytes:
    ok, data = cv2.imencode(kind, np.ascontiguousarray(image), flags)
    if not ok:
        raise ValueError(f"could not encode a {kind} image of shape {image.shape}")
    return data.tobytes()


def _surface(view: View, shot: Shot, display: np.ndarray) -> Seen:
    """Every second pixel suffices: other frames see what lies between."""
    stride = (slice(None, None, TRUTH_STRIDE_PX),) * 2
    shape = (*view.depth_m.shape, 3)
    rays = pixel_rays(shot.camera, shot.world_from_camera).reshape(shape)[stride].reshape(-1, 3)
    depth = view.depth_m[stride].reshape(-1)
    ok = (depth > TRUTH_RANGE_M[0]) & (depth <= TRUTH_RANGE_M[1])
    points = shot.world_from_camera[:3, 3] + rays[ok].astype(np.float64) * depth[ok, None]
    grid = np.floor(points / TRUTH_VOXEL_M).astype(np.int64) + KEY_OFFSET
    key = ((grid[:, 0] << 40) | (grid[:, 1] << 24) | (grid[:, 2] << 8)) + view.instance[stride].reshape(-1)[ok]
    key, first = np.unique(key, return_index=True)
    rgb = (np.clip(display[stride].reshape(-1, 3)[ok][first], 0, 1) * 255 + 0.5).astype(np.uint8)
    return Seen(key, np.round(points[first] * 1000).astype(np.int16), rgb)
