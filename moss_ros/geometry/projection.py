"""Between pixels and voxels: back-projection, pixel -> voxel look-up, block-culled projection.

Pixel centres are integers; a point projects into the pixel it rounds to. Points behind the camera, outside
the image, and pixels without depth are never visible.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from moss_ros.geometry.voxels import BLOCK_BITS, BLOCK_SIDE, block_key, find_block

_OUTSIDE = 1e30  # m, no measured depth comes near it


@njit(cache=True, nogil=True)
def reliable_depth(depth: np.ndarray, low: float, high: float, base: float, slope: float) -> np.ndarray:
    """(H, W) bool: depth in (low, high] whose four neighbours are measured and within base + slope * z."""
    height, width = depth.shape
    ok = np.zeros((height, width), np.bool_)
    for v in range(1, height - 1):
        for u in range(1, width - 1):
            z = depth[v, u]
            if not (low < z <= high):
                continue
            t = base + slope * z
            a, b, c, d = depth[v, u + 1], depth[v, u - 1], depth[v + 1, u], depth[v - 1, u]
            if a > 0 and b > 0 and c > 0 and d > 0:
                ok[v, u] = abs(a - z) < t and abs(b - z) < t and abs(c - z) < t and abs(d - z) < t
    return ok


@njit(cache=True, nogil=True)
def back_project(
    depth: np.ndarray, ok: np.ndarray, pose: np.ndarray, k: np.ndarray, stride: int
) -> tuple[np.ndarray, np.ndarray]:
    """World points (n, 3) float64 and flat pixel numbers (n,) int32 of every stride-th reliable pixel.

    pose is world_from_camera (4, 4), k the 3x3 intrinsic matrix.
    """
    height, width = depth.shape
    points = np.empty((((height + stride - 1) // stride) * ((width + stride - 1) // stride), 3))
    pixels = np.empty(len(points), np.int32)
    n = 0
    for v in range(0, height, stride):
        for u in range(0, width, stride):
            if not ok[v, u]:
                continue
            z = depth[v, u]
            x = (u - k[0, 2]) / k[0, 0] * z
            y = (v - k[1, 2]) / k[1, 1] * z
            for a in range(3):
                points[n, a] = pose[a, 0] * x + pose[a, 1] * y + pose[a, 2] * z + pose[a, 3]
            pixels[n] = v * width + u
            n += 1
    return points[:n], pixels[:n]


@njit(cache=True, nogil=True)
def to_grid(points: np.ndarray, voxel_size: float) -> np.ndarray:
    """Grid coordinates (n, 3) int32 of world points (n, 3)."""
    out = np.empty(points.shape, np.int32)
    for i in range(len(points)):
        for a in range(3):
            out[i, a] = np.int32(np.floor(points[i, a] / voxel_size))
    return out


@njit(cache=True, nogil=True)
def look_up(
    keys: np.ndarray,
    blocks: np.ndarray,
    ids: np.ndarray,
    depth: np.ndarray,
    ok: np.ndarray,
    pose: np.ndarray,
    k: np.ndarray,
    voxel_size: float,
) -> np.ndarray:
    """(H, W) int32 image: the voxel that holds each reliable pixel's point, -1 where there is none."""
    height, width = depth.shape
    out = np.full((height, width), -1, np.int32)
    m = BLOCK_SIDE - 1
    last_key = -1
    block = -1
    for v in range(height):
        for u in range(width):
            if not ok[v, u]:
                continue
            z = depth[v, u]
            x = (u - k[0, 2]) / k[0, 0] * z
            y = (v - k[1, 2]) / k[1, 1] * z
            gx = int(np.floor((pose[0, 0] * x + pose[0, 1] * y + pose[0, 2] * z + pose[0, 3]) / voxel_size))
            gy = int(np.floor((pose[1, 0] * x + pose[1, 1] * y + pose[1, 2] * z + pose[1, 3]) / voxel_size))
            gz = int(np.floor((pose[2, 0] * x + pose[2, 1] * y + pose[2, 2] * z + pose[2, 3]) / voxel_size))
            key = block_key(gx >> BLOCK_BITS, gy >> BLOCK_BITS, gz >> BLOCK_BITS)
            if key != last_key:
                last_key = key
                block = find_block(keys, blocks, key)
            if block >= 0:
                out[v, u] = ids[block, ((gx & m) << (2 * BLOCK_BITS)) | ((gy & m) << BLOCK_BITS) | (gz & m)]
    return out


