"""The size prior in an encoder's space: words that are not in its table are guessed from nouns that mean the like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from moss_ros.language.encoders.encoder import ImageTextEncoder
from moss_ros.language.sizes.size_prior import SizePrior


class EncodedSizePrior:
    """What questions and labels ask of the size prior."""

    def __init__(self, encoder: ImageTextEncoder, prior: SizePrior | None = None) -> None:
        """prior: default the table of the package."""
        plain = prior or SizePrior.load()
        self._encoder = encoder
        self._prior = plain.with_embeddings(encoder.encode_texts(plain.nouns))

    def log_likelihood(
        self,
        texts: Sequence[str],
        extents_m: np.ndarray,
        complete: np.ndarray | None = None,
        text_embeddings: np.ndarray | None = None,
    ) -> np.ndarray:
        """(T, K) log-likelihood ratio of box extents (K, 3); complete: (K, 3) bool, false = that side was not seen.

        text_embeddings: (T, D) of the texts where they are at hand, else they are encoded here.
        """
        vectors = self._encoder.encode_texts(texts) if text_embeddings is None else text_embeddings
        return self._prior.log_likelihood(texts, extents_m, complete, vectors)

    def explain(self, text: str, extents_m: np.ndarray) -> str:
        """How the extents (3,) fit the text, in words."""
        return self._prior.explain(text, extents_m)
