"""Names and uses of household things that the dictionary lacks, from ``household.txt`` beside this file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("household.txt")


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing: its names (the usual one first), the word it is a kind of, and ways to ask for it."""

    names: tuple[str, ...]
    kind: str
    phrases: tuple[str, ...]


def read_household(path: Path = FILE) -> list[Thing]:
    """Lines ``name, name | kind | phrase; phrase``; ``#`` starts a comment. Raises ValueError with the line."""
    things = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [f.strip() for f in line.split("|")]
        if len(fields) != 3 or not all(fields):
            raise ValueError(f"{path.name}:{number}: want 'names | kind | phrases', got {line!r}")
        names, kind, phrases = fields
        things.append(Thing(_parts(names, ","), kind, _parts(phrases, ";")))
    return things


def _parts(text: str, separator: str) -> tuple[str, ...]:
    return tuple(p.strip() for p in text.split(separator) if p.strip())
