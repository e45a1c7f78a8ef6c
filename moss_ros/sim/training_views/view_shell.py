"""The structure of a training room: floor, ceiling, walls with windows and openings, pillars, beams. Instance 0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moss_ros.sim.mesh import Mesh, box, cylinder, join, slab
from moss_ros.sim.training_views.view_looks import Look, random_look
from moss_ros.sim.training_views.view_placing import Surface, World, fill
from moss_ros.sim.training_views.view_shapes import Rng, Shape, Top

Rect = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Wall:
    """Frame of a wall: x along it, y into the room."""

    origin_m: np.ndarray  # (3,)
    yaw_rad: float
    length_m: float

    def to_room(self, x: float, y: float, z: float) -> np.ndarray:
        """(3,) place in the room."""
        c, s = np.cos(self.yaw_rad), np.sin(self.yaw_rad)
        return self.origin_m + np.array([c * x - s * y, s * x + c * y, z])


class Shell:
    """Walls of one room, and what of them is taken: rectangles (x0, z0, x1, z1) in the frame of each wall."""

    def __init__(self, rng: Rng, world: World, floor: Surface, size_m: tuple[float, float, float]) -> None:
        self.rng = rng
        self.world = world
        self.floor = floor
        self.size = size_m
        self.walls = self._frames()
        self.used: dict[int, list[Rect]] = {k: [] for k in range(4)}

    def _frames(self) -> list[Wall]:
        """Four walls, some turned a little out of the right angle."""
        x, y, _ = self.size
        out = []
        for k, (a, b, length) in enumerate(((0, 0, x), (x, 0, y), (x, y, x), (0, y, y))):
            yaw, origin = k * np.pi / 2, np.array([a, b, 0.0])
            if self.rng.random() < 0.15:
                lean = self.rng.uniform(-0.25, 0.25)
                along = np.array([np.cos(yaw), np.sin(yaw), 0])
                middle = origin + along * length / 2
                yaw += lean
                origin = middle - np.array([np.cos(yaw), np.sin(yaw), 0]) * length / 2
            out.append(Wall(origin, yaw, float(length)))
        return out

    def _fixed(self, mesh: Mesh, look: Look, at: np.ndarray | tuple = (0, 0, 0), yaw: float = 0.0) -> None:
        self.world.add(Shape(((mesh, look),)), np.asarray(at, float), yaw, 0)

    def build(self) -> None:
        rng, (x, y, z) = self.rng, self.size
        self._fixed(
            box((-3, -3, -0.1), (x + 3, y + 3, 0)), random_look(rng, str(rng.choice(["wood", "cloth", "wall"])))
        )
        if rng.random() < 0.8:
            self._fixed(box((-3, -3, z), (x + 3, y + 3, z + 0.1)), random_look(rng, "wall"))
        look = random_look(rng, "wall")
        for k, wall in enumerate(self.walls):
            if rng.random() < 0.92:
                self._wall(k, wall, look if rng.random() < 0.8 else random_look(rng, "wall"))
        for _ in range(int(rng.poisson(0.5))):
            self._pillar(look)
        if rng.random() < 0.15:  # a beam, or a lowered ceiling
            at = rng.uniform(0, y)
            self._fixed(box((0, at, z - rng.uniform(0.15, 0.5)), (x, at + rng.uniform(0.1, 1.0), z)), look)

    def _wall(self, k: int, wall: Wall, look: Look) -> None:
        """A wall, often with a window in a recess or an opening; baseboard; it goes on beyond its corners."""
        rng, z, length = self.rng, self.size[2], wall.length_m
        kind = rng.random()
        if kind < 0.55 or length < 2.4:
            self._fixed(box((-1, -0.1, 0), (length + 1, 0, z)), look, wall.origin_m, wall.yaw_rad)
        else:
            w, deep = rng.uniform(0.7, min(2.2, length - 1)), rng.uniform(0.08, 0.35)
            a = rng.uniform(0.4, length - w - 0.4)
            low, high = (
                (rng.uniform(0.4, 1.1), rng.uniform(1.6, 2.15)) if kind < 0.85 else (0.0, rng.uniform(1.95, 2.15))
            )
            self._opening(wall, look, (a, a + w), (low, high), deep, closed=rng.random() < 0.6)
            self.used[k].append((a - 0.05, low, a + w + 0.05, high))
        if rng.random() < 0.4:
            board = box((0, 0, 0), (length, 0.015, rng.uniform(0.05, 0.15)))
            self._fixed(board, random_look(rng, "wall"), wall.origin_m, wall.yaw_rad)

    def _opening(
        self, wall: Wall, look: Look, span: tuple[float, float], rise: tuple[float, float], deep: float, closed: bool
    ) -> None:
        (a, b), (low, high), z = span, rise, self.size[2]
        pieces = [
            box((-1, -deep, 0), (a, 0, z)),
            box((b, -deep, 0), (wall.length_m + 1, 0, z)),
            box((a, -deep, high), (b, 0, z)),
        ]
        if low > 0:
            pieces.append(box((a, -deep, 0), (b, 0, low)))
        self._fixed(join(pieces), look, wall.origin_m, wall.yaw_rad)
        frame = [
            box((a, -deep, low), (a + 0.06, 0.01 - deep / 2, high)),
            box((b - 0.06, -deep, low), (b, 0.01 - deep / 2, high)),
        ]
        self._fixed(join(frame), random_look(self.rng, "wall"), wall.origin_m, wall.yaw_rad)
        if closed:
            pane = Look((0.5, 0.6, 0.7), (0.9, 0.9, 0.9), 1, 1.0, 1.0) if low > 0 else random_look(self.rng)
            self._fixed(box((a, -deep - 0.02, low), (b, -deep, high)), pane, wall.origin_m, wall.yaw_rad)
        if low > 0 and self.rng.random() < 0.5:
            sill = Top((a + 0.05, -deep + 0.02), (b - 0.05, -0.01), low, high - low, 1.5)
            fill(self.rng, self.world, Surface(wall.origin_m, wall.yaw_rad, sill, 0))

    def _pillar(self, look: Look) -> None:
        rng, (x, y, z) = self.rng, self.size
        w, d = rng.uniform(0.15, 0.7, 2)
        at = (rng.uniform(0, x), rng.uniform(0, y))
        if rng.random() < 0.7:  # at a wall
            at = (at[0], float(rng.choice([0, y]))) if rng.random() < 0.5 else (float(rng.choice([0, x])), at[1])
        mesh = cylinder(w / 2, z, 24) if rng.random() < 0.2 else slab((w, d, z))
        self._fixed(mesh, look, (*at, 0))
        self.floor.taken.append((at[0] - w / 2, at[1] - d / 2, at[0] + w / 2, at[1] + d / 2, z))
