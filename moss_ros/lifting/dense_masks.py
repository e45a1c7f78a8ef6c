"""All masks of a view from its id buffer, by one gather."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def dense_masks(id_buffer: np.ndarray, masks: Sequence[np.ndarray]) -> np.ndarray:
    """(K, H, W) bool from an id buffer (H, W) int32 and K arrays of voxel ids; masks may overlap."""
    count = max([int(id_buffer.max(initial=-1)), *(int(m.max(initial=-1)) for m in masks)]) + 1
    shown = np.zeros(count + 1, bool)  # the last entry stands for id -1
    shown[id_buffer] = True
    shown[-1] = False
    column = np.where(shown, np.cumsum(shown), 0).astype(np.int32)  # column 0: no voxel
    table = np.zeros((len(masks), int(column.max(initial=0)) + 1), bool)
    for row, mask in zip(table, masks, strict=True):
        row[column[mask]] = True
    table[:, 0] = False
    return np.take(table, column[id_buffer], axis=1)
