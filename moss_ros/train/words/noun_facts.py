"""Make the table of what household nouns mean: python -m moss_ros.train.words.noun_facts --wordnet FOLDER

Joins the nouns of the table of sizes with WordNet (other names, kinds, definitions that tell a use) and with the list
of household things. Nothing of a scene or its questions goes in.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from moss_ros.language.nouns.noun_facts import COLUMNS, NOUNS_FILE, NounFacts
from moss_ros.language.sizes.head_noun import spaced
from moss_ros.language.sizes.size_table import SizeTable, read_sizes
from moss_ros.train.words.household import Thing, read_household
from moss_ros.train.words.phrases import function_phrases
from moss_ros.train.words.wordnet import DEFAULT_FOLDER, FOOD, WordNet

ARTIFACT = 6  # lexicographer file of what people make
GROWN = frozenset(("food", "pet", "garden", "decor"))  # groups of nouns that may be no artifact
LEAST_INFORMATION = 0.36  # of a kind that says something: "container", not "object"
LEAST_OF_USES = 0.5  # of a kind whose use is that of all below it: "seat", not "container"
_HEAD = """# What household nouns mean. Made by python -m moss_ros.train.words.noun_facts from WordNet 3.0 (its license
# lies in moss_ros/language/encoders/weights) and moss_ros/train/words/household.txt; entries are parted by |.
# names   more names than the table of sizes has    kinds   more general words
# uses    what it is for                            kind_uses   what things of its kind are for
"""


def noun_facts(words: WordNet, table: SizeTable, home: Sequence[Thing]) -> list[NounFacts]:
    """Facts of every noun of the table."""
    taken = {spaced(name) for name in table.rows_by_name()}
    rows = zip(table.nouns, table.aliases, table.groups, strict=True)
    found = [_facts(words, noun, aliases, group, home, taken) for noun, aliases, group in rows]
    uses = {facts.noun: facts.uses for facts in found}
    return [_with_shorter(facts, uses) for facts in found]


def meaning(words: WordNet, name: str, group: str) -> tuple[int, int] | None:
    """Synset row of the first meaning that fits the group, and how many words of the name were left out before it."""
    parts = name.split()
    files = {FOOD} if group == "food" else {ARTIFACT}
    for start in range(len(parts)):
        senses = words.meanings(" ".join(parts[start:]))
        fitting = [row for row in senses if words.synsets[row].file in files]
        if not fitting and group in GROWN:
            fitting = [row for row in senses if words.synsets[row].physical]
        if fitting:
            return fitting[0], start
    return None


def write_facts(facts: Iterable[NounFacts], path: Path = NOUNS_FILE) -> None:
    """Write the table; entries that hold a separator are left out."""
    with open(path, "w", encoding="utf-8", newline="") as stream:
        stream.write(_HEAD)
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for fact in facts:
            fields = (fact.names, fact.kinds, fact.uses, fact.kind_uses)
            writer.writerow([fact.noun, *("|".join(e for e in field if "|" not in e) for field in fields)])


def _facts(
    words: WordNet, noun: str, aliases: tuple[str, ...], group: str, home: Sequence[Thing], taken: set[str]
) -> NounFacts:
    names: list[str] = []
    kinds: list[str] = []
    uses: list[str] = []
    kind_uses: list[str] = []
    found = [m for name in (noun, *aliases) if (m := meaning(words, name, group)) is not None]
    if found:
        row, left_out = min(found, key=lambda m: m[1])
        above = _kinds_above(words, row, itself=left_out > 0)
        kinds += _lemmas(words, above)
        kind_uses += [u for a in above if words.information[a] > LEAST_OF_USES for u in _uses(words, a)]
        if not left_out:
            names += words.usual_lemmas(row)
            uses += _uses(words, row)
    for thing in (t for t in home if {spaced(n) for n in t.names[:2]} & {spaced(n) for n in (noun, *aliases)}):
        names += thing.names
        uses += thing.phrases
        of_kind = meaning(words, thing.kind, group)
        kinds += _lemmas(words, _kinds_above(words, of_kind[0], itself=True)) if of_kind else []
    other = [n for n in names if spaced(n) not in taken]
    return NounFacts(noun, aliases, _unique(other), _unique(kinds), _unique(uses), _unique(kind_uses))


def _kinds_above(words: WordNet, row: int, itself: bool) -> list[int]:
    above = [a for a in words.ancestors[row] if (a != row or itself) and words.information[a] > LEAST_INFORMATION]
    return sorted(above, key=lambda a: (-words.information[a], a))


def _lemmas(words: WordNet, rows: Sequence[int]) -> list[str]:
    return [lemma for row in rows for lemma in (words.synsets[row].lemmas[0], *words.usual_lemmas(row))]


def _uses(words: WordNet, row: int) -> list[str]:
    return function_phrases(words.synsets[row].definition)


def _with_shorter(facts: NounFacts, uses: dict[str, tuple[str, ...]]) -> NounFacts:
    """A desk lamp is for what a lamp is for."""
    parts = facts.noun.split()
    more = [use for start in range(1, len(parts)) for use in uses.get(" ".join(parts[start:]), ())]
    kind_uses = tuple(u for u in dict.fromkeys([*facts.kind_uses, *more]) if u not in facts.uses)
    return NounFacts(facts.noun, facts.aliases, facts.names, facts.kinds, facts.uses, kind_uses)


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.lower() for text in texts))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m moss_ros.train.words.noun_facts", description=__doc__)
    parser.add_argument("--wordnet", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument("--out", type=Path, default=NOUNS_FILE)
    options = parser.parse_args()
    write_facts(noun_facts(WordNet.load(options.wordnet), read_sizes(), read_household()), options.out)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
