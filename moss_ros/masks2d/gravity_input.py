"""What the mask network sees: an RGB-D image in the gravity frame, so that up is up however the camera is held.

Channels (float32): 0 inverse depth 1/m; 1 height above the floor, m; 2-4 normal: up, away from the camera (level),
to the side; 5 depth measured; 6 bend of the depth, tenths of a metre; 7-9 colour: lightness, red and blue against
it; 10 colour given.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from moss_ros.geometry.camera import Camera

CHANNELS = 11
SIDE, COLOR, GIVEN = 4, slice(7, 10), 10
NORMAL_STEP_PX = 2  # points so far apart span the normal
FULL_WIDTH_PX = 320  # the width that the network was trained at


def gravity_input(
    depth_m: np.ndarray,
    camera: Camera,
    world_from_camera: np.ndarray,
    floor_m: float,
    color_rgb: np.ndarray | None = None,
) -> np.ndarray:
    """(11, H, W) float32 from depth (H, W) float32 m (0 = none) and colour (H, W, 3) uint8 of the same size.

    floor_m is the height of the floor in the world. Raises ValueError when colour and depth differ in size.
    """
    if color_rgb is not None and color_rgb.shape != (*depth_m.shape, 3):
        raise ValueError(f"colour is {color_rgb.shape}, depth {depth_m.shape}: resize one of them")
    k = np.array([camera.fx, camera.fy, camera.cx, camera.cy], np.float32)
    turn = gravity_from_camera(world_from_camera).astype(np.float32)
    out = np.zeros((CHANNELS, *depth_m.shape), np.float32)
    filled = _filled(np.ascontiguousarray(depth_m, np.float32))
    _geometry(filled, k, turn, np.float32(world_from_camera[2, 3] - floor_m), out)
    if color_rgb is not None:
        _add_color(color_rgb, out)
    return out


def gravity_from_camera(world_from_camera: np.ndarray) -> np.ndarray:
    """(3, 3) camera to (side, level ahead, up): the world turned to the camera's yaw."""
    rotation = world_from_camera[:3, :3]
    ahead = rotation[:, 2] * (1, 1, 0)
    if np.linalg.norm(ahead) < 0.05:  # looking straight up or down: the image's own up tells the yaw
        ahead = -rotation[:, 1] * (1, 1, 0) * np.sign(-rotation[2, 2])
    ahead = ahead / np.linalg.norm(ahead)
    up = np.array([0.0, 0.0, 1.0])
    return np.stack([np.cross(ahead, up), ahead, up]) @ rotation


def mirrored(channels: np.ndarray) -> np.ndarray:
    """The input of the mirrored scene."""
    out = np.ascontiguousarray(channels[:, :, ::-1])
    out[SIDE] *= -1
    return out


def drop_color(channels: np.ndarray) -> np.ndarray:
    """The same without colour."""
    out = channels.copy()
    out[COLOR] = 0
    out[GIVEN] = 0
    return out


def reduced_depth(depth_m: np.ndarray, stride: int) -> np.ndarray:
    """Depth of blocks of stride x stride pixels: the mean of those near the block's nearest surface."""
    return depth_m if stride == 1 else _reduced(np.ascontiguousarray(depth_m, np.float32), stride)


def stride_for(width: int) -> int:
    """Block size that brings an image of a width near the width of training."""
    return max(1, round(width / FULL_WIDTH_PX))


@njit(cache=True, nogil=True)
def _reduced(depth, stride):
    rows, columns = depth.shape[0] // stride, depth.shape[1] // stride
    out = np.zeros((rows, columns), np.float32)
    for r in range(rows):
        for c in range(columns):
            near = np.float32(1e9)
            for y in range(r * stride, (r + 1) * stride):
                for x in range(c * stride, (c + 1) * stride):
                    z = depth[y, x]
                    if z > 0 and z < near:
                        near = z
            if near > 1e8:
                continue
            total, count = np.float32(0), 0
            limit = near * np.float32(1.02) + np.float32(0.01)
            for y in range(r * stride, (r + 1) * stride):
                for x in range(c * stride, (c + 1) * stride):
                    z = depth[y, x]
                    if z > 0 and z <= limit:
                        total += z
                        count += 1
            out[r, c] = total / count
    return out


