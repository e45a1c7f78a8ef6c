"""The ladder as text: rows by scene, with real and with constant scores, and the bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Numbers = Mapping[str, float]
Results = Mapping[str, Mapping[str, Numbers]]  # scene -> row -> numbers; what is missing was not measured

LIVING_KITCHEN = "sim_living_kitchen"
ROWS = (
    "voxel oracle",
    "true masks, consensus",
    "true masks, full recipe",
    "noisy true masks, consensus",
    "noisy true masks, full recipe",
    "pipeline",
    "pose jitter",
    "pose jitter, voxel oracle",
    "every second keyframe",
    "every fourth keyframe",
    "true poses, truth on the map",
    "drifting odometry, truth on the map",
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One number to meet; value in per cent, None when it was not measured."""

    what: str
    value: float | None
    limit: float
    at_least: bool = True

    @property
    def met(self) -> bool | None:
        """Whether the value is on the right side."""
        if self.value is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        value = "not measured" if self.value is None else f"{self.value:.1f}"
        verdict = {True: "met", False: "MISSED", None: "-"}[self.met]
        return f"{self.what}: {value} (bar {'>=' if self.at_least else '<='} {self.limit:g}): {verdict}"


def mean(draws: Sequence[Numbers]) -> dict[str, float]:
    """Mean of several numbers by name."""
    return {name: float(np.mean([d[name] for d in draws])) for name in draws[0]}


def bars(results: Results) -> list[Bar]:
    """Fixed bars on sim_living_kitchen, and what jitter costs on every scene."""
    kitchen = results.get(LIVING_KITCHEN, {})
    return [
        Bar(f"{LIVING_KITCHEN}: pipeline AP50", _percent(kitchen, "pipeline", "ap50"), 80),
        Bar(f"{LIVING_KITCHEN}: pipeline AP25", _percent(kitchen, "pipeline", "ap25"), 85),
        Bar(
            f"{LIVING_KITCHEN}: noisy true masks, consensus, AP50",
            _percent(kitchen, "noisy true masks, consensus", "ap50"),
            90,
        ),
        *(Bar(f"{scene}: AP50 lost by pose jitter", _lost(rows), 8, at_least=False) for scene, rows in results.items()),
    ]


def markdown(results: Results) -> str:
    """Two tables, AP / AP50 / AP25 in per cent: with real scores, then all scores the same; then the bars."""
    return "\n".join(
        [
            "AP / AP50 / AP25 with real scores:",
            "",
            *_table(results, ""),
            "",
            "The same with all scores equal:",
            "",
            *_table(results, "_constant"),
            "",
            "Bars:",
            "",
            *(f"- {bar}" for bar in bars(results)),
            "",
        ]
    )


def _table(results: Results, suffix: str) -> list[str]:
    homes = [scene for scene in results if scene != LIVING_KITCHEN]
    scenes = [*results, *(["mean of homes"] if len(homes) > 1 else [])]
    lines = ["| | " + " | ".join(scenes) + " |", "|---" * (len(scenes) + 1) + "|"]
    for row in ROWS:
        columns = [rows.get(row) for rows in results.values()]
        if not any(columns):
            continue
        if len(homes) > 1:
            there = [results[home][row] for home in homes if row in results[home]]
            columns.append(mean(there) if len(there) == len(homes) else None)
        lines.append(f"| {row} | " + " | ".join(_cell(c, suffix) for c in columns) + " |")
    return lines


def _cell(numbers: Numbers | None, suffix: str) -> str:
    if numbers is None:
        return "–"
    return " / ".join(f"{100 * numbers[name + suffix]:.1f}" for name in ("ap", "ap50", "ap25"))


def _percent(rows: Mapping[str, Numbers], row: str, name: str) -> float | None:
    return 100 * rows[row][name] if row in rows else None


def _lost(rows: Mapping[str, Numbers]) -> float | None:
    clean, jittered = _percent(rows, "pipeline", "ap50"), _percent(rows, "pose jitter", "ap50")
    return None if clean is None or jittered is None else clean - jittered
