"""Which known nouns are near a text in a text encoder's space, and whether near means anything."""

from __future__ import annotations

import numpy as np

_COUNT = 8  # nouns that speak for a text
_SHARPNESS = 2.0  # per spread: how fast weights fall with similarity, and how sharp near and far are parted
_NEAR = 2.5  # spreads above the usual similarity at which a noun is half believed


class NounNeighbours:
    """Encoders differ in how similar unrelated words are, so similarities are read in spreads above the usual one."""

    def __init__(self, embeddings: np.ndarray) -> None:
        """embeddings: (N, D) unit vectors of the nouns, N >= 2."""
        self._embeddings = embeddings.astype(np.float32)
        cosines = self._embeddings @ self._embeddings.T
        others = cosines[~np.eye(len(cosines), dtype=bool)]
        self._usual, self._spread = float(others.mean()), max(float(others.std()), 1e-3)

    def of(self, embedding: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """Rows of the nouns nearest to a text (D,), best first; their weights, of sum 1; nearness of the best, 0-1."""
        above = (self._embeddings @ np.asarray(embedding, np.float32) - self._usual) / self._spread
        rows = np.argsort(-above)[:_COUNT]
        weight = np.exp(_SHARPNESS * (above[rows] - above[rows[0]]))
        nearness = 1 / (1 + np.exp(-_SHARPNESS * (float(above[rows[0]]) - _NEAR)))
        return rows, weight / weight.sum(), float(nearness)
