"""Average precision of instances by the rules of the ScanNet (200) benchmark script, vectorised.

Rules (github.com/ScanNet/ScanNet, BenchmarkScripts/3d_evaluation; equal results, own code):
- a mask fits a true instance of its class when their IoU is *greater* than the threshold;
- true instances, in order of id, take the first fitting mask that no other one took; further fitting masks
  are false, and the highest score of them all counts as that of the right one;
- masks and true instances below `min_points` do not take part;
- a mask that fits nothing is false, unless more than the threshold's share of it lies on void or on too small
  instances of its class.

Letters: T thresholds, C classes, M (mask, class) pairs, G true instances, E overlaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from moss_ros.evaluation.overlaps import Overlaps

# arange gives 0.5, 0.55, ... 0.9: no 0.95, as in the script; 0.25 is reported beside the average.
THRESHOLDS = np.append(np.arange(0.5, 0.95, 0.05), 0.25)
MIN_POINTS = 100


@dataclass(frozen=True, slots=True)
class MaskClasses:
    """M (mask, class, score) triples of one scene, in file order; a mask may have several classes."""

    mask: np.ndarray  # (M,) int64 row of the mask
    class_id: np.ndarray  # (M,) int64
    score: np.ndarray  # (M,) float64

    def __post_init__(self) -> None:
        if not len(self.mask) == len(self.class_id) == len(self.score):
            raise ValueError("one mask row, class and score per triple")
        if not np.isfinite(self.score).all():
            raise ValueError("scores must be finite")

    def constant(self) -> MaskClasses:
        """The same with score 1, as OpenMask3D, Open3DIS and Open-YOLO 3D evaluate."""
        return MaskClasses(self.mask, self.class_id, np.ones(len(self.mask)))


@dataclass(frozen=True, slots=True)
class ApTable:
    """Average precision for each class and threshold; NaN where the truth has no such class."""

    class_ids: np.ndarray  # (C,) int64
    thresholds: np.ndarray  # (T,) float64
    ap: np.ndarray  # (C, T) float64
    right: np.ndarray  # (C, T) int64 true positives
    wrong: np.ndarray  # (C, T) int64 false positives
    truths: np.ndarray  # (C,) int64 true instances that count

    def mean(self, threshold: float | None = None, class_ids: Sequence[int] | None = None) -> float:
        """Mean over the classes that the truth has, at one threshold or over all but 0.25; NaN if none."""
        rows = np.ones(len(self.class_ids), bool) if class_ids is None else np.isin(self.class_ids, class_ids)
        values = self.ap[np.ix_(rows, self._columns(threshold))]
        values = values[~np.isnan(values)]
        return float(values.mean()) if len(values) else float("nan")

    def recall(self, threshold: float) -> float:
        """True instances found, over all classes."""
        return _ratio(self.right[:, self._columns(threshold)].sum(), self.truths.sum())

    def precision(self, threshold: float) -> float:
        """Counted predictions that are right, over all classes."""
        right = self.right[:, self._columns(threshold)].sum()
        return _ratio(right, right + self.wrong[:, self._columns(threshold)].sum())

    def _columns(self, threshold: float | None) -> np.ndarray:
        if threshold is None:
            return ~np.isclose(self.thresholds, 0.25)
        return np.isclose(self.thresholds, threshold)


def average_precision(
    scenes: Sequence[tuple[Overlaps, MaskClasses]],
    class_ids: Sequence[int],
    min_points: int = MIN_POINTS,
    thresholds: np.ndarray = THRESHOLDS,
) -> ApTable:
    """Score the predictions of one or more scenes together."""
    classes = np.unique(np.asarray(class_ids, np.int64))
    flat = _flatten(scenes, classes, min_points)
    shape = (len(classes), len(thresholds))
    ap, right, wrong = np.full(shape, np.nan), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    truths = np.bincount(flat.truth_class[flat.truth_counts], minlength=len(classes))
    for column, threshold in enumerate(thresholds):
        class_rows, is_right, score = _judge(flat, float(threshold))
        right[:, column] = np.bincount(class_rows[is_right], minlength=len(classes))
        wrong[:, column] = np.bincount(class_rows[~is_right], minlength=len(classes))
        order = np.lexsort((score, class_rows))
        bounds = np.searchsorted(class_rows[order], np.arange(len(classes) + 1))
        _areas(is_right, score, order, bounds, truths, ap[:, column])
    return ApTable(classes, np.asarray(thresholds), ap, right, wrong, truths)


@dataclass(frozen=True, slots=True)
class _Flat:
    """Pairs, true instances and their overlaps of all scenes; classes as row numbers."""

    pair_class: np.ndarray  # (M,) int64
    pair_score: np.ndarray  # (M,) float64
    pair_ignored: np.ndarray  # (M,) float64 share of the mask on void or on too small instances of its class
    truth_class: np.ndarray  # (G,) int64
    truth_counts: np.ndarray  # (G,) bool, False = too small
    entry_truth: np.ndarray  # (E,) int64, ascending; within an instance the pairs ascend
    entry_pair: np.ndarray  # (E,) int64
    entry_iou: np.ndarray  # (E,) float64


def _flatten(scenes: Sequence[tuple[Overlaps, MaskClasses]], classes: np.ndarray, min_points: int) -> _Flat:
    parts = [_flatten_scene(overlaps, pairs, classes, min_points) for overlaps, pairs in scenes]
    if not parts:
        raise ValueError("no scene to score")
    pair_start = np.cumsum([0, *(len(p.pair_class) for p in parts)])
    truth_start = np.cumsum([0, *(len(p.truth_class) for p in parts)])
    return _Flat(
        pair_class=np.concatenate([p.pair_class for p in parts]),
        pair_score=np.concatenate([p.pair_score for p in parts]),
        pair_ignored=np.concatenate([p.pair_ignored for p in parts]),
        truth_class=np.concatenate([p.truth_class for p in parts]),
        truth_counts=np.concatenate([p.truth_counts for p in parts]),
        entry_truth=np.concatenate([p.entry_truth + s for p, s in zip(parts, truth_start, strict=False)]),
        entry_pair=np.concatenate([p.entry_pair + s for p, s in zip(parts, pair_start, strict=False)]),
        entry_iou=np.concatenate([p.entry_iou for p in parts]),
    )


def _flatten_scene(overlaps: Overlaps, pairs: MaskClasses, classes: np.ndarray, min_points: int) -> _Flat:
    truth = overlaps.truth
    if not np.isin(truth.class_ids, classes).all():
        raise ValueError("the truth has instances of classes that are not scored; make them void")
    takes_part = (overlaps.mask_points[pairs.mask] >= max(min_points, 1)) & np.isin(pairs.class_id, classes)
    mask = pairs.mask[takes_part]
    pair_class = np.searchsorted(classes, pairs.class_id[takes_part])
    truth_class = np.searchsorted(classes, truth.class_ids)
    truth_counts = truth.points >= min_points

    shared = overlaps.counts[mask].tocoo()
    same = pair_class[shared.row] == truth_class[shared.col]
    order = np.lexsort((shared.row[same], shared.col[same]))
    pair = shared.row[same][order].astype(np.int64)
    instance = shared.col[same][order].astype(np.int64)
    points = shared.data[same][order]
    size = overlaps.mask_points[mask]
    small = ~truth_counts[instance]
    on_small = np.bincount(pair[small], weights=points[small], minlength=len(mask))
    return _Flat(
        pair_class=pair_class,
        pair_score=pairs.score[takes_part].astype(np.float64),
        pair_ignored=(overlaps.void_points[mask] + on_small) / size,
        truth_class=truth_class,
        truth_counts=truth_counts,
        entry_truth=instance,
        entry_pair=pair,
        entry_iou=points / (truth.points[instance] + size[pair] - points),
    )


def _judge(flat: _Flat, threshold: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class row, right or wrong, and score of every prediction that counts at the threshold."""
    fits = flat.entry_iou > threshold
    fitted = np.zeros(len(flat.pair_class), bool)
    fitted[flat.entry_pair[fits]] = True
    fits &= flat.truth_counts[flat.entry_truth]
    truth, pair = flat.entry_truth[fits], flat.entry_pair[fits]
    free = _not_taken(truth, pair)
    truth, pair = truth[free], pair[free]

    # The best score of those that fit an instance is the right one, the others are false.
    order = np.lexsort((-flat.pair_score[pair], truth))
    truth, pair = truth[order], pair[order]
    best = np.ones(len(truth), bool)
    best[1:] = truth[1:] != truth[:-1]

    alone = np.flatnonzero(~fitted & (flat.pair_ignored <= threshold))
    judged = np.concatenate([pair, alone])
    is_right = np.concatenate([best, np.zeros(len(alone), bool)])
    return flat.pair_class[judged], is_right, flat.pair_score[judged]


