"""Pictures of simulated homes kept on disk, one file for each home, made when asked for.

A file depends on the seed of its home alone, so a pool can be thrown away and comes back the same.
python -m moss_ros.train.pictures.home_pool --out FOLDER --first SEED --count N
"""

from __future__ import annotations

import argparse
import json
import time
from collections import OrderedDict
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np

from moss_ros.sim.training_views.view_pool import encoded, store_arrays
from moss_ros.train.pictures.home_model import ThingFacts
from moss_ros.train.pictures.home_views import HomeView, home_views

VIEWS = 28
KEPT_PICTURES = 2400  # about 3 GB
FIRST_SEED = 1_000_000  # homes for training; smaller seeds are kept for scores and benchmarks


class HomePictures:
    """The pictures of one home. The last ones that were asked for stay decoded, KEPT_PICTURES of all homes together."""

    _kept: OrderedDict[tuple[Path, int], HomeView] = OrderedDict()

    def __init__(self, path: Path) -> None:
        self._path = path
        with np.load(path) as data:
            self.facts = tuple(ThingFacts(**f) for f in json.loads(str(data["facts"])))
            self.boxes: np.ndarray = data["boxes"]  # (B, 7) view, id, x0, y0, x1, y1, pixels of each seen thing
            self._color = [data[f"color{k}"] for k in range(int(data["views"]))]
            self._instance = [data[f"instance{k}"] for k in range(int(data["views"]))]

    def view(self, index: int) -> HomeView:
        """One picture, not to be written to."""
        key = (self._path, index)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        view = self._kept[key] = self._decoded(index)
        if len(self._kept) > KEPT_PICTURES:
            self._kept.popitem(last=False)
        return view

    def _decoded(self, index: int) -> HomeView:
        color = cv2.imdecode(self._color[index], cv2.IMREAD_COLOR)
        instance = cv2.imdecode(self._instance[index], cv2.IMREAD_UNCHANGED)
        if color is None or instance is None:
            raise ValueError("an image of the pool is damaged: delete its file, home_pool makes it again")
        return HomeView(np.ascontiguousarray(color[..., ::-1]), np.asarray(instance))


def make_home_file(folder: Path, seed: int, views: int = VIEWS) -> Path:
    """Render a home unless its file is there; the file appears whole."""
    path = folder / f"{seed:08d}.npz"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    facts, pictures = home_views(seed, views)
    data: dict[str, np.ndarray] = {"facts": np.array(json.dumps([asdict(f) for f in facts]))}
    boxes: list[tuple[int, ...]] = []
    count = 0
    for count, view in enumerate(pictures, 1):
        k = count - 1
        data[f"color{k}"] = encoded(".jpg", view.color_rgb[..., ::-1], cv2.IMWRITE_JPEG_QUALITY, 95)
        data[f"instance{k}"] = encoded(".png", view.instance, cv2.IMWRITE_PNG_COMPRESSION, 3)
        boxes += [(k, *row) for row in instance_boxes(view.instance)]
    data["views"] = np.array(count)
    data["boxes"] = np.array(boxes, np.int32).reshape(-1, 7)
    store_arrays(path, data)
    return path


def instance_boxes(instance: np.ndarray, least_px: int = 60) -> list[tuple[int, int, int, int, int, int]]:
    """(id, x0, y0, x1, y1, pixels) of every id but 0 with enough pixels; the upper bounds are exclusive."""
    out = []
    for i, pixels in enumerate(np.bincount(instance.ravel())):
        if i and pixels >= least_px:
            y, x = np.nonzero(instance == i)
            out.append((i, int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1, int(pixels)))
    return out


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m moss_ros.train.pictures.home_pool", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--first", type=int, default=FIRST_SEED)
    parser.add_argument("--count", type=int, default=100)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    for seed in range(options.first, options.first + options.count):
        start = time.monotonic()
        make_home_file(options.out, seed)
        print(f"home {seed}: {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
