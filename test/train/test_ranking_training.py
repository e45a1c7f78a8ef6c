"""The written trees say what the fitted models say; each member sees other homes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from moss_ros.evaluation.overlaps import ANY_CLASS, Overlaps, TruthColumns
from moss_ros.proposals.features import FEATURES
from moss_ros.train.ranking import Examples, Recipe, fit, held_out, ranking_of

ensemble = pytest.importorskip("sklearn.ensemble", reason="scikit-learn is not installed: pip install moss_ros[train]")


def test_the_written_trees_are_the_mean_of_the_models() -> None:
    rng = np.random.default_rng(0)
    x, columns = rng.normal(size=(400, 3)).astype(np.float32), np.array([4, 0, 7], np.int32)
    y = 0.5 + 0.2 * np.tanh(x[:, 0] * x[:, 1]) + 0.02 * rng.normal(size=400)
    models = [
        ensemble.HistGradientBoostingRegressor(max_iter=20, max_leaf_nodes=7, random_state=k, max_features=0.7).fit(
            x, y
        )
        for k in range(2)
    ]
    features = np.zeros((400, len(FEATURES)), np.float32)
    features[:, columns] = x
    expected = np.mean([model.predict(x) for model in models], 0)
    assert np.ptp(expected) > 0.2
    assert ranking_of(models, columns).scores(features) == pytest.approx(np.clip(expected, 0, 1), abs=1e-4)


def home(seed: int, shift: float) -> Examples:
    """Sixty masks, half of them one of thirty things each; the first feature tells which, shifted by home."""
    rng = np.random.default_rng(seed)
    right = np.arange(60) % 2 == 0
    features = rng.normal(size=(60, len(FEATURES))).astype(np.float32)
    features[:, 0] = np.where(right, 1, -1) + shift + 0.3 * rng.normal(size=60)
    things = np.arange(30)
    truth = TruthColumns(np.repeat(things, 200), things + 1, np.full(30, ANY_CLASS), np.full(30, 200))
    counts = csr_matrix((np.full(30, 200), (np.flatnonzero(right), things)), (60, 30))
    overlaps = Overlaps(truth, counts, np.full(60, 200), np.zeros(60, np.int64))
    return Examples(features, right.astype(float), np.ones(60, bool), np.diag(np.full(60, 200)), overlaps)


def test_homes_left_out_are_ranked_right_and_the_fit_is_repeatable() -> None:
    recipe = Recipe(FEATURES[:4], members=2, trees=15, leaves=4, min_samples_leaf=5)
    homes = [[home(seed, 0.05 * seed)] for seed in range(5)]
    for before, after in held_out(homes, recipe, 0.5):
        assert after.ap50 > before.ap50 + 0.2
        assert after.ap50 > 0.95
    again = fit(homes, recipe)
    assert again.to_json() == fit(homes, recipe).to_json()
    assert len(again.roots) == 2 * 15 and set(again.feature.tolist()) <= {-1, 0, 1, 2, 3}
