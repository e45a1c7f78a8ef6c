"""How many truth points each mask shares with each true instance: all that the scores need of a scene.

Letters: K masks, P truth points, G true instances, N map points.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from moss_ros.evaluation.ground_truth import GroundTruth

ANY_CLASS = 1  # the class of everything in class-agnostic scores


@dataclass(frozen=True, slots=True)
class TruthColumns:
    """The true instances that take part; every other point is void."""

    column: np.ndarray  # (P,) int64 column of each point, G = void
    ids: np.ndarray  # (G,) int64 ascending instance ids
    class_ids: np.ndarray  # (G,) int64
    points: np.ndarray  # (G,) int64 size

    def with_class(self, class_id: int) -> TruthColumns:
        """The same instances, all of one class."""
        return TruthColumns(self.column, self.ids, np.full_like(self.class_ids, class_id), self.points)


@dataclass(frozen=True, slots=True)
class Overlaps:
    """Shared points of K masks and G true instances."""

    truth: TruthColumns
    counts: csr_matrix  # (K, G) int64
    mask_points: np.ndarray  # (K,) int64 size on the truth points
    void_points: np.ndarray  # (K,) int64 part of the size that lies on void

    def with_class(self, class_id: int) -> Overlaps:
        """The same overlaps, all true instances of one class."""
        return Overlaps(self.truth.with_class(class_id), self.counts, self.mask_points, self.void_points)

    def best_iou(self) -> np.ndarray:
        """(G,) best intersection over union of any mask with each true instance."""
        shared = self.counts.tocoo()
        union = self.mask_points[shared.row] + self.truth.points[shared.col] - shared.data
        best = np.zeros(len(self.truth.ids))
        np.maximum.at(best, shared.col, shared.data / union)
        return best


def columns_by_flag(truth: GroundTruth) -> TruthColumns:
    """Everything flagged `evaluate` takes part; structure and badly seen things are void."""
    ids = truth.evaluated_ids.astype(np.int64)
    return _columns(truth, ids, np.array([truth.instances[int(i)].category_id for i in ids], np.int64))


def columns_by_class(truth: GroundTruth, class_ids: np.ndarray) -> TruthColumns:
    """Everything of the given classes takes part, as in the ScanNet scripts."""
    classes = {i: t.category_id for i, t in truth.instances.items()}
    valid = set(np.asarray(class_ids).tolist())
    ids = np.array(sorted(i for i, c in classes.items() if c in valid), np.int64)
    return _columns(truth, ids, np.array([classes[int(i)] for i in ids], np.int64))


def count_overlaps(masks: csr_matrix, truth: TruthColumns, nearest: np.ndarray | None = None) -> Overlaps:
    """Overlaps of K x P masks over the truth points.

    nearest: (P,) map row of each truth point (-1 = none) when the masks are K x N over map points. The
    result is that of carrying the masks first, but the truth is summed per map point, which is faster.
    """
    if nearest is None and masks.shape[1] != len(truth.column):
        raise ValueError(f"masks are over {masks.shape[1]} points, the truth has {len(truth.column)}")
    if nearest is None:
        first, columns = np.arange(len(truth.column) + 1), truth.column
    else:
        first, columns = _by_row(nearest, truth.column, masks.shape[1])
    table = _count(masks.indptr, masks.indices, first, columns, len(truth.ids) + 1)
    counts = csr_matrix(table[:, :-1])
    return Overlaps(truth, counts, table.sum(axis=1), table[:, -1].copy())


@njit(cache=True, nogil=True)
def _by_row(rows, column, count):
    """Truth columns of the points of each map row: columns[first[row] : first[row + 1]]."""
    first = np.zeros(count + 1, np.int64)
    for row in rows:
        if row >= 0:
            first[row + 1] += 1
    for row in range(count):
        first[row + 1] += first[row]
    fill = first[:-1].copy()
    columns = np.empty(first[-1], np.int64)
    for point in range(len(rows)):
        row = rows[point]
        if row >= 0:
            columns[fill[row]] = column[point]
            fill[row] += 1
    return first, columns


@njit(cache=True, nogil=True)
def _count(pointer, indices, first, columns, width):
    """(K, G + 1) int64 points of each mask in each column."""
    out = np.zeros((len(pointer) - 1, width), np.int64)
    for mask in range(len(out)):
        for i in range(pointer[mask], pointer[mask + 1]):
            for j in range(first[indices[i]], first[indices[i] + 1]):
                out[mask, columns[j]] += 1
    return out


def _columns(truth: GroundTruth, ids: np.ndarray, class_ids: np.ndarray) -> TruthColumns:
    place = np.full(int(max(truth.instance.max(initial=0), ids.max(initial=0))) + 1, len(ids), np.int64)
    place[ids] = np.arange(len(ids))
    column = place[truth.instance]
    points = np.bincount(column, minlength=len(ids) + 1)[: len(ids)]
    seen = points > 0  # an instance without points cannot be found or missed
    new_place = np.append(np.cumsum(seen) - 1, seen.sum())
    return TruthColumns(new_place[column], ids[seen], class_ids[seen], points[seen])
