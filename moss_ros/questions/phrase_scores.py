"""How likely each instance is what a phrase names: similarity against the map and against other nouns, made a number.

u = scale * cosine + size_weight * log likelihood of the metric size          for every phrase and instance
map      = scale * (cosine - its mean over the map): a word that fits all instances fits none
contrast = u - log sum exp of u of other nouns, synonyms of the phrase left out
A phrase is asked together with the nouns nearest to it, which the images know better than "something to sit on".
likelihood = logistic(bias + weights . (map, contrast)) of the kind, times logistic(bias + weight * colour) where the
phrase names one: the surest mug is no red mug when it is blue; times how much more it is that than what it must not
be. The weights were fitted on simulated homes.
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
from moss_ros.language.sizes.size_table import read_sizes
from moss_ros.questions.attributes import color_evidence, size_evidence
from moss_ros.questions.map_index import MapIndex
from moss_ros.questions.noun_phrase import NounPhrase

CONTRAST = (
    *("thing", "part of a wall", "part of the floor", "part of a piece of furniture", "wall", "floor", "ceiling"),
    *("door", "window", "curtain", "table", "chair", "sofa", "bed", "cabinet", "shelf", "drawer", "sink", "stove"),
    *("refrigerator", "lamp", "picture", "mirror", "clock", "plant", "vase", "rug", "cushion", "blanket", "towel"),
    *("book", "magazine", "paper", "box", "bag", "basket", "bottle", "can", "cup", "plate", "bowl", "pot", "knife"),
    *("food", "fruit", "toy", "ball", "shoe", "clothes", "tool", "computer", "screen", "keyboard", "phone", "cable"),
    *("speaker", "trash can", "animal", "person"),
)
_LABELS = 64  # labels of the map that join the contrast nouns
_TEXTS = 4096  # embeddings of texts that are remembered
_MOST_ABOVE = 12.0  # nats above the mean of the map
_MOST_SURE = 10.0  # nats against other nouns
_NOUN_SHARPNESS = 40.0  # how much nearer nouns to a phrase weigh more, per unit of cosine
_ROUNDING = 1e-6  # of sums of up to a few hundred 32-bit numbers below one
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
    nouns: tuple[str, ...]  # C contrast nouns
    noun_vectors: np.ndarray  # (C, D)
    exponentials: np.ndarray  # (C, K) exp of u of the nouns, less the largest of each instance
    exponential_sum: np.ndarray  # (K,) over the nouns
    largest: np.ndarray  # (K,)
    usual_cosine: float  # of any noun and any instance


@dataclass(frozen=True, slots=True)
class TextFit:
    """How K instances fit one text."""

    cosine: np.ndarray  # (K,)
    u: np.ndarray  # (K,) nats, with the size


@dataclass(frozen=True, slots=True)
class PhraseScore:
    """What speaks for and against each of K instances."""

    similarity: np.ndarray  # (K,) cosine
    above_map: np.ndarray  # (K,) nats
    contrast: np.ndarray  # (K,) nats
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
        self._scale = config.contrast_scale
        self._texts: OrderedDict[str, np.ndarray] = OrderedDict()
        self._nouns: np.ndarray | None = None  # (N, D), once they are needed

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
        """The contrast nouns of a map and their fit to each instance; done once for an index."""
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
        labels = sorted(set(index.labels) - set(CONTRAST) - {"object", ""})[:_LABELS]
        nouns = (*CONTRAST, *labels)
        noun_vectors = self.vectors(nouns)
        cosines = _cosines(noun_vectors, vectors)
        u = self._scale * cosines + self._sizes(nouns, extents)
        largest = u.max(axis=0)
        known = np.asarray(vectors.any(axis=1))
        each = np.exp(u - largest).astype(np.float32)
        usual = float(cosines[:, known].mean()) if known.any() else 0.0
        return Prepared(index, vectors, known, extents, nouns, noun_vectors, each, each.sum(axis=0), largest, usual)

    def fits(self, prepared: Prepared, texts: Iterable[str]) -> dict[str, TextFit]:
        """How the instances fit each text, in one pass over the map."""
        wanted = list(dict.fromkeys(texts))
        if not wanted:
            return {}
        cosines = _cosines(self._with_nouns(wanted), prepared.vectors)
        u = self._scale * cosines + self._sizes(wanted, prepared.extents_m)
        return {text: TextFit(cosines[row], u[row]) for row, text in enumerate(wanted)}

    def score(
        self, prepared: Prepared, noun: NounPhrase, negatives: Sequence[str], fits: dict[str, TextFit]
    ) -> PhraseScore:
        """Judge a noun phrase; `fits` holds those of its texts and of the negatives."""
        c, index = self._config, prepared.index
        color = color_evidence(index.color_shares, noun.colors)
        if noun.is_anything and not negatives:
            likelihood = self._color_fits(noun, color)
            zeros = np.zeros(len(index))
            return PhraseScore(zeros, zeros, zeros, color, likelihood)
        cosine = np.max([fits[t].cosine for t in noun.texts], axis=0)
        u = np.max([fits[t].u for t in noun.texts], axis=0)
        above = self._above_map(cosine, prepared)
        contrast = np.clip(u - self._others(prepared, noun), -_MOST_SURE, _MOST_SURE)
        logit = c.calibration_bias + c.calibration_map * above + c.calibration_contrast * contrast
        allowed = self._color_fits(noun, color)
        for text in negatives:
            allowed = allowed / (1 + c.negative_weight * np.exp(np.clip(fits[text].u - u, -60, 60)))
        if noun.size:
            plain = np.where(prepared.known, _logistic(logit) * allowed, 0)
            alike = plain >= _IN_DOUBT * max(float(plain.max(initial=0)), 1e-6)
            logit = logit + c.calibration_size_word * size_evidence(index.boxes.volume_m3, alike, noun.size)
        likelihood = np.where(prepared.known, _logistic(logit) * allowed, 0)
        return PhraseScore(cosine, above, contrast, color, likelihood)

    def _color_fits(self, noun: NounPhrase, color: np.ndarray) -> np.ndarray:
        """(K,) likelihood of the named colours; ones where none is named."""
        if not noun.colors:
            return np.ones(len(color))
        return _logistic(self._config.calibration_color_bias + self._config.calibration_color * color)

    def explain_size(self, text: str, extents_m: np.ndarray) -> str:
        """What the size prior says; empty without one."""
        return self._size_prior.explain(text, extents_m) if self._size_prior is not None else ""

    def _with_nouns(self, texts: Sequence[str]) -> np.ndarray:
        """(T, D) float32: each text moved towards the nouns that mean nearly the same."""
        vectors, weight = self.vectors(texts), self._config.noun_weight
        if weight <= 0:
            return vectors
        if self._nouns is None:
            self._nouns = self.vectors(nouns_of_things())
        near = _NOUN_SHARPNESS * _cosines(vectors, self._nouns)
        share = np.exp(near - near.max(axis=1, keepdims=True))
        moved = vectors + weight * _unit(share @ self._nouns)
        return np.asarray(_unit(moved), np.float32)

    def _above_map(self, cosine: np.ndarray, prepared: Prepared) -> np.ndarray:
        """(K,) nats above the mean of the map, which a small map knows less well than all nouns together do."""
        count, prior = int(prepared.known.sum()), self._config.map_prior_count
        mean = (cosine[prepared.known].sum() + prior * prepared.usual_cosine) / max(count + prior, 1e-6)
        return np.clip(self._scale * (cosine - mean), -_MOST_ABOVE, _MOST_ABOVE)

    def _others(self, prepared: Prepared, noun: NounPhrase) -> np.ndarray:
        """(K,) log sum of what else the instances may be."""
        left_out = prepared.exponentials[~self._is_contrast(prepared, noun)]
        total = prepared.exponential_sum - left_out.sum(axis=0)
        return prepared.largest + np.log(np.maximum(total, _ROUNDING))

    def _is_contrast(self, prepared: Prepared, noun: NounPhrase) -> np.ndarray:
        """(C,) bool: nouns that mean something else than the phrase."""
        near = _cosines(self.vectors(noun.texts), prepared.noun_vectors).max(axis=0)
        limit = near.mean() + self._config.synonym_deviations * max(float(near.std()), 1e-3)
        names = {noun.head, *noun.texts, *(t.split()[-1] for t in noun.alternatives)}
        same = np.array([n in names for n in prepared.nouns])
        return (near < limit) & ~same

    def _sizes(self, texts: Sequence[str], extents_m: np.ndarray) -> np.ndarray:
        """(T, K) weighted log likelihood of the sizes."""
        if self._size_prior is None or not len(extents_m):
            return np.zeros((len(texts), len(extents_m)), np.float32)
        nats = self._size_prior.log_likelihood(list(texts), extents_m, None, self.vectors(texts))
        return np.asarray(self._size_weight * nats, np.float32)


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


def nouns_of_things() -> tuple[str, ...]:
    """The contrast nouns and all that have a typical size."""
    return tuple(dict.fromkeys([*CONTRAST, *read_sizes().nouns]))


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))


def _logistic(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -50, 50))))