def _not_taken(truth: np.ndarray, pair: np.ndarray) -> np.ndarray:
    """(E,) bool: overlaps that remain when each instance in turn takes its first free pair for itself."""
    free = np.ones(len(pair), bool)
    if len(np.unique(pair)) == len(pair):  # always so from IoU 0.5 on: true instances do not share points
        return free
    taken: set[int] = set()
    served = -1
    for entry, (t, p) in enumerate(zip(truth.tolist(), pair.tolist(), strict=True)):
        if p in taken:
            free[entry] = False
        elif t != served:
            served = t
            taken.add(p)
    return free


@njit(cache=True, nogil=True)
def _areas(is_right, score, order, bounds, truths, out):
    """Area under precision over recall of each class with truths; order[bounds[c] : bounds[c + 1]] are its
    predictions by ascending score, equal scores are one point of the curve."""
    for c in range(len(truths)):
        if truths[c] == 0:
            continue
        first, last = bounds[c], bounds[c + 1]
        right = 0
        for i in range(first, last):
            right += is_right[order[i]]
        # Trapezoids of the script: each point weighs half the recall between its neighbours.
        area, before, recall = 0.0, right / truths[c], right / truths[c]
        precision = 0.0
        open_point = False
        i = first
        while i < last:
            here = right / truths[c]
            if open_point:
                area += precision * (before - here) / 2
                before = recall
            precision, recall, open_point = right / (last - i), here, True
            value = score[order[i]]
            while i < last and score[order[i]] == value:
                right -= is_right[order[i]]
                i += 1
        if open_point:
            area += precision * before / 2  # the curve ends at precision 1, recall 0
            area += recall / 2
        out[c] = area


def _ratio(part: int, whole: int) -> float:
    return float(part) / float(whole) if whole else float("nan")
