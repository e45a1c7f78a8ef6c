"""What a model of the Segment Anything kind answers, before it is as large as the image.

Nearly all masks of a grid are thrown away again. So they are judged small, and only those that stay are enlarged.

K masks; h, w size of the small masks; H, W size of the image.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_FEW_PX = 1000


@dataclass(frozen=True, slots=True)
class MaskLogits:
    """K answers; positive values are on the thing."""

    values: np.ndarray  # (K, h, w) float32
    scores: np.ndarray  # (K,) float32: the model's guess of the overlap with the right mask, about [0, 1]
    extent: tuple[float, float]  # rows and columns of the small masks that the image fills, from the upper left

    def take(self, rows: np.ndarray) -> MaskLogits:
        """The answers at the given rows."""
        return MaskLogits(self.values[rows], self.scores[rows], self.extent)


def joined(parts: list[MaskLogits]) -> MaskLogits:
    """All answers of several calls on one image; at least one call."""
    values = np.concatenate([p.values for p in parts])
    return MaskLogits(values, np.concatenate([p.scores for p in parts]), parts[0].extent)


def stability(values: np.ndarray, offset: float = 1.0) -> np.ndarray:
    """(K,) float32: overlap of the mask cut at +offset with that cut at -offset; 0 for an empty mask.

    A good mask hardly changes with the threshold (Kirillov et al., Segment Anything, section 5, stable masks).
    Few pixels would be counted too coarsely: they are interpolated first.
    """
    inner = np.count_nonzero(values > offset, axis=(1, 2))
    outer = np.count_nonzero(values > -offset, axis=(1, 2))
    out = (inner / np.maximum(outer, 1)).astype(np.float32)
    for k in np.flatnonzero((outer > 0) & (outer < _FEW_PX)):
        out[k] = _fine_stability(values[k], offset)
    return out


def _fine_stability(values: np.ndarray, offset: float) -> float:
    """The same for one mask (h, w) that is not empty, four times finer."""
    outside = values > -offset
    rows, columns = np.flatnonzero(outside.any(1)), np.flatnonzero(outside.any(0))
    part = values[max(rows[0] - 1, 0) : rows[-1] + 2, max(columns[0] - 1, 0) : columns[-1] + 2]
    size = (part.shape[1] * 4, part.shape[0] * 4)
    fine = cv2.resize(part.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return float(np.count_nonzero(fine > offset) / np.count_nonzero(fine > -offset))


def boxes(values: np.ndarray) -> np.ndarray:
    """(K, 4) float32 x0, y0, x1, y1: borders of the positive part, in small pixels; zeros where there is none."""
    rows, columns = np.any(values > 0, axis=2), np.any(values > 0, axis=1)
    height, width = values.shape[1:]
    low = np.stack([columns.argmax(1), rows.argmax(1)], 1)
    high = np.stack([width - columns[:, ::-1].argmax(1), height - rows[:, ::-1].argmax(1)], 1)
    out = np.concatenate([low, high], 1).astype(np.float32)
    out[~rows.any(1)] = 0
    return out


def keep_apart(box: np.ndarray, scores: np.ndarray, most_iou: float) -> np.ndarray:
    """Rows of boxes (K, 4), best score first, that overlap no better one by more than most_iou."""
    order = np.argsort(-scores, kind="stable")
    area = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
    kept: list[int] = []
    while len(order):
        best, order = int(order[0]), order[1:]
        kept.append(best)
        side = np.minimum(box[best, 2:], box[order, 2:]) - np.maximum(box[best, :2], box[order, :2])
        shared = np.maximum(side, 0).prod(1)
        order = order[shared <= most_iou * (area[best] + area[order] - shared)]
    return np.array(kept, np.int64)


def enlarged(logits: MaskLogits, shape: tuple[int, int]) -> np.ndarray:
    """(K, H, W) bool: the small masks at the size of the image, interpolated between pixel centres."""
    height, width = shape
    step_y, step_x = logits.extent[0] / height, logits.extent[1] / width
    small_from_image = np.array([[step_x, 0, 0.5 * step_x - 0.5], [0, step_y, 0.5 * step_y - 0.5]])
    out = np.empty((len(logits.values), height, width), bool)
    for k, values in enumerate(logits.values):
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        big = cv2.warpAffine(
            values.astype(np.float32), small_from_image, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        out[k] = big > 0
    return out
