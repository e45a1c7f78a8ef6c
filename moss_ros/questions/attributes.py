"""Colour and size words judged by what was measured: the colours of an instance's voxels, its box.

Colours are judged in CIELAB with soft borders, for lamps and white balance shift them: a voxel may be half orange
and half brown, and beige counts as nearly white. Shares of the names therefore do not add up to one.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

# name -> hue range (degrees in a*b*, may pass 360), chroma range, lightness range; each border is soft.
_HUE_SOFT, _CHROMA_SOFT, _LIGHT_SOFT = 12.0, 8.0, 12.0
_ANY_HUE = (0.0, 360.0)
COLORS: dict[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "black": (_ANY_HUE, (0, 14), (0, 28)),
    "gray": (_ANY_HUE, (0, 12), (30, 72)),
    "white": (_ANY_HUE, (0, 14), (70, 101)),
    "red": ((5, 42), (32, 200), (15, 65)),
    "orange": ((45, 72), (38, 200), (48, 85)),
    "brown": ((30, 82), (14, 55), (15, 52)),
    "beige": ((55, 105), (8, 30), (58, 95)),
    "yellow": ((78, 108), (34, 200), (55, 101)),
    "green": ((112, 178), (18, 200), (15, 95)),
    "turquoise": ((172, 232), (16, 200), (30, 95)),
    "blue": ((232, 308), (16, 200), (8, 85)),
    "purple": ((300, 342), (16, 200), (10, 70)),
    "pink": ((330, 382), (14, 75), (55, 92)),
}
COLOR_NAMES = tuple(COLORS)
_VOXELS = 400  # of an instance that are looked at: evenly spread rows
_FLOOR, _USUAL = 0.03, 0.25  # a colour with a quarter of the voxels speaks neither for nor against
_LEAST, _MOST = -2.2, 0.7  # nats


def color_shares(colors_rgb: Sequence[np.ndarray]) -> np.ndarray:
    """(K, len(COLOR_NAMES)) float32: share of the voxel colours (N, 3) uint8 of each of K instances that each name
    fits; zeros without voxels."""
    out = np.zeros((len(colors_rgb), len(COLORS)), np.float32)
    with_voxels = [k for k, colors in enumerate(colors_rgb) if len(colors)]
    samples = [_sampled(colors_rgb[k]) for k in with_voxels]
    if samples:
        counts = np.array([len(s) for s in samples])
        sums = np.add.reduceat(memberships(np.concatenate(samples)), np.cumsum(counts) - counts, axis=0)
        out[with_voxels] = sums / counts[:, None]
    return out


def _sampled(colors_rgb: np.ndarray) -> np.ndarray:
    return colors_rgb[np.linspace(0, len(colors_rgb) - 1, min(len(colors_rgb), _VOXELS)).astype(int)]


def memberships(colors_rgb: np.ndarray) -> np.ndarray:
    """(N, len(COLOR_NAMES)) float32 in [0, 1]: how well each name fits each colour (N, 3) uint8 of sRGB."""
    lab = cv2.cvtColor(colors_rgb[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    light, chroma = lab[:, 0], np.hypot(lab[:, 1], lab[:, 2])
    hue = np.degrees(np.arctan2(lab[:, 2], lab[:, 1])) % 360
    out = np.empty((len(lab), len(COLORS)), np.float32)
    for column, (hues, chromas, lights) in enumerate(COLORS.values()):
        fit = _within(chroma, chromas, _CHROMA_SOFT) * _within(light, lights, _LIGHT_SOFT)
        if hues != _ANY_HUE:
            turned = (hue - hues[0] + 180) % 360 - 180 + hues[0]  # within half a turn of the range's start
            turned = np.where(turned < hues[0] - 90, turned + 360, turned)
            fit = fit * _within(turned, hues, _HUE_SOFT)
        out[:, column] = fit
    return out


def color_evidence(shares: np.ndarray, colors: tuple[str, ...]) -> np.ndarray:
    """(K,) nats for (+) or against (-) the named colours, from shares (K, len(COLOR_NAMES)); mean over the names."""
    if not colors:
        return np.zeros(len(shares), np.float32)
    columns = shares[:, [COLOR_NAMES.index(c) for c in colors]]
    usual = _USUAL / len(colors)
    nats: np.ndarray = np.log((columns + _FLOOR) / (usual + _FLOOR)).clip(_LEAST, _MOST).mean(axis=1)
    return nats


def size_evidence(volume_m3: np.ndarray, alike: np.ndarray, size: int) -> np.ndarray:
    """(K,) nats for a size word (1 large, -1 small) against the things alike (K,) in kind; zeros for a single one."""
    if size == 0 or np.count_nonzero(alike) < 2:
        return np.zeros(len(volume_m3), np.float32)
    logs = np.log(np.maximum(volume_m3, 1e-9))
    middle, spread = np.median(logs[alike]), max(float(logs[alike].std()), 0.2)
    nats: np.ndarray = np.tanh((logs - middle) / spread) * size
    return nats


def _within(values: np.ndarray, limits: tuple[float, float], soft: float) -> np.ndarray:
    """1 inside the limits, falling to 0 at soft outside."""
    outside = np.maximum(limits[0] - values, values - limits[1])
    return np.clip(1 - outside / soft, 0, 1)
