"""What superlatives rank by."""

from __future__ import annotations

import numpy as np

from moss_ros.questions.lexicon import Superlative
from moss_ros.questions.map_index import MapIndex


def measure(kind: Superlative, index: MapIndex, rows: np.ndarray, observer: np.ndarray | None) -> np.ndarray:
    """(K,) numbers of which the smallest is wanted; rows: the instances that compete.

    observer: (4, 4) map from optical camera frame. Without one, distances are from the middle of the map, and left
    and right are as seen from there towards the middle of the competing instances.
    """
    boxes = index.boxes
    middle = boxes.center_m.mean(axis=0)
    here = middle if observer is None else observer[:3, 3]
    distance = np.linalg.norm(boxes.center_m - here, axis=1)
    return {
        Superlative.NEAREST: distance,
        Superlative.FARTHEST: -distance,
        Superlative.LARGEST: -boxes.volume_m3,
        Superlative.SMALLEST: boxes.volume_m3,
        Superlative.HIGHEST: -boxes.high_m,
        Superlative.LOWEST: boxes.low_m,
    }.get(kind, (1 if kind is Superlative.LEFTMOST else -1) * _to_the_right(index, rows, here, observer))


def _to_the_right(index: MapIndex, rows: np.ndarray, here: np.ndarray, observer: np.ndarray | None) -> np.ndarray:
    if observer is not None:
        right = observer[:2, 0]
    else:
        view = index.boxes.center_m[rows, :2].mean(axis=0) - here[:2]
        view = view if np.hypot(*view) > 1e-6 else np.array([1.0, 0.0])
        right = np.array([view[1], -view[0]])
    return np.asarray((index.boxes.center_m[:, :2] - here[:2]) @ right)
