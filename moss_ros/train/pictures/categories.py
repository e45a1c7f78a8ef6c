"""What the pictures show, in words: categories, which of them do not exclude each other, captions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from moss_ros.sim.palette import COLORS

ANY_CATEGORY = -1
NO_COLOR = ""
COLOR_NUMBER = {name: i for i, name in enumerate(COLORS)}
# What masks of bad proposals show, beside floor, wall and ceiling.
REST = ("floor", "wall", "ceiling", "background", "part of a wall", "table edge")
# Names that the same thing may bear, beyond the synonyms that the objects are listed with.
ALIKE: tuple[tuple[str, ...], ...] = (
    ("tv", "television", "monitor"),
    ("computer", "monitor"),
    ("bookcase", "bookshelf", "shelf"),
    ("picture", "picture frame", "photo frame"),
    ("pillow", "cushion"),
    ("rubik's cube", "puzzle cube"),
    ("stuffed animal", "teddy bear"),
    ("lego brick", "toy blocks", "wooden block"),
    ("table", "dining table", "desk", "coffee table", "side table"),
    ("shoe", "sneaker"),
    ("ceiling light", "ceiling lamp", "chandelier"),
    ("cardboard box", "cracker box", "snack box", "cereal box", "sugar box", "jello box", "coffee box"),
    ("kitchen utensils", "utensil holder"),
    ("desk organizer", "pen holder"),
    ("ball", "soccer ball", "exercise ball", "softball", "baseball", "tennis ball", "racquetball", "golf ball"),
    ("cabinet", "dresser", "wardrobe", "nightstand"),
    ("tv stand", "cabinet"),
    ("door", "glass door", "folding door"),
    ("plastic cup", "drinking glass"),
    ("dish rack", "plate"),
    ("book", "magazine", "row of books", "stack of books"),
    ("wall", "part of a wall", "background"),
    ("table edge", "table", "dining table", "desk", "coffee table", "side table", "bench"),
)


@dataclass(frozen=True, slots=True)
class Caption:
    """A text and what it claims: the category (ANY_CATEGORY: nothing) and the colour (NO_COLOR: nothing)."""

    text: str
    category: int
    color: str = NO_COLOR


@dataclass(slots=True)
class Categories:
    """All category names of a training and which pairs exclude each other."""

    names: tuple[str, ...]
    compatible: np.ndarray  # (C, C) bool: both names may be right for one thing
    number: dict[str, int] = field(default_factory=dict)
    owners: dict[str, list[int]] = field(default_factory=dict)  # of other names

    @classmethod
    def of(cls, names: Iterable[str], synonyms: Mapping[str, Sequence[str]]) -> Categories:
        """Sorted unique names; synonyms: other names of a category, some of which are categories themselves."""
        listed = tuple(sorted({*names, *REST}))
        number = {n: i for i, n in enumerate(listed)}
        compatible = np.eye(len(listed), dtype=bool)
        groups = [[c, *others] for c, others in synonyms.items()] + [list(g) for g in ALIKE]
        for k, group in enumerate(groups):
            known = [number[n] for n in group if n in number]
            if k < len(synonyms):  # synonyms and hypernyms fit their category, not each other
                compatible[known[0], known] = compatible[known, known[0]] = True
            else:
                compatible[np.ix_(known, known)] = True
        owners: dict[str, list[int]] = {}
        for name, others in synonyms.items():
            for other in others:
                owners.setdefault(other, []).append(number[name])
        return cls(listed, compatible, number, owners)

    def is_name_of(self, name: str, category: int) -> bool:
        """Whether another name tells a category from those that it excludes: "furniture" does not."""
        return all(self.compatible[o, category] for o in self.owners.get(name, []))

    def contradictions(self, captions: Sequence[Caption], category: np.ndarray, color: np.ndarray) -> np.ndarray:
        """(T, N) bool: captions that are certainly wrong for things; category, color (N,) numbers, -1 = unknown."""
        named = np.array([c.category for c in captions], np.int64)
        wrong = ~self.compatible[np.maximum(named, 0)][:, category] & (named != ANY_CATEGORY)[:, None]
        said = np.array([COLOR_NUMBER.get(c.color, -1) for c in captions], np.int64)
        other = (said[:, None] != color) & (said >= 0)[:, None] & (color >= 0)
        return wrong | other


def caption_of(
    name: str, category: int, color: str, material: str, others: Sequence[str], rng: np.random.Generator
) -> Caption:
    """A random caption of a thing: its category, often with colour or material, or one of its other names."""
    chance = rng.random()
    if color in COLORS and chance < 0.45:
        if chance < 0.05:
            return Caption(f"something {color}", ANY_CATEGORY, color)
        return Caption(f"{_article(rng)}{color} {name}", category, color)
    if others and chance < 0.75:
        return Caption(others[int(rng.integers(len(others)))], category)
    if material and chance < 0.85:
        return Caption(f"a {material} {name}", category)
    return Caption(_article(rng, name) + name, category)


def _article(rng: np.random.Generator, name: str = "") -> str:
    chance = rng.random()
    return "the " if chance < 0.35 else "" if chance < 0.5 else "an " if name[:1] in tuple("aeiou") and name else "a "


def color_texts(name: str) -> list[str]:
    """One text for each colour of the palette."""
    return [f"a {color} {name}" for color in COLORS]


def category_texts(name: str) -> list[str]:
    """Texts whose mean stands for a category."""
    return [name, ("an " if name[0] in "aeiou" else "a ") + name, "the " + name]
