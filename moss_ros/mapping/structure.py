"""The structure of the room: floor, outermost walls and supports (level surfaces that things stand on).

Tolerances follow the measured spread of each plane, because noise and pose jitter thicken surfaces.
Assumes gravity along world z, and walls in two horizontal directions at right angles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from moss_ros.config import StructureConfig
from moss_ros.geometry.components import ComponentMap

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
    spread_m: float = 0.0  # median distance of the voxels from the height

    @property
    def key(self) -> int:
        """A name that stays while the support's lowest voxel belongs to it; positive."""
        return int(self.voxels[0]) + 1


@dataclass(frozen=True, slots=True)
class Structure:
    """What is background, per voxel of the map."""

    floor_height_m: float
    walls: tuple[Wall, ...]
    supports: tuple[Support, ...]  # the largest first; the same object as before when nothing touched it
    is_structure: np.ndarray  # (N,) bool: floor or wall
    support_of: np.ndarray  # (N,) int32: 1 + number of the support the voxel belongs to, 0 = none

    @property
    def floor_m(self) -> float | None:
        """Height of the floor, None where none was seen."""
        return self.floor_height_m if self.is_structure.any() else None


class StructureMap:
    """Floor and walls are fitted to the whole map in each pass; only the supports that changed are formed anew."""

    def __init__(self, config: StructureConfig, voxel_size_m: float) -> None:
        self._config = config
        self._voxel_size_m = voxel_size_m
        self._level = ComponentMap(config.support_step_m)
        self._supports: dict[int, Support] = {}  # by root; level surfaces, also those that spread too much
        self._last: Structure | None = None

    def update(
        self,
        position: np.ndarray,
        normal: np.ndarray,
        solid: np.ndarray,
        neighbours: np.ndarray,
        changed: np.ndarray,
    ) -> Structure:
        """Structure of the solid voxels; normal (N, 3) with two rings of support.

        changed (N,) bool: voxels whose position, normal or solidity changed since the last call; where there is
        none the same object comes back.
        """
        if self._last is not None and not changed.any():
            return self._last
        floor_height, floor_spread, is_structure = _floor(position, normal, solid, self._config)
        walls = []
        for wall, on_wall in _walls(position, normal, solid, self._voxel_size_m, self._config):
            walls.append(wall)
            is_structure |= on_wall
        self._update_supports(position, normal, solid & ~is_structure, neighbours, floor_height, changed)
        limit = max(self._config.support_spread_m, self._config.spread_factor * floor_spread)
        supports = tuple(sorted((s for s in self._supports.values() if s.spread_m <= limit), key=_largest_first))
        support_of = np.zeros(len(position), np.int32)
        for number, support in enumerate(supports, 1):
            support_of[support.voxels] = number
        self._last = Structure(floor_height, tuple(walls), supports, is_structure, support_of)
        return self._last

    def _update_supports(
        self,
        position: np.ndarray,
        normal: np.ndarray,
        free: np.ndarray,
        neighbours: np.ndarray,
        floor_height: float,
        changed: np.ndarray,
    ) -> None:
        c, z = self._config, position[:, 2]
        level = free & (np.abs(normal[:, 2]) > 0.92) & (z > floor_height + c.support_min_height_m)
        redone = self._level.update(neighbours, level.astype(np.int32), z, changed)
        self._supports = {root: s for root, s in self._supports.items() if not redone[root - 1]}
        members = np.flatnonzero(redone & (self._level.root > 0)).astype(np.int32)
        roots = self._level.root[members]
        size = np.bincount(roots, minlength=1)
        for root in np.flatnonzero(size * self._voxel_size_m**2 >= c.support_min_area_m2):
            voxels = members[roots == root]
            height = float(np.median(z[voxels]))
            self._supports[int(root)] = Support(height, voxels, float(np.median(np.abs(z[voxels] - height))))


def _largest_first(support: Support) -> tuple[int, int]:
    return -len(support.voxels), support.key


def _floor(
    position: np.ndarray, normal: np.ndarray, solid: np.ndarray, c: StructureConfig
) -> tuple[float, float, np.ndarray]:
    """Height and spread of the floor and the voxels (N,) bool that belong to it."""
    z = position[:, 2]
    if not solid.any():
        return 0.0, 0.0, np.zeros(len(solid), bool)
    bottom = float(z.min(where=solid, initial=np.inf))
    heights = z[_facing(normal, solid, np.array([0.0, 0.0, 1.0]), 0.9)]
    if not len(heights):
        return bottom, 0.0, np.zeros(len(solid), bool)
    histogram = np.bincount(((heights - bottom) / _BIN_M).astype(np.int64))
    lowest = int(np.flatnonzero(histogram > c.floor_peak_share * histogram.max())[0])
    z0, spread = _plane_at(heights, bottom + (lowest + 0.5) * _BIN_M)
    tolerance = max(c.floor_tolerance_m, c.spread_factor * spread)
    return z0, spread, _on_floor(position, normal, solid, z0, tolerance)


