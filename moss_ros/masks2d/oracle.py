"""2D masks from the truth in place of a segmenter's: what the rest of the pipeline makes of perfect masks, or of
masks with known faults. Only the evaluation uses it.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from moss_ros.mapping.keyframes import Keyframe
from moss_ros.masks2d.segmenter import MapView


@dataclass(frozen=True, slots=True)
class MaskNoise:
    """How true masks are spoilt; each mask is drawn for itself."""

    missing: float = 0.10  # share of the masks that are not there
    merged: float = 0.05  # share of the others that become one with a mask they touch
    border_px: tuple[int, int] = (1, 4)  # each is dilated or eroded by so many pixels, both ends included
    seed: int = 0  # with the stamp of the frame it decides every draw


class IdImages:
    """Instance ids of the pixels of each frame, by its stamp: what `moss sim` writes as instance_masks.zip."""

    def __init__(self, scene: Path) -> None:
        """Raises ValueError when the folder has no id images or they do not fit the stamps."""
        path = Path(scene) / "instance_masks.zip"
        if not path.exists():
            raise ValueError(f"{scene} has no instance_masks.zip: true 2D masks come with simulated scenes only")
        with np.load(Path(scene) / "gt_points.npz") as arrays:
            stamps = arrays["stamps_ns"].tolist()
        self._zip = zipfile.ZipFile(path)
        names = sorted(self._zip.namelist())
        if len(names) != len(stamps):
            raise ValueError(f"{path} holds {len(names)} images, gt_points.npz {len(stamps)} stamps")
        self._name = dict(zip(stamps, names, strict=True))
        listed = json.loads((Path(scene) / "instances.json").read_text(encoding="utf-8"))["instances"]
        self.structure = frozenset(int(i["id"]) for i in listed if i.get("kind") == "structure")

    def ids(self, stamp_ns: int) -> np.ndarray:
        """(H, W) uint8 instance ids of a frame, structure included, 0 = nothing. ValueError for an unknown stamp."""
        if stamp_ns not in self._name:
            raise ValueError(f"no id image has the stamp {stamp_ns}")
        image = cv2.imdecode(np.frombuffer(self._zip.read(self._name[stamp_ns]), np.uint8), cv2.IMREAD_UNCHANGED)
        if image is None or image.ndim != 2:
            raise ValueError(f"{self._name[stamp_ns]} is not an image with one channel")
        return image


class OracleMasks:
    """A segmenter that knows the true masks, or those spoilt by noise."""

    needs_map = False

    def __init__(self, images: IdImages, noise: MaskNoise | None = None, min_pixels: int = 50) -> None:
        self._images = images
        self._noise = noise
        self._min_pixels = min_pixels

    def labels(self, keyframe: Keyframe, floor_m: float | None, view: MapView | None) -> np.ndarray:
        """See Segmenter."""
        ids = self._images.ids(keyframe.stamp_ns)
        if ids.shape != (keyframe.camera.height, keyframe.camera.width):
            raise ValueError(f"id image is {ids.shape}, depth {(keyframe.camera.height, keyframe.camera.width)}")
        labels = thing_masks(ids, self._images.structure)
        if self._noise is not None:
            rng = np.random.default_rng([self._noise.seed, keyframe.stamp_ns])
            labels = spoil(labels, self._noise, rng)
        return _numbered(labels, self._min_pixels)


def thing_masks(ids: np.ndarray, structure: Iterable[int]) -> np.ndarray:
    """(H, W) int32 labels 1..n, one for each id that is not 0 and not structure."""
    return _numbered(np.where(np.isin(ids, list(structure)), 0, ids).astype(np.int32))


def spoil(labels: np.ndarray, noise: MaskNoise, rng: np.random.Generator) -> np.ndarray:
    """(H, W) int32: the masks of a label image with noise; numbers may have gaps."""
    labels = _lose(labels, noise.missing, rng)
    labels = _merge(labels, noise.merged, rng)
    return _move_borders(labels, noise.border_px, rng)


def _lose(labels: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    number = np.arange(labels.max(initial=0) + 1, dtype=np.int32)
    number[1:][rng.random(len(number) - 1) < share] = 0
    return number[labels]


def _merge(labels: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """A drawn mask and one of those that touch it become one; a mask that touches none stays as it is."""
    number = np.arange(labels.max(initial=0) + 1, dtype=np.int32)
    drawn = np.flatnonzero(rng.random(len(number)) < share)
    pairs = _touching(labels)
    for label in drawn:
        beside = pairs[pairs[:, 0] == label, 1]
        if len(beside):
            number[number == number[label]] = number[rng.choice(beside)]
    return number[labels]


def _touching(labels: np.ndarray) -> np.ndarray:
    """(n, 2) pairs of masks that share a pixel edge, in both orders, ascending."""
    beside = [(labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])]
    pairs = np.concatenate([np.stack([a.ravel(), b.ravel()], 1) for a, b in beside])
    pairs = pairs[(pairs > 0).all(1) & (pairs[:, 0] != pairs[:, 1])]
    return np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)


def _move_borders(labels: np.ndarray, border_px: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Each mask grows or shrinks by a drawn number of pixels; where two claim a pixel, the later drawn has it."""
    out = np.zeros_like(labels)
    for label in rng.permutation(np.unique(labels[labels > 0])):
        pixels = int(rng.integers(border_px[0], border_px[1] + 1))
        change = cv2.dilate if rng.random() < 0.5 else cv2.erode
        window = _window(labels == label, pixels + 1)
        mask = (labels[window] == label).astype(np.uint8)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1))
        out[window][change(mask, disc) > 0] = label
    return out


def _window(mask: np.ndarray, margin: int) -> tuple[slice, slice]:
    """Bounds of a mask with a margin, as far as the image goes."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return (
        slice(max(rows[0] - margin, 0), rows[-1] + margin + 1),
        slice(max(columns[0] - margin, 0), columns[-1] + margin + 1),
    )


def _numbered(labels: np.ndarray, min_pixels: int = 1) -> np.ndarray:
    """The same masks numbered 1..n without gaps; smaller ones go."""
    sizes = np.bincount(labels.ravel())
    keep = sizes >= max(min_pixels, 1)
    keep[0] = False
    number = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    return number[labels]
