"""Where shapes stand in a training room: on surfaces, beside and touching each other, in rows and heaps."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from moss_ros.sim.training_views.view_library import library_shape
from moss_ros.sim.training_views.view_looks import Look
from moss_ros.sim.training_views.view_shapes import Rng, Shape, Top
from moss_ros.sim.training_views.view_things import SMALL, SORTS

MOST_INSTANCES = 250  # ids fit into 8 bits
DEEPEST = 3  # things on things on things


@dataclass(slots=True)
class Surface:
    """A level rectangle in the room; its frame is turned by yaw about z."""

    origin_m: np.ndarray  # (3,) of its frame
    yaw_rad: float
    top: Top
    owner: int
    depth: int = 0
    taken: list[tuple[float, float, float, float, float]] = field(default_factory=list)  # x0, y0, x1, y1, height

    def overlap_height(self, x0: float, y0: float, x1: float, y1: float) -> float:
        """Height of the highest thing in a rectangle; 0 where it is free."""
        return max((h for a, b, c, d, h in self.taken if x0 < c and x1 > a and y0 < d and y1 > b), default=0.0)


class World:
    """Triangles of a room as it grows; instance 0 is structure."""

    def __init__(self) -> None:
        self.corners: list[np.ndarray] = []
        self.uv: list[np.ndarray] = []
        self.look: list[np.ndarray] = []
        self.instance: list[np.ndarray] = []
        self.looks: list[Look] = []
        self.support: list[int] = [0]  # instance that carries each instance
        self._look_row: dict[int, int] = {}

    def add(self, shape: Shape, position_m: np.ndarray, yaw_rad: float, instance: int) -> None:
        """Enter a shape's triangles."""
        for mesh, look in shape.parts:
            placed = mesh.turned(2, yaw_rad).moved(*position_m)
            row = self._look_row.setdefault(id(look), len(self.looks))
            if row == len(self.looks):
                self.looks.append(look)
            count = len(placed.corners_m)
            self.corners.append(placed.corners_m.astype(np.float32))
            self.uv.append(placed.uv.astype(np.float32))
            self.look.append(np.full(count, row, np.int32))
            self.instance.append(np.full(count, instance, np.int32))

    def new_instance(self, support: int) -> int:
        """Number of a new thing that stands on another (0: on structure)."""
        self.support.append(support)
        return len(self.support) - 1

    @property
    def full(self) -> bool:
        """No more things can be told apart."""
        return len(self.support) > MOST_INSTANCES

    def stand(self, shape: Shape, position_m: np.ndarray, yaw_rad: float, support: int, depth: int) -> list[Surface]:
        """A new thing; returns the surfaces it offers."""
        instance = self.new_instance(support)
        self.add(shape, position_m, yaw_rad, instance)
        tops = [t for t in shape.tops if depth < DEEPEST]
        return [Surface(np.asarray(position_m, float), yaw_rad, t, instance, depth + 1) for t in tops]


def turned_half(shape: Shape, yaw_rad: float) -> tuple[float, float]:
    """Half sizes in x and y of the box around a turned shape."""
    half = (shape.hi_m - shape.lo_m)[:2] / 2
    c, s = abs(np.cos(yaw_rad)), abs(np.sin(yaw_rad))
    return float(half[0] * c + half[1] * s), float(half[0] * s + half[1] * c)


def fill(rng: Rng, world: World, surface: Surface, count: int | None = None) -> None:
    """Put things on a surface, and things on those."""
    top = surface.top
    area = (top.hi_m[0] - top.lo_m[0]) * (top.hi_m[1] - top.lo_m[1])
    if count is None:
        count = min(int(rng.poisson(top.crowd * (0.9 + 6 * area))), 16)
    if top.sort == "row" and rng.random() < 0.7:
        _row(rng, world, surface)
        return
    for _ in range(count):
        if world.full:
            return
        shape = _fitting(rng, _some_shape(rng, top.sort), top)
        if shape is not None:
            _put(rng, world, surface, shape)


def _some_shape(rng: Rng, sort: str) -> Shape:
    if sort in SORTS and rng.random() < 0.8:
        builders = SORTS[sort]
        return builders[int(rng.integers(len(builders)))](rng)
    if rng.random() < 0.3:
        return library_shape(rng, large=False)
    weights = np.array([w for _, w in SMALL])
    build = SMALL[int(rng.choice(len(SMALL), p=weights / weights.sum()))][0]
    shape = build(rng)
    if sort == "floor" and rng.random() < 0.4:
        return shape.scaled(*(rng.uniform(1, 2.2),) * 3)
    return shape.tilted(int(rng.integers(2)), rng.uniform(-np.pi, np.pi)) if rng.random() < 0.06 else shape


