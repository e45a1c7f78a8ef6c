"""The table of typical sizes: nouns, their other names, three sorted extents and how far they spread."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SIZES_FILE = Path(__file__).parent / "data" / "sizes.csv"
COLUMNS = ("noun", "aliases", "group", "long_m", "middle_m", "short_m", "sd_long", "sd_middle", "sd_short")
MOST_M = 10.0  # nothing indoors is longer; a larger number is one in other units


class SizeTableError(ValueError):
    """A table of sizes that cannot be read; the message names the file, the line and the fix."""


@dataclass(frozen=True, slots=True)
class SizeTable:
    """N nouns with the extents of the whole thing, longest first."""

    nouns: tuple[str, ...]
    aliases: tuple[tuple[str, ...], ...]  # other names of each noun
    groups: tuple[str, ...]  # kind of thing, "structure" for parts of the building
    extents_m: np.ndarray  # (N, 3) float64
    log_sd: np.ndarray  # (N, 3) float64 standard deviation of the natural logarithm of each extent

    def rows_by_name(self) -> dict[str, int]:
        """Row of every noun and alias."""
        rows = {noun: row for row, noun in enumerate(self.nouns)}
        for row, names in enumerate(self.aliases):
            rows.update(dict.fromkeys(names, row))
        return rows


def read_sizes(path: Path = SIZES_FILE) -> SizeTable:
    """Read a table of sizes: a CSV with the columns of COLUMNS; lines that start with # are comments.

    Raises SizeTableError for a missing file or column, a name used twice, and extents that are not sorted or sensible.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SizeTableError(f"{path}: {error.strerror}; give a CSV with the columns {', '.join(COLUMNS)}") from None
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
    if not lines or tuple(lines[0][1].split(",")) != COLUMNS:
        raise SizeTableError(f"{path}: the first line that is no comment must be {','.join(COLUMNS)}")
    seen: dict[str, int] = {}
    rows = [_row(f"{path}:{n}", line, n, seen) for n, line in lines[1:]]
    if not rows:
        raise SizeTableError(f"{path}: holds no noun; add a line such as mug,cup,kitchen,0.12,0.1,0.09,0.1,0.1,0.1")
    numbers = np.array([numbers for *_, numbers in rows])
    return SizeTable(
        nouns=tuple(row[0] for row in rows),
        aliases=tuple(row[1] for row in rows),
        groups=tuple(row[2] for row in rows),
        extents_m=numbers[:, :3],
        log_sd=numbers[:, 3:],
    )


def _row(where: str, line: str, number: int, seen: dict[str, int]) -> tuple[str, tuple[str, ...], str, list[float]]:
    """Noun, aliases, group and the six numbers of a line."""
    fields = next(csv.reader([line]))
    if len(fields) != len(COLUMNS):
        raise SizeTableError(f"{where}: {len(fields)} fields, needed are {len(COLUMNS)}: {','.join(COLUMNS)}")
    noun, group = fields[0].strip(), fields[2].strip()
    aliases = tuple(alias.strip() for alias in fields[1].split("|") if alias.strip())
    for name in (noun, *aliases):
        if not name or name != name.lower():
            raise SizeTableError(f"{where}: name {name!r} must be lower-case text")
        if name in seen:
            raise SizeTableError(f"{where}: {name!r} is also on line {seen[name]}; keep one of the two")
        seen[name] = number
    try:
        numbers = [float(field) for field in fields[3:]]
    except ValueError as error:
        raise SizeTableError(f"{where}: {error}; extents are metres, spreads plain numbers") from None
    extents, spreads = numbers[:3], numbers[3:]
    if not MOST_M >= extents[0] >= extents[1] >= extents[2] > 0:
        raise SizeTableError(f"{where}: extents {extents} must be metres in (0, {MOST_M:g}], longest first")
    if not all(0 < spread < 2 for spread in spreads):
        raise SizeTableError(f"{where}: spreads {spreads} must be in (0, 2); 0.1 is about 10 %")
    return noun, aliases, group, numbers
