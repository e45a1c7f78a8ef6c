"""Cheap colour for training views: two colours blended by a grey pattern, under a lamp and ambient light.

The patterns are drawn once a process; a look costs three random colours, not a texture of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numba import njit

PATTERN_SIZE = 64
PLAIN = 0  # the pattern without contrast


@dataclass(frozen=True, slots=True)
class Look:
    """Surface of one part."""

    first_rgb: tuple[float, float, float]  # [0, 1]
    second_rgb: tuple[float, float, float]
    pattern: int = PLAIN
    repeats: float = 1.0  # pattern repeats for each repeat of the mesh's texture coordinates
    gloss: float = 0.0  # 0 matt to 1: mirrors take the depth of infrared sensors away


@cache
def patterns() -> np.ndarray:
    """(P, 64, 64) float32 in [0, 1]: plain, clouds, grain, stripes, checks, dots, text, patches."""
    rng = np.random.default_rng(7)
    out = [np.zeros((PATTERN_SIZE, PATTERN_SIZE), np.float32)]
    out += [_clouds(rng, s) for s in (1.5, 3.0, 6.0, 12.0)]
    out += [_grain(rng, s) for s in (2.0, 5.0)]
    out += [_bands(n) for n in (2, 5, 9)] + [_bands(n).T.copy() for n in (2, 5, 9)]
    out += [np.abs(_bands(n) - _bands(n).T) for n in (2, 4, 8)]
    out += [_dots(rng, n) for n in (6, 20)] + [_text(rng, n) for n in (5, 9, 14)] + [_patches(rng) for _ in range(6)]
    return np.stack(out).astype(np.float32)


def _stretched(values: np.ndarray) -> np.ndarray:
    return (values - values.min()) / max(float(np.ptp(values)), 1e-9)


def _clouds(rng: np.random.Generator, blur_px: float) -> np.ndarray:
    tiled = np.tile(rng.random((PATTERN_SIZE, PATTERN_SIZE)).astype(np.float32), (3, 3))
    middle = slice(PATTERN_SIZE, 2 * PATTERN_SIZE)
    return _stretched(cv2.GaussianBlur(tiled, (0, 0), blur_px)[middle, middle])


def _grain(rng: np.random.Generator, width_px: float) -> np.ndarray:
    tiled = np.tile(rng.random((PATTERN_SIZE, PATTERN_SIZE)).astype(np.float32), (3, 3))
    middle = slice(PATTERN_SIZE, 2 * PATTERN_SIZE)
    return _stretched(cv2.GaussianBlur(tiled, (0, 0), 14.0, sigmaY=width_px / 3)[middle, middle])


def _bands(count: int) -> np.ndarray:
    row = (np.arange(PATTERN_SIZE) * 2 * count // PATTERN_SIZE) % 2
    return np.repeat(row[None].astype(np.float32), PATTERN_SIZE, 0)


def _dots(rng: np.random.Generator, count: int) -> np.ndarray:
    out = np.zeros((PATTERN_SIZE, PATTERN_SIZE), np.float32)
    for x, y in rng.integers(6, PATTERN_SIZE - 6, (count, 2)):
        cv2.circle(out, (int(x), int(y)), int(rng.integers(2, 6)), 1.0, -1)
    return out


def _text(rng: np.random.Generator, lines: int) -> np.ndarray:
    """Lines of words, as on a page."""
    out = np.zeros((PATTERN_SIZE, PATTERN_SIZE), np.float32)
    step = PATTERN_SIZE / (lines + 1)
    for k in range(1, lines + 1):
        x = 5.0
        while x < PATTERN_SIZE - 8:
            word = float(rng.uniform(2, 9))
            top, low = int(k * step - step * 0.25), int(k * step + step * 0.2)
            out[top : max(low, top + 1), int(x) : int(min(x + word, PATTERN_SIZE - 5))] = 1
            x += word + 2
    return out


def _patches(rng: np.random.Generator) -> np.ndarray:
    """Rectangles of several greys, as on a cover or a package."""
    out = np.full((PATTERN_SIZE, PATTERN_SIZE), rng.random(), np.float32)
    for _ in range(int(rng.integers(3, 9))):
        x, y = rng.integers(0, PATTERN_SIZE - 8, 2)
        w, h = rng.integers(6, 40, 2)
        out[y : y + h, x : x + w] = rng.random()
    return out


# Families of looks: base colour range (low, high value), saturation, patterns, gloss.
_WOOD, _WALL, _PRINT, _CLOTH, _METAL, _ANY = "wood", "wall", "print", "cloth", "metal", "any"


def random_look(rng: np.random.Generator, family: str = _ANY) -> Look:
    """A look of a family: wood, wall, print, cloth, metal or any of them. Raises ValueError for another name."""
    if family == _ANY:
        family = (_WOOD, _PRINT, _CLOTH, _METAL, "plain", "plain")[int(rng.integers(6))]
    count = len(patterns())
    if family == _WOOD:
        base = np.array([0.42, 0.27, 0.15]) * rng.uniform(0.4, 2.0) * rng.uniform(0.9, 1.1, 3)
        return _look(base, base * rng.uniform(0.6, 0.95), int(rng.choice([1, 3, 5, 6, 6])), rng.uniform(0.5, 2), 0.1)
    if family == _WALL:
        base = rng.uniform(0.45, 0.95) * rng.uniform(0.85, 1.0, 3)
        return _look(base, base * rng.uniform(0.85, 1.0), rng.integers(0, 5), rng.uniform(0.3, 2), 0.0)
    if family == _PRINT:
        paper = rng.uniform(0.75, 0.98, 3) if rng.random() < 0.6 else rng.random(3)
        return _look(paper, rng.random(3) * rng.uniform(0.1, 1), int(rng.integers(14, count)), 1.0, rng.uniform(0, 0.4))
    if family == _CLOTH:
        base = _color(rng)
        other = base * rng.uniform(0.6, 1.1) if rng.random() < 0.6 else _color(rng)
        return _look(base, other, rng.integers(0, count), rng.uniform(0.5, 4), 0.0)
    if family == _METAL:
        base = rng.uniform(0.1, 0.8) * rng.uniform(0.93, 1.0, 3)
        return _look(base, base * 0.9, 1, 1.0, rng.uniform(0.4, 1.0))
    if family == "plain":
        base = _color(rng)
        return _look(base, base * rng.uniform(0.85, 1.0), rng.integers(0, 5), 1.0, rng.choice([0.0, 0.1, 0.4, 0.8]))
    raise ValueError(f"no family of looks is called {family!r}")


def _color(rng: np.random.Generator) -> np.ndarray:
    """Half of all things are grey, white or black; the rest has a hue."""
    value = rng.uniform(0.03, 0.95)
    if rng.random() < 0.45:
        return value * rng.uniform(0.92, 1.0, 3)
    hue = rng.random(3)
    return value * (1 - rng.uniform(0.2, 0.95) * (1 - hue / hue.max()))


def _look(first: np.ndarray, second: np.ndarray, pattern: int | np.integer, repeats: float, gloss: float) -> Look:
    a, b = (tuple(float(v) for v in np.clip(c, 0.01, 1)) for c in (first, second))
    return Look(a, b, int(pattern), float(repeats), float(gloss))  # type: ignore[arg-type]


@njit(cache=True, nogil=True)
def surface_color(triangle, bary_u, bary_v, uv, look, first, second, pattern, repeats, bank):
    """(N, 3) float32 albedo of N hits; uv (T, 3, 2), look (T,); first, second, pattern, repeats by look."""
    out = np.zeros((len(triangle), 3), np.float32)
    size = bank.shape[1]
    for i in range(len(triangle)):
        t = triangle[i]
        if t < 0:
            continue
        k = look[t]
        b1, b2 = bary_u[i], bary_v[i]
        b0 = 1 - b1 - b2
        u = (uv[t, 0, 0] * b0 + uv[t, 1, 0] * b1 + uv[t, 2, 0] * b2) * repeats[k]
        v = (uv[t, 0, 1] * b0 + uv[t, 1, 1] * b1 + uv[t, 2, 1] * b2) * repeats[k]
        x = min(int((u - np.floor(u)) * size), size - 1)
        y = min(int((v - np.floor(v)) * size), size - 1)
        w = bank[pattern[k], y, x]
        for c in range(3):
            out[i, c] = first[k, c] * (1 - w) + second[k, c] * w
    return out
