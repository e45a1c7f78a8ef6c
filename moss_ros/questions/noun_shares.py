"""What each instance is, as shares of household nouns: softmax of likeness and size, the largest shares kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

KEPT = 24  # nouns of each instance that are remembered
AT_ONCE = 8192  # instances whose nats for all nouns are in memory together
_CHUNK = 1024  # of them at a time: copies of (chunk, N) stay small


@dataclass(frozen=True, slots=True)
class NounShares:
    """K instances; the KEPT likeliest of N nouns, in no order."""

    rows: np.ndarray  # (K, KEPT) int32 rows of the nouns
    shares: np.ndarray  # (K, KEPT) float32, sum at most 1: what is no thing has a share as well
    log_total: np.ndarray  # (K,) float32 log sum exp of the nats of all nouns and of what is no thing

    @classmethod
    def joined(cls, parts: Sequence[NounShares]) -> NounShares:
        """The instances of all parts, in order; at least one part."""
        return cls(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("rows", "shares", "log_total")))

    def of(self, fit: np.ndarray) -> np.ndarray:
        """(K,) share of the nouns, each counted as far as it fits; fit (N,) in [0, 1]."""
        return np.asarray(np.einsum("km,km->k", fit[self.rows], self.shares))

    def best(self, row: int, count: int) -> list[tuple[int, float]]:
        """(noun, share) of the likeliest nouns of one instance, the likeliest first."""
        order = np.argsort(-self.shares[row], kind="stable")[:count]
        return [(int(self.rows[row, i]), float(self.shares[row, i])) for i in order]


def noun_shares(nats: np.ndarray, count: int) -> NounShares:
    """Shares from nats (M, K) of M texts for each instance, of which the first `count` are nouns."""
    instances, kept = nats.shape[1], min(KEPT, count)
    rows = np.zeros((instances, kept), np.int32)
    shares = np.zeros((instances, kept), np.float32)
    log_total = np.zeros(instances, np.float32)
    for start in range(0, instances, _CHUNK):
        part = slice(start, start + _CHUNK)
        each = nats[:, part].T
        largest = each.max(axis=1, keepdims=True)
        exponentials = np.exp(each - largest)
        total = exponentials.sum(axis=1, keepdims=True)
        log_total[part] = (largest + np.log(total))[:, 0]
        found = np.argpartition(-exponentials[:, :count], kept - 1, axis=1)[:, :kept]
        rows[part] = found
        shares[part] = np.take_along_axis(exponentials, found, axis=1) / total
    return NounShares(rows, shares, log_total)
