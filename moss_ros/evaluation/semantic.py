"""Scores of the name of each point: a map of labels, whatever its instances are.

Letters: K masks, N map points, P truth points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from moss_ros.evaluation.ground_truth import GroundTruth
from moss_ros.evaluation.scannet import MaskClasses

NO_CLASS = 0
_NOT_SCORED = -1


@dataclass(frozen=True, slots=True)
class SemanticResult:
    """Fractions in [0, 1]; NaN where the truth has no point to name."""

    miou: float  # mean over the classes of the truth
    mean_accuracy: float  # same, of the share of a class's points that have its name
    accuracy: float  # share of all points of things that have their name
    per_class: dict[str, tuple[float, float]]  # name -> (IoU, accuracy)


def point_classes(masks: csr_matrix, named: MaskClasses, nearest: np.ndarray) -> np.ndarray:
    """(P,) class of each truth point, NO_CLASS where the map gives none.

    masks: K x N over map points; where they overlap the best score holds. nearest: (P,) map row of each truth point,
    -1 = none.
    """
    classes = np.full(masks.shape[1] + 1, NO_CLASS, np.int64)  # the last entry stands for -1
    for row in np.argsort(named.score, kind="stable"):
        if named.score[row] > 0:
            mask = named.mask[row]
            classes[masks.indices[masks.indptr[mask] : masks.indptr[mask + 1]]] = named.class_id[row]
    return np.asarray(classes[nearest])


def true_classes(truth: GroundTruth) -> np.ndarray:
    """(P,) class of each point of a scored thing; NO_CLASS on structure, where any name is wrong; -1 on what does not
    count: void, and things that are not scored."""
    table = np.full(int(truth.instance.max(initial=0)) + 1, _NOT_SCORED, np.int64)
    scored = set(truth.evaluated_ids.tolist())
    for number, instance in truth.instances.items():
        if number < len(table) and (number in scored or instance.kind == "structure"):
            table[number] = instance.category_id if number in scored else NO_CLASS
    return np.asarray(table[truth.instance])


def score_semantic(true: np.ndarray, found: np.ndarray, names: dict[int, str]) -> SemanticResult:
    """Compare classes (P,) of points, as true_classes() and point_classes() give them.

    names: those of the classes that count; only those that the truth has are averaged.
    """
    counts = true >= 0
    true, found = true[counts], found[counts]
    right = true == found
    per_class = {}
    for number, name in names.items():
        here = true == number
        if here.any():
            hits = int(np.count_nonzero(here & right))
            either = int(np.count_nonzero(here | (found == number)))
            per_class[name] = (hits / either, hits / int(np.count_nonzero(here)))
    on_things = right[true != NO_CLASS]
    return SemanticResult(
        miou=_mean([iou for iou, _ in per_class.values()]),
        mean_accuracy=_mean([accuracy for _, accuracy in per_class.values()]),
        accuracy=_mean(on_things),
        per_class=per_class,
    )


def _mean(values: list[float] | np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
