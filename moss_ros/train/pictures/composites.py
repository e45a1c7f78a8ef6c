"""Cut-outs of scanned objects put together on a background, each partly behind those after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from moss_ros.train.pictures.cutouts import CutOuts
from moss_ros.train.pictures.windows import LEAST_PX, LEAST_VISIBLE, SIZE_PX, Picture, Shown

FILL = (0.2, 0.67)  # longer side of a thing as a share of the window, as the windows of inference have it
RECOLORED = 0.2  # share of the cut-outs with changed hue; their colour has no name then


class Composer:
    """Makes composites from one split of the objects; backgrounds may come from elsewhere too."""

    def __init__(self, cutouts: CutOuts, background: Callable[[np.random.Generator], np.ndarray] | None = None) -> None:
        self._cutouts = cutouts
        self._background = background or self._room
        by_category: dict[str, list[int]] = {}
        for i, o in enumerate(cutouts.objects):
            by_category.setdefault(o.category, []).append(i)
        self._by_category = [by_category[c] for c in sorted(by_category)]

    def picture(self, rng: np.random.Generator, things: int, changed: bool = True, last: int | None = None) -> Picture:
        """A composite; changed: shapes and hues are varied. last: the model of the foremost thing."""
        models = [self._any_model(rng) for _ in range(things)]
        if last is not None:
            models[-1] = last
        layers, shown = [], {}
        for k, m in enumerate(models):
            image, recolored = self._layer(rng, m, changed)
            layers.append(image)
            o = self._cutouts.objects[m]
            names = o.names if recolored else (*o.names, o.caption)
            shown[k] = Shown(o.category, "" if recolored else o.color, o.material, names)
        places = [_place(rng, foremost=k == things - 1) for k in range(things)]
        canvas, ids, whole = compose(self._background(rng), layers, places)
        seen = np.bincount(ids[ids >= 0], minlength=things)
        taught = {k: s for k, s in shown.items() if seen[k] >= max(LEAST_PX, LEAST_VISIBLE * whole[k])}
        return Picture(canvas, ids, taught, np.zeros(ids.shape, bool))

    def _any_model(self, rng: np.random.Generator) -> int:
        models = self._by_category[int(rng.integers(len(self._by_category)))]
        return models[int(rng.integers(len(models)))]

    def _layer(self, rng: np.random.Generator, model: int, changed: bool) -> tuple[np.ndarray, bool]:
        views = len(self._cutouts.objects[model].views)
        image = self._cutouts.view(model, int(rng.integers(views)))
        fill = float(np.exp(rng.uniform(*np.log(FILL))))
        matrix, size = _warp(rng, image.shape[:2], fill * SIZE_PX, changed)
        shrunk = fill * SIZE_PX < 0.6 * max(image.shape[:2])
        if shrunk:
            image = cv2.GaussianBlur(image, (0, 0), 0.35 * max(image.shape[:2]) / (fill * SIZE_PX))
        image = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR)
        recolored = changed and bool(rng.random() < RECOLORED)
        return (_recolored(rng, image) if recolored else image), recolored

    def _room(self, rng: np.random.Generator) -> np.ndarray:
        """A square of a background room."""
        room = self._cutouts.background(int(rng.integers(len(self._cutouts.backgrounds))))
        side = int(480 * rng.uniform(0.3, 1))
        y, x = int(rng.integers(481 - side)), int(rng.integers(641 - side))
        return cv2.resize(room[y : y + side, x : x + side], (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_AREA)


def compose(
    background_rgb: np.ndarray, layers: Sequence[np.ndarray], places: Sequence[tuple[float, float]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lay RGBA layers on a background (S, S, 3), later ones in front.

    places: centre (x, y) of each layer as shares of the side. Returns the picture, ids (S, S) int16 (-1 = background,
    k = layer k where its alpha is over a half and nothing is in front), and the pixels each layer has alone.
    """
    size = len(background_rgb)
    canvas = background_rgb.astype(np.float32)
    ids = np.full((size, size), -1, np.int16)
    whole = np.zeros(len(layers), np.int64)
    for k, (layer, (cx, cy)) in enumerate(zip(layers, places, strict=True)):
        h, w = layer.shape[:2]
        top, left = round(cy * size - h / 2), round(cx * size - w / 2)
        whole[k] = int((layer[..., 3] > 127).sum())
        y0, x0, y1, x1 = max(top, 0), max(left, 0), min(top + h, size), min(left + w, size)
        if y1 <= y0 or x1 <= x0:
            continue
        piece = layer[y0 - top : y1 - top, x0 - left : x1 - left]
        alpha = piece[..., 3:].astype(np.float32) / 255
        canvas[y0:y1, x0:x1] = canvas[y0:y1, x0:x1] * (1 - alpha) + piece[..., :3] * alpha
        ids[y0:y1, x0:x1][piece[..., 3] > 127] = k
    return np.clip(canvas + 0.5, 0, 255).astype(np.uint8), ids, whole


def _place(rng: np.random.Generator, foremost: bool) -> tuple[float, float]:
    low, high = (0.3, 0.7) if foremost else (0.1, 0.9)
    return float(rng.uniform(low, high)), float(rng.uniform(low, high))


def _warp(
    rng: np.random.Generator, shape: tuple[int, int], side_px: float, changed: bool
) -> tuple[np.ndarray, tuple[int, int]]:
    """Affine map of a cut-out to its size in the window, with a flip, turn, stretch and shear; (2, 3) and (w, h)."""
    h, w = shape
    scale = side_px / max(h, w)
    turn, shear, stretch = (
        (rng.normal(0, 0.12), rng.normal(0, 0.08), np.exp(rng.normal(0, 0.12))) if changed else (0.0, 0.0, 1.0)
    )
    flip = -1.0 if rng.random() < 0.5 else 1.0
    c, s = np.cos(turn), np.sin(turn)
    a = np.array([[c, -s], [s, c]]) @ np.array([[1, shear], [0, 1]]) @ np.diag([flip * stretch, 1 / stretch]) * scale
    corners = a @ np.array([[0, w, 0, w], [0, 0, h, h]])
    low, high = corners.min(1), corners.max(1)
    size = np.maximum(np.ceil(high - low), 3)
    return np.column_stack([a, -low]), (int(size[0]), int(size[1]))


def _recolored(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Hue and saturation changed, alpha kept."""
    hsv = cv2.cvtColor(image[..., :3], cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(np.int16) + int(rng.integers(180))) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(0.5, 1.3), 0, 255).astype(np.uint8)
    return np.dstack([cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), image[..., 3]])