@njit(cache=True, nogil=True)
def blocks_in_view(
    centers: np.ndarray,
    radius: float,
    camera_from_world: np.ndarray,
    k: np.ndarray,
    width: int,
    height: int,
    far: float,
) -> np.ndarray:
    """(B,) bool: blocks whose bounding sphere may touch the viewing frustum up to the depth far."""
    out = np.zeros(len(centers), np.bool_)
    t = camera_from_world
    # Half openings to the farther border of each axis: conservative for off-centre principal points.
    ox = max(k[0, 2] + 0.5, width - 0.5 - k[0, 2])
    oy = max(k[1, 2] + 0.5, height - 0.5 - k[1, 2])
    for i in range(len(centers)):
        cx, cy, cz = centers[i, 0], centers[i, 1], centers[i, 2]
        x = t[0, 0] * cx + t[0, 1] * cy + t[0, 2] * cz + t[0, 3]
        y = t[1, 0] * cx + t[1, 1] * cy + t[1, 2] * cz + t[1, 3]
        z = t[2, 0] * cx + t[2, 1] * cy + t[2, 2] * cz + t[2, 3]
        out[i] = (
            z > -radius
            and z - radius < far
            and abs(x) * k[0, 0] - ox * z <= radius * np.hypot(k[0, 0], ox)
            and abs(y) * k[1, 1] - oy * z <= radius * np.hypot(k[1, 1], oy)
        )
    return out


@njit(cache=True, nogil=True)
def project_visible(
    points: np.ndarray,
    block_of: np.ndarray,
    in_view: np.ndarray,
    camera_from_world: np.ndarray,
    k: np.ndarray,
    depth: np.ndarray,
    base: float,
    slope: float,
    through_base: float,
    through_slope: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One pass over the points (N, 3) of the blocks in view.

    Returns visible ids, their flat pixels (|depth - z| <= max(base, slope * z)), and the ids the camera saw
    through (depth more than through_base + through_slope * z^2 behind the point).
    """
    ids = _of_blocks(block_of, in_view)
    pixels, z = _projected(points, ids, camera_from_world, k, depth.shape[1], depth.shape[0])
    visible, through = _against_depth(ids, pixels, z, depth.ravel(), base, slope, through_base, through_slope)
    return ids[:visible].copy(), pixels[:visible].copy(), through


# The three below write every row and move on where it counts: without branches that are hard to foretell.


@njit(cache=True, nogil=True)
def _of_blocks(block_of, in_view):
    """Ids of the points in the blocks in view."""
    ids = np.empty(len(block_of), np.int32)
    n = 0
    for i in range(len(block_of)):
        ids[n] = i
        n += in_view[block_of[i]]
    return ids[:n]


@njit(cache=True, nogil=True, error_model="numpy")
def _projected(points, ids, camera_from_world, k, width, height):
    """Flat pixel (n,) int32 and depth (n,) of each point; _OUTSIDE is the depth of what is not in the image."""
    # Locals: the compiler cannot keep array elements in registers across the stores below.
    t = camera_from_world
    r00, r01, r02, tx = t[0, 0], t[0, 1], t[0, 2], t[0, 3]
    r10, r11, r12, ty = t[1, 0], t[1, 1], t[1, 2], t[1, 3]
    r20, r21, r22, tz = t[2, 0], t[2, 1], t[2, 2], t[2, 3]
    fx, fy, cx, cy = k[0, 0], k[1, 1], k[0, 2] + 0.5, k[1, 2] + 0.5
    pixels, depths = np.empty(len(ids), np.int32), np.empty(len(ids))
    for j in range(len(ids)):
        i = ids[j]
        px, py, pz = points[i, 0], points[i, 1], points[i, 2]
        z = r20 * px + r21 * py + r22 * pz + tz
        per_z = 1.0 / z
        x = (r00 * px + r01 * py + r02 * pz + tx) * per_z * fx + cx
        y = (r10 * px + r11 * py + r12 * pz + ty) * per_z * fy + cy
        inside = (z >= 0.1) & (x >= 0) & (y >= 0) & (x < width) & (y < height)
        u, v = x if inside else 0.0, y if inside else 0.0
        pixels[j] = np.int32(v) * np.int32(width) + np.int32(u)
        depths[j] = z if inside else _OUTSIDE
    return pixels, depths


@njit(cache=True, nogil=True)
def _against_depth(ids, pixels, z, depth, base, slope, through_base, through_slope):
    """Moves what is visible to the front of ids and pixels; returns how much that is, and the ids seen through."""
    through = np.empty(len(ids), np.int32)
    n = m = 0
    for j in range(len(ids)):
        i, pixel = ids[j], pixels[j]
        measured = depth[pixel]
        gap = measured - z[j]
        near = (measured > 0) & (abs(gap) <= max(base, slope * z[j]))
        beyond = (measured > 0) & (not near) & (gap > through_base + through_slope * z[j] * z[j])
        through[m] = i
        m += beyond
        ids[n], pixels[n] = i, pixel
        n += near
    return n, through[:m].copy()
