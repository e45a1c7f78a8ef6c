"""Voxel normals from the moments of the neighbourhood, redone only where the map changed.

One ring (26 neighbours and self) is best for superpoints; two rings hold when poses jitter and serve the
structure of the room. Normals point to the side from which the voxel was seen.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from moss_ros.geometry.components import spread
from moss_ros.mapping.voxel_map import VoxelMap


class NormalMap:
    """Normals (N, 3) float32 with one and with two rings of support, kept by voxel id."""

    def __init__(self) -> None:
        self.one_ring = np.zeros((0, 3), np.float32)
        self.two_rings = np.zeros((0, 3), np.float32)
        self.solid = np.zeros(0, bool)
        self.changed = np.zeros(0, bool)  # by the last update: position, solidity or two-ring normal
        # The arrays above are views of these, which grow in large steps.
        self._one, self._two = self.one_ring, self.two_rings
        self._moments = np.zeros((0, 10))

    def update(self, voxels: VoxelMap, touched: np.ndarray) -> np.ndarray:
        """Redo what depends on the touched voxels (N,) bool; returns those (N,) bool whose one-ring normal changed.

        The sums run over the neighbour table in its fixed order, so the result equals a full run exactly.
        """
        n = voxels.count
        self._reserve(n)
        self.one_ring, self.two_rings = self._one[:n], self._two[:n]
        solid = voxels.solid()
        self.solid = solid
        ring1 = spread(touched, voxels.neighbours)
        ring2 = self.changed = spread(ring1, voxels.neighbours)
        p, eye, nb = voxels.position, voxels.viewpoint, voxels.neighbours
        _moments(p, nb, solid, ring1, self._moments)
        _one_ring(self._moments, p, eye, solid, ring1, self.one_ring)
        _two_rings(self._moments, p, eye, nb, solid, ring2, self.two_rings)
        return ring1

    def _reserve(self, rows: int) -> None:
        if rows > len(self._moments):
            size = rows + rows // 2
            self._one, self._two = _grown(self._one, size), _grown(self._two, size)
            self._moments = _grown(self._moments, size)


def _grown(array: np.ndarray, rows: int) -> np.ndarray:
    out = np.zeros((rows, array.shape[1]), array.dtype)
    out[: len(array)] = array
    return out


@njit(cache=True, nogil=True)
def _moments(position, neighbours, solid, where, out):
    """Sums of 1, p, p p^T over each voxel and its solid neighbours, relative to the voxel's own mean."""
    for i in range(len(where)):
        if not where[i] or not solid[i]:
            continue
        s0 = 1.0
        sx = sy = sz = xx = xy = xz = yy = yz = zz = 0.0
        for o in range(26):
            j = neighbours[i, o]
            if j < 0 or not solid[j]:
                continue
            x = float(position[j, 0]) - position[i, 0]
            y = float(position[j, 1]) - position[i, 1]
            z = float(position[j, 2]) - position[i, 2]
            s0 += 1
            sx += x
            sy += y
            sz += z
            xx += x * x
            xy += x * y
            xz += x * z
            yy += y * y
            yz += y * z
            zz += z * z
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = s0, sx, sy, sz
        out[i, 4], out[i, 5], out[i, 6], out[i, 7], out[i, 8], out[i, 9] = xx, xy, xz, yy, yz, zz


@njit(cache=True, nogil=True)
def _one_ring(moments, position, eye, solid, where, out):
    for i in range(len(where)):
        if where[i] and solid[i]:
            normal_of_moments(moments[i], position[i], eye[i], out[i])
        elif where[i]:
            out[i] = 0.0


@njit(cache=True, nogil=True)
def _two_rings(moments, position, eye, neighbours, solid, where, out):
    """Normals from the moments of the neighbours, shifted to this voxel's origin and added."""
    total = np.empty(10)
    for i in range(len(where)):
        if not where[i]:
            continue
        if not solid[i]:
            out[i] = 0.0
            continue
        for a in range(10):
            total[a] = moments[i, a]
        for o in range(26):
            j = neighbours[i, o]
            if j < 0 or not solid[j]:
                continue
            dx = float(position[j, 0]) - position[i, 0]
            dy = float(position[j, 1]) - position[i, 1]
            dz = float(position[j, 2]) - position[i, 2]
            s0, sx, sy, sz = moments[j, 0], moments[j, 1], moments[j, 2], moments[j, 3]
            total[0] += s0
            total[1] += sx + s0 * dx
            total[2] += sy + s0 * dy
            total[3] += sz + s0 * dz
            total[4] += moments[j, 4] + 2 * dx * sx + s0 * dx * dx
            total[5] += moments[j, 5] + dx * sy + dy * sx + s0 * dx * dy
            total[6] += moments[j, 6] + dx * sz + dz * sx + s0 * dx * dz
            total[7] += moments[j, 7] + 2 * dy * sy + s0 * dy * dy
            total[8] += moments[j, 8] + dy * sz + dz * sy + s0 * dy * dz
            total[9] += moments[j, 9] + 2 * dz * sz + s0 * dz * dz
        normal_of_moments(total, position[i], eye[i], out[i])


@njit(cache=True, nogil=True)
def normal_of_moments(s, p, eye, out):
    """Write the normal out (3,) of ten moments s (of 1, p, p p^T) seen from eye at p.

    Smallest eigenvector of the covariance in closed form (trigonometric roots of the characteristic cubic).
    """
    c = s[0]
    mx, my, mz = s[1] / c, s[2] / c, s[3] / c
    a, b, d = s[4] / c - mx * mx, s[5] / c - mx * my, s[6] / c - mx * mz
    e, f, g = s[7] / c - my * my, s[8] / c - my * mz, s[9] / c - mz * mz
    q = (a + e + g) / 3
    r = np.sqrt(((a - q) ** 2 + (e - q) ** 2 + (g - q) ** 2 + 2 * (b * b + d * d + f * f)) / 6) + 1e-20
    a0, e0, g0, b0, d0, f0 = (a - q) / r, (e - q) / r, (g - q) / r, b / r, d / r, f / r
    half_det = (a0 * (e0 * g0 - f0 * f0) - b0 * (b0 * g0 - f0 * d0) + d0 * (b0 * f0 - e0 * d0)) / 2
    phi = np.arccos(min(1.0, max(-1.0, half_det))) / 3
    low = q + 2 * r * np.cos(phi + 2 * np.pi / 3)
    a, e, g = a - low, e - low, g - low
    # The eigenvector is orthogonal to the rows of (C - low I): take the longest cross product.
    bx, by, bz, best = 0.0, 0.0, 1.0, 0.0
    for pair in range(3):
        if pair == 0:
            x, y, z = b * f - d * e, d * b - a * f, a * e - b * b
        elif pair == 1:
            x, y, z = b * g - d * f, d * d - a * g, a * f - b * d
        else:
            x, y, z = e * g - f * f, f * d - b * g, b * f - e * d
        length = x * x + y * y + z * z
        if length > best:
            best, bx, by, bz = length, x, y, z
    norm = np.sqrt(bx * bx + by * by + bz * bz)
    if bx * (eye[0] - p[0]) + by * (eye[1] - p[1]) + bz * (eye[2] - p[2]) < 0:
        norm = -norm
    out[0], out[1], out[2] = bx / norm, by / norm, bz / norm