@njit(cache=True, nogil=True)
def _filled(depth):
    """Single pixels without depth take the mean of their neighbours when at least four of them agree."""
    height, width = depth.shape
    out = depth.copy()
    for v in range(1, height - 1):
        for u in range(1, width - 1):
            if depth[v, u] > 0:
                continue
            total, count, low, high = np.float32(0), 0, np.float32(1e9), np.float32(0)
            for y in range(v - 1, v + 2):
                for x in range(u - 1, u + 2):
                    z = depth[y, x]
                    if z > 0:
                        total += z
                        count += 1
                        low = min(low, z)
                        high = max(high, z)
            if count >= 4 and high - low < 0.05 * high:
                out[v, u] = total / count
    return out


@njit(cache=True, nogil=True)
def _geometry(depth, k, turn, eye_m, out):
    height, width = depth.shape
    s = NORMAL_STEP_PX
    raw = np.zeros((3, height, width), np.float32)
    normal = np.zeros(3, np.float32)
    for v in range(height):
        for u in range(width):
            z = depth[v, u]
            if z <= 0:
                continue
            x, y = (u - k[2]) / k[0] * z, (v - k[3]) / k[1] * z
            rise = turn[2, 0] * x + turn[2, 1] * y + turn[2, 2] * z
            out[0, v, u] = 1 / max(z, np.float32(0.3))
            out[1, v, u] = min(max(rise + eye_m, np.float32(-0.2)), np.float32(2.5))
            out[5, v, u] = 1
            if 0 < u < width - 1 and 0 < v < height - 1:
                out[6, v, u] = _bend(depth, v, u)
            if s <= u < width - s and s <= v < height - s:
                _normal(depth, k, v, u, s, normal)
                for c in range(3):
                    raw[c, v, u] = turn[c, 0] * normal[0] + turn[c, 1] * normal[1] + turn[c, 2] * normal[2]
    for v in range(1, height - 1):
        for u in range(1, width - 1):
            if depth[v, u] <= 0:
                continue
            for c in range(3):
                total = np.float32(0)
                for y in range(v - 1, v + 2):
                    for x in range(u - 1, u + 2):
                        total += raw[c, y, x]
                # up, ahead, side
                out[4 - c, v, u] = total / 9


@njit(cache=True, nogil=True)
def _bend(depth, v, u):
    z, total = depth[v, u], np.float32(0)
    left, right, up, down = depth[v, u - 1], depth[v, u + 1], depth[v - 1, u], depth[v + 1, u]
    if left > 0 and right > 0:
        total += abs(left + right - 2 * z)
    if up > 0 and down > 0:
        total += abs(up + down - 2 * z)
    return min(total, np.float32(0.1)) * 10


@njit(cache=True, nogil=True)
def _normal(depth, k, v, u, s, normal):
    """Unit normal in the camera frame, towards the camera; zero where depth is missing."""
    normal[:] = 0
    left, right, above, below = depth[v, u - s], depth[v, u + s], depth[v - s, u], depth[v + s, u]
    if left <= 0 or right <= 0 or above <= 0 or below <= 0:
        return
    ax = (u + s - k[2]) / k[0] * right - (u - s - k[2]) / k[0] * left
    ay = (v - k[3]) / k[1] * (right - left)
    az = right - left
    bx = (u - k[2]) / k[0] * (below - above)
    by = (v + s - k[3]) / k[1] * below - (v - s - k[3]) / k[1] * above
    bz = below - above
    nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    length = np.sqrt(nx * nx + ny * ny + nz * nz)
    if length < 1e-12:
        return
    x, y = (u - k[2]) / k[0], (v - k[3]) / k[1]
    if nx * x + ny * y + nz > 0:
        length = -length
    normal[0], normal[1], normal[2] = nx / length, ny / length, nz / length


@njit(cache=True, nogil=True)
def _add_color(color, out):
    """Lightness around the image's mean, and red and blue against it: exposure and tint matter less."""
    height, width = color.shape[0], color.shape[1]
    mean = np.float32(0)
    for v in range(height):
        for u in range(width):
            mean += np.float32(color[v, u, 0]) + np.float32(color[v, u, 1]) + np.float32(color[v, u, 2])
    mean = max(mean / (height * width * 3), np.float32(1)) * 2
    for v in range(height):
        for u in range(width):
            r, g, b = np.float32(color[v, u, 0]), np.float32(color[v, u, 1]), np.float32(color[v, u, 2])
            light = (r + g + b) / 3
            out[7, v, u] = min(light / mean, np.float32(2)) - np.float32(0.5)
            out[8, v, u] = (r - light) / (light + 20) * 2
            out[9, v, u] = (b - light) / (light + 20) * 2
            out[10, v, u] = 1
