"""How alike two things are by what they are kinds of, and the targets of the contrastive loss made from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

OWN_SHARE = 0.7  # of a row's target that goes to its own partner; the rest goes to what is alike
SOFTNESS = 0.06


@dataclass(frozen=True, slots=True)
class Concept:
    """What a text is about: all that it is a kind of, each with its information content in [0, 1]."""

    ancestors: frozenset[int]
    information: float


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts that mean the same and what they are about."""

    left: str
    right: str
    concept: Concept


def lin_similarity(concepts: Sequence[Concept], information: Sequence[float]) -> np.ndarray:
    """(N, N) float32 in [0, 1]: twice the information of the best common ancestor over the sum of both (Lin 1998).

    information[a] is that of ancestor a.
    """
    count = len(concepts)
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row, concept in enumerate(concepts):
        for ancestor in concept.ancestors:
            rows_of[ancestor].append(row)
    shared = np.zeros((count, count), np.float32)
    for ancestor in sorted((a for a in rows_of if len(rows_of[a]) > 1), key=lambda a: information[a]):
        rows = np.array(rows_of[ancestor])
        shared[rows[:, None], rows] = information[ancestor]
    own = np.array([c.information for c in concepts], np.float32)
    np.fill_diagonal(shared, own)
    return 2 * shared / np.maximum(own[:, None] + own, 1e-3)


def targets(similarity: np.ndarray) -> np.ndarray:
    """(N, N) rows that sum to 1: most to the own partner, the rest spread over what is alike."""
    weight = np.exp((similarity - similarity.max(1, keepdims=True)) / SOFTNESS)
    soft = weight / weight.sum(1, keepdims=True)
    return (OWN_SHARE * np.eye(len(similarity)) + (1 - OWN_SHARE) * soft).astype(np.float32)
