"""Label sets: which classes are scored, and how they are called."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from moss_ros.evaluation.ground_truth import GroundTruth, TruthError

FOLDER = Path(__file__).parent / "labels"
GROUPS = ("head", "common", "tail")


@dataclass(frozen=True, slots=True)
class Label:
    """One class. Stuff (wall, floor) has a name, but its instances are not scored."""

    id: int  # positive: 0 means void in the label files
    name: str
    group: str = ""  # "head", "common", "tail" by frequency, or none
    stuff: bool = False


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The classes of a benchmark in its own order."""

    name: str
    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        for what in ("id", "name"):
            values = [getattr(label, what) for label in self.labels]
            if len(set(values)) < len(values):
                twice = sorted({str(v) for v in values if values.count(v) > 1})
                raise TruthError(f"label set {self.name}: {what} used twice: {', '.join(twice)}")
        if any(label.id <= 0 for label in self.labels):
            raise TruthError(f"label set {self.name}: ids must be positive")

    @property
    def scored(self) -> tuple[Label, ...]:
        """The classes that count: all but stuff."""
        return tuple(label for label in self.labels if not label.stuff)

    @property
    def scored_ids(self) -> tuple[int, ...]:
        """Ids of the classes that count."""
        return tuple(label.id for label in self.scored)

    def group_ids(self, group: str) -> tuple[int, ...]:
        """Ids of the scored classes of a group; empty if the set has no groups."""
        return tuple(label.id for label in self.scored if label.group == group)

    def id_of(self, name: str) -> int | None:
        """Id of a class, capitals and hyphens ignored; None if it is not in the set."""
        wanted = _plain(name)
        return next((label.id for label in self.labels if _plain(label.name) == wanted), None)


def load_labels(name: str | Path) -> LabelSet:
    """A set that comes with the package (scannet200, scannet20, replica48) or an own .json or .yaml file.

    An own file has `classes`: a list of names, or of {id, name, group, stuff}; missing ids count from 1.
    """
    path = Path(name)
    if not path.suffix:
        path = FOLDER / f"{name}.json"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.json")))
        raise TruthError(f"{path}: no such label set; known are {known}, or give a .json or .yaml file")
    text = path.read_text(encoding="utf-8")
    try:
        data = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (json.JSONDecodeError, yaml.YAMLError) as error:
        raise TruthError(f"{path}: {error}") from None
    if not isinstance(data, dict) or not isinstance(data.get("classes"), list):
        raise TruthError(f"{path}: needs a list `classes`")
    labels = tuple(_label(path, number, entry) for number, entry in enumerate(data["classes"]))
    return LabelSet(str(data.get("name", path.stem)), labels)


def labels_of(truth: GroundTruth) -> LabelSet:
    """The categories of the scored things of a scene, for scenes that bring their own names."""
    things = (truth.instances[i] for i in truth.evaluated_ids.tolist())
    used = {thing.category_id: thing.category for thing in things}
    return LabelSet("scene", tuple(Label(number, used[number]) for number in sorted(used)))


def from_names(name: str, names: Iterable[str]) -> LabelSet:
    """A set of plain names with ids from 1."""
    return LabelSet(name, tuple(Label(number, text) for number, text in enumerate(names, 1)))


def _label(path: Path, number: int, entry: Any) -> Label:
    if isinstance(entry, str):
        return Label(number + 1, entry)
    unknown = set(entry) - {"id", "name", "group", "stuff"} if isinstance(entry, dict) else {"no mapping"}
    if unknown or "name" not in entry:
        raise TruthError(f"{path}: classes[{number}] must have a name and may have id, group, stuff")
    return Label(
        id=int(entry.get("id", number + 1)),
        name=str(entry["name"]),
        group=str(entry.get("group", "")),
        stuff=bool(entry.get("stuff", False)),
    )


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("-", " ").replace("_", " ").split())
