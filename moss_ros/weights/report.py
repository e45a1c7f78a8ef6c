"""What `moss weights` prints."""

from __future__ import annotations

from moss_ros.weights.fetch import fetch
from moss_ros.weights.store import verified, weights_folder
from moss_ros.weights.table import TABLE, MissingWeightsError, Weights, find


def listing() -> str:
    """The table with what is there."""
    rows = [("name", "here", "size", "licence", "source")]
    rows += [(w.name, _here(w), _size(w.size_bytes), w.licence, w.source) for w in TABLE]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = ["  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[4]]) for row in rows]
    return "\n".join([*lines, f"folder: {weights_folder()}"])


def fetch_all(names: list[str], progress: bool = True) -> list[str]:
    """Fetch weights by name; one line each. Raises MissingWeightsError."""
    return [fetch(weights, progress) for weights in [find(n) for n in names]]


def verify_all(names: list[str]) -> tuple[list[str], bool]:
    """(lines, all right) of the named weights; no names: of those that are here."""
    chosen = [find(n) for n in names] if names else [w for w in TABLE if _here(w) == "yes"]
    lines, right = [], True
    for weights in chosen:
        try:
            lines.append(f"{weights.name}: {verified(weights)}")
        except MissingWeightsError as error:
            lines.append(f"{weights.name}: {error}")
            right = False
    return lines or [f"no weights are in {weights_folder()}"], right


def _here(weights: Weights) -> str:
    if weights.kind == "open_clip":
        return "-"  # open_clip has a folder of its own
    path = weights_folder() / weights.file_name
    there = path.exists() or (weights.kind == "file" and path.with_suffix(".safetensors").exists())
    return "yes" if there else "no"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes else "?"
