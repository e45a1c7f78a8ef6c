"""Metric size as evidence: how well measured boxes fit what a text names.

A box that a robot measures is 9 cm or 90 cm wide, which no picture shows: a mug can be told from a sofa without any
model. The evidence stays a prior: every guess is mixed with the background of all things, so that a toy, a picture of
a thing or a wrong mask costs a few nats and no more.

Letters: T texts, K boxes, N nouns of the table, D dimensions of a text embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from pathlib import Path

import numpy as np

from moss_ros.language.sizes.head_noun import head_noun, last_known, spaced
from moss_ros.language.sizes.noun_neighbours import NounNeighbours
from moss_ros.language.sizes.size_density import Background, Boxes, log_extent, log_ratio, log_spread, sorted_boxes
from moss_ros.language.sizes.size_guess import SizeGuess
from moss_ros.language.sizes.size_table import SIZES_FILE, SizeTable, read_sizes
from moss_ros.language.sizes.size_words import size_in_words

SEEN_WHOLE = 0.75  # an extent of which less was seen is a lower bound
TRUST_KNOWN = 0.97  # share of things that are what their name says, and no toy or picture of it
TRUST_LAST_KNOWN = 0.5  # a name in the phrase that is not its head
_WIDENED_SD = 0.25  # what a neighbour's size may differ
_NO_TRUST = 1e-3


class SizePrior:
    """Sizes of everyday nouns, and guesses for other words from the nouns that are near in a text encoder's space."""

    def __init__(self, table: SizeTable) -> None:
        self.table = table
        self._rows = {spaced(name): row for name, row in table.rows_by_name().items()}
        self._mean = log_extent(table.extents_m)
        self._sd = log_spread(table.extents_m, table.log_sd)
        self._background = Background(self._mean, self._sd)
        self._neighbours: NounNeighbours | None = None
        self._kept: tuple[np.ndarray, np.ndarray | None, tuple[Boxes, np.ndarray]] | None = None

    @classmethod
    def load(cls, path: Path = SIZES_FILE) -> SizePrior:
        """The table that comes with the package, or an own one. Raises SizeTableError."""
        return cls(read_sizes(path))

    @property
    def nouns(self) -> tuple[str, ...]:
        """The nouns of the table; encode these for with_embeddings()."""
        return self.table.nouns

    def with_embeddings(self, noun_embeddings: np.ndarray) -> SizePrior:
        """The same prior that also guesses the size of words it does not know.

        noun_embeddings: (N, D) unit vectors of nouns, from the encoder that makes the embeddings of texts.
        """
        if noun_embeddings.ndim != 2 or len(noun_embeddings) != len(self.nouns):
            raise ValueError(
                f"noun_embeddings {noun_embeddings.shape}: needs a row for each of {len(self.nouns)} nouns"
            )
        other = copy(self)
        other._neighbours = NounNeighbours(noun_embeddings)
        return other

    def guess(self, text: str, embedding: np.ndarray | None = None) -> SizeGuess:
        """What is believed about the size of the thing a text names.

        In this order: the head noun of the phrase, the nouns near in the encoder's space (embedding: (D,) unit vector
        of the text), the last known noun of the phrase, nothing.
        """
        name = head_noun(text, self._rows)
        if name is not None:
            return self._known(name, TRUST_KNOWN)
        if embedding is not None and self._neighbours is not None:
            return self._near(self._neighbours, embedding)
        name = last_known(text, self._rows)
        if name is not None:
            return self._known(name, TRUST_LAST_KNOWN)
        return SizeGuess("", self._mean.mean(axis=0), np.full(3, 2.0), 0.0)

    def log_likelihood(
        self,
        texts: str | Sequence[str],
        extents_m: np.ndarray,
        seen: np.ndarray | None = None,
        text_embeddings: np.ndarray | None = None,
    ) -> np.ndarray:
        """(T, K) float32 log-likelihood ratio of boxes: a thing of that name against any thing; 0 = says nothing.

        extents_m: (K, 3) box extents in any order; boxes that are not finite give 0. seen: which extents were seen
        from end to end, (K, 3) or (K,) bool, or the share seen as float; below SEEN_WHOLE an extent is a lower bound.
        What does not depend on the texts is kept for the next call with the same array, if that is read-only.
        text_embeddings: (T, D). Raises ValueError for other shapes.
        """
        texts = [texts] if isinstance(texts, str) else list(texts)
        extents_m = _checked_extents(extents_m)
        if text_embeddings is not None and len(text_embeddings) != len(texts):
            raise ValueError(f"text_embeddings {text_embeddings.shape}: needs a row for each of {len(texts)} texts")
        vectors = [None] * len(texts) if text_embeddings is None else list(text_embeddings)
        guesses = [self.guess(text, vector) for text, vector in zip(texts, vectors, strict=True)]
        out = np.zeros((len(texts), len(extents_m)), np.float32)
        rows = np.array([row for row, guess in enumerate(guesses) if guess.trust > _NO_TRUST], np.int64)
        if not len(rows) or not len(extents_m):
            return out
        boxes, background = self._measured(extents_m, seen)
        mean = np.stack([guesses[row].log_mean for row in rows])
        sd = np.stack([guesses[row].log_sd for row in rows])
        trust = np.array([guesses[row].trust for row in rows])
        out[rows] = log_ratio(mean, sd, trust, boxes, background)
        return out

    def _measured(self, extents_m: np.ndarray, seen: np.ndarray | None) -> tuple[Boxes, np.ndarray]:
        """Boxes and the log density of their background."""
        kept = self._kept
        if kept is not None and kept[0] is extents_m and kept[1] is seen:
            return kept[2]
        boxes = sorted_boxes(extents_m, _whole(seen, len(extents_m)))
        measured = boxes, self._background.log_density(boxes)
        if not extents_m.flags.writeable and (seen is None or not seen.flags.writeable):
            self._kept = extents_m, seen, measured
        return measured

    def explain(self, text: str, extents_m: np.ndarray, seen: np.ndarray | None = None) -> str:
        """How one box (3,) fits a name, in words: "0.12 x 0.10 x 0.09 m fits a mug"."""
        extents_m = _checked_extents(np.asarray(extents_m, float)[None])
        whole = _whole(None if seen is None else np.asarray(seen)[None], 1)
        return size_in_words(self.guess(text), extents_m[0], None if whole is None else whole[0])

    def _known(self, name: str, trust: float) -> SizeGuess:
        row = self._rows[name]
        return SizeGuess(name, self._mean[row], self._sd[row], trust)

    def _near(self, neighbours: NounNeighbours, embedding: np.ndarray) -> SizeGuess:
        """The most similar nouns as one distribution of their mean and spread; far ones are not believed."""
        rows, weight, nearness = neighbours.of(embedding)
        mean = weight @ self._mean[rows]
        variance = weight @ (self._sd[rows] ** 2 + (self._mean[rows] - mean) ** 2)
        return SizeGuess(self.nouns[rows[0]], mean, np.sqrt(variance + _WIDENED_SD**2), TRUST_KNOWN * nearness)


def _checked_extents(extents_m: np.ndarray) -> np.ndarray:
    extents_m = np.asarray(extents_m, np.float64)
    if extents_m.ndim != 2 or extents_m.shape[1] != 3:
        raise ValueError(f"extents_m {extents_m.shape}: must be (K, 3) metres, one row per box")
    return extents_m


def _whole(seen: np.ndarray | None, count: int) -> np.ndarray | None:
    """(K, 3) bool from flags or shares; None where all is whole."""
    if seen is None:
        return None
    seen = np.asarray(seen)
    if seen.shape not in ((count,), (count, 3)):
        raise ValueError(f"seen {seen.shape}: must be ({count},) or ({count}, 3), flags or shares in [0, 1]")
    whole = seen if seen.dtype == np.bool_ else seen >= SEEN_WHOLE
    return np.broadcast_to(whole.reshape(count, -1), (count, 3))
