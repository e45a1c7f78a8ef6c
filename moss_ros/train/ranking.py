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
from moss_ros.proposals.features import FEATURES, features_of
from moss_ros.proposals.measures import Measures
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
_SETTINGS: dict[str, Any] = {
    "learning_rate": 0.1,
    "max_features": 0.5,
    "l2_regularization": 1.0,
    "early_stopping": False,
}
_OF_HOMES = 0.6  # share of the homes that each member sees
_THINNED = 3  # each home can also teach what a third less keyframes would have shown
_CONSENSUS = ("consensus", "is_consensus")
_FIRST_OF_AFFINITY = FEATURES.index("thing")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the model of a source is made."""

    features: tuple[str, ...]  # those that the source fills
    members: int  # models that are averaged, each of other homes: one alone moves the real room by points
    trees: int  # of each
    leaves: int  # of a tree
    min_samples_leaf: int
    thinned: tuple[int, ...] = ()  # the homes are seen again without every third keyframe, from these on


RECIPES = {
    "consensus": Recipe(FEATURES[:_FIRST_OF_AFFINITY], 3, 60, 15, 40),
    "affinity": Recipe(tuple(name for name in FEATURES if name not in _CONSENSUS), 5, 100, 63, 40, thinned=(0, 1)),
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
    shared = SharedVoxels.of(candidates, voxels.count)
    everything = np.ones(voxels.count, bool)
    measures = Measures().update(candidates, shared, solid_voxels, normals.two_rings, evidence, everything)
    return candidates, features_of(candidates, measures, shared, pipeline.structure, joined.affinity)


def _targets(overlaps: Overlaps) -> tuple[np.ndarray, np.ndarray]:
    shared = overlaps.counts.tocoo()
    union = overlaps.mask_points[shared.row] + overlaps.truth.points[shared.col] - shared.data
    iou = np.zeros(len(overlaps.mask_points))
    np.maximum.at(iou, shared.row, shared.data / union)
    on_void = overlaps.void_points > 0.5 * np.maximum(overlaps.mask_points, 1)
    return iou, ~on_void | (iou > 0.25)


def fit(homes: Sequence[Sequence[Examples]], recipe: Recipe) -> Ranking:
    """Mean of boosted trees on all candidates that count; deterministic."""
    from sklearn.ensemble import HistGradientBoostingRegressor  # optional

    columns = np.array([FEATURES.index(name) for name in recipe.features], np.int32)
    rng = np.random.default_rng(0)
    members = []
    for seed in range(recipe.members):
        seen = rng.permutation(len(homes))[: max(1, round(_OF_HOMES * len(homes)))]
        examples = [e for k in seen for e in homes[k]]
        model = HistGradientBoostingRegressor(
            max_iter=recipe.trees,
            max_leaf_nodes=recipe.leaves,
            min_samples_leaf=recipe.min_samples_leaf,
            random_state=seed,
            **_SETTINGS,
        )
        x = np.concatenate([e.features[e.counts] for e in examples])[:, columns]
        members.append(model.fit(x, np.concatenate([e.iou[e.counts] for e in examples])))
    return ranking_of(members, columns)


def ranking_of(members: Sequence[Any], columns: np.ndarray) -> Ranking:
    """The mean of fitted models; columns (C,): place in FEATURES of each column that they saw."""
    trees = [stage[0].nodes for model in members for stage in model._predictors]
    first = np.cumsum([0, *(len(nodes) for nodes in trees)])
    nodes = np.concatenate(trees)
    start = np.repeat(first[:-1], [len(tree) for tree in trees])
    leaf = nodes["is_leaf"].astype(bool)
    return Ranking(
        base=float(np.mean([np.ravel(model._baseline_prediction) for model in members])),
        roots=first[:-1].astype(np.int32),
        feature=np.where(leaf, -1, columns[nodes["feature_idx"]]).astype(np.int32),
        threshold=np.where(leaf, 0, nodes["num_threshold"]).astype(np.float32),
        left=np.where(leaf, -1, nodes["left"] + start).astype(np.int32),
        right=np.where(leaf, -1, nodes["right"] + start).astype(np.int32),
        value=np.where(leaf, np.round(nodes["value"] / len(members), 6), 0),
    )


def held_out(
    homes: Sequence[Sequence[Examples]], recipe: Recipe, suppress_iou: float
) -> list[tuple[ApResult, ApResult]]:
    """For each home the scores with one score for all, and with a ranking that has not seen the home."""
    out = []
    for fold in range(FOLDS):
        ranking = fit([home for i, home in enumerate(homes) if i % FOLDS != fold], recipe)
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
    ranking = fit(homes, recipe)
    out.write_text(json.dumps(ranking.to_json(), separators=(",", ":")) + "\n", encoding="utf-8")
    for name, loss in importance(ranking, every).items():
        print(f"{name:13} {loss:.3f}")
    print(f"wrote {out}: {len(homes)} homes, {sum(len(e.iou) for e in every)} candidates")


if __name__ == "__main__":
    main()
