"""Scores of named masks: per class, Top-1 and Top-K, with real and with constant scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moss_ros.evaluation.label_sets import GROUPS, LabelSet
from moss_ros.evaluation.overlaps import Overlaps
from moss_ros.evaluation.scannet import MIN_POINTS, ApTable, MaskClasses, average_precision


@dataclass(frozen=True, slots=True)
class LabelledResult:
    """Fractions in [0, 1]; NaN for a group of classes that the truth does not have."""

    ap: float
    ap50: float
    ap25: float
    head: float
    common: float
    tail: float
    per_class: dict[str, tuple[float, float, float]]  # name -> (ap, ap50, ap25), classes in the truth only


def top_k(class_scores: np.ndarray, class_ids: np.ndarray, k: int) -> MaskClasses:
    """The k best (mask, class) pairs of all, from scores (K masks, C classes); -inf = never.

    Equal scores keep the order mask by mask, class by class. k of 300 to 600 is usual in the literature.
    """
    flat = class_scores.ravel()
    best = np.argsort(-flat, kind="stable")[:k]
    best = best[np.isfinite(flat[best])]
    mask, column = np.divmod(best, class_scores.shape[1])
    return MaskClasses(mask, np.asarray(class_ids, np.int64)[column], flat[best].astype(np.float64))


def top_1(class_scores: np.ndarray, class_ids: np.ndarray) -> MaskClasses:
    """Each mask with its best class, from scores (K, C); masks without a finite score are left out."""
    rows = np.arange(len(class_scores))
    column = class_scores.argmax(axis=1) if len(rows) else np.zeros(0, np.int64)
    score = class_scores[rows, column].astype(np.float64)
    known = np.isfinite(score)
    return MaskClasses(rows[known], np.asarray(class_ids, np.int64)[column[known]], score[known])


def score_labelled(
    scenes: Sequence[tuple[Overlaps, MaskClasses]], labels: LabelSet, min_points: int = MIN_POINTS
) -> LabelledResult:
    """Score named masks of one or more scenes; overlaps made with `columns_by_class` or `columns_by_flag`."""
    return summarise(average_precision(scenes, labels.scored_ids, min_points), labels)


def summarise(table: ApTable, labels: LabelSet) -> LabelledResult:
    """The averages and the classes by name."""
    names = {label.id: label.name for label in labels.labels}
    seen = [int(i) for i, count in zip(table.class_ids, table.truths, strict=True) if count]
    per_class = {names[i]: (table.mean(None, [i]), table.mean(0.5, [i]), table.mean(0.25, [i])) for i in seen}
    head, common, tail = (table.mean(None, labels.group_ids(group)) for group in GROUPS)
    return LabelledResult(table.mean(), table.mean(0.5), table.mean(0.25), head, common, tail, per_class)
