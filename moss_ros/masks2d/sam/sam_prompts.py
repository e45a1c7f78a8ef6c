"""Prompts for models of the Segment Anything kind, made from masks that are nearly right.

N prompts, P points each. Pixel coordinates are (x, y) of pixel centres: the first pixel is (0, 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

ON, OFF, PADDING = 1, 0, -1  # labels of points: on the thing, on something else, no point


@dataclass(frozen=True, slots=True)
class Prompts:
    """What a model is asked; each row asks for one thing."""

    points: np.ndarray  # (N, P, 2) float32 x, y, px
    labels: np.ndarray  # (N, P) int32 ON, OFF or PADDING
    boxes: np.ndarray | None = None  # (N, 4) float32 x0, y0, x1, y1 of the outermost pixels, px

    def __post_init__(self) -> None:
        n = len(self.points)
        if self.points.shape != (n, *self.labels.shape[1:], 2) or len(self.labels) != n:
            raise ValueError(f"points are {self.points.shape}, so labels must be (N, P), not {self.labels.shape}")
        if self.boxes is not None and self.boxes.shape != (n, 4):
            raise ValueError(f"boxes must be ({n}, 4), one for each row of points, not {self.boxes.shape}")
        if not np.isin(self.labels, (ON, OFF, PADDING)).all():
            raise ValueError("labels of points must be 1 (on the thing), 0 (beside it) or -1 (no point)")

    def __len__(self) -> int:
        return len(self.points)

    def take(self, rows: Sequence[int] | slice) -> Prompts:
        """Some rows."""
        return Prompts(self.points[rows], self.labels[rows], None if self.boxes is None else self.boxes[rows])


@dataclass(frozen=True, slots=True)
class PromptRules:
    """How many points, and how near a neighbour is."""

    on: int = 2  # points on the thing
    off: int = 2  # points on its neighbours, one for each
    margin: float = 0.1  # neighbours are looked for in the box grown by this share of its sides
    margin_px: int = 4  # but at least by so many pixels


def grid_prompts(points_per_side: int, shape: tuple[int, int]) -> Prompts:
    """One row for each point of an even grid over an image (H, W), row by row."""
    at = (np.arange(points_per_side) + 0.5) / points_per_side
    x, y = np.meshgrid(at * shape[1], at * shape[0])
    points = np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)[:, None]
    return Prompts(points, np.full(points.shape[:2], ON, np.int32))


def prompts_from_masks(
    masks: np.ndarray, rules: PromptRules | None = None, rows: Sequence[int] | None = None
) -> Prompts:
    """Box, inmost points and points on the neighbours of each mask (N, H, W) bool.

    rows: of the masks that are asked for, the others are only neighbours; None: all. Raises ValueError for an empty
    mask.
    """
    rules = rules or PromptRules()
    boxes = mask_boxes(masks)
    asked = np.arange(len(masks)) if rows is None else np.asarray(rows, np.int64)
    points = np.zeros((len(asked), rules.on + rules.off, 2), np.float32)
    labels = np.full(points.shape[:2], PADDING, np.int32)
    for row, k in enumerate(asked.tolist()):
        on = inmost_points(masks[k], boxes[k], rules.on)
        off = _neighbour_points(k, masks, boxes, rules)
        points[row, : len(on)], labels[row, : len(on)] = on, ON
        points[row, rules.on : rules.on + len(off)], labels[row, rules.on : rules.on + len(off)] = off, OFF
    return Prompts(points, labels, boxes[asked])


def mask_boxes(masks: np.ndarray) -> np.ndarray:
    """(N, 4) float32 x0, y0, x1, y1 of the outermost pixels of masks (N, H, W). ValueError for an empty mask."""
    out = np.zeros((len(masks), 4), np.float32)
    for k, mask in enumerate(masks):
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if not len(rows):
            raise ValueError(f"mask {k} is empty: a prompt needs at least one pixel")
        out[k] = columns[0], rows[0], columns[-1], rows[-1]
    return out


def inmost_points(mask: np.ndarray, box: np.ndarray, count: int) -> np.ndarray:
    """(n, 2) float32 x, y of up to count pixels far from the mask's border, the farthest first.

    Each keeps the disc that fits around it to itself, so that points spread over the parts of a mask. The edge of the
    image counts as border. Only what lies in the box (x0, y0, x1, y1) is looked at.
    """
    x0, y0, x1, y1 = box.astype(int)
    inside = np.pad(mask[y0 : y1 + 1, x0 : x1 + 1].astype(np.uint8), 1)
    # Squares of these distances are whole numbers; the last digit varies from call to call and would decide ties.
    square = np.rint(np.square(cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)))
    depth = np.sqrt(square).astype(np.float32)
    found: list[tuple[float, float]] = []
    for _ in range(count):
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        reach = float(depth[row, column])
        if reach <= 0:
            break
        found.append((float(column - 1 + x0), float(row - 1 + y0)))
        cv2.circle(depth, (int(column), int(row)), max(int(reach), 1), 0.0, -1)
    return np.array(found, np.float32).reshape(-1, 2)


def _neighbour_points(k: int, masks: np.ndarray, boxes: np.ndarray, rules: PromptRules) -> np.ndarray:
    """(n, 2) a point on each of the neighbours that hold most of the grown box of mask k."""
    window = _grown(boxes[k], masks.shape[1:], rules)
    x0, y0, x1, y1 = window.astype(int)
    near = (boxes[:, :2] <= window[2:]).all(1) & (boxes[:, 2:] >= window[:2]).all(1) & (np.arange(len(boxes)) != k)
    own = masks[k, y0 : y1 + 1, x0 : x1 + 1]
    shared = {int(j): int((masks[j, y0 : y1 + 1, x0 : x1 + 1] & ~own).sum()) for j in np.flatnonzero(near)}
    most = sorted((j for j in shared if shared[j] > 0), key=lambda j: (-shared[j], j))[: rules.off]
    points = [inmost_points(masks[j] & ~masks[k], window, 1) for j in most]
    return np.concatenate(points) if points else np.zeros((0, 2), np.float32)


def _grown(box: np.ndarray, shape: tuple[int, ...], rules: PromptRules) -> np.ndarray:
    """Box with its margin, inside the image (H, W)."""
    margin = np.maximum((box[2:] - box[:2] + 1) * rules.margin, rules.margin_px).round()
    low = np.maximum(box[:2] - margin, 0)
    high = np.minimum(box[2:] + margin, (shape[1] - 1, shape[0] - 1))
    return np.concatenate([low, high])