@njit(cache=True, nogil=True)
def _on_floor(position, normal, solid, z0, tolerance):
    out = np.zeros(len(solid), np.bool_)
    for i in range(len(solid)):
        above = position[i, 2] - z0
        out[i] = solid[i] and above < tolerance and (abs(normal[i, 2]) > 0.6 or above < 0.57 * tolerance)
    return out


@njit(cache=True, nogil=True)
def _along(position, direction):
    """(N,) float32 coordinate along the direction; a matrix product of this shape is ten times slower."""
    out = np.empty(len(position), np.float32)
    for i in range(len(position)):
        out[i] = position[i, 0] * direction[0] + position[i, 1] * direction[1] + position[i, 2] * direction[2]
    return out


@njit(cache=True, nogil=True)
def _facing(normal, solid, direction, least):
    """(N,) bool: solid voxels whose normal is along the direction, either way."""
    out = np.zeros(len(solid), np.bool_)
    for i in range(len(solid)):
        if solid[i]:
            along = normal[i, 0] * direction[0] + normal[i, 1] * direction[1] + normal[i, 2] * direction[2]
            out[i] = abs(along) > least
    return out


def _plane_at(offsets: np.ndarray, guess: float) -> tuple[float, float]:
    """Median and spread of the offsets near a guess; the guess and 0 where there are none."""
    near = offsets[np.abs(offsets - guess) < 2 * _BIN_M]
    if not len(near):
        return guess, 0.0
    offset = float(np.median(near))
    near = offsets[np.abs(offsets - offset) < 2 * _BIN_M]
    return offset, float(np.median(np.abs(near - offset)))


def _walls(position: np.ndarray, normal: np.ndarray, solid: np.ndarray, voxel_size_m: float, c: StructureConfig):
    """Outermost planes in the two dominant horizontal directions: they keep fridge and wardrobe fronts."""
    upright = normal[solid & (np.abs(normal[:, 2]) < 0.25)]
    if len(upright) < 100:
        return
    azimuth = _dominant_azimuth(np.arctan2(upright[:, 1], upright[:, 0]) % np.pi)
    for turn in (azimuth, azimuth + np.pi / 2):
        direction = np.array([np.cos(turn), np.sin(turn), 0.0])
        along = _along(position, direction)
        aligned = _facing(normal, solid, direction, 0.85)
        facing = along[aligned]
        if not len(facing):
            continue
        for sign in (1.0, -1.0):
            outward, offsets = sign * along, sign * facing
            offset = _outermost_plane(offsets, voxel_size_m, c)
            if offset is None or _share_beyond(outward, solid, offset + 0.12) > c.wall_beyond_share:
                continue
            _, spread = _plane_at(offsets, offset)
            tolerance = max(c.wall_tolerance_m, c.spread_factor * spread)
            yield Wall(sign * direction, offset), _on_wall(outward, aligned, solid, offset, tolerance)


@njit(cache=True, nogil=True)
def _share_beyond(outward, solid, limit):
    """Share of the solid voxels behind the limit."""
    beyond = total = 0
    for i in range(len(solid)):
        if solid[i]:
            total += 1
            beyond += outward[i] > limit
    return beyond / total


@njit(cache=True, nogil=True)
def _on_wall(outward, aligned, solid, offset, tolerance):
    out = np.zeros(len(solid), np.bool_)
    for i in range(len(solid)):
        inside = tolerance if aligned[i] else 0.5 * tolerance
        out[i] = solid[i] and outward[i] > offset - inside
    return out


def _dominant_azimuth(azimuth: np.ndarray) -> float:
    """Direction in [0, pi/2) that most normals agree with, modulo right angles."""
    bins = np.bincount((azimuth / np.pi * 90).astype(np.int64) % 90, minlength=90)
    both = bins + np.roll(bins, 45)
    best = int(np.argmax(both + np.roll(both, 1) + np.roll(both, -1))) % 45
    center = (best + 0.5) / 90 * np.pi
    deviation = (azimuth - center + np.pi / 4) % (np.pi / 2) - np.pi / 4
    near = np.abs(deviation) < 0.08
    return center + (float(np.median(deviation[near])) if near.any() else 0.0)


def _outermost_plane(aligned: np.ndarray, voxel_size_m: float, c: StructureConfig) -> float | None:
    """Offset of the farthest plane of enough area; aligned: offsets of the voxels that face it."""
    low = float(aligned.min()) - 0.1
    histogram = np.bincount(((aligned - low) / _BIN_M).astype(np.int64), minlength=100)
    area = np.convolve(histogram, np.ones(3), "same") * voxel_size_m**2
    strong = np.flatnonzero(area > c.wall_min_area_m2)
    if not len(strong):
        return None
    peak = int(strong[-1])
    while peak - 1 in strong and area[peak - 1] > area[peak]:
        peak -= 1
    return float(np.median(aligned[np.abs(aligned - (low + (peak + 0.5) * _BIN_M)) < 2 * _BIN_M]))
