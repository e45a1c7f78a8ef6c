"""Train the ranking of proposals on simulated homes, through the very pipeline that will use it.

usage: python -m moss_ros.train.ranking HOMES [--views consensus affinity] [--out FOLDER] [--trees N] [--workers N]

HOMES holds folders of ``moss sim``. Each source of proposals.views has its own model and recipe. Every home is mapped
once; each proposal learns its overlap with the thing that it fits best. Homes are left out in turn to measure the gain
over the same score for all; the written model has seen all of them. Needs scikit-learn (``pip install
moss_ros[train]``).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from moss_ros.config import from_flat
from moss_ros.evaluation.carry import nearest_rows
from moss_ros.evaluation.class_agnostic import ApResult, overlaps_on_map, score_overlaps
from moss_ros.evaluation.ground_truth import load_folder
from moss_ros.evaluation.overlaps import Overlaps
from moss_ros.masks2d.evidence import EvidenceStore
from moss_ros.pipeline import Pipeline
from moss_ros.proposals.features import FEATURES, FeatureMap
from moss_ros.proposals.parts import object_proposals
from moss_ros.proposals.ranking import FILES, Ranking
from moss_ros.proposals.shared_voxels import SharedVoxels
from moss_ros.proposals.solid_voxels import SolidVoxels
from moss_ros.proposals.union import suppress
from moss_ros.proposals.views import configured_views
from moss_ros.records import MaskProposals
from moss_ros.replay.bag import BagSource, guess_topics
from moss_ros.replay.run import run_frames

FOLDS = 5
_SETTINGS = {"learning_rate": 0.05, "subsample": 0.6, "max_features": 0.5}
_THINNED = 3  # each home can also teach what a third less keyframes would have shown
_CONSENSUS = ("consensus", "is_consensus")
_FIRST_OF_AFFINITY = FEATURES.index("thing")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the model of a source is made."""

    features: tuple[str, ...]  # those that the source fills
    trees: int
    max_depth: int
    min_samples_leaf: int
    thinned: tuple[int, ...] = ()  # the homes are seen again without every third keyframe, from these on


RECIPES = {
    "consensus": Recipe(FEATURES[:_FIRST_OF_AFFINITY], 120, 4, 20),
    "affinity": Recipe(tuple(name for name in FEATURES if name not in _CONSENSUS), 250, 6, 20, thinned=(0, 1)),
}


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


def examples(home: Path, sources: Sequence[str]) -> dict[str, list[Examples]]:
    """Map one home and compare the candidates of each source with the truth: as it is, then with keyframes left out."""
    mapped = "affinity" if "affinity" in sources else "consensus"  # which keeps less
    config = from_flat(guess_topics(home / "bag") | {"proposals.views": mapped, "language.enabled": "never"})
    pipeline = Pipeline(config)
    run_frames(pipeline, BagSource(home / "bag", config), progress=False)
    pipeline.segment(full=True)
    truth, voxels = load_folder(home), pipeline.voxels
    solid = np.flatnonzero(voxels.solid())  # of which a run's map is made
    nearest = np.append(solid, -1)[nearest_rows(truth.points_m, voxels.position[solid])]

    def example(source: str, part: int | None) -> Examples:
        candidates, features = _candidates(pipeline, source, part)
        overlaps = overlaps_on_map(truth, candidates.voxels, voxels.position, nearest=nearest)
        shared = SharedVoxels.of(candidates, voxels.count).shared
        return Examples(features, *_targets(overlaps), shared, overlaps)

    return {s: [example(s, part) for part in (None, *RECIPES[s].thinned)] for s in sources}


def _candidates(pipeline: Pipeline, source: str, left_out: int | None) -> tuple[MaskProposals, np.ndarray]:
    """Candidates and features of a source, on the same map, where told so without every third keyframe."""
    assert pipeline.parts is not None and pipeline.structure is not None
    voxels, normals, whole = pipeline.voxels, pipeline.normals, pipeline.keyframes.evidence
    evidence = EvidenceStore()
    evidence.resize(voxels.count)
    for slot in whole.slots():
        if slot % _THINNED != left_out:
            evidence.put(slot, whole.views[slot], whole.pairs.get(slot))
    solid_voxels = SolidVoxels.of(voxels, normals.solid)
    joined = configured_views(replace(pipeline.config.proposals, views=source)).update(evidence, solid_voxels)
    candidates = MaskProposals.join([object_proposals(pipeline.parts), joined.proposals, pipeline.flat])
    features = FeatureMap().update(
        candidates,
        SharedVoxels.of(candidates, voxels.count),
        solid_voxels,
        normals.two_rings,
        pipeline.structure,
        evidence,
        np.ones(voxels.count, bool),
        joined.affinity,
    )
    return candidates, features


