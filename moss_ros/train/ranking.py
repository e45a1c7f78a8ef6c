"""Train the ranking of proposals on simulated homes, through the very pipeline that will use it.

usage: python -m moss_ros.train.ranking HOMES [--out FILE] [--cache FOLDER] [--trees N]

HOMES holds folders of ``moss sim``. Every home is mapped once; each proposal learns its overlap with the thing that it
fits best. Homes are left out in turn to measure the gain over the same score for all; the written model has seen all of
them. Needs scikit-learn (``pip install moss_ros[train]``).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from moss_ros.config import from_flat
from moss_ros.evaluation.class_agnostic import ApResult, overlaps_on_map, score_overlaps
from moss_ros.evaluation.ground_truth import load_folder
from moss_ros.evaluation.overlaps import Overlaps
from moss_ros.pipeline import Pipeline
from moss_ros.proposals.features import FEATURES
from moss_ros.proposals.ranking import Ranking
from moss_ros.proposals.shared_voxels import SharedVoxels
from moss_ros.proposals.union import suppress
from moss_ros.replay.bag import BagSource, guess_topics
from moss_ros.replay.run import run_frames

FOLDS = 5
_SETTINGS = {"max_depth": 4, "learning_rate": 0.05, "subsample": 0.6, "max_features": 0.5, "min_samples_leaf": 20}


@dataclass(frozen=True, slots=True)
class Examples:
    """All candidates of one home: K masks and G things."""

    features: np.ndarray  # (K, F) float32
    iou: np.ndarray  # (K,) best overlap with a thing
    counts: np.ndarray  # (K,) bool: right or wrong; most of the others lies where nothing is labelled
    shared: np.ndarray  # (K, K) voxels in common
    overlaps: Overlaps

    def score(self, scores: np.ndarray, suppress_iou: float) -> ApResult:
        """Scores of the candidates that survive when they are ranked so."""
        rows = suppress(self.shared, scores, suppress_iou)
        o = self.overlaps
        kept = Overlaps(o.truth, o.counts[rows], o.mask_points[rows], o.void_points[rows])
        return score_overlaps(kept, scores[rows])


def examples(home: Path) -> Examples:
    """Map one home and compare its candidates with the truth."""
    config = from_flat(guess_topics(home / "bag"))
    pipeline = Pipeline(config)
    run_frames(pipeline, BagSource(home / "bag", config), progress=False)
    pipeline.segment(full=True)
    candidates = pipeline.candidates
    overlaps = overlaps_on_map(load_folder(home), candidates.voxels, pipeline.voxels.position)
    shared = SharedVoxels.of(candidates, pipeline.voxels.count).shared
    return Examples(pipeline.features, *_targets(overlaps), shared, overlaps)


def _targets(overlaps: Overlaps) -> tuple[np.ndarray, np.ndarray]:
    shared = overlaps.counts.tocoo()
    union = overlaps.mask_points[shared.row] + overlaps.truth.points[shared.col] - shared.data
    iou = np.zeros(len(overlaps.mask_points))
    np.maximum.at(iou, shared.row, shared.data / union)
    on_void = overlaps.void_points > 0.5 * np.maximum(overlaps.mask_points, 1)
    return iou, ~on_void | (iou > 0.25)


def fit(homes: Sequence[Examples], trees: int) -> Ranking:
    """Boosted trees on all candidates that count; deterministic."""
    from sklearn.ensemble import GradientBoostingRegressor  # optional

    x = np.concatenate([h.features[h.counts] for h in homes])
    y = np.concatenate([h.iou[h.counts] for h in homes])
    model = GradientBoostingRegressor(n_estimators=trees, random_state=0, **_SETTINGS).fit(x, y)
    return _ranking_of(model)


def _ranking_of(model: Any) -> Ranking:
    roots: list[int] = []
    feature: list[int] = []
    threshold: list[float] = []
    left: list[int] = []
    right: list[int] = []
    value: list[float] = []
    for stage in model.estimators_[:, 0]:
        tree, first = stage.tree_, len(feature)
        roots.append(first)
        leaf = tree.children_left < 0
        feature += np.where(leaf, -1, tree.feature).tolist()
        threshold += np.where(leaf, 0.0, tree.threshold).tolist()
        left += np.where(leaf, -1, tree.children_left + first).tolist()
        right += np.where(leaf, -1, tree.children_right + first).tolist()
        value += np.where(leaf, np.round(model.learning_rate * tree.value[:, 0, 0], 6), 0.0).tolist()
    return Ranking(
        base=float(model.init_.constant_.ravel()[0]),
        roots=np.array(roots, np.int32),
        feature=np.array(feature, np.int32),
        threshold=np.array(threshold, np.float32),
        left=np.array(left, np.int32),
        right=np.array(right, np.int32),
        value=np.array(value, np.float64),
    )


def held_out(homes: Sequence[Examples], trees: int, suppress_iou: float) -> list[tuple[ApResult, ApResult]]:
    """For each home the scores with one score for all, and with a ranking that has not seen the home."""
    out = []
    for fold in range(FOLDS):
        ranking = fit([h for i, h in enumerate(homes) if i % FOLDS != fold], trees)
        for home in homes[fold::FOLDS]:
            constant = np.ones(len(home.iou))
            out.append((home.score(constant, suppress_iou), home.score(ranking.scores(home.features), suppress_iou)))
    return out


def importance(ranking: Ranking, homes: Sequence[Examples]) -> dict[str, float]:
    """Loss of correlation with the truth when one feature is shuffled, by name, the largest first."""
    x = np.concatenate([h.features[h.counts] for h in homes])
    y = np.concatenate([h.iou[h.counts] for h in homes])
    whole = np.corrcoef(ranking.scores(x), y)[0, 1]
    rng = np.random.default_rng(0)
    loss = {}
    for column, name in enumerate(FEATURES):
        shuffled = x.copy()
        shuffled[:, column] = rng.permutation(shuffled[:, column])
        loss[name] = float(whole - np.corrcoef(ranking.scores(shuffled), y)[0, 1])
    return dict(sorted(loss.items(), key=lambda item: -item[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("homes", type=Path, help="folder that holds folders of `moss sim`")
    parser.add_argument("--out", type=Path, default=Path("moss_ros/proposals/ranking.json"))
    parser.add_argument("--trees", type=int, default=120)
    options = parser.parse_args()
    folders = sorted(f.parent for f in options.homes.glob("*/instances.json"))
    homes = [examples(folder) for folder in tqdm(folders, unit="home")]
    pairs = held_out(homes, options.trees, from_flat({}).proposals.suppress_iou)
    for name in ("ap", "ap50", "ap25"):
        before, after = (100 * np.mean([getattr(p[i], name) for p in pairs]) for i in (0, 1))
        print(f"{name:5} constant {before:5.1f}  ranked, home not seen in training {after:5.1f}")
    ranking = fit(homes, options.trees)
    options.out.write_text(json.dumps(ranking.to_json(), separators=(",", ":")) + "\n", encoding="utf-8")
    for name, loss in importance(ranking, homes).items():
        print(f"{name:13} {loss:.3f}")
    print(f"wrote {options.out}: {len(homes)} homes, {sum(len(h.iou) for h in homes)} candidates")


if __name__ == "__main__":
    main()
