"""Scores of changes: what was moved, removed and added while the robot looked elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from moss_ros.evaluation.ground_truth import TruthError, read_json

KINDS = ("moved", "removed", "added")
REACH_M = 0.3  # centroids of parts of things are off by some cm; neighbours on a table are farther apart


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed. Removed things have no place after, added ones none before."""

    kind: str  # one of KINDS
    id: int  # of the system's map or of the truth; not compared
    before_m: np.ndarray | None = None  # (3,) position in map
    after_m: np.ndarray | None = None

    def __post_init__(self) -> None:
        needs = {"moved": (True, True), "removed": (True, False), "added": (False, True)}.get(self.kind)
        if needs is None:
            raise ValueError(f"a change is moved, removed or added, not {self.kind!r}")
        if needs != (self.before_m is not None, self.after_m is not None):
            raise ValueError(f"positions of a thing that was {self.kind}: before and after must fit the kind")


@dataclass(frozen=True, slots=True)
class ChangeScore:
    """Fractions in [0, 1]; NaN where nothing was reported (precision) or nothing changed (recall)."""

    precision: float
    recall: float
    f1: float
    right: int
    reported: int
    true: int


def load_changes(path: Path) -> tuple[Change, ...]:
    """The list of a scene's changes.json; lists `removed`, `moved` and, if there, `added`."""
    data = read_json(Path(path))
    if not isinstance(data, dict):
        raise TruthError(f"{path}: needs lists `removed` and `moved`")
    changes = []
    for kind in KINDS:
        for number, entry in enumerate(data.get(kind, [])):
            try:
                changes.append(_change(kind, entry))
            except (KeyError, TypeError, ValueError) as error:
                raise TruthError(f"{path}: {kind}[{number}]: bad or missing field {error}") from None
    return tuple(changes)


def score_changes(
    true: Sequence[Change], reported: Sequence[Change], reach_m: float = REACH_M
) -> dict[str, ChangeScore]:
    """Score each kind of change.

    A report is right when all positions of its kind (before, after or both) are within reach_m of those of a
    true change of this kind. Each true change takes one report, so that as many as possible are right.
    """
    return {kind: _score(_of(true, kind), _of(reported, kind), reach_m) for kind in KINDS}


def _score(true: list[Change], reported: list[Change], reach_m: float) -> ChangeScore:
    fits = np.array([[_distance_m(t, r) <= reach_m for r in reported] for t in true], float)
    fits = fits.reshape(len(true), len(reported))
    right = int(fits[linear_sum_assignment(-fits)].sum())
    precision = right / len(reported) if reported else float("nan")
    recall = right / len(true) if true else float("nan")
    whole = len(true) + len(reported)
    return ChangeScore(precision, recall, 2 * right / whole if whole else float("nan"), right, len(reported), len(true))


def _distance_m(a: Change, b: Change) -> float:
    """The larger of the distances before and after."""
    pairs = ((a.before_m, b.before_m), (a.after_m, b.after_m))
    return max(float(np.linalg.norm(p - q)) for p, q in pairs if p is not None and q is not None)


def _of(changes: Sequence[Change], kind: str) -> list[Change]:
    return [c for c in changes if c.kind == kind]


def _change(kind: str, entry: dict[str, Any]) -> Change:
    return Change(
        kind=kind,
        id=int(entry["id"]),
        before_m=None if kind == "added" else _position(entry, "before"),
        after_m=None if kind == "removed" else _position(entry, "after"),
    )


def _position(entry: dict[str, Any], when: str) -> np.ndarray:
    """`before`, `position_before` or `before_m`; for things that have one position, `position`."""
    for name in (when, f"position_{when}", f"{when}_m", "position", "position_m"):
        if name in entry:
            return np.array(entry[name], float).reshape(3)
    raise KeyError(f"position {when}")
