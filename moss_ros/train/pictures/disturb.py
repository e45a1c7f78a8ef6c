"""What cameras and mask networks get wrong: light, colour, sharpness, noise, compression; edges and parts of masks."""

from __future__ import annotations

import cv2
import numpy as np

from moss_ros.train.pictures.windows import Picture

_DISKS = [cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * r + 1, 2 * r + 1)) for r in range(5)]


def disturbed_image(color_rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(S, S, 3) uint8 -> the same shape, as a poor camera under other light would show it."""
    image = _poor_resolution(color_rgb, rng)
    x: np.ndarray = image.astype(np.float32) / 255
    x = x ** float(np.exp(rng.normal(0, 0.1)))
    gain = rng.uniform(0.7, 1.2) * np.clip(rng.normal(1, 0.04, 3), 0.9, 1.1)
    x = (x - 0.5) * float(np.exp(rng.normal(0, 0.1))) + 0.5
    x = x * gain.astype(np.float32) + np.float32(rng.uniform(-0.06, 0.06))
    if rng.random() < 0.2:
        x = x * _shade(len(x), rng)
    if rng.random() < 0.2:  # paler or stronger colours
        grey = x.mean(2, keepdims=True)
        x = grey + (x - grey) * np.float32(rng.uniform(0.6, 1.35))
    if rng.random() < 0.2:
        x = cv2.GaussianBlur(x, (0, 0), float(rng.uniform(0.4, 1.6)))
    if rng.random() < 0.35:
        x = x + rng.standard_normal(x.shape, np.float32) * np.float32(rng.uniform(0.003, 0.025))
    out = np.clip(x * 255 + 0.5, 0, 255).astype(np.uint8)
    return _compressed(out, rng) if rng.random() < 0.2 else out


def _poor_resolution(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Small things are enlarged crops: halve or quarter the detail of some windows."""
    if rng.random() < 0.7:
        return image
    size = len(image)
    small = int(size * rng.uniform(0.3, 0.9))
    image = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_CUBIC if rng.random() < 0.7 else cv2.INTER_LINEAR)


def _shade(size: int, rng: np.random.Generator) -> np.ndarray:
    """(S, S, 1) light that falls off to one side."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j].astype(np.float32)
    a, b = rng.uniform(-0.3, 0.3, 2)
    return (1 + np.float32(a) * x + np.float32(b) * y)[..., None]


def _compressed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    ok, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 92))])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)) if ok else image


def disturbed_mask(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(S, S) bool -> bool: grown, shrunk, shifted, with a part missing or leaking; never empty."""
    if rng.random() < 0.5:
        return mask
    out: np.ndarray = mask.astype(np.uint8)
    width = float(np.sqrt(out.sum()))
    r = min(int(rng.integers(0, 5)), int(width / 8))
    if r:
        out = (cv2.dilate if rng.random() < 0.6 else cv2.erode)(out, _DISKS[r])
    if rng.random() < 0.3:
        shift = np.rint(rng.normal(0, 0.05 * width, 2)).astype(int)
        out = np.roll(out, shift, (0, 1))
    if rng.random() < 0.25:
        out = out * ~_half_plane(out, float(rng.uniform(0.05, 0.45)), rng)
    if rng.random() < 0.2:
        out = _leak(out, width, rng)
    return (out > 0) if out.sum() >= 12 else mask


def _half_plane(mask: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Bool pixels beyond a line that cuts a share of the mask off."""
    y, x = np.nonzero(mask)
    angle = rng.uniform(0, 2 * np.pi)
    along = x * np.cos(angle) + y * np.sin(angle)
    limit = np.quantile(along, 1 - share) if len(along) else 0
    yy, xx = np.indices(mask.shape)
    return (xx * np.cos(angle) + yy * np.sin(angle) > limit).astype(bool)


def _leak(mask: np.ndarray, width: float, rng: np.random.Generator) -> np.ndarray:
    y, x = np.nonzero(mask)
    if not len(x):
        return mask
    k = int(rng.integers(len(x)))
    axes = (max(int(width * rng.uniform(0.1, 0.35)), 1), max(int(width * rng.uniform(0.1, 0.35)), 1))
    return cv2.ellipse(mask.copy(), (int(x[k]), int(y[k])), axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)


def mirrored(picture: Picture) -> Picture:
    """Left and right swapped."""
    flip = (slice(None), slice(None, None, -1))
    return Picture(
        np.ascontiguousarray(picture.color_rgb[flip]),
        np.ascontiguousarray(picture.ids[flip]),
        picture.shown,
        np.ascontiguousarray(picture.outside[flip]),
    )
