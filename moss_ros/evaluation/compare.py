"""Two runs side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moss_ros.evaluation.ground_truth import read_json

_SKIPPED = {"best_iou", "per_class", "queries"}  # long lists; the report of each run has them


@dataclass(frozen=True, slots=True)
class Row:
    """One number of two runs; None where a run has none."""

    name: str
    a: float | None
    b: float | None

    @property
    def difference(self) -> float | None:
        """b - a."""
        return None if self.a is None or self.b is None else self.b - self.a


@dataclass(frozen=True, slots=True)
class Comparison:
    """All numbers of metrics.json and run.json that either run has."""

    names: tuple[str, str]
    rows: tuple[Row, ...]

    def __str__(self) -> str:
        width = max([len(row.name) for row in self.rows] + [6])
        columns = [max(len(name), 10) for name in self.names]
        head = f"{'':{width}}  {self.names[0]:>{columns[0]}}  {self.names[1]:>{columns[1]}}  {'difference':>10}"
        lines = [head]
        for row in self.rows:
            cells = (_text(row.a), _text(row.b), _text(row.difference, "+"))
            lines.append(f"{row.name:{width}}  {cells[0]:>{columns[0]}}  {cells[1]:>{columns[1]}}  {cells[2]:>10}")
        return "\n".join(lines)


def compare(run_a: Path, run_b: Path) -> Comparison:
    """Quality, speed and memory of two runs; print the result to read it."""
    a, b = _numbers(Path(run_a)), _numbers(Path(run_b))
    names = [*a, *(name for name in b if name not in a)]
    return Comparison((Path(run_a).name, Path(run_b).name), tuple(Row(n, a.get(n), b.get(n)) for n in names))


def _numbers(folder: Path) -> dict[str, float]:
    out = dict(_flat("", read_json(folder / "metrics.json"))) if (folder / "metrics.json").exists() else {}
    facts = read_json(folder / "run.json")
    for name in ("seconds", "bag_seconds", "peak_rss_mb", "frames", "stages"):
        out.update(_flat(name, facts.get(name)))
    return out


def _flat(name: str, value: Any) -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in _SKIPPED:
                yield from _flat(f"{name}.{key}" if name else key, inner)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield name, float(value)


def _text(value: float | None, sign: str = "") -> str:
    if value is None:
        return "-"
    return f"{value:{sign}.4f}" if abs(value) < 10 else f"{value:{sign}.1f}"
