"""Open pixels get voxels: certain ones first, then growth along the surfaces. Compiled loops.

The result does not depend on the order of the surfels: each pixel takes the least of a total order
(distance, then voxel id), and labels play no part.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from moss_ros.config import LiftingConfig
from moss_ros.lifting.ellipse import U, V, pixel_box, plane_depth, reach_along, squared_distance
from moss_ros.lifting.surfels import Surfels, any_open, open_sums


def grow(surfels: Surfels, ids: np.ndarray, depth_m: np.ndarray, config: LiftingConfig) -> np.ndarray:
    """(H, W) int32 id buffer: ids with its open pixels (-1) given to surfels that reach them.

    depth (H, W) float32 m, 0 = no measurement.
    """
    c, out, measured = config, ids.copy(), depth_m > 0
    stop = np.array([c.stop_base_m, c.stop_slope], np.float32)
    certain, front_m, longest_px = np.array([c.certain_reach, c.front_m, c.max_reach_px], np.float32)
    _certain(surfels.table, surfels.voxels, depth_m, certain, front_m, stop, longest_px, out)
    left = out < 0
    for pixels, inward, outward in (
        (left & ~measured, c.inward_reach, c.outward_reach),
        (left & measured, c.measured_inward_reach, c.measured_outward_reach),
    ):
        reach = np.array([inward, outward, c.rim_gain, c.max_reach_px], np.float32)
        _growth(surfels.table, surfels.voxels, depth_m, pixels, reach, stop, out)
    return out


@njit(cache=True, nogil=True, inline="always")
def _stopped(measured, z, distance, stop):
    """Whether a measured depth (0 = none) says that the surface is not at depth z."""
    return measured > 0 and abs(measured - z) > stop[0] + stop[1] * z * distance


@njit(cache=True, nogil=True)
def _certain(table, voxels, depth, reach, front_m, stop, max_reach, ids):
    """Pixels well inside an ellipse: of the surfaces within front_m of the nearest one, the nearest in the image."""
    height, width = ids.shape
    sums = open_sums(ids < 0)
    front = np.full((height, width), np.float32(np.inf), np.float32)
    best = np.full((height, width), np.float32(np.inf), np.float32)
    owner = np.full((height, width), -1, np.int32)
    for turn in range(2):
        for i in range(len(table)):
            s = table[i]
            u0, v0, u1, v1 = pixel_box(s, reach, max_reach, 0, width, height)
            if not any_open(sums, u0, v0, u1, v1):
                continue
            for v in range(v0, v1 + 1):
                for u in range(u0, u1 + 1):
                    if ids[v, u] >= 0:
                        continue
                    du, dv = np.float32(u) - s[U], np.float32(v) - s[V]
                    square = squared_distance(s, du, dv)
                    if square > reach * reach:
                        continue
                    z = plane_depth(s, du, dv)
                    if _stopped(depth[v, u], z, np.sqrt(square), stop):
                        continue
                    if turn == 0:
                        front[v, u] = min(front[v, u], z)
                    elif z <= front[v, u] + front_m and square < best[v, u]:
                        best[v, u], owner[v, u] = square, voxels[i]
    _fill(owner, ids)


@njit(cache=True, nogil=True)
def _growth(table, voxels, depth, pixels, reach, stop, ids):
    """The chosen open pixels: the nearest ellipse that reaches them; short over a rim, long elsewhere."""
    height, width = ids.shape
    sums = open_sums(pixels)
    best = np.full((height, width), np.float32(np.inf), np.float32)
    owner = np.full((height, width), -1, np.int32)
    inward, outward, rim_gain, max_reach = reach
    longest, surely = max(inward, outward), min(inward, outward)
    for i in range(len(table)):
        s = table[i]
        u0, v0, u1, v1 = pixel_box(s, longest, max_reach, 0, width, height)
        if not any_open(sums, u0, v0, u1, v1):
            continue
        for v in range(v0, v1 + 1):
            for u in range(u0, u1 + 1):
                if not pixels[v, u]:
                    continue
                du, dv = np.float32(u) - s[U], np.float32(v) - s[V]
                square = squared_distance(s, du, dv)
                if square >= best[v, u] or square > longest * longest:
                    continue
                if square > surely * surely:
                    limit = reach_along(s, du, dv, inward, outward, rim_gain)
                    if square > limit * limit:
                        continue
                if _stopped(depth[v, u], plane_depth(s, du, dv), np.sqrt(square), stop):
                    continue
                best[v, u], owner[v, u] = square, voxels[i]
    _fill(owner, ids)


@njit(cache=True, nogil=True)
def _fill(owner, ids):
    for v in range(ids.shape[0]):
        for u in range(ids.shape[1]):
            if ids[v, u] < 0:
                ids[v, u] = owner[v, u]
