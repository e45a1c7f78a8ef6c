"""What depth and colour cameras of several kinds make of an ideal view, for training.

Each profile draws its own strengths from the generator, so one name stands for a family of devices. The truth
is resampled together with the depth: a pixel whose depth came from its neighbour carries the neighbour's id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numba import njit

from moss_ros.sim.training_views.view_looks import patterns
from moss_ros.sim.training_views.views import TrainingView

Rng = np.random.Generator
DEFAULT_MIX = {"structured_light": 0.5, "time_of_flight": 0.22, "active_stereo": 0.18, "nearly_ideal": 0.1}
BLURS_PX = (0.3, 0.6, 0.9, 1.3, 1.8, 2.5, 3.5, 5.0, 7.0, 12.0, 20.0, 35.0, 60.0)
BANK_SIZE = 800


@dataclass(frozen=True, slots=True)
class SensedView:
    """A view as a device would deliver it, with its truth."""

    depth_m: np.ndarray  # (H, W) float32, 0 = no measurement
    color_rgb: np.ndarray  # (H, W, 3) uint8
    instance: np.ndarray  # (H, W) uint8, 0 = structure or nothing
    world_from_camera: np.ndarray  # (4, 4) with the errors of a real pose


def sense(view: TrainingView, profile: str, rng: Rng) -> SensedView:
    """Run a view through a profile by name. Raises ValueError for an unknown name."""
    if profile not in PROFILES:
        raise ValueError(f"no sensor profile is called {profile!r}; there are {', '.join(PROFILES)}")
    depth, instance = PROFILES[profile](view, rng)
    color = disturbed_color(view.color_rgb, rng)
    return SensedView(depth, color, instance, disturbed_pose(view.world_from_camera, rng))


def random_profile(rng: Rng, among: Sequence[str] = tuple(DEFAULT_MIX)) -> str:
    """One of the names, by the usual mix."""
    share = np.array([DEFAULT_MIX[name] for name in among])
    return among[int(rng.choice(len(among), p=share / share.sum()))]


# --- profiles


def _structured_light(view: TrainingView, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
    """Projected pattern: shadows beside things, disparity steps, ragged edges, shiny and grazing surfaces lost."""
    z, instance = _resampled(view, rng, rng.uniform(0.2, 1.0))
    focal, baseline = view.camera.fx, rng.uniform(0.05, 0.09)
    side = -1 if rng.random() < 0.8 else 1  # most projectors sit to the right, their shadows fall to the left
    hidden = projector_shadow(z, focal * baseline, side)
    z = z + _wave(rng, z.shape, rng.uniform(0.8, 2.2)) * _axial_sd(
        z, rng.uniform(0.0004, 0.0013), rng.uniform(0.0006, 0.002)
    )
    z = disparity_steps(z, 2 * focal * baseline, rng.choice([8.0, 8.0, 16.0]))
    if rng.random() < 0.75:
        z = _smoothed_inside(z, int(rng.choice([3, 5])), 0.03)
    lost = hidden | _weak_return(
        view, rng, gloss=rng.uniform(0.3, 1.6), grazing=rng.uniform(0.3, 1.3), dark=rng.uniform(0, 0.8)
    )
    lost |= _edges(z, 0.03) & (_wave(rng, z.shape, 0.8) > rng.uniform(-0.5, 1.5))
    z[lost | _out_of_range(z, rng, (0.35, 0.85), (3.0, 6.0))] = 0
    _cut_border(z, rng, 0.08)
    return z, instance


def _time_of_flight(view: TrainingView, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
    """Modulated light: flying pixels, rounded corners, ranges that wrap, dark and shiny surfaces lost, cracks."""
    z, instance = _resampled(view, rng, rng.uniform(0.0, 0.4))
    z = flying_pixels(z, rng.uniform(0.4, 1.1), rng)
    z = z + _wave(rng, z.shape, rng.uniform(0.4, 1.2)) * _axial_sd(
        z, rng.uniform(0.0005, 0.004), rng.uniform(0.0003, 0.0015)
    )
    z = z + _wave(rng, z.shape, rng.uniform(12, 40)) * rng.uniform(0, 0.008)
    lost = _weak_return(
        view, rng, gloss=rng.uniform(0.2, 1.2), grazing=rng.uniform(0.1, 0.7), dark=rng.uniform(0.3, 1.6)
    )
    if rng.random() < 0.3:
        z = wrapped_range(z, rng.uniform(4.5, 8.0))
    z[lost | _out_of_range(z, rng, (0.3, 0.5), (3.5, 8.0))] = 0
    if rng.random() < 0.6:
        _crack_lines(z, rng)
    if rng.random() < 0.5:
        _cut_border(z, rng, 0.06)
    return z, instance


def _active_stereo(view: TrainingView, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
    """Block matching: fattened edges, blotches, holes, a blind band at one side."""
    z, instance = _fattened(view, int(rng.integers(1, 4)))
    grow = rng.uniform(0.0015, 0.005)
    z = z + _wave(rng, z.shape, rng.uniform(2, 6)) * _axial_sd(z, 0.001, grow)
    z = z + _wave(rng, z.shape, rng.uniform(0.6, 1.2)) * _axial_sd(z, 0.0005, grow * 0.5)
    if rng.random() < 0.7:
        z = _smoothed_inside(z, int(rng.choice([3, 5])), 0.08)
    lost = _weak_return(view, rng, gloss=rng.uniform(0.2, 0.8), grazing=rng.uniform(0.2, 1.0), dark=rng.uniform(0, 0.6))
    lost |= _wave(rng, z.shape, rng.uniform(2, 7)) > rng.uniform(1.6, 3.5)
    lost |= projector_shadow(z, view.camera.fx * 0.055, 1) & (rng.random() < 0.8)
    z[lost | _out_of_range(z, rng, (0.25, 0.5), (3.0, 7.0))] = 0
    z[:, : int(rng.uniform(0, 0.08) * z.shape[1])] = 0
    return z, instance


def _nearly_ideal(view: TrainingView, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
    """Rendered or very good depth."""
    z = view.depth_mm.astype(np.float32) / 1000
    noisy = z + _wave(rng, z.shape, 0.7) * _axial_sd(z, rng.uniform(0, 0.0015), rng.uniform(0, 0.0012))
    return np.where((z > 0) & (z < rng.uniform(4, 9)), noisy, 0).astype(np.float32), view.instance


PROFILES: dict[str, Callable[[TrainingView, Rng], tuple[np.ndarray, np.ndarray]]] = {
    "structured_light": _structured_light,
    "time_of_flight": _time_of_flight,
    "active_stereo": _active_stereo,
    "nearly_ideal": _nearly_ideal,
}


# --- effects on depth


@njit(cache=True, nogil=True)
def projector_shadow(depth_m, focal_baseline, side):
    """(H, W) bool: pixels that a projector beside the camera cannot reach.

    focal_baseline in px * m; side -1: shadows fall to the left of things, 1: to the right. A point is hidden when,
    seen from the projector, a nearer one covers its place: in one row the shifted places run backwards there.
    """
    height, width = depth_m.shape
    out = np.zeros((height, width), np.bool_)
    for v in range(height):
        reach = 1e9
        for i in range(width):
            u = width - 1 - i if side < 0 else i
            z = depth_m[v, u]
            if z <= 0:
                continue
            # place of the point in the projector's row, growing along the way we walk
            place = side * u + focal_baseline / z
            if i == 0 or reach == 1e9:
                reach = place
            elif place < reach - 0.5:
                out[v, u] = True
            else:
                reach = place
    return out


def disparity_steps(depth_m: np.ndarray, focal_baseline: float, steps_per_px: float) -> np.ndarray:
    """Depth whose disparity is a whole number of steps; focal_baseline in px * m."""
    disparity = np.rint(focal_baseline / np.maximum(depth_m, 0.05) * steps_per_px) / steps_per_px
    return np.where(depth_m > 0, focal_baseline / np.maximum(disparity, 1e-3), 0).astype(np.float32)


def wrapped_range(depth_m: np.ndarray, ambiguity_m: float) -> np.ndarray:
    """Ranges beyond the ambiguity come back as near ones."""
    return np.where(depth_m > ambiguity_m, depth_m - np.float32(ambiguity_m), depth_m).astype(np.float32)


def flying_pixels(depth_m: np.ndarray, blur_px: float, rng: Rng) -> np.ndarray:
    """Pixels on a depth edge hold a mean of both surfaces."""
    mean = cv2.GaussianBlur(depth_m, (0, 0), blur_px)
    keep = (depth_m > 0) & ((np.abs(mean - depth_m) < 0.02) | (rng.random(depth_m.shape) < 0.8))
    return np.where(keep & (np.abs(mean - depth_m) < 0.5), mean, depth_m).astype(np.float32)


def _resampled(view: TrainingView, rng: Rng, jitter_px: float) -> tuple[np.ndarray, np.ndarray]:
    """Depth and ids at places a little aside: ragged edges."""
    depth = view.depth_mm.astype(np.float32) / 1000
    height, width = depth.shape
    v, u = np.mgrid[0:height, 0:width].astype(np.float32)
    blur = rng.uniform(0.5, 2.0)
    u += _wave(rng, depth.shape, blur) * np.float32(jitter_px)
    v += _wave(rng, depth.shape, blur) * np.float32(jitter_px)
    return _at(depth, u, v), _at(view.instance, u, v)


def _at(image: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Nearest pixels at places; the border is repeated."""
    return np.asarray(cv2.remap(image, u, v, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE))


