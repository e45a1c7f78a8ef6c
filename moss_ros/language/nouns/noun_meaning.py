"""Which household nouns a phrase may mean, and how well each fits: couch -> sofa, "all fruit" -> apple, pear, ...

A known name or kind decides alone. Purposes ("something to read") and unknown words are compared with all nouns in
the text encoder's space, and with what the nouns are for.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import cache

import numpy as np

from moss_ros.language.nouns.noun_facts import NounFacts, read_noun_facts
from moss_ros.language.nouns.noun_uses import Encode, NounUses
from moss_ros.language.nouns.noun_words import NounWords

PURPOSES = frozenset(("something", "anything", "everything", "thing", "where", "somewhere", "someplace", "place"))
LEAST = 7.0  # spreads at which a noun half fits, where no other fits much better
WITHIN = 4.5  # spreads below the best noun at which another half fits
SLOPE = 0.7  # how fast the fit falls, per spread
MEMBER_SPREADS = 2.0  # what it is worth to be of the kind that the phrase ends with: "string instrument"
MEMBER_LEAST, MEMBER_WITHIN = 4.0, 3.5
WORD_WEIGHT = 2.0  # of the likeness to the noun where the phrase names no purpose
_KEPT = 4096  # phrases
_LOWEST = 0.05


class NounMeaning:
    """Answers for one encoder; remembers phrases."""

    def __init__(self, facts: tuple[NounFacts, ...], noun_vectors: np.ndarray, encode: Encode) -> None:
        """noun_vectors: (N, D) unit vectors of the nouns; encode: texts -> (T, D) unit vectors."""
        self._words, self._uses = _tables(facts)
        self._vectors = noun_vectors
        self._encode = encode
        cosines = noun_vectors @ noun_vectors.T
        others = cosines[~np.eye(len(cosines), dtype=bool)]
        self._usual, self._spread = float(others.mean()), max(float(others.std()), 1e-3)
        self._known: OrderedDict[str, np.ndarray] = OrderedDict()

    def fit(self, phrase: str) -> np.ndarray:
        """(N,) float32 in [0, 1]: how well each noun is what the phrase asks for."""
        if phrase not in self._known:
            self._known[phrase] = self._fit(phrase)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return self._known[phrase]

    def _fit(self, phrase: str) -> np.ndarray:
        words = phrase.split()
        if words and words[0] in PURPOSES:
            return _half_at(self._purpose(phrase), LEAST, WITHIN)
        named = self._words.named(phrase)
        if named is not None:
            return named
        members = self._words.members(phrase)
        if members:
            scores = self._purpose(phrase)
            scores[members] += MEMBER_SPREADS
            return _half_at(scores, MEMBER_LEAST, MEMBER_WITHIN)
        return _half_at(WORD_WEIGHT * self._likeness(phrase), LEAST, WITHIN)

    def _purpose(self, phrase: str) -> np.ndarray:
        return self._likeness(phrase) + self._uses.scores(phrase, self._encode, self._usual, self._spread)

    def _likeness(self, phrase: str) -> np.ndarray:
        """(N,) spreads above the mean of the nouns."""
        cosines = self._vectors @ self._encode([phrase])[0]
        return np.asarray((cosines - cosines.mean()) / max(float(cosines.std()), 1e-6))


@cache
def known_nouns() -> tuple[NounFacts, ...]:
    """The facts that come with the package, read once."""
    return read_noun_facts()


@cache  # engines share them
def _tables(facts: tuple[NounFacts, ...]) -> tuple[NounWords, NounUses]:
    return NounWords(facts), NounUses(facts)


def _half_at(scores: np.ndarray, least: float, within: float) -> np.ndarray:
    middle = max(least, float(scores.max()) - within)
    fit = 1 / (1 + np.exp(-SLOPE * (scores - middle)))
    return np.where(fit >= _LOWEST, fit, 0).astype(np.float32)