def _fitting(rng: Rng, shape: Shape, top: Top) -> Shape | None:
    """The shape, made smaller where the surface is; None when it would become tiny."""
    size = shape.hi_m - shape.lo_m
    room = np.array([top.hi_m[0] - top.lo_m[0], top.hi_m[1] - top.lo_m[1], top.clearance_m])
    long, short = max(room[:2]), min(room[:2])
    scale = min(
        1.0, (long * 0.9 + 0.02) / max(size[:2]), (short * 1.1 + 0.02) / min(size[:2]), room[2] * 0.95 / size[2]
    )
    if scale * max(size) < 0.03:
        return None
    return shape if scale > 0.99 else shape.scaled(scale, scale, scale)


def _put(rng: Rng, world: World, surface: Surface, shape: Shape) -> None:
    """Find a free place for one shape, often in touch with what stands there; heaps may pile up."""
    heap = surface.top.sort in ("fruit", "cloth") or rng.random() < 0.04
    for _ in range(10):
        yaw = rng.integers(4) * np.pi / 2 + rng.normal(0, 0.08) if rng.random() < 0.6 else rng.uniform(0, 2 * np.pi)
        hx, hy = turned_half(shape, yaw)
        x, y = _spot(rng, surface, hx, hy)
        height = surface.overlap_height(x - hx * 0.92, y - hy * 0.92, x + hx * 0.92, y + hy * 0.92)
        if height and not (heap and height < 0.35):
            continue
        lift = height * 0.85 if heap else 0.0
        _stand_at(rng, world, surface, shape, (x, y, lift), yaw)
        return


def _spot(rng: Rng, surface: Surface, hx: float, hy: float) -> tuple[float, float]:
    (x0, y0), (x1, y1) = surface.top.lo_m, surface.top.hi_m
    if surface.taken and rng.random() < 0.4:  # side by side
        a, b, c, d, _ = surface.taken[int(rng.integers(len(surface.taken)))]
        gap = rng.choice([0.0, 0.003, 0.02])
        if rng.random() < 0.5:
            x = a - hx - gap if rng.random() < 0.5 else c + hx + gap
            return float(x), float(np.clip(rng.uniform(b, d), y0 + hy * 0.7, max(y1 - hy * 0.7, y0 + hy * 0.7)))
        y = b - hy - gap if rng.random() < 0.5 else d + hy + gap
        return float(np.clip(rng.uniform(a, c), x0 + hx * 0.7, max(x1 - hx * 0.7, x0 + hx * 0.7))), float(y)
    mx, my = min(hx, (x1 - x0) / 2), min(hy, (y1 - y0) / 2)
    return float(rng.uniform(x0 + mx, x1 - mx + 1e-9)), float(rng.uniform(y0 + my, y1 - my + 1e-9))


def _stand_at(
    rng: Rng, world: World, surface: Surface, shape: Shape, at: tuple[float, float, float], yaw: float
) -> None:
    x, y, lift = at
    (x0, y0), (x1, y1) = surface.top.lo_m, surface.top.hi_m
    if not (x0 <= x <= x1 and y0 <= y <= y1):
        return
    hx, hy = turned_half(shape, yaw)
    surface.taken.append((x - hx, y - hy, x + hx, y + hy, lift + float(shape.hi_m[2])))
    c, s = np.cos(surface.yaw_rad), np.sin(surface.yaw_rad)
    place = surface.origin_m + np.array([c * x - s * y, s * x + c * y, surface.top.height_m + lift + 0.0005])
    for offered in world.stand(shape, place, surface.yaw_rad + yaw, surface.owner, surface.depth):
        if rng.random() < 0.75:
            fill(rng, world, offered)


def _row(rng: Rng, world: World, surface: Surface) -> None:
    """Books, binders or equal boxes side by side."""
    (x0, y0), (x1, y1) = surface.top.lo_m, surface.top.hi_m
    x, stop = x0 + rng.uniform(0, 0.2), x0 + rng.uniform(0.4, 1.0) * (x1 - x0)
    same = _fitting(rng, _some_shape(rng, "any"), surface.top) if rng.random() < 0.3 else None
    while x < stop and not world.full:
        shape = same or _fitting(rng, SORTS["row"][0](rng), surface.top)
        if shape is None:
            return
        hx, hy = turned_half(shape, 0.0)
        y = min(y1 - hy, y0 + hy + rng.uniform(0, 0.03)) if y1 - y0 > 2 * hy else (y0 + y1) / 2
        _stand_at(rng, world, surface, shape, (x + hx, y, 0.0), rng.normal(0, 0.02))
        x += 2 * hx + rng.choice([0.0, 0.001, 0.004])
