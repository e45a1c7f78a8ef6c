"""What a cheap depth camera and its colour camera make of an ideal picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

RANGE_M = (0.45, 5.0)


@dataclass(frozen=True, slots=True)
class DepthNoise:
    """Parameters of a structured-light camera (sizes near those measured on the first Kinect)."""

    base_m: float = 0.001  # standard deviation near the camera
    quadratic: float = 0.0019  # m per m^2 beyond 0.4 m
    jitter_px: float = 0.45  # lateral
    baseline_m: float = 0.075
    steps_per_px: float = 8.0  # disparity steps
    edge_loss: float = 0.45  # share of pixels lost at depth edges
    correlation_px: float = 1.1


USUAL_NOISE = DepthNoise()


def depth_sd_m(depth_m: np.ndarray, noise: DepthNoise) -> np.ndarray:
    """Axial standard deviation of a surface that faces the camera."""
    return noise.base_m + noise.quadratic * np.maximum(depth_m - 0.4, 0) ** 2


def noisy_depth_mm(
    depth_m: np.ndarray,
    facing: np.ndarray,
    hidden: np.ndarray,
    focal_px: float,
    rng: np.random.Generator,
    noise: DepthNoise = USUAL_NOISE,
) -> np.ndarray:
    """(H, W) uint16 millimetres, 0 = no measurement.

    facing: cosine between ray and surface normal; hidden: the projector does not reach the pixel.
    """
    height, width = depth_m.shape
    v, u = np.mgrid[0:height, 0:width]
    u = np.clip(np.round(u + rng.normal(0, noise.jitter_px, depth_m.shape)), 0, width - 1).astype(int)
    v = np.clip(np.round(v + rng.normal(0, noise.jitter_px, depth_m.shape)), 0, height - 1).astype(int)
    z = depth_m[v, u].astype(np.float64)
    wave = cv2.GaussianBlur(rng.normal(0, 1, depth_m.shape), (0, 0), noise.correlation_px)
    wave = np.asarray(wave / max(float(wave.std()), 1e-9), np.float64)
    slant = np.clip(1 / np.maximum(facing, 0.15), 1, 5)
    z = z + wave * depth_sd_m(z, noise) * (0.7 + 0.3 * slant)
    scale = focal_px * noise.baseline_m
    disparity = np.round(scale / np.maximum(z, 0.05) * noise.steps_per_px) / noise.steps_per_px
    z = scale / np.maximum(disparity, 1e-3)
    lost = (depth_m <= 0) | hidden | (z < RANGE_M[0]) | (z > RANGE_M[1])
    lost |= _lost_at_edges(depth_m, rng, noise) | (rng.random(depth_m.shape) < np.clip((0.25 - facing) * 4, 0, 0.95))
    lost |= _far_blobs(depth_m, rng)
    return np.where(lost, 0, np.round(z * 1000)).astype(np.uint16)


def _lost_at_edges(depth_m: np.ndarray, rng: np.random.Generator, noise: DepthNoise) -> np.ndarray:
    kernel = np.ones((3, 3), np.uint8)
    jump = cv2.dilate(depth_m, kernel) - cv2.erode(depth_m, kernel) > 0.05 + 0.02 * depth_m
    return jump & (rng.random(depth_m.shape) < noise.edge_loss)


def _far_blobs(depth_m: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Patches without measurement where little light comes back."""
    height, width = depth_m.shape
    blob = cv2.GaussianBlur(rng.normal(0, 1, (max(2, height // 8), max(2, width // 8))), (0, 0), 1.5)
    blob = cv2.resize(np.asarray(blob / max(float(blob.std()), 1e-9), np.float64), (width, height))
    return (blob > 2.6) & (depth_m > 2.5)


def noisy_color(display: np.ndarray, rng: np.random.Generator, white_balance: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 RGB of display values in [0, 1]: vignette, slight blur, shot noise."""
    height, width = display.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    picture = display * (1 - 0.13 * (x * x + y * y))[..., None] * white_balance.astype(np.float32)
    picture = cv2.GaussianBlur(picture, (0, 0), 0.45)
    grain = rng.standard_normal(picture.shape, np.float32) * (0.005 + 0.010 * np.sqrt(np.clip(picture, 0, 1)))
    return np.clip((picture + grain) * 255 + 0.5, 0, 255).astype(np.uint8)