def _targets(overlaps: Overlaps) -> tuple[np.ndarray, np.ndarray]:
    shared = overlaps.counts.tocoo()
    union = overlaps.mask_points[shared.row] + overlaps.truth.points[shared.col] - shared.data
    iou = np.zeros(len(overlaps.mask_points))
    np.maximum.at(iou, shared.row, shared.data / union)
    on_void = overlaps.void_points > 0.5 * np.maximum(overlaps.mask_points, 1)
    return iou, ~on_void | (iou > 0.25)


def fit(homes: Sequence[Examples], recipe: Recipe) -> Ranking:
    """Boosted trees on all candidates that count; deterministic."""
    from sklearn.ensemble import GradientBoostingRegressor  # optional

    columns = np.array([FEATURES.index(name) for name in recipe.features], np.int32)
    x = np.concatenate([h.features[h.counts] for h in homes])[:, columns]
    y = np.concatenate([h.iou[h.counts] for h in homes])
    model = GradientBoostingRegressor(
        n_estimators=recipe.trees,
        max_depth=recipe.max_depth,
        min_samples_leaf=recipe.min_samples_leaf,
        random_state=0,
        **_SETTINGS,
    )
    return _ranking_of(model.fit(x, y), columns)


def _ranking_of(model: Any, columns: np.ndarray) -> Ranking:
    """columns (C,): place in FEATURES of each column that the model saw."""
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
        feature += np.where(leaf, -1, columns[tree.feature]).tolist()
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


def held_out(
    homes: Sequence[Sequence[Examples]], recipe: Recipe, suppress_iou: float
) -> list[tuple[ApResult, ApResult]]:
    """For each home the scores with one score for all, and with a ranking that has not seen the home."""
    out = []
    for fold in range(FOLDS):
        ranking = fit([e for i, home in enumerate(homes) if i % FOLDS != fold for e in home], recipe)
        for home, *_ in homes[fold::FOLDS]:
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
    parser.add_argument("--views", choices=tuple(RECIPES), nargs="+", default=["consensus"], help="sources to rank")
    parser.add_argument("--out", type=Path, default=Path("moss_ros/proposals"), help="default: the package")
    parser.add_argument("--trees", type=int, help="default: those of the shipped model")
    parser.add_argument("--workers", type=int, default=1, help="homes that are mapped at a time")
    options = parser.parse_args()
    folders = sorted(f.parent for f in options.homes.glob("*/instances.json"))
    with get_context("spawn").Pool(options.workers) as pool:
        mapped = pool.imap(partial(examples, sources=options.views), folders)
        homes = list(tqdm(mapped, total=len(folders), unit="home"))
    for source in options.views:
        recipe = replace(RECIPES[source], trees=options.trees or RECIPES[source].trees)
        train([home[source] for home in homes], recipe, options.out / FILES[source])


def train(homes: Sequence[Sequence[Examples]], recipe: Recipe, out: Path) -> None:
    """Measure the gain on homes left out, then write the model of all homes."""
    pairs = held_out(homes, recipe, from_flat({}).proposals.suppress_iou)
    for name in ("ap", "ap50", "ap25"):
        before, after = (100 * np.mean([getattr(p[i], name) for p in pairs]) for i in (0, 1))
        print(f"{name:5} constant {before:5.1f}  ranked, home not seen in training {after:5.1f}")
    every = [e for home in homes for e in home]
    ranking = fit(every, recipe)
    out.write_text(json.dumps(ranking.to_json(), separators=(",", ":")) + "\n", encoding="utf-8")
    for name, loss in importance(ranking, every).items():
        print(f"{name:13} {loss:.3f}")
    print(f"wrote {out}: {len(homes)} homes, {sum(len(e.iou) for e in every)} candidates")


if __name__ == "__main__":
    main()
