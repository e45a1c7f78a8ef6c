"""How well what nouns are for answers "something to sit on": words in common, and likeness of the texts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from moss_ros.language.nouns.noun_facts import NounFacts
from moss_ros.language.sizes.head_noun import singular

KIND_WEIGHT = 0.8  # of a use of the kind beside one of the noun
WORDS_WEIGHT = 4.0  # spreads of likeness that all words in common are worth
MOST_TEXTS = 24  # uses that are compared by the encoder: those with the most telling words in common
_EMPTY = frozenset(
    re.findall(
        r"\S+",
        "something somebody someone somewhere oneself one one's you it thing things place where tool device a an the "
        "to with in on that used for is of and or be can from by at kept usually various any consisting having",
    )
)  # words that ask without telling what for
Encode = Callable[[Sequence[str]], np.ndarray]


class NounUses:
    """Uses of N nouns."""

    def __init__(self, facts: Sequence[NounFacts]) -> None:
        entries = [(row, use, 1.0) for row, fact in enumerate(facts) for use in fact.uses]
        entries += [(row, use, KIND_WEIGHT) for row, fact in enumerate(facts) for use in fact.kind_uses]
        self._texts = list(dict.fromkeys(use for _, use, _ in entries))
        number = {text: i for i, text in enumerate(self._texts)}
        self._count = len(facts)
        self._row = np.array([row for row, _, _ in entries], int)
        self._text = np.array([number[use] for _, use, _ in entries], int)
        self._weight = np.array([weight for _, _, weight in entries])
        self._words = [content_words(text) for text in self._texts]
        # A word counts the more the fewer nouns it is said of.
        said = {(row, word) for row, use, _ in entries for word in self._words[number[use]]}
        self._nouns_with = Counter(word for _, word in said)

    def scores(self, phrase: str, encode: Encode, usual: float, spread: float) -> np.ndarray:
        """(N,) spreads above the usual likeness of the best use of each noun, with what common words are worth; 0
        where no word is in common. usual, spread: of cosines of texts that have nothing to do with each other."""
        common = self._common(phrase)
        chosen = [i for i in np.argsort(-common, kind="stable")[:MOST_TEXTS] if common[i] > 0]
        of_text = np.zeros(len(self._texts))
        if chosen:
            vectors = encode([phrase, *(self._texts[i] for i in chosen)])
            of_text[chosen] = (vectors[1:] @ vectors[0] - usual) / spread + WORDS_WEIGHT * common[chosen]
        best = np.zeros(self._count)
        np.maximum.at(best, self._row, of_text[self._text] * self._weight)
        return best

    def _common(self, phrase: str) -> np.ndarray:
        """(texts,) share of the phrase's words that each use has, by how telling they are."""
        weight = {word: 1 / np.log(1.5 + self._nouns_with[word]) for word in content_words(phrase)}
        total = max(sum(weight.values()), 1e-9)
        return np.array([sum(weight[w] for w in words & weight.keys()) / total for words in self._words])


def content_words(text: str) -> frozenset[str]:
    """Words that tell what is meant, in the singular."""
    return frozenset(singular(w) for w in re.findall(r"[a-z']+", text.lower()) if w not in _EMPTY)
