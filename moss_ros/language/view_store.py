"""The embeddings of the views of each instance: a bounded memory, brought up to date where an instance changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from moss_ros.language.view_choice import ChosenView
from moss_ros.records import Embeddings

_STILL_THE_SAME = 0.7  # IoU of an instance then and now above which a view of then still speaks for it


@dataclass(frozen=True, slots=True)
class _View:
    weight: float
    embedding: np.ndarray  # (D,)
    camera_m: tuple[float, float, float]
    voxels: np.ndarray  # of the instance when the view was embedded


class ViewStore:
    """Views by instance and keyframe stamp; at most `limit` for each instance."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._views: dict[int, dict[int, _View]] = {}

    def due(self, instance_id: int, voxels: np.ndarray, wanted: Sequence[ChosenView]) -> list[ChosenView]:
        """The wanted views that are missing, or were embedded when the instance was another."""
        known = self._views.get(instance_id, {})
        return [v for v in wanted if v.stamp_ns not in known or not _same(known[v.stamp_ns].voxels, voxels)]

    def put(self, instance_id: int, view: ChosenView, embedding: np.ndarray, voxels: np.ndarray) -> None:
        """Enter or replace one view; the weightiest stay. A view that shows nothing (zeros) is remembered, and
        counts for nothing."""
        views = self._views.setdefault(instance_id, {})
        weight = view.weight if embedding.any() else 0.0
        views[view.stamp_ns] = _View(weight, embedding.astype(np.float32), view.camera_m, voxels)
        for stamp_ns in sorted(views, key=lambda s: (-views[s].weight, s))[self._limit :]:
            del views[stamp_ns]

    def keep_only(self, instance_ids: Iterable[int]) -> None:
        """Forget the instances that are gone."""
        alive = set(instance_ids)
        self._views = {i: views for i, views in self._views.items() if i in alive}

    def embeddings(self, model: str, dimensions: int, instance_ids: Sequence[int]) -> Embeddings:
        """Weighted mean and weightiest view of each instance; rows of zeros where nothing is known."""
        mean = np.zeros((len(instance_ids), dimensions), np.float32)
        best = np.zeros_like(mean)
        count = np.zeros(len(instance_ids), np.int32)
        looks_from_m = np.zeros((len(instance_ids), 3), np.float32)
        for row, instance_id in enumerate(instance_ids):
            views = [v for v in self._views.get(instance_id, {}).values() if v.weight > 0]
            if views:
                total = np.sum([v.weight * v.embedding for v in views], axis=0)
                mean[row] = total / max(float(np.linalg.norm(total)), 1e-9)
                best[row] = max(views, key=lambda v: v.weight).embedding
                count[row] = len(views)
                weights = [v.weight for v in views]
                looks_from_m[row] = np.average([v.camera_m for v in views], axis=0, weights=weights)
        return Embeddings(model, np.array(instance_ids, np.int32), mean, best, count, looks_from_m)


def _same(then: np.ndarray, now: np.ndarray) -> bool:
    if then is now:
        return True
    shared = len(np.intersect1d(then, now, assume_unique=True))
    return shared >= _STILL_THE_SAME * (len(then) + len(now) - shared)