def _fattened(view: TrainingView, reach_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Near surfaces grow over their edges, ids with them."""
    depth = view.depth_mm.astype(np.float32) / 1000
    depth, instance = np.where(depth > 0, depth, 100).astype(np.float32), view.instance
    height, width = depth.shape
    v, u = np.mgrid[0:height, 0:width].astype(np.float32)
    for step in range(1, reach_px + 1):
        for offset in (-step, step):
            near, other = _at(depth, u + offset, v), _at(instance, u + offset, v)
            take = near < depth - 0.05 - 0.02 * depth
            depth, instance = np.where(take, near, depth), np.where(take, other, instance)
    return np.where(depth < 99, depth, 0).astype(np.float32), instance


def _axial_sd(depth_m: np.ndarray, base_m: float, quadratic: float) -> np.ndarray:
    return np.float32(base_m) + np.float32(quadratic) * depth_m * depth_m


def _smoothed_inside(depth_m: np.ndarray, size: int, tolerance: float) -> np.ndarray:
    """Mean over a window where the window holds one surface."""
    mean = cv2.blur(depth_m, (size, size))
    return np.where(np.abs(mean - depth_m) < tolerance * depth_m, mean, depth_m).astype(np.float32)


def _edges(depth_m: np.ndarray, share: float) -> np.ndarray:
    kernel = np.ones((3, 3), np.uint8)
    return cv2.dilate(depth_m, kernel) - cv2.erode(depth_m, kernel) > 0.02 + share * depth_m


def _weak_return(view: TrainingView, rng: Rng, gloss: float, grazing: float, dark: float) -> np.ndarray:
    """(H, W) bool: too little light comes back, in blotches."""
    facing = view.facing.astype(np.float32) / 255
    weak = gloss * view.gloss.astype(np.float32) / 255
    weak += grazing * np.clip(1 - facing * np.float32(rng.uniform(1.5, 5)), 0, 1)
    weak += dark * np.clip(0.2 - view.color_rgb.max(2).astype(np.float32) / 255, 0, 0.2) * 4
    weak += np.float32(rng.uniform(0, 0.05)) * view.depth_mm.astype(np.float32) / 1000
    blotch = _wave(rng, weak.shape, rng.uniform(1.5, 6.0)) * np.float32(rng.uniform(0.05, 0.3))
    return weak + blotch > 0.75


def _out_of_range(depth_m: np.ndarray, rng: Rng, near: tuple[float, float], far: tuple[float, float]) -> np.ndarray:
    return (depth_m < rng.uniform(*near)) | (depth_m > rng.uniform(*far))


def _cut_border(depth_m: np.ndarray, rng: Rng, most: float) -> None:
    """The depth camera sees less than the colour camera it is registered to."""
    height, width = depth_m.shape
    top, left, low, right = (rng.uniform(0, most, 4) * (height, width, height, width)).astype(int)
    depth_m[:top], depth_m[:, :left] = 0, 0
    depth_m[height - low :], depth_m[:, width - right :] = 0, 0


def _crack_lines(depth_m: np.ndarray, rng: Rng) -> None:
    """Lines without depth where registration stretched the image."""
    height, width = depth_m.shape
    for _ in range(int(rng.integers(3, 25))):
        if rng.random() < 0.5:
            a = int(rng.integers(height))
            cv2.line(depth_m, (0, a), (width - 1, a + int(rng.integers(-20, 21))), 0, 1)
        else:
            a = int(rng.integers(width))
            cv2.line(depth_m, (a, 0), (a + int(rng.integers(-20, 21)), height - 1), 0, 1)


def _wave(rng: Rng, shape: tuple[int, ...], blur_px: float) -> np.ndarray:
    """(H, W) float32 smooth noise of about unit deviation: a random cut of a bank, far cheaper than new noise."""
    bank, step = _noise_bank(int(np.abs(np.log(np.array(BLURS_PX) / max(blur_px, 0.1))).argmin()))
    rows, columns = -(-shape[0] // step), -(-shape[1] // step)
    y, x = rng.integers(bank.shape[0] - rows), rng.integers(bank.shape[1] - columns)
    cut = bank[y : y + rows, x : x + columns]
    cut = cut[:: -1 if rng.random() < 0.5 else 1, :: -1 if rng.random() < 0.5 else 1]
    if step > 1:
        cut = cv2.resize(cut, (columns * step, rows * step), interpolation=cv2.INTER_LINEAR)[: shape[0], : shape[1]]
    return cut


@cache
def _noise_bank(level: int) -> tuple[np.ndarray, int]:
    """Noise of one blur, and the factor that it is to be stretched by."""
    blur = BLURS_PX[level]
    step = max(1, int(blur / 2.5))
    noise = np.random.default_rng(level).standard_normal((BANK_SIZE, BANK_SIZE), np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), blur / step), np.float32)
    return noise / noise.std(), step


# --- colour and pose


def disturbed_color(color_rgb: np.ndarray, rng: Rng) -> np.ndarray:
    """(H, W, 3) uint8: shifted against depth, blurred, exposed, tinted, noisy, often with texture that is not ours.

    Real surfaces hold more edges than ours: what only colour says must not be believed too easily.
    """
    height, width = color_rgb.shape[:2]
    shift = rng.normal(0, 0.9 if rng.random() < 0.7 else 2.5, 2).clip(-7, 7)  # now and then badly calibrated
    scale = 1 + rng.normal(0, 0.004)
    warp = np.array([[scale, 0, shift[0] + (1 - scale) * width / 2], [0, scale, shift[1] + (1 - scale) * height / 2]])
    picture = cv2.warpAffine(color_rgb, warp, (width, height), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    for _ in range(int(rng.integers(0, 4))):
        picture *= 1 + np.float32(rng.uniform(0.1, 0.6)) * (_foreign_texture(rng, height, width)[..., None] - 0.5)
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.3)), np.float32)
    picture *= (rng.uniform(0.6, 1.5) * rng.uniform(0.88, 1.12, 3)).astype(np.float32)
    picture *= 1 + np.float32(rng.uniform(0, 0.2)) * _wave(rng, (height, width), rng.uniform(10, 60))[..., None]
    grain = cv2.merge([_wave(rng, (height, width), 0.3) for _ in range(3)])
    picture += grain * np.float32(rng.uniform(1, 10)) + np.float32(rng.uniform(-5, 15))
    return np.clip(picture, 0, 255).astype(np.uint8)


def _foreign_texture(rng: Rng, height: int, width: int) -> np.ndarray:
    """(H, W) float32 in [0, 1]: a pattern seen aslant, in a part of the image."""
    bank = patterns()
    tile = np.tile(bank[int(rng.integers(1, len(bank)))], (4, 4))
    side = tile.shape[0]
    corners = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)
    middle, reach = rng.uniform(0, (width, height), 2), rng.uniform(0.2, 1.2) * width
    angle = rng.uniform(0, 2 * np.pi) + np.arange(4) * np.pi / 2 + rng.normal(0, 0.25, 4)
    target = middle + reach * np.stack([np.cos(angle), np.sin(angle)], 1) * rng.uniform(0.5, 1.2, (4, 1))
    warp = cv2.getPerspectiveTransform(corners, target.astype(np.float32))
    return np.asarray(cv2.warpPerspective(tile, warp, (width, height), borderValue=0.5), np.float32)


def disturbed_pose(world_from_camera: np.ndarray, rng: Rng) -> np.ndarray:
    """(4, 4) with a gravity error below two degrees and a height error of centimetres, now and then more."""
    out = world_from_camera.copy()
    out[:3, :3] = _small_rotation(rng.normal(0, np.radians(0.6), 3)) @ out[:3, :3]
    out[2, 3] += rng.normal(0, 0.25 if rng.random() < 0.07 else 0.025)
    return out


def _small_rotation(vector_rad: np.ndarray) -> np.ndarray:
    matrix, _ = cv2.Rodrigues(np.asarray(vector_rad, np.float64))
    return np.asarray(matrix)
