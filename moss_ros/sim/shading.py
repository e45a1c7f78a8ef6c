"""Colour of ray hits: baked light times texture, a highlight, and what glows. Linear light."""

from __future__ import annotations

import numpy as np
from numba import njit

# sRGB value -> linear light, by the simple power law that the tone curve inverts.
LINEAR = ((np.arange(256) / 255.0) ** 2.2).astype(np.float32)


@njit(cache=True, nogil=True)
def sample(
    texels: np.ndarray,
    start: int,
    height: int,
    width: int,
    u: float,
    v: float,
    linear: np.ndarray,
    out: np.ndarray,
) -> None:
    """Bilinear texture value at (u, v) in repeats; row 0 is v = 0."""
    x = (u - np.floor(u)) * width - 0.5
    y = (v - np.floor(v)) * height - 0.5
    x0 = int(np.floor(x))
    y0 = int(np.floor(y))
    fx = x - x0
    fy = y - y0
    xa = x0 % width
    xb = (x0 + 1) % width
    ya = start + (y0 % height) * width
    yb = start + ((y0 + 1) % height) * width
    for c in range(3):
        top = linear[texels[ya + xa, c]] * (1 - fx) + linear[texels[ya + xb, c]] * fx
        low = linear[texels[yb + xa, c]] * (1 - fx) + linear[texels[yb + xb, c]] * fx
        out[c] = top * (1 - fy) + low * fy


@njit(cache=True, nogil=True)
def albedo(
    uv: np.ndarray,
    texture: np.ndarray,
    texels: np.ndarray,
    starts: np.ndarray,
    sizes: np.ndarray,
    linear: np.ndarray,
) -> np.ndarray:
    """(T, 3) float32 mean colour of each triangle, from a coarse texture level."""
    out = np.empty((len(uv), 3), np.float32)
    level = min(4, starts.shape[1] - 1)
    for i in range(len(uv)):
        t = texture[i]
        u = (uv[i, 0, 0] + uv[i, 1, 0] + uv[i, 2, 0]) / 3
        v = (uv[i, 0, 1] + uv[i, 1, 1] + uv[i, 2, 1]) / 3
        sample(texels, starts[t, level], sizes[t, level, 0], sizes[t, level, 1], u, v, linear, out[i])
    return out


@njit(cache=True, nogil=True)
def shade(
    triangle: np.ndarray,
    bary_u: np.ndarray,
    bary_v: np.ndarray,
    distance: np.ndarray,
    directions: np.ndarray,
    origin: np.ndarray,
    uv: np.ndarray,
    texture: np.ndarray,
    density: np.ndarray,
    point: np.ndarray,
    light: np.ndarray,
    normal: np.ndarray,
    texels: np.ndarray,
    starts: np.ndarray,
    sizes: np.ndarray,
    gloss: np.ndarray,
    glow: np.ndarray,
    lamps: np.ndarray,
    linear: np.ndarray,
    focal_px: float,
) -> np.ndarray:
    """(N, 3) float32 linear colour of N hits; lamps (L, 3) are places that make highlights."""
    out = np.zeros((len(triangle), 3), np.float32)
    for i in range(len(triangle)):
        t = triangle[i]
        if t < 0:
            continue
        b1 = bary_u[i]
        b2 = bary_v[i]
        b0 = 1 - b1 - b2
        x = texture[t]
        u = uv[t, 0, 0] * b0 + uv[t, 1, 0] * b1 + uv[t, 2, 0] * b2
        v = uv[t, 0, 1] * b0 + uv[t, 1, 1] * b1 + uv[t, 2, 1] * b2
        lod = np.log2(max(density[t] * distance[i] / focal_px, 1.0))
        level = min(int(lod + 0.5), starts.shape[1] - 1)
        sample(texels, starts[x, level], sizes[x, level, 0], sizes[x, level, 1], u, v, linear, out[i])
        p0, p1, p2 = point[t, 0], point[t, 1], point[t, 2]
        shine = 0.0
        if gloss[x] > 0:
            shine = gloss[x] * _highlight(i, p0, p1, p2, b0, b1, b2, distance[i], directions, origin, normal, lamps)
        for c in range(3):
            e = light[p0, c] * b0 + light[p1, c] * b1 + light[p2, c] * b2
            out[i, c] = out[i, c] * (e + glow[x]) + shine * e
    return out


@njit(cache=True, nogil=True)
def _highlight(
    i: int,
    p0: int,
    p1: int,
    p2: int,
    b0: float,
    b1: float,
    b2: float,
    distance: float,
    directions: np.ndarray,
    origin: np.ndarray,
    normal: np.ndarray,
    lamps: np.ndarray,
) -> float:
    """Blinn-Phong lobes of all lamps; lamps behind the surface give none."""
    nx = normal[p0, 0] * b0 + normal[p1, 0] * b1 + normal[p2, 0] * b2
    ny = normal[p0, 1] * b0 + normal[p1, 1] * b1 + normal[p2, 1] * b2
    nz = normal[p0, 2] * b0 + normal[p1, 2] * b1 + normal[p2, 2] * b2
    dx, dy, dz = directions[i, 0], directions[i, 1], directions[i, 2]
    length = np.sqrt(dx * dx + dy * dy + dz * dz)
    nn = max(np.sqrt(nx * nx + ny * ny + nz * nz), 1e-6)
    total = 0.0
    for k in range(len(lamps)):
        lx = lamps[k, 0] - origin[0] - dx * distance
        ly = lamps[k, 1] - origin[1] - dy * distance
        lz = lamps[k, 2] - origin[2] - dz * distance
        ll = max(np.sqrt(lx * lx + ly * ly + lz * lz), 1e-6)
        if lx * nx + ly * ny + lz * nz <= 0:
            continue
        hx, hy, hz = lx / ll - dx / length, ly / ll - dy / length, lz / ll - dz / length
        hh = max(np.sqrt(hx * hx + hy * hy + hz * hz), 1e-6)
        cosine = max((hx * nx + hy * ny + hz * nz) / (hh * nn), 0.0)
        total += cosine**48
    return total


@njit(cache=True, nogil=True)
def smooth_normals(
    order: np.ndarray, starts: np.ndarray, face: np.ndarray, weight: np.ndarray, crease_cos: float
) -> np.ndarray:
    """(C, 3) normals of C corners: means over the faces at the same place that bend less than the crease angle.

    order (C,) sorts the corners by place, starts (P + 1,) are the places' first rows in it; face (C, 3) are the unit
    normals of the corners' faces, weight (C,) their areas.
    """
    out = np.zeros((len(face), 3))
    for p in range(len(starts) - 1):
        for a in range(starts[p], starts[p + 1]):
            i = order[a]
            for b in range(starts[p], starts[p + 1]):
                j = order[b]
                cosine = face[i, 0] * face[j, 0] + face[i, 1] * face[j, 1] + face[i, 2] * face[j, 2]
                if cosine >= crease_cos:
                    for c in range(3):
                        out[i, c] += weight[j] * face[j, c]
            length = np.sqrt(out[i, 0] ** 2 + out[i, 1] ** 2 + out[i, 2] ** 2)
            for c in range(3):
                out[i, c] = out[i, c] / length if length > 0 else face[i, c]
    return out
