"""How likely each instance is what a phrase names: the share of what it is that fits the phrase, made a number.

nats = noun_scale * cosine + size_weight * log likelihood of the metric size     for every noun and instance
share = (sum of the shares of nouns that the phrase means + share of the phrase itself, as one noun more)
likelihood = logistic(bias + weight * log share) of the kind, times logistic(bias + weight * colour) where the phrase
names one: the surest mug is no red mug when it is blue; times how much more it is that than what it must not be.
Which nouns a phrase means tells language/nouns. The weights were fitted on simulated homes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numba import njit

from moss_ros.config import QueryConfig
from moss_ros.language.encoders.encoder import ImageTextEncoder
from moss_ros.language.nouns.noun_meaning import NounMeaning, known_nouns
from moss_ros.language.vocabulary import BACKGROUND
from moss_ros.questions.attributes import color_evidence, size_evidence
from moss_ros.questions.map_index import MapIndex
from moss_ros.questions.noun_phrase import NounPhrase
from moss_ros.questions.noun_shares import AT_ONCE, NounShares, noun_shares

_TOLD = 2  # nouns of an explanation
_TEXTS = 4096  # embeddings of texts that are remembered
_LEAST_SHARE = 1e-3  # what is likelier to be a hundred other things is that to no degree
_MOST_NATS = 8.0  # of a phrase above all nouns together
_IN_DOUBT = 0.5  # share of the best likelihood above which instances count as of the asked kind


class SizePrior(Protocol):
    """How well metric sizes fit words."""

    def log_likelihood(
        self,
        texts: Sequence[str],
        extents_m: np.ndarray,
        complete: np.ndarray | None = None,
        text_embeddings: np.ndarray | None = None,
    ) -> np.ndarray:
        """(T, K) for extents (K, 3), longest first; complete (K, 3): false where a side was not seen.

        text_embeddings: (T, D) of the texts.
        """
        ...

    def explain(self, text: str, extents_m: np.ndarray) -> str:
        """Words on how the extents (3,) fit the text; empty when nothing is known."""
        ...


@dataclass(frozen=True, slots=True)
class Prepared:
    """What every question to one index needs."""

    index: MapIndex
    vectors: np.ndarray  # (K, D) blend of mean and best view
    known: np.ndarray  # (K,) bool: has been looked at
    extents_m: np.ndarray  # (K, 3) longest first
    shares: NounShares


@dataclass(frozen=True, slots=True)
class TextFit:
    """How K instances fit one text."""

    cosine: np.ndarray  # (K,)
    share: np.ndarray  # (K,) in [0, 1]


@dataclass(frozen=True, slots=True)
class PhraseScore:
    """What speaks for and against each of K instances."""

    similarity: np.ndarray  # (K,) cosine
    share: np.ndarray  # (K,) in [0, 1]: how much of what it may be fits the phrase
    color: np.ndarray  # (K,) nats
    likelihood: np.ndarray  # (K,) in [0, 1]; 0 where nothing is known


class PhraseScorer:
    """Judges phrases; remembers the embeddings of texts."""

    def __init__(
        self, encoder: ImageTextEncoder, config: QueryConfig, size_prior: SizePrior | None, size_weight: float
    ) -> None:
        self._encoder = encoder
        self._config = config
        self._size_prior = size_prior if size_weight > 0 else None
        self._size_weight = size_weight
        self._texts: OrderedDict[str, np.ndarray] = OrderedDict()
        facts = known_nouns()
        self._nouns = tuple(fact.noun for fact in facts)
        self._noun_vectors = self.vectors([*self._nouns, *BACKGROUND])
        self._meaning = NounMeaning(facts, self._noun_vectors[: len(facts)], self.vectors)

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """(T, D) float32 embeddings; only new texts are encoded."""
        new = [t for t in dict.fromkeys(texts) if t not in self._texts]
        if new:
            self._texts.update(zip(new, self._encoder.encode_texts(new), strict=True))
        out = np.array([self._texts[t] for t in texts], np.float32).reshape(len(texts), self._encoder.dimensions)
        for text in texts:
            self._texts.move_to_end(text)
        while len(self._texts) > _TEXTS:
            self._texts.popitem(last=False)
        return out

    def prepare(self, index: MapIndex) -> Prepared:
        """What the instances of a map may be; done once for an index, in any thread."""
        share = self._config.best_view_share
        vectors = ((1 - share) * index.mean + share * index.best).astype(np.float32)
        if not vectors.shape[1]:
            vectors = np.zeros((len(index), self._encoder.dimensions), np.float32)
        if vectors.shape[1] != self._encoder.dimensions:
            raise ValueError(
                f"the instances were read by a model of {vectors.shape[1]} dimensions, {self._encoder.name} has "
                f"{self._encoder.dimensions}; let the map be read again by this model"
            )
        extents = np.ascontiguousarray(np.sort(index.boxes.size_m, axis=1)[:, ::-1])
        extents.setflags(write=False)  # so that the size prior knows them again
        starts = range(0, max(len(index), 1), AT_ONCE)
        shares = NounShares.joined([self._shares(vectors[s : s + AT_ONCE], extents[s : s + AT_ONCE]) for s in starts])
        self._sizes(self._nouns[:1], extents, self._noun_vectors[:1])  # the prior remembers the boxes for questions
        return Prepared(index, vectors, np.asarray(vectors.any(axis=1)), extents, shares)

    def _shares(self, vectors: np.ndarray, extents_m: np.ndarray) -> NounShares:
        """Of all nouns, for instances (k, D) with sizes (k, 3)."""
        count = len(self._nouns)
        nats = self._config.noun_scale * (self._noun_vectors @ vectors.T)
        nats[:count] += self._sizes(self._nouns, extents_m, self._noun_vectors[:count])
        return noun_shares(nats, count)

    def fits(self, prepared: Prepared, texts: Iterable[str]) -> dict[str, TextFit]:
        """How the instances fit each text, in one pass over the map."""
        wanted = list(dict.fromkeys(texts))
        if not wanted:
            return {}
        vectors = self.vectors(wanted)
        cosines = _cosines(vectors, prepared.vectors)
        nats = self._config.noun_scale * cosines + self._sizes(wanted, prepared.extents_m, vectors)
        return {text: TextFit(cosines[row], self._share(prepared, text, nats[row])) for row, text in enumerate(wanted)}

    def score(
        self, prepared: Prepared, noun: NounPhrase, negatives: Sequence[str], fits: dict[str, TextFit]
    ) -> PhraseScore:
        """Judge a noun phrase; `fits` holds those of its kinds and of the negatives."""
        c, index = self._config, prepared.index
        color = color_evidence(index.color_shares, noun.colors)
        allowed = self._color_fits(noun, color)
        if noun.is_anything and not negatives:
            zeros = np.zeros(len(index))
            return PhraseScore(zeros, zeros, color, allowed)
        cosine = np.max([fits[t].cosine for t in noun.kinds], axis=0)
        share = np.max([fits[t].share for t in noun.kinds], axis=0)
        logit = c.calibration_bias + c.calibration_share * log_share(share)
        for text in negatives:
            allowed = allowed / (1 + c.negative_weight * fits[text].share / np.maximum(share, _LEAST_SHARE))
        if noun.size:
            plain = np.where(prepared.known, _logistic(logit) * allowed, 0)
            alike = plain >= _IN_DOUBT * max(float(plain.max(initial=0)), 1e-6)
            logit = logit + c.calibration_size_word * size_evidence(index.boxes.volume_m3, alike, noun.size)
        likelihood = np.where(prepared.known, _logistic(logit) * allowed, 0)
        return PhraseScore(cosine, share, color, likelihood)

    def explain_size(self, text: str, extents_m: np.ndarray) -> str:
        """What the size prior says; empty without one."""
        return self._size_prior.explain(text, extents_m) if self._size_prior is not None else ""

    def explain_kind(self, prepared: Prepared, row: int, share: float) -> str:
        """What an instance looks like, its size considered: "fits to 74 %, may be mug to 62 %, jar to 20 %"."""
        best = prepared.shares.best(row, _TOLD)
        nouns = ", ".join(f"{self._nouns[noun]} to {round(100 * part)} %" for noun, part in best)
        return f"fits to {round(100 * share)} %, may be {nouns}"

    def _share(self, prepared: Prepared, text: str, nats: np.ndarray) -> np.ndarray:
        """(K,) share of a text: that of the nouns it means, and its own beside all nouns."""
        named = prepared.shares.of(self._meaning.fit(text))
        own = np.exp(np.clip(nats - prepared.shares.log_total, -60, _MOST_NATS))
        return np.asarray((named + own) / (1 + own))

    def _color_fits(self, noun: NounPhrase, color: np.ndarray) -> np.ndarray:
        """(K,) likelihood of the named colours; ones where none is named."""
        if not noun.colors:
            return np.ones(len(color))
        return _logistic(self._config.calibration_color_bias + self._config.calibration_color * color)

    def _sizes(self, texts: Sequence[str], extents_m: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """(T, K) weighted log likelihood of the sizes."""
        if self._size_prior is None or not len(extents_m):
            return np.zeros((len(texts), len(extents_m)), np.float32)
        nats = self._size_prior.log_likelihood(list(texts), extents_m, None, vectors)
        return np.asarray(self._size_weight * nats, np.float32)


def log_share(share: np.ndarray) -> np.ndarray:
    """(K,) nats of shares (K,); very small ones are all alike."""
    return np.asarray(np.log(share + _LEAST_SHARE))


@njit(cache=True, nogil=True, fastmath=True)
def _cosines(texts, vectors):
    """(T, K) products of (T, D) and (K, D) float32: one pass over the map in the caller's thread.

    A product of matrices would wait for other threads, which costs tens of milliseconds while the cores map.
    """
    out = np.empty((len(texts), len(vectors)), np.float32)
    for k in range(len(vectors)):
        for t in range(len(texts)):
            total = np.float32(0)
            for d in range(texts.shape[1]):
                total += texts[t, d] * vectors[k, d]
            out[t, k] = total
    return out


def _logistic(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -50, 50))))
