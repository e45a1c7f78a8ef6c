"""Things flatter than the map can tell: voxels whose colour leaves the colour of the plane they lie on."""

from __future__ import annotations

import cv2
import numpy as np
from numba import njit

from moss_ros.config import ProposalConfig
from moss_ros.mapping.structure import Structure
from moss_ros.records import MaskProposals

_LEAST_DEVIATION = np.array([5.0, 2.5, 2.5])  # Lab: lighting varies more than hue
_FLOOR_CLOSING = 6
_CLOSING = 2
_LEAST_PLANE = 150  # voxels
_SAMPLE = 5000  # voxels that are enough for a plane's own colour


class FlatMap:
    """Colour outliers on supports, floor and walls; a plane that nothing touched is not looked at again."""

    def __init__(self, config: ProposalConfig) -> None:
        self._config = config
        self._known: list[tuple[np.ndarray, list[np.ndarray]]] = []  # voxels of a plane, what lies on it
        self._structure: Structure | None = None

    def update(
        self,
        position: np.ndarray,
        color_rgb: np.ndarray,
        normal: np.ndarray,
        grid: np.ndarray,
        structure: Structure,
        changed: np.ndarray,
    ) -> MaskProposals:
        """Flat things, scored by the union.

        changed (N,) bool: voxels whose position, colour or normal changed since the last call.
        """
        if structure is not self._structure or changed.any():
            before, self._known, self._structure = self._known, [], structure
            for plane, axis, closing, opened in _planes(position, normal, structure):
                if len(plane) < _LEAST_PLANE:
                    continue
                known = None if changed[plane].any() else _find(plane, before)
                if known is None:
                    known = _outliers(plane, color_rgb[plane], grid[plane], axis, closing, opened, self._config)
                self._known.append((plane, known))
        found = [voxels for _, outliers in self._known for voxels in outliers]
        return MaskProposals(tuple(found), np.ones(len(found), np.float32), ("flat",) * len(found))


def _find(plane: np.ndarray, known: list[tuple[np.ndarray, list[np.ndarray]]]) -> list[np.ndarray] | None:
    """What lies on a plane of exactly these voxels, if that is known."""
    return next((outliers for voxels, outliers in known if np.array_equal(voxels, plane)), None)


def _planes(position: np.ndarray, normal: np.ndarray, structure: Structure):
    """Voxel ids of each plane, the grid axis to look along, closing radius, and whether to remove specks."""
    for support in structure.supports:
        yield support.voxels, 2, _CLOSING, False
    ids = np.flatnonzero(structure.is_structure)
    up = np.array([0.0, 0.0, 1.0])
    yield ids[_on_plane(ids, position, normal, up, structure.floor_height_m, 0.04)], 2, _FLOOR_CLOSING, False
    for wall in structure.walls:
        on_wall = _on_plane(ids, position, normal, wall.normal, wall.offset_m, 0.05)
        yield ids[on_wall], 0 if abs(wall.normal[0]) > 0.7 else 1, _CLOSING, True


@njit(cache=True, nogil=True)
def _on_plane(ids, position, normal, direction, offset, tolerance):
    """(n,) bool: voxels within the tolerance of the plane that face it."""
    out = np.empty(len(ids), np.bool_)
    for i in range(len(ids)):
        distance, along = -offset, 0.0
        for a in range(3):
            distance += direction[a] * position[ids[i], a]
            along += direction[a] * normal[ids[i], a]
        out[i] = abs(distance) < tolerance and abs(along) > 0.7
    return out


def _outliers(
    ids: np.ndarray,
    color_rgb: np.ndarray,
    grid: np.ndarray,
    axis: int,
    closing: int,
    opened: bool,
    c: ProposalConfig,
) -> list[np.ndarray]:
    lab = cv2.cvtColor(color_rgb[None].astype(np.uint8), cv2.COLOR_RGB2LAB)[0]
    far = _farther(lab, *_own_color(lab), c.flat_deviations)
    cells = np.delete(grid, axis, 1)
    cells = cells - cells.min(0)
    shape = cells.max(0) + 1
    marked = np.zeros(shape, np.uint8)
    plane = np.zeros(shape, np.uint8)
    marked[cells[far, 0], cells[far, 1]] = 1
    plane[cells[:, 0], cells[:, 1]] = 1
    if opened:
        pair = np.ones((2, 2), np.uint8)  # even sides: MORPH_OPEN would move everything by one cell
        marked = cv2.dilate(cv2.erode(marked, pair), pair, anchor=(0, 0))
    side = 2 * closing + 1
    marked = cv2.morphologyEx(marked, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8)) & plane
    count, label = cv2.connectedComponents(marked, connectivity=8)
    of_voxel = label[cells[:, 0], cells[:, 1]]
    sizes = np.bincount(of_voxel, minlength=count)
    return [
        np.sort(ids[of_voxel == i]).astype(np.int32)
        for i in range(1, count)
        if c.flat_min_voxels <= sizes[i] < 0.6 * len(ids)
    ]


def _own_color(lab: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The plane's own colour and its robust deviations, from its voxels (n, 3) uint8; estimated twice."""
    sample = lab[:: -(-len(lab) // _SAMPLE)].astype(np.float32)
    center = np.median(sample, 0)
    for _ in range(2):
        deviation = np.maximum(1.4826 * np.median(np.abs(sample - center), 0), _LEAST_DEVIATION)
        used_center, near = center, (((sample - center) / deviation) ** 2).sum(1) < 9
        if near.any():
            center = np.median(sample[near], 0)
    return used_center, deviation


@njit(cache=True, nogil=True)
def _farther(lab, center, deviation, limit):
    """(n,) bool: colours farther than so many deviations from the centre."""
    out = np.empty(len(lab), np.bool_)
    for i in range(len(lab)):
        square = 0.0
        for c in range(3):
            square += ((lab[i, c] - center[c]) / deviation[c]) ** 2
        out[i] = np.sqrt(square) > limit
    return out
