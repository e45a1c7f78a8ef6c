"""The structure of the room: floor, outermost walls and supports (level surfaces that things stand on).

Tolerances follow the measured spread of each plane, because noise and pose jitter thicken surfaces.
Assumes gravity along world z, and walls in two horizontal directions at right angles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moss_ros.config import StructureConfig
from moss_ros.geometry.components import level_components, sort_by_label

_BIN_M = 0.02


@dataclass(frozen=True, slots=True)
class Wall:
    """Plane normal . p = offset_m; the normal points out of the room."""

    normal: np.ndarray  # (3,) unit, world
    offset_m: float


@dataclass(frozen=True, slots=True)
class Support:
    """A level surface above the floor."""

    height_m: float
    voxels: np.ndarray  # sorted voxel ids


@dataclass(frozen=True, slots=True)
class Structure:
    """What is background, per voxel of the map."""

    floor_height_m: float
    walls: tuple[Wall, ...]
    supports: tuple[Support, ...]
    is_structure: np.ndarray  # (N,) bool: floor or wall
    support_of: np.ndarray  # (N,) int32: 1 + number of the support the voxel belongs to, 0 = none


def find_structure(
    position: np.ndarray,
    normal: np.ndarray,
    solid: np.ndarray,
    neighbours: np.ndarray,
    voxel_size_m: float,
    config: StructureConfig,
) -> Structure:
    """Floor, walls and supports of the solid voxels; normal (N, 3) with two rings of support."""
    n = len(position)
    if not solid.any():
        return Structure(0.0, (), (), np.zeros(n, bool), np.zeros(n, np.int32))
    ids = np.flatnonzero(solid)
    p, nrm = position[ids], normal[ids]
    floor_height, on_floor = _floor(p, nrm, config)
    is_structure = np.zeros(n, bool)
    is_structure[ids[on_floor]] = True
    walls = []
    for wall, on_wall in _walls(p, nrm, voxel_size_m, config):
        walls.append(wall)
        is_structure[ids[on_wall]] = True
    supports, support_of = _supports(
        position, normal, solid & ~is_structure, neighbours, floor_height, voxel_size_m, config
    )
    return Structure(floor_height, tuple(walls), supports, is_structure, support_of)


def _floor(p: np.ndarray, normal: np.ndarray, c: StructureConfig) -> tuple[float, np.ndarray]:
    """Height of the floor and the voxels that belong to it."""
    level = np.abs(normal[:, 2]) > 0.9
    bottom = float(p[:, 2].min())
    if not level.any():
        return bottom, np.zeros(len(p), bool)
    histogram = np.bincount(((p[level, 2] - bottom) / _BIN_M).astype(np.int64))
    lowest = int(np.flatnonzero(histogram > c.floor_peak_share * histogram.max())[0])
    z0 = bottom + (lowest + 0.5) * _BIN_M
    near = level & (np.abs(p[:, 2] - z0) < 2 * _BIN_M)
    z0 = float(np.median(p[near, 2])) if near.any() else z0
    spread = float(np.median(np.abs(p[near, 2] - z0))) if near.any() else 0.0
    tolerance = max(c.floor_tolerance_m, c.spread_factor * spread)
    above = p[:, 2] - z0
    on_floor = (above < tolerance) & ((np.abs(normal[:, 2]) > 0.6) | (above < 0.57 * tolerance))
    return z0, on_floor


def _walls(p: np.ndarray, normal: np.ndarray, voxel_size_m: float, c: StructureConfig):
    """Outermost planes in the two dominant horizontal directions: they keep fridge and wardrobe fronts."""
    upright = np.abs(normal[:, 2]) < 0.25
    if upright.sum() < 100:
        return
    azimuth = _dominant_azimuth(np.arctan2(normal[upright, 1], normal[upright, 0]) % np.pi)
    for turn in (azimuth, azimuth + np.pi / 2):
        direction = np.array([np.cos(turn), np.sin(turn), 0.0], np.float32)
        along = p @ direction
        aligned = np.abs(normal @ direction) > 0.85
        if not aligned.any():
            continue
        for sign in (1.0, -1.0):
            offset = _outermost_plane((sign * along)[aligned], sign * along, voxel_size_m, c)
            if offset is None:
                continue
            s = sign * along
            distance = np.abs(s[aligned] - offset)
            spread = float(np.median(distance[distance < 2 * _BIN_M]))
            tolerance = max(c.wall_tolerance_m, c.spread_factor * spread)
            on_wall = (s > offset - tolerance) & (aligned | (s > offset - 0.5 * tolerance))
            yield Wall(sign * direction.astype(np.float64), offset), on_wall


def _dominant_azimuth(azimuth: np.ndarray) -> float:
    """Direction in [0, pi/2) that most normals agree with, modulo right angles."""
    bins = np.bincount((azimuth / np.pi * 90).astype(np.int64) % 90, minlength=90)
    both = bins + np.roll(bins, 45)
    best = int(np.argmax(both + np.roll(both, 1) + np.roll(both, -1))) % 45
    center = (best + 0.5) / 90 * np.pi
    deviation = (azimuth - center + np.pi / 4) % (np.pi / 2) - np.pi / 4
    near = np.abs(deviation) < 0.08
    return center + (float(np.median(deviation[near])) if near.any() else 0.0)


def _outermost_plane(aligned: np.ndarray, s: np.ndarray, voxel_size_m: float, c: StructureConfig) -> float | None:
    """Offset of the farthest plane of enough area with almost nothing behind it.

    aligned: distances along the wall's direction of voxels that face it; s: of all voxels.
    """
    low = float(s.min()) - 0.1
    histogram = np.bincount(((aligned - low) / _BIN_M).astype(np.int64), minlength=100)
    area = np.convolve(histogram, np.ones(3), "same") * voxel_size_m**2
    strong = np.flatnonzero(area > c.wall_min_area_m2)
    if not len(strong):
        return None
    peak = int(strong[-1])
    while peak - 1 in strong and area[peak - 1] > area[peak]:
        peak -= 1
    offset = float(np.median(aligned[np.abs(aligned - (low + (peak + 0.5) * _BIN_M)) < 2 * _BIN_M]))
    beyond = np.count_nonzero(s > offset + 0.12)
    return offset if beyond <= c.wall_beyond_share * len(s) else None


def _supports(
    position: np.ndarray,
    normal: np.ndarray,
    free: np.ndarray,
    neighbours: np.ndarray,
    floor_height: float,
    voxel_size_m: float,
    c: StructureConfig,
) -> tuple[tuple[Support, ...], np.ndarray]:
    z = position[:, 2]
    level = free & (np.abs(normal[:, 2]) > 0.92) & (z > floor_height + c.support_min_height_m)
    labels, count = level_components(neighbours, level, z, c.support_step_m)
    sizes = np.bincount(labels, minlength=count + 1)
    support_of = np.zeros(len(position), np.int32)
    supports: list[Support] = []
    big = np.flatnonzero(sizes * voxel_size_m**2 >= c.support_min_area_m2)
    big = big[big > 0]
    order, ends = sort_by_label(labels, count)
    for label in sorted(big, key=lambda i: (-sizes[i], i)):
        voxels = order[ends[label - 1] : ends[label]]
        height = float(np.median(z[voxels]))
        if np.median(np.abs(z[voxels] - height)) > c.support_spread_m:
            continue
        supports.append(Support(height, voxels))
        support_of[voxels] = len(supports)
    return tuple(supports), support_of
