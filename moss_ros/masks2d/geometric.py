"""2D masks without weights: what the map knows as background goes, depth steps part the rest.

Depth is first corrected to the tangent plane of its voxel, which removes most of the sensor noise; so the
step threshold can be small. Cutting in the image alone, without the map, was tried and is far worse.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from moss_ros.config import MasksConfig
from moss_ros.mapping.keyframes import Keyframe
from moss_ros.masks2d.segmenter import MapView


class GeometricSegmenter:
    """Depth steps part what the map does not know as background."""

    needs_map = True

    def __init__(self, config: MasksConfig) -> None:
        self._config = config

    def labels(self, keyframe: Keyframe, floor_m: float | None, view: MapView | None) -> np.ndarray:
        """See Segmenter."""
        assert view is not None
        return segment_parts(
            keyframe.depth_m,
            view.voxel_image,
            view.background,
            view.position,
            view.normal,
            keyframe.world_from_camera,
            keyframe.camera.matrix,
            self._config,
        )


def segment_parts(
    depth_m: np.ndarray,
    voxel_image: np.ndarray,
    background: np.ndarray,
    position: np.ndarray,
    normal: np.ndarray,
    world_from_camera: np.ndarray,
    k: np.ndarray,
    config: MasksConfig,
) -> np.ndarray:
    """(H, W) int32 label image, 0 = no mask, else 1..n.

    voxel_image (H, W) int32 voxel per pixel or -1; background (N,) bool; position, normal (N, 3) of the map;
    k is the 3x3 matrix of the depth camera.
    """
    z = _tangent_depth(depth_m, voxel_image, position, normal, world_from_camera, k)
    inside = _foreground(voxel_image, background)
    edge = _step_edges(z, inside, config.step_base_m, config.step_quadratic, config.step_slope)
    labels = _components(inside, edge, z)
    labels = _drop_small(labels, config.min_pixels)
    return _grow(labels, inside, z, config.grow_pixels)


@njit(cache=True, nogil=True)
def _tangent_depth(depth, voxel_image, position, normal, pose, k):
    """Depth at which each pixel's ray meets the tangent plane of its voxel, where that is near the measurement."""
    height, width = depth.shape
    out = depth.copy()
    for v in range(height):
        for u in range(width):
            g = voxel_image[v, u]
            if g < 0:
                continue
            a = (u - k[0, 2]) / k[0, 0]
            b = (v - k[1, 2]) / k[1, 1]
            rx = pose[0, 0] * a + pose[0, 1] * b + pose[0, 2]
            ry = pose[1, 0] * a + pose[1, 1] * b + pose[1, 2]
            rz = pose[2, 0] * a + pose[2, 1] * b + pose[2, 2]
            slant = rx * normal[g, 0] + ry * normal[g, 1] + rz * normal[g, 2]
            if abs(slant) <= 0.17 * np.sqrt(rx * rx + ry * ry + rz * rz):
                continue  # grazing: the plane says little about depth
            z = (
                (position[g, 0] - pose[0, 3]) * normal[g, 0]
                + (position[g, 1] - pose[1, 3]) * normal[g, 1]
                + (position[g, 2] - pose[2, 3]) * normal[g, 2]
            ) / slant
            if abs(z - depth[v, u]) < 0.03 + 0.01 * depth[v, u] ** 2:
                out[v, u] = z
    return out


@njit(cache=True, nogil=True)
def _foreground(voxel_image, background):
    height, width = voxel_image.shape
    out = np.zeros((height, width), np.bool_)
    for v in range(height):
        for u in range(width):
            g = voxel_image[v, u]
            out[v, u] = g >= 0 and not background[g]
    return out


@njit(cache=True, nogil=True)
def _step_edges(z, inside, base, quadratic, slope):
    """Pixels with a depth gap to one of the eight foreground neighbours at 2 px."""
    height, width = z.shape
    out = np.zeros((height, width), np.bool_)
    for v in range(height):
        for u in range(width):
            if not inside[v, u]:
                continue
            d = z[v, u]
            gap = base + quadratic * d * d + slope * d
            for i in (-2, 0, 2):
                for j in (-2, 0, 2):
                    y, x = v + i, u + j
                    if 0 <= y < height and 0 <= x < width and inside[y, x] and abs(z[y, x] - d) > gap:
                        out[v, u] = True
    return out


@njit(cache=True, nogil=True)
def _components(inside, edge, z):
    """4-connected components of foreground pixels that are no edge, by continuous depth."""
    height, width = inside.shape
    labels = np.zeros((height, width), np.int32)
    stack = np.empty(height * width, np.int32)
    count = 0
    for v0 in range(height):
        for u0 in range(width):
            if labels[v0, u0] != 0 or not inside[v0, u0] or edge[v0, u0]:
                continue
            count += 1
            labels[v0, u0] = count
            stack[0] = v0 * width + u0
            top = 1
            while top > 0:
                top -= 1
                v, u = stack[top] // width, stack[top] % width
                for n in range(4):
                    y = v + (0, 0, 1, -1)[n]
                    x = u + (1, -1, 0, 0)[n]
                    if y < 0 or x < 0 or y >= height or x >= width:
                        continue
                    if labels[y, x] != 0 or not inside[y, x] or edge[y, x]:
                        continue
                    if abs(z[y, x] - z[v, u]) > 0.01 + 0.02 * z[v, u]:
                        continue
                    labels[y, x] = count
                    stack[top] = y * width + x
                    top += 1
    return labels


def _drop_small(labels: np.ndarray, min_pixels: int) -> np.ndarray:
    sizes = np.bincount(labels.ravel())
    keep = np.flatnonzero(sizes >= min_pixels)
    keep = keep[keep > 0]
    number = np.zeros(len(sizes), np.int32)
    number[keep] = np.arange(1, len(keep) + 1)
    return number[labels]


@njit(cache=True, nogil=True)
def _grow(labels, inside, z, pixels):
    """Unlabelled foreground pixels take the label of the 4-neighbour nearest in depth, ring by ring."""
    height, width = labels.shape
    front = np.empty(height * width, np.int32)
    fresh = np.empty(height * width, np.int32)
    out = labels.copy()
    for _ in range(pixels):
        n = 0
        for v in range(height):
            for u in range(width):
                if out[v, u] != 0 or not inside[v, u]:
                    continue
                best = 0.03 + 0.01 * z[v, u]
                label = 0
                for m in range(4):
                    y = v + (0, 0, 1, -1)[m]
                    x = u + (1, -1, 0, 0)[m]
                    if y < 0 or x < 0 or y >= height or x >= width or out[y, x] == 0:
                        continue
                    d = abs(z[y, x] - z[v, u])
                    if d < best:
                        best = d
                        label = out[y, x]
                if label:
                    front[n], fresh[n] = v * width + u, label
                    n += 1
        if n == 0:
            break
        for i in range(n):
            out[front[i] // width, front[i] % width] = fresh[i]
    return out
