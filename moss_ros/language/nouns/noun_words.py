"""Which nouns a word names: by a name of theirs, as their kind, or as the end of a compound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from moss_ros.language.nouns.noun_facts import NounFacts
from moss_ros.language.sizes.head_noun import head_noun, spaced

MANY = 5  # nouns below a word make it a general one: "seat", "fruit", "toy"
FEW_WEIGHT = 0.5  # of what a word that is itself a noun has below it: a kettle is a kind of pot
ALIAS_END_WEIGHT = 0.3  # of nouns of which only another name ends with the word: a dishwasher is a washing machine
_Rows = dict[str, set[int]]


class NounWords:
    """Names, kinds and compound ends of N nouns."""

    def __init__(self, facts: Sequence[NounFacts]) -> None:
        self._count = len(facts)
        self._nouns = frozenset(spaced(fact.noun) for fact in facts)
        self._names: _Rows = {}
        self._kinds: _Rows = {}
        self._ends: _Rows = {}  # of the nouns themselves
        self._alias_ends: _Rows = {}
        for row, fact in enumerate(facts):
            for name in fact.names:
                self._names.setdefault(spaced(name), set()).add(row)
            for kind in fact.kinds:
                self._kinds.setdefault(spaced(kind), set()).add(row)
        for row, fact in enumerate(facts):  # a name of the table of sizes has one meaning
            self._names |= {spaced(name): {row} for name in (fact.noun, *fact.aliases)}
        for row, fact in enumerate(facts):
            _add_ends(self._ends, fact.noun, row)
            for name in (*fact.aliases, *fact.names):
                _add_ends(self._alias_ends, name, row)

    def named(self, phrase: str) -> np.ndarray | None:
        """(N,) weights in [0, 1] of the nouns that the head of the phrase names; None where nothing is known, or the
        head is a kind of which the phrase asks for some."""
        name, kind = head_noun(phrase, self._names), head_noun(phrase, self._kinds)
        if name is not None and kind is not None and len(kind.split()) > len(name.split()):
            name = None
        if name is None and kind is None:
            return self._compounds(phrase)
        if kind is not None and kind != spaced(phrase) and self._is_general(kind, name):
            return None  # "backless seat": which of them, tells the rest
        weights = np.zeros(self._count, np.float32)
        if name is not None:
            weights[list(self._names[name])] = 1
        if kind is not None and name in (None, kind):
            below = list(self._kinds[kind])
            weight = 1.0 if name is None or len(below) >= MANY else FEW_WEIGHT
            weights[below] = np.maximum(weights[below], weight)
        word = name or kind or ""
        for rows, weight in ((self._alias_ends.get(word), ALIAS_END_WEIGHT), (self._ends.get(word), 1.0)):
            if rows:
                weights[list(rows)] = np.maximum(weights[list(rows)], weight)
        return weights

    def members(self, phrase: str) -> list[int]:
        """Rows of the nouns of the kind that the phrase ends with."""
        kind = head_noun(phrase, self._kinds)
        return [] if kind is None else sorted(self._kinds[kind])

    def _is_general(self, kind: str, name: str | None) -> bool:
        """Whether a word is first of all a kind: no noun at all, or another name of one among many below it."""
        return name is None or (name == kind and kind not in self._nouns and len(self._kinds[kind]) >= MANY)

    def _compounds(self, phrase: str) -> np.ndarray | None:
        """Weights of the nouns of which one name ends with the head of the phrase."""
        for ends in (self._ends, self._alias_ends):
            word = head_noun(phrase, ends)
            if word is not None:
                weights = np.zeros(self._count, np.float32)
                weights[list(ends[word])] = 1
                return weights
        return None


def _add_ends(ends: _Rows, name: str, row: int) -> None:
    words = spaced(name).split()
    for start in range(1, len(words)):
        ends.setdefault(" ".join(words[start:]), set()).add(row)
