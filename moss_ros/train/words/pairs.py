"""Draws pairs of texts that mean the same: names with definitions, uses, kinds, colours and captions."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from moss_ros.train.words.captions import Caption, read_captions
from moss_ros.train.words.contrasts import Contrasts, Named
from moss_ros.train.words.household import Thing, read_household
from moss_ros.train.words.phrases import function_phrases
from moss_ros.train.words.similarity import Concept, Pair
from moss_ros.train.words.templates import fill, in_template
from moss_ros.train.words.wordnet import MADE_OR_EATEN, WordNet

# Pairs of each sort in a batch, as a share of all.
MEANINGS = {"made": 0.46, "physical": 0.13, "other": 0.09}
ATTRIBUTES = 0.13
COMPOUNDS = 0.05
HOME = 0.09
CAPTIONS = 0.05
HELD_OUT_ONE_IN = 50


def held_out(key: str, one_in: int) -> bool:
    """Whether a key belongs to the fixed test share; the same on every machine."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % one_in == 0


def is_test_synset(words: WordNet, row: int) -> bool:
    """Whether definition, uses and synonyms of this meaning are kept for the test."""
    synset = words.synsets[row]
    return synset.physical and held_out(" ".join(synset.key), HELD_OUT_ONE_IN)


class PairSampler:
    """Batches of pairs, the same for the same seed."""

    def __init__(self, words: WordNet, home: Sequence[Thing], captions: Sequence[Caption], seed: int) -> None:
        self.words = words
        self.home = list(home)
        self.captions = list(captions)
        self._draw = random.Random(seed)
        rows = range(len(words.synsets))
        self.uses = {r: function_phrases(words.synsets[r].definition) for r in rows if words.synsets[r].physical}
        self._groups = {
            "made": [r for r in self.uses if words.synsets[r].file in MADE_OR_EATEN],
            "physical": list(self.uses),
            "other": [r for r in rows if r not in self.uses],
        }
        self._weights = {k: list(accumulate(map(self._weight, v))) for k, v in self._groups.items()}
        self.information = list(words.information)  # of every concept, those of the lists at the end
        self._home_concepts = [self._below(t.kind) for t in self.home]
        self._caption_concepts = [self._below(c.category) for c in self.captions]
        self.contrasts = Contrasts(words, self._named_things(), self._draw, self.meaning_pair)

    def batch(self, size: int) -> list[Pair]:
        """About `size` pairs of all sorts."""
        pairs = [p for sort, share in MEANINGS.items() for p in self._meanings(sort, round(share * size))]
        pairs += [p for _ in range(round(ATTRIBUTES * size / 4)) for p in self.contrasts.attributes()]
        for _ in range(round(COMPOUNDS * size / 6)):
            pairs += [*self.contrasts.compounds(), *self.contrasts.contents()]
        if self.home:
            pairs += [self.home_pair() for _ in range(round(HOME * size))]
        if self.captions:
            pairs += [self.caption_pair() for _ in range(round(CAPTIONS * size))]
        return pairs

    def _meanings(self, sort: str, count: int) -> list[Pair]:
        rows = self._groups[sort]
        if not rows:
            return []
        chosen = self._draw.choices(rows, cum_weights=self._weights[sort], k=count)
        return [self.meaning_pair(r) for r in dict.fromkeys(chosen)]

    def meaning_pair(self, row: int) -> Pair:
        """A name of a meaning and something that says the same."""
        return Pair(self._named(row), self._said(row), self.words.concept(row))

    def _named(self, row: int) -> str:
        lemma = self._draw.choice(self.words.usual_lemmas(row)).lower()
        return in_template(lemma, self._draw) if self.words.synsets[row].physical else lemma

    def _said(self, row: int) -> str:
        synset, chance = self.words.synsets[row], self._draw.random()
        if is_test_synset(self.words, row) or chance > 0.9:
            return self._kind(row)
        uses = self.uses.get(row)
        if uses and chance < 0.35:
            return self._draw.choice(uses)
        if chance < 0.65:
            return self._thinned(self._draw.choice((synset.definition, synset.definition.split(";")[0])))
        if chance < 0.83 and len(synset.lemmas) > 1:
            return self._named(row)
        return self._draw.choice(synset.examples) if synset.examples else self._thinned(synset.definition)

    def _kind(self, row: int) -> str:
        parents = self.words.parents(row)
        words = self.words.synsets[self._draw.choice(parents) if parents else row].lemmas
        return fill(self._draw.choice(("a kind of {}", "{}", "a {}")), self._draw.choice(words).lower())

    def _thinned(self, text: str) -> str:
        """The text with every tenth word gone."""
        return " ".join(w for w in text.split() if self._draw.random() > 0.1) or text

    def _weight(self, row: int) -> float:
        """Much used meanings come up to five times as often."""
        return 1.0 + min(4.0, self.words.uses.get(row, 0) ** 0.5)

    def home_pair(self) -> Pair:
        """Two names of a household thing, or a name and its use."""
        i = self._draw.randrange(len(self.home))
        thing = self.home[i]
        name = self._draw.choice(thing.names if self._draw.random() < 0.6 else thing.names[:1])
        others = [n for n in thing.names if n != name]
        if others and self._draw.random() < 0.45:
            right = in_template(self._draw.choice(others), self._draw)
        else:
            right = self._draw.choice(thing.phrases)
        return Pair(in_template(name, self._draw), right, self._home_concepts[i])

    def caption_pair(self) -> Pair:
        """A category and the caption or a synonym of one of its objects."""
        i = self._draw.randrange(len(self.captions))
        caption = self.captions[i]
        described = self._draw.random() < 0.5
        right = caption.text if described else in_template(self._draw.choice(caption.names), self._draw)
        colored = described and caption.color and self._draw.random() < 0.5
        left = f"{caption.color} {caption.category}" if colored else caption.category
        return Pair(in_template(left, self._draw), right, self._caption_concepts[i])

    def _below(self, kind: str) -> Concept:
        """A new concept under that word's first physical meaning."""
        row = self.words.thing(kind)
        above = self.words.ancestors[row] if row is not None else frozenset()
        self.information.append(1.0)
        return Concept(above | {len(self.information) - 1}, 1.0)

    def _named_things(self) -> list[Named]:
        """Household things, objects with captions and much used artifacts."""
        named = [(n, self.words.thing(n)) for t in self.home for n in t.names[:3]]
        named += [(c.category, self.words.thing(c.category)) for c in self.captions]
        often = [r for r in self._groups["made"] if self.words.uses.get(r, 0) > 2]
        named += [(self.words.usual_lemmas(r)[0].lower(), r) for r in often]
        return [(n, r) for n, r in dict.fromkeys(named) if r is not None]


def default_sources(wordnet: Path, objects: Path | None, seed: int) -> PairSampler:
    """Sampler over the dictionary, the household list and, where given, the captions of objects.json."""
    captions = read_captions(objects, "train") if objects else []
    return PairSampler(WordNet.load(wordnet), read_household(), captions, seed)
