"""Reads the database files of WordNet 3.0 (Debian package ``wordnet-base``): meanings and their kinds.

File formats: the manual pages wndb(5WN), cntlist(5WN) and lexnames(5WN).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from moss_ros.train.words.similarity import Concept

DEFAULT_FOLDER = Path("/usr/share/wordnet")
PARTS = ("noun", "verb", "adj")
# Lexicographer files of things that one can touch: animal, artifact, body, food, object, plant, substance.
PHYSICAL = frozenset({5, 6, 8, 13, 17, 20, 27})
FOOD = 13
MADE_OR_EATEN = frozenset({6, FOOD})
_PART_OF_LETTER = {"n": "noun", "v": "verb", "a": "adj", "s": "adj"}

Key = tuple[str, str]  # (part of speech, offset in its file)


@dataclass(frozen=True, slots=True)
class Synset:
    """One meaning: the words that have it, what it says of them, and what it is a kind of."""

    key: Key
    file: int  # number of the lexicographer file
    lemmas: tuple[str, ...]
    definition: str
    examples: tuple[str, ...]
    parents: tuple[Key, ...]

    @property
    def physical(self) -> bool:
        return self.key[0] == "noun" and self.file in PHYSICAL


class WordNet:
    """All meanings in a fixed order; ``senses`` gives those of a noun, the usual one first."""

    def __init__(self, synsets: Sequence[Synset], senses: dict[str, list[int]], uses: dict[int, int]) -> None:
        self.synsets = list(synsets)
        self.index = {s.key: i for i, s in enumerate(self.synsets)}
        self.senses = senses
        self.uses = uses

    @classmethod
    def load(cls, folder: Path = DEFAULT_FOLDER) -> WordNet:
        """Read data.*, index.noun and, where it is there, cntlist.rev. Raises FileNotFoundError with the fix."""
        if not (folder / "data.noun").is_file():
            raise FileNotFoundError(f"no WordNet in {folder}: apt install wordnet-base, or give --wordnet FOLDER")
        synsets = [s for part in PARTS if (folder / f"data.{part}").is_file() for s in _read_data(folder, part)]
        index = {s.key: i for i, s in enumerate(synsets)}
        senses = dict(_read_index(folder / "index.noun", index))
        return cls(synsets, senses, _read_counts(folder / "cntlist.rev", senses))

    def thing(self, word: str) -> int | None:
        """Row of the first meaning of a noun that can be touched; of its last words when the whole is unknown."""
        words = word.lower().split()
        for start in range(len(words)):
            for row in self.meanings(" ".join(words[start:])):
                if self.synsets[row].physical:
                    return row
        return None

    def meanings(self, noun: str) -> list[int]:
        """Rows of all meanings of a noun, the usual one first, then those of its singular."""
        return [row for form in _singulars(noun.lower()) for row in self.senses.get(form, ())]

    def usual_lemmas(self, row: int) -> tuple[str, ...]:
        """Words that mean this thing before any other thing (mug: the vessel); the first word where there is none."""
        synset = self.synsets[row]
        usual = tuple(w for w in synset.lemmas if self._first_thing(w) in (None, row))
        return usual or synset.lemmas[:1]

    def _first_thing(self, word: str) -> int | None:
        rows = self.senses.get(word.lower(), ())
        return next((row for row in rows if self.synsets[row].physical), None)

    @cached_property
    def ancestors(self) -> list[frozenset[int]]:
        """For each synset the rows of all that it is a kind of, itself among them."""
        done: dict[int, frozenset[int]] = {}
        for row in range(len(self.synsets)):
            self._close(row, done)
        return [done[row] for row in range(len(self.synsets))]

    def _close(self, row: int, done: dict[int, frozenset[int]]) -> frozenset[int]:
        if row not in done:
            done[row] = frozenset({row})  # guards against a circle in the data
            above = [self._close(p, done) for p in self.parents(row)]
            done[row] = frozenset({row}).union(*above)
        return done[row]

    def concept(self, row: int) -> Concept:
        return Concept(self.ancestors[row], self.information[row])

    def parents(self, row: int) -> list[int]:
        return [self.index[k] for k in self.synsets[row].parents if k in self.index]

    @cached_property
    def information(self) -> list[float]:
        """Intrinsic information content in [0, 1]: 1 for what nothing is a kind of (Seco, Veale, Hayes 2004)."""
        below = Counter(a for rows in self.ancestors for a in rows)
        scale = math.log(max(len(self.synsets), 2))
        return [1 - math.log(below[row]) / scale for row in range(len(self.synsets))]


def _read_data(folder: Path, part: str) -> Iterator[Synset]:
    for line in _lines(folder / f"data.{part}"):
        head, _, gloss = line.partition(" | ")
        fields = head.split()
        words = int(fields[3], 16)
        pointers = fields[5 + 2 * words : 5 + 2 * words + 4 * int(fields[4 + 2 * words])]
        links = zip(pointers[0::4], pointers[1::4], pointers[2::4], strict=True)
        parents = tuple((_PART_OF_LETTER[p], offset) for kind, offset, p in links if kind in ("@", "@i"))
        lemmas = tuple(re.sub(r"\(.*?\)", "", w).replace("_", " ") for w in fields[4 : 4 + 2 * words : 2])
        definition, examples = split_gloss(gloss)
        yield Synset((part, fields[0]), int(fields[1]), lemmas, definition, examples, parents)


def split_gloss(gloss: str) -> tuple[str, tuple[str, ...]]:
    """(definition, examples): examples stand in quotes."""
    examples = tuple(re.findall(r'"([^"]+)"', gloss))
    definition = re.sub(r'"[^"]*"[^;]*', "", gloss)
    return "; ".join(p.strip() for p in definition.split(";") if p.strip()), examples


def _read_index(path: Path, index: dict[Key, int]) -> Iterator[tuple[str, list[int]]]:
    for line in _lines(path):
        fields = line.split()
        offsets = fields[-int(fields[2]) :]
        yield fields[0].replace("_", " "), [index[("noun", o)] for o in offsets if ("noun", o) in index]


def _read_counts(path: Path, senses: dict[str, list[int]]) -> dict[int, int]:
    """How often each noun meaning was used in the tagged texts."""
    counts: Counter[int] = Counter()
    if path.is_file():
        for line in _lines(path):
            sense_key, number, count = line.split()
            lemma, _, rest = sense_key.partition("%")
            rows = senses.get(lemma.replace("_", " "), [])
            if rest.startswith("1:") and int(number) <= len(rows):
                counts[rows[int(number) - 1]] += int(count)
    return dict(counts)


def _lines(path: Path) -> Iterator[str]:
    with open(path, encoding="utf-8") as stream:
        yield from (line for line in stream if not line.startswith("  "))


def _singulars(noun: str) -> Iterator[str]:
    yield noun
    for ending, singular in (("ves", "f"), ("ies", "y"), ("es", ""), ("s", "")):
        if noun.endswith(ending):
            yield noun.removesuffix(ending) + singular
