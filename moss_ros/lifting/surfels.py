"""Visible voxels of a view as surface elements: where each projects and how far it reaches in the image.

n surfels. Image axes are u right, v down; camera axes x right, y down, z forward.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from moss_ros.config import LiftingConfig
from moss_ros.geometry.camera import Camera
from moss_ros.geometry.projection import blocks_in_view
from moss_ros.geometry.transforms import inverse
from moss_ros.geometry.voxels import BLOCK_SIDE
from moss_ros.lifting.density import DensityMap
from moss_ros.lifting.ellipse import (
    COLUMNS,
    HALF_U,
    HALF_V,
    INV_UU,
    INV_UV,
    INV_VV,
    OUT_U,
    OUT_V,
    RIM,
    SLOPE_U,
    SLOPE_V,
    U,
    V,
    Z,
    pixel_box,
    plane_depth,
    reach_along,
    squared_distance,
)
from moss_ros.mapping.voxel_map import VoxelMap

_NEAR_M = 0.1


@dataclass(frozen=True, slots=True)
class Surfels:
    """Voxels that the view sees near open pixels, in ascending order."""

    voxels: np.ndarray  # (n,) int32 voxel ids
    table: np.ndarray  # (n, COLUMNS) float32, see ellipse.py


def visible_surfels(
    voxels: VoxelMap,
    density: DensityMap,
    camera: Camera,
    world_from_camera: np.ndarray,
    depth_m: np.ndarray,
    open_pixels: np.ndarray,
    config: LiftingConfig,
) -> Surfels:
    """Surfels that may own an open pixel (H, W) bool; depth (H, W) m of the same pixels, 0 = no measurement.

    Where depth was measured it says what is visible; elsewhere the voxels hide each other. Voxels a little
    outside the image count too: they reach into it.
    """
    c, size = config, voxels.voxel_size_m
    camera_from_world = inverse(world_from_camera)
    margin = int(np.ceil(c.max_reach_px))
    radius = BLOCK_SIDE * size * np.sqrt(3) / 2
    wide = Camera(
        camera.fx,
        camera.fy,
        camera.cx + margin,
        camera.cy + margin,
        camera.width + 2 * margin,
        camera.height + 2 * margin,
    )
    in_view = blocks_in_view(
        voxels.block_centers(), radius, camera_from_world, wide.matrix, wide.width, wide.height, np.inf
    )
    measured = depth_m > 0
    short = max(c.certain_reach, c.inward_reach, c.outward_reach, c.cover_inward_reach, c.cover_outward_reach)
    long = max(c.certain_reach, c.measured_inward_reach, c.measured_outward_reach)
    found, uvz = _project(
        voxels.position,
        density.spacing_m,
        density.solid,
        voxels.block,
        in_view,
        camera_from_world,
        camera.matrix,
        open_sums(open_pixels & ~measured),
        open_sums(open_pixels & measured),
        margin,
        short,
        long,
        c.max_reach_px,
    )
    rotated = camera_from_world[:3, :3].T
    table = _describe(
        uvz,
        (density.normal[found] @ rotated).astype(np.float32),
        (density.inward_m[found] @ rotated).astype(np.float32),
        density.spacing_m[found],
        density.rim[found],
        camera.matrix,
        c.pixel_variance,
        c.min_facing,
    )
    front = _front(
        table,
        depth_m,
        margin,
        *np.array([c.cover_inward_reach, c.cover_outward_reach, c.rim_gain, c.max_reach_px], np.float32),
    )
    visible = _visible(table, depth_m, front, margin, c.seen_base_m, c.seen_slope, c.hidden_base_m)
    return Surfels(found[visible], table[visible])


@njit(cache=True, nogil=True)
def open_sums(open_pixels: np.ndarray) -> np.ndarray:
    """(H + 1, W + 1) int32 integral image: any box of pixels is asked for open ones in constant time."""
    height, width = open_pixels.shape
    out = np.zeros((height + 1, width + 1), np.int32)
    for v in range(height):
        row = 0
        for u in range(width):
            row += open_pixels[v, u]
            out[v + 1, u + 1] = out[v, u + 1] + row
    return out


@njit(cache=True, nogil=True, inline="always")
def any_open(sums, u0, v0, u1, v1):
    """Whether the box of pixels u0..u1, v0..v1 (inclusive, may leave the image) holds an open one."""
    u0, v0 = max(u0, 0), max(v0, 0)
    u1, v1 = min(u1, sums.shape[1] - 2), min(v1, sums.shape[0] - 2)
    if u0 > u1 or v0 > v1:
        return False
    return sums[v1 + 1, u1 + 1] - sums[v0, u1 + 1] - sums[v1 + 1, u0] + sums[v0, u0] > 0


@njit(cache=True, nogil=True)
def _project(position, spacing, solid, block_of, in_view, t, k, unmeasured, measured, margin, short, long, max_reach):
    """Ids (n,) and image position and depth (n, 3) of the solid voxels with an open pixel in their reach."""
    height, width = measured.shape[0] - 1, measured.shape[1] - 1
    found = np.empty(len(position), np.int32)
    uvz = np.empty((len(position), 3), np.float32)
    r00, r01, r02, tx = t[0, 0], t[0, 1], t[0, 2], t[0, 3]
    r10, r11, r12, ty = t[1, 0], t[1, 1], t[1, 2], t[1, 3]
    r20, r21, r22, tz = t[2, 0], t[2, 1], t[2, 2], t[2, 3]
    fx, fy, cx, cy = k[0, 0], k[1, 1], k[0, 2], k[1, 2]
    n = 0
    for i in range(len(position)):
        if not in_view[block_of[i]] or not solid[i]:
            continue
        px, py, pz = position[i, 0], position[i, 1], position[i, 2]
        z = r20 * px + r21 * py + r22 * pz + tz
        if z < _NEAR_M:
            continue
        u = (r00 * px + r01 * py + r02 * pz + tx) / z * fx + cx
        v = (r10 * px + r11 * py + r12 * pz + ty) / z * fy + cy
        if u < -margin or v < -margin or u > width - 1 + margin or v > height - 1 + margin:
            continue
        # Bound of the ellipse: foreshortening shrinks it, the obliqueness of the ray stretches it.
        stretch = np.sqrt(1.0 + ((u - cx) / fx) ** 2 + ((v - cy) / fy) ** 2)
        spacing_px = spacing[i] * stretch * max(fx, fy) / z + 1
        if _box_open(unmeasured, u, v, min(max_reach, short * spacing_px)) or _box_open(
            measured, u, v, min(max_reach, long * spacing_px)
        ):
            found[n] = i
            uvz[n, 0], uvz[n, 1], uvz[n, 2] = u, v, z
            n += 1
    return found[:n].copy(), uvz[:n].copy()


@njit(cache=True, nogil=True, inline="always")
def _box_open(sums, u, v, half):
    return any_open(
        sums, int(np.floor(u - half)), int(np.floor(v - half)), int(np.ceil(u + half)), int(np.ceil(v + half))
    )


@njit(cache=True, nogil=True)
def _front(table, depth, margin, inward, outward, rim_gain, max_reach):
    """Depth of the nearest surfel over each pixel of the image with its margin, inf where there is none.

    Only right at the pixels that surfels fall on without a measurement: no others are asked for.
    """
    height, width = depth.shape
    asked = np.zeros((height + 2 * margin, width + 2 * margin), np.bool_)
    for i in range(len(table)):
        u, v = int(np.floor(table[i, U] + 0.5)), int(np.floor(table[i, V] + 0.5))
        asked[v + margin, u + margin] = not (0 <= u < width and 0 <= v < height and depth[v, u] > 0)
    sums = open_sums(asked)
    out = np.full(asked.shape, np.float32(np.inf), np.float32)
    longest, surely = max(inward, outward), min(inward, outward)
    for i in range(len(table)):
        s = table[i]
        u0, v0, u1, v1 = pixel_box(s, longest, max_reach, -margin, width + margin, height + margin)
        if not any_open(sums, u0 + margin, v0 + margin, u1 + margin, v1 + margin):
            continue
        for v in range(v0, v1 + 1):
            for u in range(u0, u1 + 1):
                if not asked[v + margin, u + margin]:
                    continue
                du, dv = np.float32(u) - s[U], np.float32(v) - s[V]
                square = squared_distance(s, du, dv)
                if square > longest * longest:
                    continue
                z = plane_depth(s, du, dv)
                if z >= out[v + margin, u + margin]:
                    continue
                if square > surely * surely:
                    limit = reach_along(s, du, dv, inward, outward, rim_gain)
                    if square > limit * limit:
                        continue
                out[v + margin, u + margin] = z
    return out


@njit(cache=True, nogil=True)
def _visible(table, depth, front, margin, seen_base, seen_slope, hidden_base):
    height, width = depth.shape
    out = np.empty(len(table), np.bool_)
    for i in range(len(table)):
        z = table[i, Z]
        a, b = int(np.floor(table[i, U] + 0.5)), int(np.floor(table[i, V] + 0.5))
        measured = depth[b, a] if 0 <= a < width and 0 <= b < height else np.float32(0)
        if measured > 0:
            out[i] = abs(measured - z) <= max(seen_base, seen_slope * z)
        else:
            out[i] = z <= front[b + margin, a + margin] + hidden_base
    return out


@njit(cache=True, nogil=True)
def _describe(uvz, normal, inward, spacing, rim, k, pixel_variance, min_facing):
    out = np.empty((len(uvz), COLUMNS), np.float32)
    fx, fy, cx, cy = k[0, 0], k[1, 1], k[0, 2], k[1, 2]
    for i in range(len(uvz)):
        u, v, z = uvz[i, 0], uvz[i, 1], uvz[i, 2]
        x, y = (u - cx) / fx, (v - cy) / fy
        nx, ny, nz = normal[i, 0], normal[i, 1], normal[i, 2]
        # Rows of the projection's derivative are (fx / z) (1, 0, -x) and (fy / z) (0, 1, -y). On the tangent
        # plane (I - n n^T) d^2 the covariance is J J^T d^2 less its part along the normal.
        su, sv = fx * spacing[i] / z, fy * spacing[i] / z
        nu, nv = nx - x * nz, ny - y * nz
        uu = su * su * (1 + x * x - nu * nu) + pixel_variance
        uv = su * sv * (x * y - nu * nv)
        vv = sv * sv * (1 + y * y - nv * nv) + pixel_variance
        det = uu * vv - uv * uv
        out[i, U], out[i, V], out[i, Z] = u, v, z
        out[i, INV_UU], out[i, INV_UV], out[i, INV_VV] = vv / det, -uv / det, uu / det
        out[i, HALF_U], out[i, HALF_V] = np.sqrt(uu), np.sqrt(vv)
        facing = nx * x + ny * y + nz
        if abs(facing) < min_facing:
            facing = min_facing if facing > 0 else -min_facing
        out[i, SLOPE_U], out[i, SLOPE_V] = -nx / (fx * facing), -ny / (fy * facing)
        ou, ov = -fx * (inward[i, 0] - x * inward[i, 2]), -fy * (inward[i, 1] - y * inward[i, 2])
        length = np.sqrt(ou * ou + ov * ov)
        out[i, OUT_U], out[i, OUT_V] = (ou / length, ov / length) if length > 1e-12 else (0.0, 0.0)
        out[i, RIM] = rim[i]
    return out
