"""Objects standing on supports, and furniture: what remains of the room.

A voxel belongs to the *highest* support below it (shelves). Connected parts above one support that hardly touch
anything else are objects; parts that hover join the object beneath or beside them; connected rest is furniture.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numba import njit
from scipy.spatial import cKDTree

from moss_ros.config import ProposalConfig
from moss_ros.geometry.components import connected_components, sort_by_label
from moss_ros.geometry.voxels import BLOCK_BITS, BLOCK_SIDE, VoxelIndex, block_key, find_block, voxel_at
from moss_ros.mapping.structure import Structure
from moss_ros.records import MaskProposals

_SAMPLE = 400  # voxels of a furniture part that are enough to find what it touches


@dataclass(frozen=True, slots=True)
class SolidVoxels:
    """The map as the proposal stages see it; arrays have one row per voxel."""

    position: np.ndarray  # (N, 3) float32
    grid: np.ndarray  # (N, 3) int32
    neighbours: np.ndarray  # (N, 26) int32
    solid: np.ndarray  # (N,) bool
    index: VoxelIndex
    voxel_size_m: float


@dataclass(frozen=True, slots=True)
class Parts:
    """Objects, furniture, and what the image stage should treat as background."""

    objects: tuple[np.ndarray, ...]  # voxel ids each
    furniture: tuple[np.ndarray, ...]
    background: np.ndarray  # (N,) bool: structure, supports and their rims, and voxels that are not solid


def find_parts(voxels: SolidVoxels, structure: Structure, config: ProposalConfig) -> Parts:
    """Partition the solid voxels that are not structure."""
    free = voxels.solid & ~structure.is_structure
    rest = free & (structure.support_of == 0)
    candidate = _above_supports(voxels, structure, rest, config)
    objects = _objects(voxels, structure, rest, candidate, config)
    furniture = _furniture(voxels, free, objects, config)
    background = ~voxels.solid | structure.is_structure | (structure.support_of > 0) | (candidate < 0)
    return Parts(_groups(objects), _groups(furniture, config.object_min_voxels), background)


def object_proposals(parts: Parts) -> MaskProposals:
    """Objects first, then furniture; scores are set by the union."""
    voxels = parts.objects + parts.furniture
    sources = ("object",) * len(parts.objects) + ("furniture",) * len(parts.furniture)
    return MaskProposals(voxels, np.ones(len(voxels), np.float32), sources)


def _above_supports(voxels: SolidVoxels, structure: Structure, rest: np.ndarray, c: ProposalConfig) -> np.ndarray:
    """(N,) int32: s = candidate of the s-th support (from 1), -s = rim of it, 0 = neither."""
    candidate = np.zeros(len(rest), np.int32)
    top = np.full(len(rest), -np.inf, np.float32)
    for number, support in enumerate(structure.supports, 1):
        footprint, origin = _footprint(voxels.grid[support.voxels])
        _assign_support(
            voxels.grid,
            voxels.position,
            rest,
            footprint,
            origin,
            support.height_m,
            number,
            c.rim_m,
            c.object_max_m,
            candidate,
            top,
        )
    return candidate


def _footprint(grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Closed and slightly grown plan of a support as an image, and the grid coordinates of its corner."""
    pad = 17
    origin = grid[:, :2].min(0) - pad
    plan = np.zeros(grid[:, :2].max(0) - origin + pad + 1, np.uint8)
    plan[grid[:, 0] - origin[0], grid[:, 1] - origin[1]] = 1
    plan = cv2.morphologyEx(plan, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    return cv2.dilate(plan, np.ones((3, 3), np.uint8)), origin


@njit(cache=True, nogil=True)
def _assign_support(grid, position, rest, footprint, origin, height, number, rim, reach, candidate, top):
    for i in range(len(grid)):
        x, y = grid[i, 0] - origin[0], grid[i, 1] - origin[1]
        if x < 0 or y < 0 or x >= footprint.shape[0] or y >= footprint.shape[1]:
            continue
        if not rest[i] or footprint[x, y] == 0 or height <= top[i] + 0.005:
            continue
        above = position[i, 2] - height
        if -rim <= above < reach:
            candidate[i] = number if above > rim else -number
            top[i] = height


def _objects(
    voxels: SolidVoxels, structure: Structure, rest: np.ndarray, candidate: np.ndarray, c: ProposalConfig
) -> np.ndarray:
    """(N,) int32 object label, 0 = none."""
    label, count = connected_components(voxels.neighbours, candidate)
    size, leak, low, high = _measure(label, count, voxels.neighbours, voxels.position, rest, candidate)
    extent = (high - low).max(1)
    tight = leak < c.object_leak * size
    tight[0] = False
    fits = (size >= c.object_min_voxels) & (extent < c.object_max_m) & tight
    height = np.array([0.0] + [s.height_m for s in structure.supports])
    support = np.zeros(count + 1, np.int64)
    support[label[candidate > 0]] = candidate[candidate > 0]
    hovering = (low[:, 2] - height[support] > c.fragment_gap_m) & (extent < c.object_max_m)
    hovering[0] = False
    standing = fits & ~hovering
    out = np.where(standing[label], label, 0).astype(np.int32)
    fragments = np.flatnonzero((hovering & tight)[label])
    base = np.flatnonzero(out > 0)
    if len(fragments) and len(base):
        _join_fragments(voxels.position, label, out, fragments, base, c.fragment_gap_m)
    return out


def _join_fragments(
    position: np.ndarray,
    label: np.ndarray,
    out: np.ndarray,
    fragments: np.ndarray,
    base: np.ndarray,
    gap_m: float,
) -> None:
    """Hovering parts join the object that most of their near voxels lie next to."""
    distance, nearest = cKDTree(position[base]).query(position[fragments], distance_upper_bound=gap_m)
    near = np.isfinite(distance)
    owner = np.zeros(len(fragments), np.int64)
    owner[near] = out[base[nearest[near]]]
    for fragment in np.unique(label[fragments[near]]):
        rows = label[fragments] == fragment
        votes = owner[rows & near]
        out[fragments[rows]] = np.bincount(votes).argmax()


@njit(cache=True, nogil=True)
def _measure(label, count, neighbours, position, rest, candidate):
    """Size, leak (foreign voxels that touch the part outside its support's column) and bounds of each part."""
    size = np.zeros(count + 1, np.int64)
    leak = np.zeros(count + 1, np.int64)
    low = np.full((count + 1, 3), 1e9)
    high = np.full((count + 1, 3), -1e9)
    met = np.empty(26, np.int32)
    for b in range(len(label)):
        own = label[b]
        if own > 0:
            size[own] += 1
            for a in range(3):
                low[own, a] = min(low[own, a], position[b, a])
                high[own, a] = max(high[own, a], position[b, a])
        if not rest[b]:
            continue
        n = 0
        for o in range(26):
            a = neighbours[b, o]
            if a < 0 or label[a] == 0 or label[a] == own or candidate[b] == -candidate[a]:
                continue
            new = True
            for m in range(n):
                if met[m] == label[a]:
                    new = False
            if new:
                met[n] = label[a]
                n += 1
                leak[label[a]] += 1
    return size, leak, low, high


def _furniture(voxels: SolidVoxels, free: np.ndarray, objects: np.ndarray, c: ProposalConfig) -> np.ndarray:
    """(N,) int32 furniture label: connected rest, small parts joined to a bigger one close by."""
    label, count = connected_components(voxels.neighbours, (free & (objects == 0)).astype(np.int32))
    size = np.bincount(label, minlength=count + 1)
    size[0] = 0
    order, ends = sort_by_label(label, count)
    cells = int(round(c.furniture_gap_m / voxels.voxel_size_m))
    index = voxels.index
    limit = c.furniture_glue * size.max(initial=0)
    for part in np.argsort(size, kind="stable"):
        if part == 0 or size[part] < 4 or size[part] > limit:
            continue
        members = order[ends[part - 1] : ends[part]]
        members = members[:: -(-len(members) // _SAMPLE)]
        votes = _near_votes(
            members,
            voxels.grid,
            voxels.position,
            label,
            count + 1,
            index.keys,
            index.blocks,
            index.ids,
            cells,
            c.furniture_gap_m,
        )
        votes[size <= size[part]] = 0
        if votes.any():
            target = int(votes.argmax())
            label[label == part] = target
            size[target] += size[part]
            size[part] = 0
    return label


@njit(cache=True, nogil=True)
def _near_votes(members, grid, position, label, count, keys, blocks, ids, cells, gap):
    """For each label, pairs of a member and a voxel of that label nearer than gap (metres)."""
    votes = np.zeros(count, np.int64)
    top = BLOCK_SIDE - 1
    for a in members:
        x, y, z = grid[a, 0], grid[a, 1], grid[a, 2]
        lx, ly, lz = x & top, y & top, z & top
        home = find_block(keys, blocks, block_key(x >> BLOCK_BITS, y >> BLOCK_BITS, z >> BLOCK_BITS))
        inside = min(lx, ly, lz) >= cells and max(lx, ly, lz) <= top - cells
        for i in range(-cells, cells + 1):
            for j in range(-cells, cells + 1):
                for k in range(-cells, cells + 1):
                    if inside:  # no hash probe needed
                        cell = ((lx + i) << (2 * BLOCK_BITS)) | ((ly + j) << BLOCK_BITS) | (lz + k)
                        b = ids[home, cell]
                    else:
                        b = voxel_at(keys, blocks, ids, x + i, y + j, z + k)
                    if b < 0 or label[b] == 0 or label[b] == label[a]:
                        continue
                    d = 0.0
                    for c in range(3):
                        d += (position[a, c] - position[b, c]) ** 2
                    if d <= gap * gap:
                        votes[label[b]] += 1
    return votes


def _groups(label: np.ndarray, minimum: int = 1) -> tuple[np.ndarray, ...]:
    """Voxel ids of each positive label with at least so many voxels, by label."""
    order, ends = sort_by_label(label, int(label.max(initial=0)))
    bounds = zip(ends[:-1], ends[1:], strict=True)
    return tuple(order[a:b] for a, b in bounds if b - a >= max(minimum, 1))
