"""The map behind the image tower: a turn of the space is found again, and helps where it was not fitted."""

import numpy as np
import pytest

pytest.importorskip("torch")

from moss_ros.train.pictures.image_map import NamedViews, fit_map, named_right  # noqa: E402

TEXTS = np.eye(4, dtype=np.float32)
TURN = np.eye(4, dtype=np.float32)[[1, 0, 2, 3]]  # what shows noun 0 looks like noun 1, and the other way round


def _scene(seed: int) -> NamedViews:
    rng = np.random.default_rng(seed)
    noun = rng.integers(0, 4, 60)
    rows = (TEXTS @ TURN)[noun] + rng.normal(0, 0.05, (60, 4)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return NamedViews(rows.astype(np.float32), noun, np.arange(60))


def test_a_turn_is_found_and_helps_elsewhere() -> None:
    other = _scene(3)
    assert named_right(other, TEXTS, None) == pytest.approx(np.mean(other.noun >= 2))
    matrix = fit_map([_scene(1), _scene(2)], TEXTS, penalty=0.001)
    assert named_right(other, TEXTS, matrix) == 1


def test_a_large_penalty_leaves_all_as_it_is() -> None:
    assert np.abs(fit_map([_scene(1)], TEXTS, penalty=1e6)).max() < 1e-4


def test_the_mean_of_the_views_counts() -> None:
    rows = np.array([[0.9, 0.1, 0, 0], [0.4, 0.6, 0, 0], [0, 0, 1, 0]], np.float32)
    views = NamedViews(rows, np.array([0, 0, 3]), np.array([7, 7, 8]))
    assert named_right(views, TEXTS, None) == 0.5
