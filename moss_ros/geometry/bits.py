"""Sets of keyframes as 64-bit words."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, inline="always")
def popcount(x):
    """Number of ones in a uint64."""
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True, nogil=True)
def ones_per_row(words: np.ndarray) -> np.ndarray:
    """(N,) int64: ones in each row of (N, W) uint64."""
    out = np.zeros(len(words), np.int64)
    for i in range(len(words)):
        for w in range(words.shape[1]):
            out[i] += popcount(words[i, w])
    return out


def pack_rows(table: np.ndarray) -> np.ndarray:
    """(N, V) bool -> (N, W) uint64, column v in bit v % 64 of word v // 64."""
    rows, columns = table.shape
    padded = np.zeros((rows, 64 * max(1, -(-columns // 64))), bool)
    padded[:, :columns] = table
    return np.packbits(padded, axis=1, bitorder="little").view("<u8").astype(np.uint64, copy=False)
