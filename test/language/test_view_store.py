"""Means by hand, bounds, and what makes a view due again."""

import numpy as np

from moss_ros.language.view_choice import ChosenView
from moss_ros.language.view_store import ViewStore

X, Y, ZERO = np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.zeros(2)
BODY = np.arange(100)


def view(stamp_ns: int, weight: float = 1.0) -> ChosenView:
    return ChosenView(stamp_ns % 64, stamp_ns, weight)


def test_mean_is_weighted_and_best_is_the_weightiest() -> None:
    store = ViewStore(5)
    store.put(7, view(1, 3.0), X, BODY)
    store.put(7, view(2, 4.0), Y, BODY)
    found = store.embeddings("m", 2, [7, 8])
    np.testing.assert_allclose(found.mean, [[0.6, 0.8], [0, 0]], atol=1e-6)
    np.testing.assert_allclose(found.best, [[0, 1], [0, 0]])
    assert found.views.tolist() == [2, 0]
    assert found.ids.tolist() == [7, 8]


def test_weightiest_views_stay() -> None:
    store = ViewStore(2)
    for stamp, weight in ((1, 1.0), (2, 3.0), (3, 2.0)):
        store.put(7, view(stamp, weight), X, BODY)
    assert [v.stamp_ns for v in store.due(7, BODY, [view(1), view(2), view(3)])] == [1]


def test_view_is_due_when_missing_or_when_the_instance_became_another() -> None:
    store = ViewStore(5)
    store.put(7, view(1), X, BODY)
    assert store.due(7, BODY, [view(1)]) == []
    assert store.due(7, np.arange(72), [view(1)]) == []  # IoU .72
    assert store.due(7, np.arange(68), [view(1)]) == [view(1)]  # IoU .68
    assert store.due(7, BODY, [view(2)]) == [view(2)]
    assert store.due(8, BODY, [view(1)]) == [view(1)]


def test_view_without_pixels_is_remembered_and_counts_for_nothing() -> None:
    store = ViewStore(5)
    store.put(7, view(1), ZERO, BODY)
    assert store.due(7, BODY, [view(1)]) == []
    found = store.embeddings("m", 2, [7])
    assert found.views.tolist() == [0]
    assert not found.mean.any()


def test_gone_instances_are_forgotten() -> None:
    store = ViewStore(5)
    store.put(7, view(1), X, BODY)
    store.put(8, view(1), X, BODY)
    store.keep_only([8])
    assert store.embeddings("m", 2, [7, 8]).views.tolist() == [0, 1]


def test_looks_from_the_mean_place_of_the_camera() -> None:
    store = ViewStore(5)
    store.put(7, ChosenView(0, 1, 3.0, (0.0, 0.0, 1.0)), X, BODY)
    store.put(7, ChosenView(0, 2, 1.0, (4.0, 0.0, 1.0)), X, BODY)
    store.put(8, ChosenView(0, 2, 1.0, (4.0, 0.0, 1.0)), ZERO, BODY)
    found = store.embeddings("m", 2, [7, 8])
    np.testing.assert_allclose(found.looks_from_m, [[1, 0, 1], [0, 0, 0]])
