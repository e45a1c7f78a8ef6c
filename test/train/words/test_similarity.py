from __future__ import annotations

import numpy as np
import pytest

from moss_ros.train.words.similarity import OWN_SHARE, Concept, lin_similarity, targets

# 0 all, 1 tool, 2 hammer, 3 saw, 4 fruit
INFORMATION = [0.0, 0.5, 1.0, 1.0, 1.0]
HAMMER, SAW, FRUIT = (Concept(frozenset(a), 1.0) for a in ({0, 1, 2}, {0, 1, 3}, {0, 4}))


def test_similarity_is_the_information_shared() -> None:
    similarity = lin_similarity([HAMMER, SAW, FRUIT, HAMMER], INFORMATION)
    assert similarity.tolist() == [[1, 0.5, 0, 1], [0.5, 1, 0, 0.5], [0, 0, 1, 0], [1, 0.5, 0, 1]]


def test_order_of_ancestors_does_not_matter() -> None:
    """The best common ancestor counts, wherever it stands in the numbering."""
    a, b = Concept(frozenset({0, 1}), 1.0), Concept(frozenset({0, 1}), 1.0)
    assert lin_similarity([a, b], [0.9, 0.1])[0, 1] == pytest.approx(0.9)


def test_targets_sum_to_one_and_favour_the_partner() -> None:
    wanted = targets(lin_similarity([HAMMER, SAW, FRUIT], INFORMATION))
    assert np.allclose(wanted.sum(1), 1)
    assert (np.diag(wanted) > OWN_SHARE).all()
    assert wanted[0, 1] > wanted[0, 2]


def test_rows_of_the_same_thing_share_the_rest() -> None:
    wanted = targets(lin_similarity([HAMMER, HAMMER], INFORMATION))
    assert wanted == pytest.approx(np.array([[0.85, 0.15], [0.15, 0.85]]), abs=1e-6)
