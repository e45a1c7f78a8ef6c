"""Masks that overlap as label images, in which they cannot: by how deep they are nested.

K masks; L levels: 0 lies in no other mask, 1 in one of level 0, and so on.
"""

from __future__ import annotations

import numpy as np

CONTAINED = 0.8  # a mask with this share of its pixels in a larger one is nested in it
_FINE_PX = 320  # overlaps are counted on images of about this width


def nesting(masks: np.ndarray) -> np.ndarray:
    """(K,) int64 level of each mask (K, H, W) bool."""
    step = max(1, masks.shape[2] // _FINE_PX)
    coarse = masks[:, ::step, ::step]
    flat = coarse.reshape(len(coarse), coarse.shape[1] * coarse.shape[2]).astype(np.float32)
    area = flat.sum(1)
    inside = (flat @ flat.T >= CONTAINED * area[:, None]) & (area[None] > area[:, None])  # row in column
    level = np.zeros(len(masks), np.int64)
    for k in np.argsort(-area, kind="stable"):
        level[k] = level[inside[k]].max(initial=-1) + 1
    return level


def layers(masks: np.ndarray, min_pixels: int) -> np.ndarray:
    """(L, H, W) int32 label images 1..n, one for each level; of two masks of a level the smaller has the pixel."""
    level = nesting(masks)
    count = int(level.max(initial=-1)) + 1
    out = [painted(masks[level == n], min_pixels) for n in range(count)]
    return np.stack(out) if out else np.zeros((0, *masks.shape[1:]), np.int32)


def painted(masks: np.ndarray, min_pixels: int, parts: bool = True) -> np.ndarray:
    """(H, W) int32 label image 1..n of masks (K, H, W) bool: the deeper nested, then the smaller mask is on top.

    parts: false leaves out masks that are nested in others. What shows less than min_pixels goes.
    """
    level, area = nesting(masks), np.count_nonzero(masks, axis=(1, 2))
    order = np.lexsort((-area, level))
    labels = np.zeros(masks.shape[1:], np.int32)
    for number, k in enumerate(order[level[order] == 0] if not parts else order, 1):
        labels[masks[k]] = number
    keep = np.bincount(labels.ravel(), minlength=len(masks) + 1) >= max(min_pixels, 1)
    keep[0] = False
    return np.where(keep, np.cumsum(keep), 0).astype(np.int32)[labels]
