"""Moments of points, added up one by one in compiled loops."""

from __future__ import annotations

from numba import njit


@njit(cache=True, nogil=True)
def add_point(sums, x, y, z):
    """Add a point to the first ten sums: of 1, p and p p^T (xx, xy, xz, yy, yz, zz)."""
    sums[0] += 1.0
    sums[1] += x
    sums[2] += y
    sums[3] += z
    sums[4] += x * x
    sums[5] += x * y
    sums[6] += x * z
    sums[7] += y * y
    sums[8] += y * z
    sums[9] += z * z
