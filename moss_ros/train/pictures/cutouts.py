"""The cut-outs of scanned objects and the background rooms (data/objects), decoded when asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from moss_ros.sim.palette import COLORS

MODES = {"train": True, "val": False}


@dataclass(frozen=True, slots=True)
class ObjectModel:
    """One scanned object: words and the encoded pictures of its views."""

    id: str
    category: str
    names: tuple[str, ...]  # synonyms and hypernyms
    caption: str
    color: str  # the only colour, or empty where it has several
    material: str
    views: tuple[np.ndarray, ...]  # encoded WebP with alpha


class CutOuts:
    """All objects of a split, and the backgrounds; pictures stay decoded once they were asked for (about 0.6 GB)."""

    def __init__(self, objects: tuple[ObjectModel, ...], backgrounds: tuple[np.ndarray, ...]) -> None:
        """backgrounds: encoded JPEG."""
        self.objects = objects
        self.backgrounds = backgrounds
        self._views: dict[tuple[int, int], np.ndarray] = {}
        self._rooms: dict[int, np.ndarray] = {}

    def view(self, model: int, view: int) -> np.ndarray:
        """(h, w, 4) uint8 RGBA with straight alpha, not to be written to."""
        if (model, view) not in self._views:
            data = self.objects[model].views[view]
            self._views[model, view] = _decoded(data, cv2.IMREAD_UNCHANGED, [2, 1, 0, 3])
        return self._views[model, view]

    def background(self, index: int) -> np.ndarray:
        """(480, 640, 3) uint8 RGB, not to be written to."""
        if index not in self._rooms:
            self._rooms[index] = _decoded(self.backgrounds[index], cv2.IMREAD_COLOR, [2, 1, 0])
        return self._rooms[index]


def load_cutouts(folder: Path, split: str) -> CutOuts:
    """Read objects.json and the encoded files of a split, "train" or "val". Raises FileNotFoundError with the fix."""
    index = folder / "objects.json"
    if not index.is_file():
        raise FileNotFoundError(f"{index} is missing: give the folder data/objects (--objects)")
    listed = json.loads(index.read_text("utf-8"))
    objects = tuple(_model(folder, o) for o in listed["objects"] if (o["split"] == "train") == MODES[split])
    return CutOuts(objects, tuple(_bytes(folder / b["file"]) for b in listed["backgrounds"]))


def words_of(folder: Path) -> dict[str, tuple[str, ...]]:
    """Other names of every category of both splits."""
    listed = json.loads((folder / "objects.json").read_text("utf-8"))["objects"]
    out: dict[str, list[str]] = {}
    for o in listed:
        out.setdefault(o["category"], []).extend(o["synonyms"])
    return {c: tuple(sorted(set(names))) for c, names in out.items()}


def _model(folder: Path, entry: dict[str, Any]) -> ObjectModel:
    looks = entry["attributes"]
    colors = looks["colours"] or []
    only = colors[0] if len(colors) == 1 and colors[0] in COLORS else ""
    return ObjectModel(
        entry["id"],
        entry["category"],
        tuple(entry["synonyms"]),
        entry["caption"],
        only,
        looks["material"] or "",
        tuple(_bytes(folder / v["file"]) for v in entry["views"]),
    )


def _bytes(path: Path) -> np.ndarray:
    return np.frombuffer(path.read_bytes(), np.uint8)


def _decoded(data: np.ndarray, mode: int, order: list[int]) -> np.ndarray:
    image = cv2.imdecode(data, mode)
    if image is None:
        raise ValueError("an image of the objects is damaged: copy the data again")
    image = np.ascontiguousarray(image[..., order])
    image.flags.writeable = False
    return image
