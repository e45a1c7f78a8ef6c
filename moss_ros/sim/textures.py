"""Procedural textures: (H, W, 3) uint8 sRGB pictures that repeat in both directions where the material does."""

from __future__ import annotations

import cv2
import numpy as np

Rgb = tuple[int, int, int]


def _picture(values: np.ndarray) -> np.ndarray:
    return np.clip(values + 0.5, 0, 255).astype(np.uint8)


def noise(rng: np.random.Generator, size: int, cells: tuple[int, ...], stretch: int = 1) -> np.ndarray:
    """(size, size) periodic value noise in [0, 1]; cells are grid sizes of the octaves, stretch makes streaks."""
    out = np.zeros((size, size), np.float32)
    for count in cells:
        rows, columns = count, max(2, count // stretch)
        grid = np.pad(rng.random((rows, columns)).astype(np.float32), 2, mode="wrap")
        sy, sx = size // rows or 1, size // columns or 1
        big = cv2.resize(grid, (grid.shape[1] * sx, grid.shape[0] * sy), interpolation=cv2.INTER_CUBIC)
        big = big[2 * sy : 2 * sy + rows * sy, 2 * sx : 2 * sx + columns * sx]
        out += cv2.resize(big, (size, size)) / np.sqrt(count)
    return (out - out.min()) / max(float(np.ptp(out)), 1e-9)


def plain(color: Rgb) -> np.ndarray:
    """One colour."""
    return np.full((4, 4, 3), color, np.uint8)


def mottled(rng: np.random.Generator, color: Rgb, amount: float = 0.08, size: int = 128) -> np.ndarray:
    """Paint, plaster, glaze: faint clouds."""
    return _picture(np.array(color) * (1 + amount * (2 * noise(rng, size, (4, 8, 16, 64)) - 1))[..., None])


def wood(rng: np.random.Generator, color: Rgb, size: int = 256) -> np.ndarray:
    """Grain along the columns' direction (u)."""
    fibre = noise(rng, size, (16, 32, 64, 128), stretch=16)
    rings = 0.5 + 0.5 * np.sin(2 * np.pi * (3 * noise(rng, size, (8, 16), stretch=4) + 0.5 * fibre))
    shade = 0.76 + 0.3 * fibre + 0.07 * rings
    return _picture(np.array(color) * shade[..., None] * np.array([1.0, 0.985, 0.955]))


def planks(rng: np.random.Generator, color: Rgb, rows: int = 8, size: int = 512) -> np.ndarray:
    """Floor boards with staggered ends."""
    out = wood(rng, color, size).astype(np.float32)
    height = size // rows
    for row in range(rows):
        band = out[row * height : (row + 1) * height]
        band[:] = np.roll(band, int(rng.integers(size)), axis=1)
        cut = int(rng.integers(size // 2))
        for part in (band[:, cut : cut + size // 2], np.roll(band, -cut, axis=1)[:, size // 2 :]):
            part *= rng.uniform(0.86, 1.08)
        band[:2] *= 0.62
        band[:, [cut, (cut + size // 2) % size]] *= 0.6
    return _picture(out)


def tiles(rng: np.random.Generator, color: Rgb, joint: Rgb, count: int = 4, size: int = 256) -> np.ndarray:
    """Square tiles with joints, each a little different."""
    out = mottled(rng, color, 0.1, size).astype(np.float32)
    step = size // count
    for i in range(count):
        for j in range(count):
            out[i * step : (i + 1) * step, j * step : (j + 1) * step] *= rng.uniform(0.93, 1.05)
    for k in range(3):
        out[k::step] = joint
        out[:, k::step] = joint
    return _picture(out)


def fabric(rng: np.random.Generator, color: Rgb, size: int = 128) -> np.ndarray:
    """Woven cloth."""
    y, x = np.mgrid[0:size, 0:size]
    weave = 0.06 * np.sin(np.pi * x / 2) * np.sin(np.pi * y / 2)
    grain = cv2.GaussianBlur(rng.random((size, size)).astype(np.float32), (0, 0), 0.8) - 0.5
    return _picture(np.array(color) * (1 + weave + 0.45 * grain + 0.1 * noise(rng, size, (4, 8)))[..., None])


def stripes(rng: np.random.Generator, first: Rgb, second: Rgb, count: int = 6, size: int = 128) -> np.ndarray:
    """Striped cloth."""
    band = (np.arange(size) * 2 * count // size) % 2
    base = np.where(band[None, :, None] == 0, np.array(first), np.array(second))
    return _picture(base * (0.88 + 0.24 * rng.random((size, size, 1))))


def checks(rng: np.random.Generator, first: Rgb, second: Rgb, count: int = 4, size: int = 128) -> np.ndarray:
    """Checked cloth: two crossing sets of stripes."""
    band = ((np.arange(size) * 2 * count // size) % 2).astype(np.float32)
    mix = ((band[None] + band[:, None]) / 2)[..., None]
    return _picture((np.array(first) * (1 - mix) + np.array(second) * mix) * (0.9 + 0.2 * rng.random((size, size, 1))))


def rug(rng: np.random.Generator, first: Rgb, second: Rgb, size: int = 256) -> np.ndarray:
    """Carpet with a border and rows of diamonds or waves."""
    y, x = np.mgrid[0:size, 0:size]
    step = size // int(rng.integers(3, 7))
    diamonds = (np.abs(x % step - step / 2) + np.abs(y % step - step / 2)) < step * 0.36
    waves = np.sin(2 * np.pi * (y / step + 0.25 * np.sin(2 * np.pi * x / step))) > 0.2
    inner = diamonds if rng.random() < 0.6 else waves
    edge = np.minimum(np.minimum(x, size - 1 - x), np.minimum(y, size - 1 - y))
    inner = np.where(edge < 22, (edge < 14) & (edge > 5), inner)
    base = np.where(inner[..., None], np.array(second), np.array(first))
    return _picture(base * (0.84 + 0.32 * rng.random((size, size, 1))))


def label(rng: np.random.Generator, ground: Rgb, ink: Rgb, text: str, size: int = 192) -> np.ndarray:
    """Printed package: a band with text, twice around, and small print."""
    out = np.full((size, 2 * size, 3), ground, np.uint8)
    low, high = int(size * rng.uniform(0.2, 0.32)), int(size * rng.uniform(0.6, 0.75))
    cv2.rectangle(out, (0, low), (2 * size, high), ink, -1)
    scale = min(1.5, 0.9 * size / max(1, 22 * len(text)))
    for x in (8, size + 8):
        cv2.putText(
            out,
            text,
            (x, (low + high) // 2 + int(12 * scale)),
            cv2.FONT_HERSHEY_DUPLEX,
            scale,
            ground,
            2,
            cv2.LINE_AA,
        )
        for y in range(high + 12, size - 12, 9):
            cv2.line(out, (x, y), (x + int(rng.integers(size // 3, size - 30)), y), ink, 2)
        cv2.circle(out, (x + size // 2, low // 2), max(3, low // 3), ink, -1, cv2.LINE_AA)
    return out[::-1].copy()


def painting(rng: np.random.Generator, size: int = 192) -> np.ndarray:
    """A landscape or an abstract picture."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) / size
    if rng.random() < 0.5:
        top, bottom = rng.uniform(90, 240, 3), rng.uniform(120, 250, 3)
        out = top * (1 - y[..., None]) + bottom * y[..., None]
        cv2.circle(out, (int(size * rng.uniform(0.2, 0.8)), int(size * 0.25)), size // 10, (250, 230, 150), -1)
        for level in (0.5, 0.65, 0.8):
            ridge = level + 0.1 * np.sin(x * rng.uniform(5, 14) + rng.uniform(0, 6)) * noise(rng, size, (4, 8))[:1]
            out[y > ridge] = rng.uniform(30, 150, 3) * np.array([0.8, 1.1, 0.8])
    else:
        out = np.full((size, size, 3), rng.uniform(180, 245), np.float32)
        for _ in range(14):
            a, b = rng.integers(0, size, 2), rng.integers(size // 10, size // 3, 2)
            color = tuple(float(c) for c in rng.uniform(20, 240, 3))
            if rng.random() < 0.5:
                cv2.rectangle(out, tuple(int(v) for v in a), tuple(int(v) for v in a + b), color, -1)
            else:
                cv2.circle(out, tuple(int(v) for v in a), int(b[0] // 2), color, -1, cv2.LINE_AA)
    return _picture(out * (0.95 + 0.1 * rng.random((size, size, 1))))[::-1].copy()


def screen(rng: np.random.Generator, height: int = 144, width: int = 256) -> np.ndarray:
    """A desktop with a window of text."""
    out = np.full((height, width, 3), rng.integers(20, 110, 3), np.uint8)
    left, top = int(rng.integers(10, 60)), int(rng.integers(8, 30))
    cv2.rectangle(out, (left, top), (left + 150, top + 100), (236, 236, 240), -1)
    cv2.rectangle(out, (left, top), (left + 150, top + 8), tuple(int(c) for c in rng.integers(60, 200, 3)), -1)
    for y in range(top + 16, top + 96, 7):
        cv2.line(out, (left + 8, y), (left + int(rng.integers(40, 140)), y), (90, 95, 105), 2)
    cv2.rectangle(out, (0, height - 10), (width, height), (22, 22, 28), -1)
    return out[::-1].copy()


def panels(colors: list[Rgb], size: int = 192) -> np.ndarray:
    """Vertical fields of colour, as on a beach ball."""
    index = np.arange(size) * len(colors) // size
    return np.repeat(np.array(colors, np.uint8)[index][None], size // 2, 0)


def patches(rng: np.random.Generator, ground: Rgb, ink: Rgb, size: int = 192) -> np.ndarray:
    """Spots of a second colour, as on a football or a dotted cloth."""
    out = np.full((size, size, 3), ground, np.uint8)
    step = size // 4
    for row in range(4):
        for column in range(4):
            x = column * step + step // 2 + (row % 2) * step // 2
            cv2.circle(out, (x % size, row * step + step // 2), step // 4, ink, -1, cv2.LINE_AA)
    return _picture(out * (0.94 + 0.1 * rng.random((size, size, 1))))


def wicker(rng: np.random.Generator, color: Rgb, size: int = 128) -> np.ndarray:
    """Basket weave."""
    y, x = np.mgrid[0:size, 0:size]
    over = ((x // 16 + y // 8) % 2) == 0
    shade = np.where(over, 0.75 + 0.3 * np.sin(np.pi * (y % 8) / 8), 0.6 + 0.3 * np.sin(np.pi * (x % 16) / 16))
    return _picture(np.array(color) * (shade + 0.1 * rng.random((size, size)))[..., None])


def clock_face(size: int = 128) -> np.ndarray:
    """Dial with marks and two hands, once over the square."""
    out = np.full((size, size, 3), (242, 240, 232), np.uint8)
    c = size // 2
    for hour in range(12):
        a = hour * np.pi / 6
        p, q = (np.array([np.cos(a), np.sin(a)]) * r * size + c for r in (0.37, 0.44))
        cv2.line(out, tuple(int(v) for v in p), tuple(int(v) for v in q), (30, 30, 30), 3, cv2.LINE_AA)
    cv2.line(out, (c, c), (c + size // 5, c - size // 8), (20, 20, 20), 4, cv2.LINE_AA)
    cv2.line(out, (c, c), (c - size // 9, c - size // 3), (20, 20, 20), 2, cv2.LINE_AA)
    return out[::-1].copy()


def outdoors(rng: np.random.Generator, size: int = 256) -> np.ndarray:
    """Sky with thin clouds over trees and grass, as seen through a window."""
    height = np.linspace(1, 0, size)[:, None, None]  # rows go from the sky down
    sky = height * np.array([128.0, 176, 232]) + (1 - height) * np.array([222.0, 232, 240])
    out = sky + 26 * (noise(rng, size, (4, 8, 16)) - 0.5)[..., None]
    clumps = noise(rng, size, (8, 16, 32))
    crowns = 0.34 + 0.16 * noise(rng, size, (8, 16))[:1]
    trees = height[..., 0] < crowns
    out[trees] = (np.array([84.0, 118, 70]) * (0.7 + 0.6 * clumps[..., None]))[trees]
    grass = np.broadcast_to(height[..., 0] < 0.22, trees.shape)
    out[grass] = (np.array([122.0, 150, 88]) * (0.85 + 0.3 * clumps[..., None]))[grass]
    return _picture(out)[::-1].copy()
