"""The instances of a snapshot as arrays, ready for questions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moss_ros.questions.attributes import COLOR_NAMES, color_shares
from moss_ros.questions.box_pairs import Boxes
from moss_ros.records import Embeddings, Instance, InstanceState, Snapshot

_THERE = (InstanceState.TENTATIVE, InstanceState.CONFIRMED)


@dataclass(frozen=True, slots=True)
class MapIndex:
    """K instances, sorted by id. Immutable: a question reads one index while the next is made."""

    stamp_ns: int
    ids: np.ndarray  # (K,) int64, ascending
    is_there: np.ndarray  # (K,) bool: neither missing nor removed
    boxes: Boxes
    centroid_m: np.ndarray  # (K, 3)
    last_seen_ns: np.ndarray  # (K,) int64
    color_shares: np.ndarray  # (K, len(COLOR_NAMES)) float32
    labels: tuple[str, ...]
    mean: np.ndarray  # (K, D) float32 unit rows, zeros = not looked at yet
    best: np.ndarray  # (K, D) of the best view
    looks_from_m: np.ndarray  # (K, 3) mean place from which each was seen; the middle of the map where unknown
    instances: tuple[Instance, ...]  # row by row
    floor_m: float | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def points_m(self, row: int) -> np.ndarray:
        """(N, 3) voxel means of one instance."""
        return self.instances[row].points_m


class MapIndexer:
    """Makes the index of each snapshot; the colours are looked at again only where an instance changed."""

    def __init__(self) -> None:
        self._shares: dict[int, tuple[np.ndarray, np.ndarray]] = {}  # id -> voxel colours, shares

    def update(
        self,
        snapshot: Snapshot,
        embeddings: Embeddings | None,
        floor_m: float | None = None,
    ) -> MapIndex:
        """Index of a snapshot; embeddings may lack instances. floor_m: height of the floor, where it is known."""
        instances = tuple(sorted(snapshot.instances, key=lambda i: i.id))
        ids = np.array([i.id for i in instances], np.int64)
        rows = _rows(ids, embeddings)
        middle = np.mean([i.centroid_m for i in instances], axis=0) if instances else np.zeros(3)
        looks_from_m = np.tile(middle, (len(ids), 1))
        if embeddings is not None:
            seen = (rows >= 0) & (embeddings.views[rows] > 0) if len(embeddings.ids) else np.zeros(len(ids), bool)
            looks_from_m[seen] = embeddings.looks_from_m[rows[seen]]
        return MapIndex(
            stamp_ns=snapshot.stamp_ns,
            ids=ids,
            is_there=np.array([i.state in _THERE for i in instances], bool),
            boxes=Boxes(
                np.array([i.box.center_m for i in instances], float).reshape(-1, 3),
                np.array([i.box.size_m for i in instances], float).reshape(-1, 3),
                np.array([i.box.yaw_rad for i in instances], float),
            ),
            centroid_m=np.array([i.centroid_m for i in instances], float).reshape(-1, 3),
            last_seen_ns=np.array([i.last_seen_ns for i in instances], np.int64),
            color_shares=self._color_shares(instances),
            labels=tuple(i.label for i in instances),
            mean=_taken(embeddings.mean if embeddings is not None else None, rows),
            best=_taken(embeddings.best if embeddings is not None else None, rows),
            looks_from_m=looks_from_m,
            instances=instances,
            floor_m=floor_m,
        )

    def _color_shares(self, instances: tuple[Instance, ...]) -> np.ndarray:
        known = self._shares
        changed = [i for i in instances if i.id not in known or known[i.id][0] is not i.colors_rgb]
        fresh = color_shares([i.colors_rgb for i in changed])
        shares = known | {i.id: (i.colors_rgb, row) for i, row in zip(changed, fresh, strict=True)}
        self._shares = {i.id: shares[i.id] for i in instances}
        rows = [self._shares[i.id][1] for i in instances]
        return np.array(rows, np.float32).reshape(-1, len(COLOR_NAMES))


def _rows(ids: np.ndarray, embeddings: Embeddings | None) -> np.ndarray:
    """(K,) rows of the embeddings, -1 where an instance has none."""
    row_of = {int(i): row for row, i in enumerate(embeddings.ids)} if embeddings is not None else {}
    return np.array([row_of.get(int(i), -1) for i in ids], int)


def _taken(vectors: np.ndarray | None, rows: np.ndarray) -> np.ndarray:
    if vectors is None:
        return np.zeros((len(rows), 0), np.float32)
    out = np.zeros((len(rows), vectors.shape[1]), np.float32)
    out[rows >= 0] = vectors[rows[rows >= 0]]
    return out
