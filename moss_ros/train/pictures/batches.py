"""Training batches: windows of homes and composites, disturbed, with masks as shares of patches and their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from moss_ros.train.pictures.categories import COLOR_NUMBER, Caption, Categories, caption_of
from moss_ros.train.pictures.composites import Composer
from moss_ros.train.pictures.cutouts import load_cutouts, words_of
from moss_ros.train.pictures.disturb import disturbed_image, disturbed_mask, mirrored
from moss_ros.train.pictures.home_categories import HOME_CATEGORIES
from moss_ros.train.pictures.home_windows import HomeWindows
from moss_ros.train.pictures.windows import PATCH_PX, SIZE_PX, Picture, Shown

GRID = SIZE_PX // PATCH_PX
NOTHING = -1
FROM_HOMES = 0.5  # share of the windows
HOME_BACKGROUNDS = 0.5  # share of the composites on a piece of a home's picture


@dataclass(frozen=True, slots=True)
class Batch:
    """B windows of S x S with up to K masks each on a grid of G x G patches."""

    color_rgb: np.ndarray  # (B, S, S, 3) uint8
    shares: np.ndarray  # (B, K, G, G) float32 share of each patch inside each mask
    outside: np.ndarray  # (B, G, G) bool, patches of padding
    category: np.ndarray  # (B, K) int64, -1 = no mask
    color: np.ndarray  # (B, K) int64 row of the palette, -1 = unknown
    captions: tuple[tuple[Caption, ...], ...]  # of the masks of each window


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """What a batch is drawn from."""

    seed: int
    size: int = 12
    masks: int = 8


class Source:
    """All training pictures. The batch of a number depends on the seed and on which homes have been made."""

    def __init__(self, objects: Path, homes: Path | None, categories: Categories | None = None) -> None:
        self.cutouts = load_cutouts(objects, "train")
        self.names = words_of(objects)
        self.homes = HomeWindows(homes) if homes is not None else None
        self.categories = categories or all_categories(objects)
        self._composer = Composer(self.cutouts)
        self._at_home = Composer(self.cutouts, self.homes.background) if self.homes else self._composer

    def batch(self, plan: BatchPlan, number: int) -> Batch:
        """The batch of a number."""
        rng = np.random.default_rng([plan.seed, number])
        return self.stack([self.picture(rng) for _ in range(plan.size)], plan.masks, rng)

    def picture(self, rng: np.random.Generator) -> Picture:
        """One window before it is disturbed."""
        if self.homes is not None and len(self.homes) and rng.random() < FROM_HOMES:
            return self.homes.picture(rng)
        at_home = self.homes is not None and len(self.homes) > 0 and rng.random() < HOME_BACKGROUNDS
        return (self._at_home if at_home else self._composer).picture(rng, int(rng.integers(3, 8)))

    def stack(self, pictures: Sequence[Picture], most: int, rng: np.random.Generator, disturb: bool = True) -> Batch:
        """Put windows together; disturb: as in training."""
        count = len(pictures)
        color_rgb = np.empty((count, SIZE_PX, SIZE_PX, 3), np.uint8)
        shares = np.zeros((count, most, GRID, GRID), np.float32)
        outside = np.zeros((count, GRID, GRID), bool)
        category = np.full((count, most), NOTHING, np.int64)
        color = np.full((count, most), NOTHING, np.int64)
        captions = []
        for b, picture in enumerate(pictures):
            if disturb and rng.random() < 0.5:
                picture = mirrored(picture)
            color_rgb[b] = disturbed_image(picture.color_rgb, rng) if disturb else picture.color_rgb
            outside[b] = patch_shares(picture.outside) > 0.999
            ids = [int(i) for i in rng.permutation(sorted(picture.shown))][:most]
            said = []
            for k, i in enumerate(ids):
                mask = picture.ids == i
                shares[b, k] = patch_shares(disturbed_mask(mask, rng) if disturb else mask)
                shown = picture.shown[i]
                category[b, k] = self.categories.number[shown.category]
                color[b, k] = COLOR_NUMBER.get(shown.color, NOTHING)
                said.append(self._caption(shown, rng))
            captions.append(tuple(said))
        return Batch(color_rgb, shares, outside, category, color, tuple(captions))

    def _caption(self, shown: Shown, rng: np.random.Generator) -> Caption:
        number = self.categories.number[shown.category]
        names = shown.names or self.names.get(shown.category, ())
        own = [n for n in names if self.categories.is_name_of(n, number)]
        return caption_of(shown.category, number, shown.color, shown.material, own, rng)


def joined(batches: Sequence[Batch]) -> Batch:
    """One batch of several."""
    return Batch(
        np.concatenate([b.color_rgb for b in batches]),
        np.concatenate([b.shares for b in batches]),
        np.concatenate([b.outside for b in batches]),
        np.concatenate([b.category for b in batches]),
        np.concatenate([b.color for b in batches]),
        tuple(c for b in batches for c in b.captions),
    )


def all_categories(objects: Path) -> Categories:
    """Categories of the objects and of the simulated homes."""
    words = words_of(objects)
    return Categories.of([*words, *HOME_CATEGORIES], words)


def patch_shares(mask: np.ndarray) -> np.ndarray:
    """(S, S) bool -> (G, G) float32 share of each patch."""
    return mask.reshape(GRID, PATCH_PX, GRID, PATCH_PX).mean((1, 3), dtype=np.float32)
