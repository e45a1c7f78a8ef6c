"""How likely each proposal is a whole thing: boosted trees over the named features, learned on simulated homes.

A model is data (``ranking*.json``, made by ``python -m moss_ros.train.ranking``): every split can be read. Each source
of proposals.views has its own, since what is sure of one source is not of another.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from moss_ros.proposals.features import FEATURES

FILES = {"affinity": "ranking_affinity.json", "consensus": "ranking.json"}  # by proposals.views


@dataclass(frozen=True, slots=True)
class Ranking:
    """Sum of regression trees; T trees with all nodes in one table, a leaf has feature -1."""

    base: float
    roots: np.ndarray  # (T,) int32 first node of each tree
    feature: np.ndarray  # (M,) int32
    threshold: np.ndarray  # (M,) float32: left where the feature is not above it
    left: np.ndarray  # (M,) int32
    right: np.ndarray  # (M,) int32
    value: np.ndarray  # (M,) float64 of a leaf

    def scores(self, features: np.ndarray) -> np.ndarray:
        """(K,) float32 in [0, 1] for features (K, F) as in ``features.FEATURES``: expected IoU with a thing."""
        total = _sum_of_trees(features, self.roots, self.feature, self.threshold, self.left, self.right, self.value)
        return np.clip(self.base + total, 0.0, 1.0).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """What load_ranking reads."""
        nodes = zip(self.feature, self.threshold, self.left, self.right, self.value, strict=True)
        return {
            "features": list(FEATURES),
            "base": self.base,
            "roots": self.roots.tolist(),
            "nodes": [[int(f), float(str(t)), int(a), int(b), float(v)] for f, t, a, b, v in nodes],
        }


def load_ranking(model: str | Path = "consensus") -> Ranking:
    """The shipped model of a source (a key of FILES), or one of the user's own training (a path).

    A model may know fewer features than there are, in any order. Raises ValueError when the file is not such a model
    or was trained on other features.
    """
    shipped = FILES.get(str(model))
    source = resources.files("moss_ros.proposals") / shipped if shipped else Path(model)
    try:
        tree = json.loads(source.read_text(encoding="utf-8"))
        nodes = np.array(tree["nodes"], np.float64).reshape(-1, 5)
        names, base, roots = tree["features"], float(tree["base"]), np.array(tree["roots"], np.int32)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{source} is no ranking model ({error}); make one: python -m moss_ros.train.ranking"
        ) from error
    if not isinstance(names, list) or not all(name in FEATURES for name in names):
        raise ValueError(f"{source} was trained on other features; train again: python -m moss_ros.train.ranking")
    feature, left, right = (nodes[:, i].astype(np.int32) for i in (0, 2, 3))
    inner = feature >= 0
    own = np.arange(len(nodes))
    sound = bool((feature < len(names)).all() and (roots < len(nodes)).all() and (roots >= 0).all())
    for child in (left, right):  # children come later, so every walk ends
        sound = sound and bool(((child > own) & (child < len(nodes)))[inner].all())
    if not sound:
        raise ValueError(f"{source} is damaged: a node points outside of its tree")
    columns = np.array([*map(FEATURES.index, names), -1], np.int32)  # -1: a leaf
    return Ranking(
        base, roots, columns[np.maximum(feature, -1)], nodes[:, 1].astype(np.float32), left, right, nodes[:, 4].copy()
    )


@njit(cache=True, nogil=True)
def _sum_of_trees(x, roots, feature, threshold, left, right, value):
    out = np.zeros(len(x))
    for root in roots:  # tree by tree: the nodes of one stay close to the processor
        for i in range(len(x)):
            node = root
            while feature[node] >= 0:
                node = left[node] if x[i, feature[node]] <= threshold[node] else right[node]
            out[i] += value[node]
    return out
