"""All numbers of a run against a scene with ground truth: the content of metrics.json."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from moss_ros.evaluation.carry import nearest_rows
from moss_ros.evaluation.changes import load_changes, score_changes
from moss_ros.evaluation.class_agnostic import MIN_POINTS, numbers, only
from moss_ros.evaluation.ground_truth import GroundTruth, read_json
from moss_ros.evaluation.label_sets import LabelSet, labels_of
from moss_ros.evaluation.labelled import LabelledResult, score_labelled, top_1, top_k
from moss_ros.evaluation.overlaps import Overlaps, columns_by_flag, count_overlaps
from moss_ros.evaluation.retrieval import load_queries, score_retrieval
from moss_ros.evaluation.run_files import RunFiles, load_answers, load_class_scores
from moss_ros.evaluation.scannet import MaskClasses
from moss_ros.evaluation.semantic import point_classes, score_semantic, true_classes

TOP_K = 300  # (mask, class) pairs of a scene
GROUPED_BY = ("quality", "size_class")  # fields of instances.json whose values are also scored one by one


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The numbers of a run and what the report draws them from."""

    metrics: dict[str, Any]
    overlaps: Overlaps
    nearest: np.ndarray  # (P,) map row of each truth point, -1 = none


def evaluate(run: RunFiles, truth: GroundTruth, scene: Path | None = None) -> Evaluation:
    """Everything that the files allow; parts without their files are left out.

    scene: folder with queries.json and changes.json, and with the groups of instances.json.
    """
    nearest = nearest_rows(truth.points_m, run.points_m)
    overlaps = count_overlaps(run.masks, columns_by_flag(truth), nearest)
    metrics: dict[str, Any] = {
        "things": len(overlaps.truth.ids),
        "masks": len(run.ids),
        "covered": float(np.mean(nearest >= 0)),  # share of the true surface that is in the map
        "class_agnostic": _class_agnostic(overlaps, run.scores),
    }
    labels = labels_of(truth)
    one, many = _named(run, labels)
    if one is not None:
        metrics["labelled"] = {"top1": _both(overlaps, one, labels)}
        metrics["semantic"] = _semantic(run, truth, one, labels, nearest)
    if many is not None:
        metrics["labelled"]["topk"] = _both(overlaps, many, labels) | {"k": TOP_K}
    if scene is not None:
        metrics.update(_of_scene(run, truth, scene))
        groups = _groups(overlaps, run.scores, scene)
        if groups:
            metrics["groups"] = groups
    return Evaluation(metrics, overlaps, nearest)


def _class_agnostic(overlaps: Overlaps, scores: np.ndarray) -> dict[str, Any]:
    best = zip(overlaps.truth.ids.tolist(), overlaps.best_iou().tolist(), strict=True)
    return numbers(overlaps, scores) | {"best_iou": {str(i): round(iou, 4) for i, iou in best}}


def _groups(overlaps: Overlaps, scores: np.ndarray, scene: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """{field: {value: numbers}} of the things of each value alone, for the fields that the truth has."""
    members: dict[str, dict[str, list[int]]] = {}
    scored = set(overlaps.truth.ids.tolist())
    for entry in read_json(scene / "instances.json")["instances"]:
        for field in GROUPED_BY:
            if field in entry and int(entry["id"]) in scored:
                members.setdefault(field, {}).setdefault(str(entry[field]), []).append(int(entry["id"]))
    return {
        field: {
            value: {"things": len(ids)} | numbers(only(overlaps, ids), scores) for value, ids in sorted(values.items())
        }
        for field, values in members.items()
    }


def _named(run: RunFiles, labels: LabelSet) -> tuple[MaskClasses | None, MaskClasses | None]:
    """Each mask with its best class, and the best pairs of all, from the scores of all classes; without them each
    mask with its label. None where no class of the set was given."""
    class_ids = [labels.id_of(name) for name in run.labels]
    named = np.flatnonzero([c is not None for c in class_ids])
    stored = load_class_scores(run)
    if stored is not None:
        names, scores = stored
        columns = [column for column, name in enumerate(names) if labels.id_of(name) is not None]
        known = np.array([labels.id_of(names[column]) or 0 for column in columns], np.int64)
        weighted = scores[:, columns] * run.scores[:, None]
        if len(columns):
            return top_1(weighted, known), top_k(weighted, known, TOP_K)
    elif len(named):
        ids = np.array([class_ids[row] for row in named], np.int64)
        return MaskClasses(named, ids, (run.scores * run.label_scores)[named]), None
    return None, None


def _semantic(
    run: RunFiles, truth: GroundTruth, named: MaskClasses, labels: LabelSet, nearest: np.ndarray
) -> dict[str, Any]:
    """The names of single points, by the best class of each mask."""
    names = {label.id: label.name for label in labels.scored}
    result = score_semantic(true_classes(truth), point_classes(run.masks, named, nearest), names)
    return asdict(result) | {"per_class": {n: {"iou": i, "accuracy": a} for n, (i, a) in result.per_class.items()}}


def _both(overlaps: Overlaps, pairs: MaskClasses, labels: LabelSet) -> dict[str, Any]:
    """Numbers with real scores, and with constant ones under NAME_constant."""
    real = score_labelled([(overlaps, pairs)], labels, MIN_POINTS)
    constant = score_labelled([(overlaps, pairs.constant())], labels, MIN_POINTS)
    return (
        _averages(real)
        | {f"{name}_constant": value for name, value in _averages(constant).items()}
        | {"per_class": {name: {"ap": a, "ap50": b, "ap25": c} for name, (a, b, c) in real.per_class.items()}}
    )


def _averages(result: LabelledResult) -> dict[str, float]:
    return {name: getattr(result, name) for name in ("ap", "ap50", "ap25", "head", "common", "tail")}


def _of_scene(run: RunFiles, truth: GroundTruth, scene: Path) -> dict[str, Any]:
    out: dict[str, Any] = {}
    answers = load_answers(run)
    if answers is not None and (scene / "queries.json").exists():
        out["retrieval"] = asdict(score_retrieval(load_queries(scene / "queries.json"), answers, truth))
    if (run.folder / "changes.json").exists() and (scene / "changes.json").exists():
        scores = score_changes(load_changes(scene / "changes.json"), load_changes(run.folder / "changes.json"))
        out["changes"] = {kind: asdict(score) for kind, score in scores.items()}
    return out


def without_nan(value: Any) -> Any:
    """The same with None for NaN, which JSON does not know, and numbers rounded to six digits."""
    if isinstance(value, dict):
        return {key: without_nan(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(v) for v in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 6)
    return value
