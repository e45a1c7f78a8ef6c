"""Captions and synonyms of the objects of a folder like ``data/objects`` (objects.json)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

TEST_ONE_IN = 5
Part = Literal["train", "test", "all"]


@dataclass(frozen=True, slots=True)
class Caption:
    """What objects.json says of one object."""

    category: str
    names: tuple[str, ...]  # synonyms and wider words
    text: str
    color: str  # "" when it has none or several


def is_test_category(category: str) -> bool:
    """Whether the words of this category are kept for the test: a fixed fifth of all."""
    return hashlib.sha256(category.encode()).digest()[0] % TEST_ONE_IN == 0


def read_captions(path: Path, part: Part) -> list[Caption]:
    """Objects of the test categories, of the training (other categories, split `train`), or all."""
    objects = json.loads(path.read_text(encoding="utf-8"))["objects"]
    if part == "test":
        objects = [o for o in objects if is_test_category(o["category"])]
    elif part == "train":
        objects = [o for o in objects if not is_test_category(o["category"]) and o["split"] == "train"]
    return [_caption(o) for o in objects]


def _caption(entry: dict[str, object]) -> Caption:
    attributes = entry["attributes"]
    assert isinstance(attributes, dict) and isinstance(entry["synonyms"], list)
    colors = attributes.get("colours", [])
    color = colors[0] if len(colors) == 1 else ""
    return Caption(str(entry["category"]), tuple(entry["synonyms"]), str(entry["caption"]), color)
