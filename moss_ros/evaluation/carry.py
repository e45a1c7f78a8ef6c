"""Carry masks over map points to the points of the ground truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

REACH_M = 0.03  # 1.5 map voxels of 2 cm: bridges noise, not the gap to the next thing


def nearest_rows(points_m: np.ndarray, map_points_m: np.ndarray, reach_m: float = REACH_M) -> np.ndarray:
    """Row of the nearest map point (N, 3) for each point (P, 3); -1 where none is closer than reach_m."""
    if not len(map_points_m):
        return np.full(len(points_m), -1, np.int64)
    # Median splits cost more than they save: map voxels are evenly spread.
    tree = cKDTree(map_points_m, balanced_tree=False, compact_nodes=False)
    _, rows = tree.query(points_m, distance_upper_bound=reach_m)
    return np.where(rows < len(map_points_m), rows, -1).astype(np.int64)


def instance_of_rows(nearest: np.ndarray, instance: np.ndarray, count: int) -> np.ndarray:
    """(N,) int64: the instance of most true points nearest to each of N map rows, -1 where there is none; of equally
    many the lowest.

    nearest (P,) of nearest_rows; instance (P,) of the points.
    """
    reached = nearest >= 0
    pairs = np.stack([nearest[reached], instance[reached]], 1)
    distinct, points = np.unique(pairs, axis=0, return_counts=True)
    row, of_row = distinct.T
    order = np.lexsort((of_row, -points, row))  # the most frequent instance of each row comes first
    first = order[np.r_[True, np.diff(row[order]) > 0]] if len(order) else order
    out = np.full(count, -1, np.int64)
    out[row[first]] = of_row[first]
    return out


def masks_from_voxels(voxels: Sequence[np.ndarray], point_count: int) -> csr_matrix:
    """K lists of map rows as a sparse K x N matrix of ones; masks may overlap, repeated rows count once."""
    offsets = np.cumsum([0, *(len(v) for v in voxels)])
    columns = np.concatenate([np.zeros(0, np.int64), *(np.asarray(v, np.int64) for v in voxels)])
    return masks_from_offsets(offsets, columns, point_count)


def masks_from_offsets(offsets: np.ndarray, columns: np.ndarray, point_count: int) -> csr_matrix:
    """The same from the CSR arrays of a saved map."""
    if len(columns) and (columns.min() < 0 or columns.max() >= point_count):
        raise ValueError(f"masks name points {columns.min()} to {columns.max()}, the map has {point_count}")
    shape = (len(offsets) - 1, point_count)
    masks = csr_matrix((np.ones(len(columns), np.int32), columns, offsets), shape=shape)
    masks.sum_duplicates()
    masks.data[:] = 1
    return masks


def masks_from_labels(labels: np.ndarray) -> tuple[np.ndarray, csr_matrix]:
    """Ids (K,) and K x N masks of a labelled cloud: labels (N,), 0 or less = no instance."""
    rows = np.flatnonzero(labels > 0)
    ids, inverse = np.unique(labels[rows], return_inverse=True)
    shape = (len(ids), len(labels))
    return ids, csr_matrix((np.ones(len(rows), np.int32), (inverse.ravel(), rows)), shape=shape)


def masks_from_clouds(clouds_m: Sequence[np.ndarray]) -> tuple[np.ndarray, csr_matrix]:
    """Map points (N, 3) and K x N masks of K point arrays (n, 3); equal points become one map point."""
    if not len(clouds_m):
        return np.zeros((0, 3)), csr_matrix((0, 0), dtype=np.int32)
    points, rows = np.unique(np.concatenate(clouds_m).astype(np.float64), axis=0, return_inverse=True)
    offsets = np.cumsum([0, *(len(c) for c in clouds_m)])
    return points, masks_from_offsets(offsets, rows.ravel(), len(points))


def carry(masks: csr_matrix, nearest: np.ndarray) -> csr_matrix:
    """K x P masks over truth points from K x N masks over map points.

    nearest: (P,) map row of each truth point, -1 = none.
    """
    reached = np.flatnonzero(nearest >= 0)
    shape = (masks.shape[1], len(nearest))
    step = csr_matrix((np.ones(len(reached), np.int32), (nearest[reached], reached)), shape=shape)
    return csr_matrix(masks @ step)
