"""The table of what is known of each household noun; made by ``python -m moss_ros.train.words.noun_facts``."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from moss_ros.language.sizes.size_table import SizeTable, read_sizes

NOUNS_FILE = Path(__file__).parent / "data" / "nouns.csv"
COLUMNS = ("noun", "names", "kinds", "uses", "kind_uses")


@dataclass(frozen=True, slots=True)
class NounFacts:
    """One noun of the table of sizes."""

    noun: str
    aliases: tuple[str, ...]  # other names that mean this noun and no other
    names: tuple[str, ...] = ()  # more names, which may mean other nouns as well
    kinds: tuple[str, ...] = ()  # more general words, the nearest first
    uses: tuple[str, ...] = ()  # "something to sit on"
    kind_uses: tuple[str, ...] = ()  # uses of what it is a kind of


def read_noun_facts(path: Path = NOUNS_FILE, table: SizeTable | None = None) -> tuple[NounFacts, ...]:
    """The facts of every noun of the table of sizes, in its order; nouns that the file lacks have only aliases.

    The file is a CSV with the columns of COLUMNS, entries of a field parted by ``|``; ``#`` starts a comment. Raises
    ValueError for another form and OSError.
    """
    table = table or read_sizes()
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and line[0] != "#"]
    if not lines or tuple(lines[0].split(",")) != COLUMNS:
        raise ValueError(f"{path}: the first line that is no comment must be {','.join(COLUMNS)}")
    known = {}
    for fields in csv.reader(lines[1:]):
        if len(fields) != len(COLUMNS):
            raise ValueError(f"{path}: {fields[:1]} has {len(fields)} fields, needed are {','.join(COLUMNS)}")
        known[fields[0]] = tuple(tuple(filter(None, field.split("|"))) for field in fields[1:])
    nothing: tuple[tuple[str, ...], ...] = ((), (), (), ())
    return tuple(
        NounFacts(noun, aliases, *known.get(noun, nothing))
        for noun, aliases in zip(table.nouns, table.aliases, strict=True)
    )
