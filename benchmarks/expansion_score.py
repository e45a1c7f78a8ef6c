"""Overlap and boundary agreement of a mask with the truth."""

from __future__ import annotations

import cv2
import numpy as np


def iou(mask: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of two (H, W) bool masks."""
    union = np.count_nonzero(mask | truth)
    return np.count_nonzero(mask & truth) / union if union else 1.0


def boundary_f(mask: np.ndarray, truth: np.ndarray, tolerance_px: float = 2.0) -> float:
    """Harmonic mean of the shares of either outline that lie within the tolerance of the other one."""
    ours, theirs = _outline(mask), _outline(truth)
    if not ours.any() or not theirs.any():
        return float(ours.any() == theirs.any())
    precision = np.mean(_distance(theirs)[ours] <= tolerance_px)
    recall = np.mean(_distance(ours)[theirs] <= tolerance_px)
    return float(2 * precision * recall / max(precision + recall, 1e-12))


def _outline(mask: np.ndarray) -> np.ndarray:
    filled = mask.astype(np.uint8)
    # The border of the image is no outline.
    return mask & (cv2.erode(filled, np.ones((3, 3), np.uint8), borderValue=1) == 0)


def _distance(outline: np.ndarray) -> np.ndarray:
    return cv2.distanceTransform((~outline).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
