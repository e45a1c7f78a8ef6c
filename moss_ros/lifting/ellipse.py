"""One row of a surfel table: the ellipse of a voxel in the image and the plane it lies on.

Distances are in local spacings: 1 on the ellipse itself. Shared by all compiled loops over surfels.
"""

from __future__ import annotations

import numpy as np
from numba import njit

U, V, Z = 0, 1, 2  # centre, px, and depth, m
INV_UU, INV_UV, INV_VV = 3, 4, 5  # inverse covariance in the image, 1 / px^2
HALF_U, HALF_V = 6, 7  # half extents of the ellipse of distance 1, px
SLOPE_U, SLOPE_V = 8, 9  # relative change of depth per pixel on the voxel's plane
OUT_U, OUT_V = 10, 11  # unit direction over the rim
RIM = 12  # how much of a rim, [0, 1]
COLUMNS = 13


@njit(cache=True, nogil=True, inline="always")
def squared_distance(s, du, dv):
    """Squared distance of the pixel at (du, dv) from the centre."""
    return s[INV_UU] * du * du + 2 * s[INV_UV] * du * dv + s[INV_VV] * dv * dv


@njit(cache=True, nogil=True, inline="always")
def reach_along(s, du, dv, inward, outward, rim_gain):
    """Reach in the direction (du, dv): inward along the surface, falling to outward straight over a rim."""
    along = du * s[OUT_U] + dv * s[OUT_V]
    if along <= 0:
        return inward
    turned = rim_gain * s[RIM] * along / np.sqrt(du * du + dv * dv)
    return inward + (outward - inward) * min(np.float32(1), turned)


@njit(cache=True, nogil=True, inline="always")
def plane_depth(s, du, dv):
    """Depth of the voxel's plane at (du, dv), to first order, m."""
    return s[Z] * (1 + s[SLOPE_U] * du + s[SLOPE_V] * dv)


@njit(cache=True, nogil=True, inline="always")
def pixel_box(s, reach, max_reach, low, width, height):
    """First and last column and row (u0, v0, u1, v1) within the reach, of an image from pixel ``low`` on."""
    du, dv = min(max_reach, reach * s[HALF_U]), min(max_reach, reach * s[HALF_V])
    u0, u1 = max(low, int(np.ceil(s[U] - du))), min(width - 1, int(np.floor(s[U] + du)))
    v0, v1 = max(low, int(np.ceil(s[V] - dv))), min(height - 1, int(np.floor(s[V] + dv)))
    return u0, v0, u1, v1
