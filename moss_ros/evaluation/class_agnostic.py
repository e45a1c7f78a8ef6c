"""Scores of masks without names: is every thing found, and once?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from moss_ros.evaluation.carry import REACH_M, masks_from_voxels, nearest_rows
from moss_ros.evaluation.ground_truth import GroundTruth
from moss_ros.evaluation.overlaps import ANY_CLASS, Overlaps, TruthColumns, columns_by_flag, count_overlaps
from moss_ros.evaluation.scannet import ApTable, MaskClasses, average_precision

MIN_POINTS = 60  # of 1 cm truth voxels, the size from which our scenes mark things for evaluation


@dataclass(frozen=True, slots=True)
class ApResult:
    """Fractions in [0, 1]; NaN where nothing was there to measure."""

    ap: float  # mean of IoU thresholds 0.5, 0.55, ... 0.9
    ap50: float
    ap25: float
    recall50: float  # of the true things
    precision50: float  # of the masks that are not on void
    recall25: float
    precision25: float
    best_iou: dict[int, float]  # true instance id -> best IoU of any mask

    def __str__(self) -> str:
        return (
            f"AP {100 * self.ap:.1f}  AP50 {100 * self.ap50:.1f}  AP25 {100 * self.ap25:.1f}  "
            f"R50 {100 * self.recall50:.0f}  P50 {100 * self.precision50:.0f}  "
            f"R25 {100 * self.recall25:.0f}  P25 {100 * self.precision25:.0f}"
        )


def score_class_agnostic(
    truth: GroundTruth,
    masks_voxels: Sequence[np.ndarray],
    map_points_m: np.ndarray,
    scores: np.ndarray,
    *,
    min_points: int = MIN_POINTS,
    reach_m: float = REACH_M,
    nearest: np.ndarray | None = None,
) -> ApResult:
    """Score K masks, given as rows of map_points_m (N, 3), against everything evaluated as one class.

    Each truth point takes the masks of the nearest map point within reach_m. Structure, things that are not
    evaluated and unlabelled points are void. To score one map many times, compute nearest once with
    `carry.nearest_rows(truth.points_m, map_points_m)`.
    """
    overlaps = overlaps_on_map(truth, masks_voxels, map_points_m, reach_m=reach_m, nearest=nearest)
    return score_overlaps(overlaps, scores, min_points=min_points)


def overlaps_on_map(
    truth: GroundTruth,
    masks_voxels: Sequence[np.ndarray],
    map_points_m: np.ndarray,
    *,
    reach_m: float = REACH_M,
    nearest: np.ndarray | None = None,
) -> Overlaps:
    """Overlaps of masks over map points with everything evaluated."""
    if nearest is None:
        nearest = nearest_rows(truth.points_m, map_points_m, reach_m)
    masks = masks_from_voxels(masks_voxels, len(map_points_m))
    return count_overlaps(masks, columns_by_flag(truth), nearest)


def score_overlaps(overlaps: Overlaps, scores: np.ndarray, *, min_points: int = MIN_POINTS) -> ApResult:
    """Score masks whose overlaps with the truth are known."""
    scores = np.asarray(scores, np.float64)
    if len(scores) != len(overlaps.mask_points):
        raise ValueError(f"{len(overlaps.mask_points)} masks, but {len(scores)} scores")
    pairs = MaskClasses(np.arange(len(scores)), np.full(len(scores), ANY_CLASS), scores)
    table = average_precision([(overlaps.with_class(ANY_CLASS), pairs)], [ANY_CLASS], min_points)
    return _result(table, overlaps)


def numbers(overlaps: Overlaps, scores: np.ndarray, *, min_points: int = MIN_POINTS) -> dict[str, float]:
    """ap, ap50, ap25 with the real scores and, as NAME_constant, with all scores 1; recall and precision."""
    real = score_overlaps(overlaps, scores, min_points=min_points)
    constant = score_overlaps(overlaps, np.ones(len(overlaps.mask_points)), min_points=min_points)
    out: dict[str, float] = {}
    for name in ("ap", "ap50", "ap25"):
        out[name] = getattr(real, name)
        out[f"{name}_constant"] = getattr(constant, name)
    return out | {name: getattr(real, name) for name in ("recall50", "precision50", "recall25", "precision25")}


def only(overlaps: Overlaps, ids: Collection[int]) -> Overlaps:
    """The same masks against some of the true instances: all others become void, where nothing is wrong."""
    truth = overlaps.truth
    kept = np.isin(truth.ids, list(ids))
    place = np.append(np.where(kept, np.cumsum(kept) - 1, kept.sum()), kept.sum())
    columns = TruthColumns(place[truth.column], truth.ids[kept], truth.class_ids[kept], truth.points[kept])
    on_others = np.asarray(overlaps.counts[:, np.flatnonzero(~kept)].sum(axis=1), np.int64).ravel()
    counts = csr_matrix(overlaps.counts[:, np.flatnonzero(kept)])
    return Overlaps(columns, counts, overlaps.mask_points, overlaps.void_points + on_others)


def _result(table: ApTable, overlaps: Overlaps) -> ApResult:
    best = overlaps.best_iou()
    return ApResult(
        ap=table.mean(),
        ap50=table.mean(0.5),
        ap25=table.mean(0.25),
        recall50=table.recall(0.5),
        precision50=table.precision(0.5),
        recall25=table.recall(0.25),
        precision25=table.precision(0.25),
        best_iou={int(i): float(iou) for i, iou in zip(overlaps.truth.ids, best, strict=True)},
    )
