"""Ground truth of one scene: labelled surface points and what each label means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

BEFORE, AFTER = 1, 2  # bits of `valid` in scenes in which things change


class TruthError(ValueError):
    """A ground-truth file that cannot be used; the message names the file and, in text files, the line."""


@dataclass(frozen=True, slots=True)
class TrueInstance:
    """One labelled thing or piece of structure."""

    id: int
    category_id: int
    category: str
    name: str  # a phrase that tells it from others; the category where there is none
    kind: str  # "thing" or "structure"
    evaluate: bool  # seen well enough to be scored


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """P labelled points in ``map``; instance 0 is void: a prediction there is neither right nor wrong."""

    points_m: np.ndarray  # (P, 3) float64
    instance: np.ndarray  # (P,) int32, 0 = void
    category_id: np.ndarray  # (P,) int32, 0 = void
    instances: Mapping[int, TrueInstance]  # by id; every id of `instance` but 0 is in it
    categories: Mapping[int, str]  # category id -> name

    def __post_init__(self) -> None:
        count = len(self.points_m)
        if self.points_m.shape != (count, 3) or self.instance.shape != (count,):
            raise TruthError(f"{count} points, but {len(self.instance)} instance labels")
        if self.category_id.shape != (count,):
            raise TruthError(f"{count} points, but {len(self.category_id)} category labels")
        unknown = set(np.unique(self.instance).tolist()) - set(self.instances) - {0}
        if unknown:
            raise TruthError(f"points have instance ids that are not listed: {sorted(unknown)}")

    @property
    def evaluated_ids(self) -> np.ndarray:
        """(G,) int32 ids of the scored things, ascending."""
        return np.array(sorted(i for i, t in self.instances.items() if _is_scored(t)), np.int32)


def load_folder(folder: Path, when: int = AFTER) -> GroundTruth:
    """Truth of a folder with instances.json and gt_points.npz.

    when: in scenes with a switch, BEFORE or AFTER it; scenes without one hold all the time.
    """
    folder = Path(folder)
    listed = read_json(folder / "instances.json")
    path = folder / "gt_points.npz"
    if not path.exists():
        raise TruthError(f"{path}: missing")
    with np.load(path) as arrays:
        missing = {"xyz_mm", "instance", "category"} - set(arrays)
        if missing:
            raise TruthError(f"{path}: has no {', '.join(sorted(missing))}")
        keep = (arrays["valid"] & when) > 0 if "valid" in arrays else np.ones(len(arrays["instance"]), bool)
        points_m = arrays["xyz_mm"][keep].astype(np.float64) / 1000.0
        instance = arrays["instance"][keep].astype(np.int32)
        category_id = arrays["category"][keep].astype(np.int32)
    instances = _listed_instances(folder / "instances.json", listed, when)
    categories = {int(number): name for name, number in listed.get("categories", {}).items()}
    try:
        return GroundTruth(points_m, instance, category_id, MappingProxyType(instances), MappingProxyType(categories))
    except TruthError as error:
        raise TruthError(f"{folder}: {error}") from None


def read_json(path: Path) -> Any:
    """Parsed JSON; errors name the file and line."""
    if not path.exists():
        raise TruthError(f"{path}: missing")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise TruthError(f"{path}:{error.lineno}: not JSON: {error.msg}") from None


def _listed_instances(path: Path, listed: Any, when: int) -> dict[int, TrueInstance]:
    if not isinstance(listed, dict) or not isinstance(listed.get("instances"), list):
        raise TruthError(f"{path}: needs a list `instances`")
    flag = "evaluate_after" if when == AFTER else "evaluate_before"
    instances: dict[int, TrueInstance] = {}
    for number, entry in enumerate(listed["instances"]):
        try:
            instance = TrueInstance(
                id=int(entry["id"]),
                category_id=int(entry["category_id"]),
                category=str(entry["category"]),
                name=str(entry.get("phrase", entry["category"])),
                kind=str(entry.get("kind", "thing")),
                evaluate=bool(entry[flag] if flag in entry else entry["evaluate"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise TruthError(f"{path}: instances[{number}]: bad or missing field {error}") from None
        if instance.id in instances or instance.id <= 0:
            raise TruthError(f"{path}: instances[{number}]: id {instance.id} is not positive or not unique")
        instances[instance.id] = instance
    return instances


def _is_scored(instance: TrueInstance) -> bool:
    return instance.evaluate and instance.kind != "structure"
