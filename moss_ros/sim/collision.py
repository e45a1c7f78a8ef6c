"""Which boxes touch: oriented boxes in map (any yaw, level) against each other and against the walls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moss_ros.sim.scene import Placed, Room, Solid, Thing


@dataclass(frozen=True, slots=True)
class Block:
    """Upright box in map: four ground corners and a height range."""

    corners_m: np.ndarray  # (4, 2) counter-clockwise
    low_m: float
    high_m: float
    axes: np.ndarray  # (2, 2) unit vectors along its sides


def block_of(solid: Solid, position_m: tuple[float, float, float], yaw_rad: float) -> Block:
    """A thing's solid, placed."""
    (x0, y0, z0), (x1, y1, z1) = solid.lo_m, solid.hi_m
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    turn = np.array([[c, s], [-s, c]])
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]) @ turn + np.array(position_m[:2])
    return Block(corners, z0 + position_m[2], z1 + position_m[2], turn)


def blocks_of(thing: Thing, position_m: tuple[float, float, float], yaw_rad: float) -> list[Block]:
    """All solids of a thing at a place."""
    return [block_of(s, position_m, yaw_rad) for s in thing.solids]


def placed_blocks(placed: Placed) -> list[Block]:
    """All solids of a placed thing."""
    return blocks_of(placed.thing, placed.position_m, placed.yaw_rad)


def overlap_m(a: Block, b: Block) -> float:
    """Depth to which two blocks enter each other; negative: the gap along the best separating axis."""
    depth = min(a.high_m, b.high_m) - max(a.low_m, b.low_m)
    for axis in (*a.axes, *b.axes):
        p, q = a.corners_m @ axis, b.corners_m @ axis
        depth = min(depth, min(p.max(), q.max()) - max(p.min(), q.min()))
    return float(depth)


def footprint(thing: Thing, position_m: tuple[float, float, float], yaw_rad: float, margin_m: float = 0.0) -> Block:
    """Box around the whole mesh of a thing, widened sideways."""
    lo, hi = thing.lo_m, thing.hi_m
    grown = Solid((lo[0] - margin_m, lo[1] - margin_m, lo[2]), (hi[0] + margin_m, hi[1] + margin_m, hi[2]))
    return block_of(grown, position_m, yaw_rad)


class Occupied:
    """Blocks that are taken; new ones are tested against all of them."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._lo = np.zeros((0, 3))
        self._hi = np.zeros((0, 3))

    def add(self, blocks: list[Block]) -> None:
        """Take more room."""
        self._blocks += blocks
        self._lo = np.concatenate([self._lo, [[*b.corners_m.min(0), b.low_m] for b in blocks]])
        self._hi = np.concatenate([self._hi, [[*b.corners_m.max(0), b.high_m] for b in blocks]])

    def is_free(self, block: Block, gap_m: float = 0.0) -> bool:
        """No block enters this one; sideways a gap is kept to blocks at the same height."""
        lo = np.array([*(block.corners_m.min(0) - gap_m), block.low_m + 1e-6])
        hi = np.array([*(block.corners_m.max(0) + gap_m), block.high_m - 1e-6])
        near = np.flatnonzero(((self._lo < hi) & (self._hi > lo)).all(1))
        grown = widened(block, gap_m)
        return all(overlap_m(grown, self._blocks[i]) <= 1e-6 for i in near)


def widened(block: Block, by_m: float) -> Block:
    """The same block, larger on all four sides."""
    if by_m == 0:
        return block
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    return Block(block.corners_m + by_m * signs @ block.axes, block.low_m, block.high_m, block.axes)


def inside_room(room: Room, block: Block, margin_m: float = 0.0) -> bool:
    """The block is inside the outer walls and not in the wall across."""
    polygon = np.array(room.polygon_m)
    edge = np.roll(polygon, -1, 0) - polygon
    inward = np.stack([-edge[:, 1], edge[:, 0]], 1) / np.linalg.norm(edge, axis=1, keepdims=True)
    distance = ((block.corners_m[:, None] - polygon[None]) * inward[None]).sum(2)
    if distance.min() < margin_m:
        return False
    if room.partition_x_m is None:
        return True
    half = room.partition_half_m + margin_m
    x = block.corners_m[:, 0]
    return bool(x.max() <= room.partition_x_m - half or x.min() >= room.partition_x_m + half)
