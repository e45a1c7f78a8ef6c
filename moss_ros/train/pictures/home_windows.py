"""Windows of pictures of simulated homes, every category about as often as any other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from moss_ros.train.pictures.home_pool import HomePictures
from moss_ros.train.pictures.home_views import HomeView
from moss_ros.train.pictures.windows import LEAST_PX, SIZE_PX, Picture, Shown

SIDES_PX = (640.0, 480.0, 240.0, 120.0)  # of the windows of inference
FILL = (0.2, 0.67)
LEAST_SOURCE_PX = 90  # pixels that a thing must have in the picture
STRUCTURE = frozenset({"floor", "wall", "ceiling"})
STRUCTURE_KEPT = 0.1  # share of the masks of structure that are taught


class HomeWindows:
    """Draws windows from all homes of a folder; ``refresh`` takes in new ones."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._homes: dict[Path, HomePictures] = {}
        self._by_category: dict[str, list[tuple[HomePictures, np.ndarray]]] = {}
        self.refresh()

    def __len__(self) -> int:
        return len(self._homes)

    def refresh(self) -> None:
        """Take in homes that were made since."""
        for path in sorted(self._folder.glob("*.npz")):
            if path in self._homes:
                continue
            home = self._homes[path] = HomePictures(path)
            names = {f.id: f.category for f in home.facts}
            for row in home.boxes:
                if row[6] >= LEAST_SOURCE_PX:
                    self._by_category.setdefault(names[int(row[1])], []).append((home, row))

    def picture(self, rng: np.random.Generator) -> Picture:
        """A window around a thing of a random category. Raises ValueError where there are no homes."""
        if not self._by_category:
            raise ValueError(f"no homes in {self._folder}: python -m moss_ros.train.pictures.home_pool --out FOLDER")
        names = sorted(self._by_category)
        rows = self._by_category[names[int(rng.integers(len(names)))]]
        home, row = rows[int(rng.integers(len(rows)))]
        return self._thinned(window_picture(home, row, rng), int(row[1]), rng)

    def _thinned(self, picture: Picture, target: int, rng: np.random.Generator) -> Picture:
        """Without most of what is in every picture: walls, floors, books."""
        usual = float(np.median([len(rows) for rows in self._by_category.values()]))

        def kept(i: int, shown: Shown) -> bool:
            if i == target:
                return True
            often = len(self._by_category.get(shown.category, ()))
            keep = STRUCTURE_KEPT if shown.category in STRUCTURE else min(1.0, usual / max(often, 1))
            return bool(rng.random() < keep)

        return replace(picture, shown={i: s for i, s in picture.shown.items() if kept(i, s)})

    def background(self, rng: np.random.Generator) -> np.ndarray:
        """(S, S, 3) uint8: any square of any picture."""
        homes = list(self._homes.values())
        home = homes[int(rng.integers(len(homes)))]
        view = home.view(int(home.boxes[int(rng.integers(len(home.boxes))), 0]))
        side = int(rng.uniform(100, 480))
        y, x = int(rng.integers(481 - side)), int(rng.integers(641 - side))
        piece = view.color_rgb[y : y + side, x : x + side]
        return cv2.resize(piece, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_AREA)


def window_picture(home: HomePictures, row: np.ndarray, rng: np.random.Generator) -> Picture:
    """A window around the thing of a row of home.boxes."""
    view = home.view(int(row[0]))
    left, top, side = _around(row[2:6], rng)
    color, ids, outside = cut_window(view, left, top, side)
    facts = {f.id: f for f in home.facts}
    whole = {int(b[1]): int(b[6]) for b in home.boxes if b[0] == row[0]}
    scale = (SIZE_PX / side) ** 2
    seen = np.bincount(ids[ids >= 0], minlength=1)
    taught = {}
    for i in np.flatnonzero(seen >= LEAST_PX):
        fact = facts.get(int(i))
        share = 0.04 * len(ids) ** 2 if fact and fact.category in STRUCTURE else 0.5 * whole.get(int(i), 0) * scale
        if fact is not None and seen[i] >= share and whole.get(int(i), 0) >= LEAST_SOURCE_PX:
            taught[int(i)] = Shown(fact.category, fact.color, fact.material)
    return Picture(color, ids, taught, outside)


def _around(box: np.ndarray, rng: np.random.Generator) -> tuple[int, int, int]:
    """Left, top and side of a window that shows a box (x0, y0, x1, y1) at a usual size."""
    extent = float(max(box[2] - box[0], box[3] - box[1]))
    good = [s for s in SIDES_PX if FILL[0] <= extent / s <= FILL[1]]
    side = (good[int(rng.integers(len(good)))] if good else SIDES_PX[0 if extent > 240 else -1]) * rng.uniform(
        0.8, 1.25
    )
    side = int(np.clip(side, min(extent * 1.1, 640), 720))
    out = []
    for low, high, size in ((box[0], box[2], 640), (box[1], box[3], 480)):
        first, last = min(high - side, low), max(high - side, low)  # the box stays inside
        start = rng.uniform(first, last)
        inside = (0, size - side) if size >= side else ((size - side) / 2, (size - side) / 2)
        out.append(int(round(float(np.clip(start, *inside)))))
    return out[0], out[1], side


def cut_window(view: HomeView, left: int, top: int, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Colour (S, S, 3), ids (S, S) int16 with -1 where nothing is, and what lies outside, of a square of a view."""
    height, width = view.instance.shape
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + side, width), min(top + side, height)
    color = np.full((side, side, 3), (123, 117, 104), np.uint8)
    ids = np.full((side, side), -1, np.int16)
    outside = np.ones((side, side), np.uint8)
    inner = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    color[inner] = view.color_rgb[y0:y1, x0:x1]
    inside = view.instance[y0:y1, x0:x1].astype(np.int16)
    ids[inner] = np.where(inside > 0, inside, -1)
    outside[inner] = 0
    size = (SIZE_PX, SIZE_PX)
    smooth = cv2.INTER_AREA if side > SIZE_PX else cv2.INTER_CUBIC
    return (
        cv2.resize(color, size, interpolation=smooth),
        cv2.resize(ids, size, interpolation=cv2.INTER_NEAREST),
        cv2.resize(outside, size, interpolation=cv2.INTER_NEAREST) > 0,
    )
