"""Files of a training that survive its interruption."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside the file and rename, so that it is there whole or as it was."""
    part = path.with_suffix(".part")
    write(part)
    part.replace(path)


def append_row(path: Path, row: Mapping[str, float]) -> None:
    """Add a line to a CSV file; the first one names the columns."""
    new = not path.exists()
    with open(path, "a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(row))
        if new:
            writer.writeheader()
        writer.writerow({k: f"{v:.5g}" for k, v in row.items()})
