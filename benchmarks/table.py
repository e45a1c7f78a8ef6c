"""What a benchmark returns: rows of numbers, some with a bar to meet, and how they print."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any


class Unavailable(Exception):
    """Data or a library is missing; the message says which and what would help."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The number to meet."""

    limit: float
    at_least: bool = False  # else: at most

    def met(self, value: float) -> bool:
        """Whether a measured value is on the right side."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'>=' if self.at_least else '<='} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Row:
    """One measured number."""

    what: str
    value: float | None  # None: could not be measured, the note says why
    unit: str = ""
    bar: Bar | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """met, MISSED, or empty where there is no bar or no value."""
        if self.bar is None or self.value is None:
            return ""
        return "met" if self.bar.met(self.value) else "MISSED"


@dataclass(slots=True)
class Table:
    """The result of one benchmark."""

    title: str
    setting: str  # input and sizes
    baseline: str  # what the numbers are compared with
    rows: list[Row] = field(default_factory=list)

    def add(self, what: str, value: float | None, unit: str = "", bar: Bar | None = None, note: str = "") -> None:
        """Append a row."""
        self.rows.append(Row(what, None if value is None else float(value), unit, bar, note))

    def drop_bars(self) -> None:
        """Forget the bars: they hold for the full sizes only."""
        self.rows = [replace(row, bar=None) for row in self.rows]

    def as_json(self) -> dict[str, Any]:
        """Plain values for a file."""
        rows = [
            {
                "what": r.what,
                "value": r.value,
                "unit": r.unit,
                "bar": str(r.bar) if r.bar else None,
                "met": r.bar.met(r.value) if r.bar and r.value is not None else None,
                "note": r.note,
            }
            for r in self.rows
        ]
        return {"title": self.title, "setting": self.setting, "baseline": self.baseline, "rows": rows}

    def __str__(self) -> str:
        lines = [self.title, f"  input:    {self.setting}"]
        if self.baseline:
            lines.append(f"  baseline: {self.baseline}")
        cells = [(r.what, _number(r.value), r.unit, str(r.bar or ""), r.verdict, r.note) for r in self.rows]
        return "\n".join([*lines, *_aligned([("", "value", "unit", "bar", "", "note"), *cells])])


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    if value != 0 and abs(value) < 0.01:
        return f"{value:.2g}"
    return f"{value:.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"


def _aligned(cells: list[tuple[str, ...]]) -> Iterable[str]:
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    for row in cells:
        columns = [c.rjust(w) if i == 1 else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        yield ("    " + "  ".join(columns)).rstrip()
