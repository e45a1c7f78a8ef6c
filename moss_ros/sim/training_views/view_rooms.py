"""Random rooms for training views: far more varied than the simulated home, and not meant to be pretty.

World frame: metric, z up, floor at z = 0. Instance 0 is structure: floor, walls, ceiling, pillars, recesses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moss_ros.sim.mesh import slab
from moss_ros.sim.training_views import view_furniture as furniture
from moss_ros.sim.training_views.view_hangings import wall_thing
from moss_ros.sim.training_views.view_library import library_shape
from moss_ros.sim.training_views.view_looks import Look, random_look
from moss_ros.sim.training_views.view_placing import Surface, World, fill, turned_half
from moss_ros.sim.training_views.view_shapes import Rng, Shape, Top, grounded
from moss_ros.sim.training_views.view_shell import Shell

CHAIR_GAP_M = 0.447


@dataclass(frozen=True, slots=True)
class TrainingRoom:
    """A furnished room as flat arrays. T triangles, I instances."""

    corners_m: np.ndarray  # (T, 3, 3) float32
    uv: np.ndarray  # (T, 3, 2) float32
    look: np.ndarray  # (T,) int32
    instance: np.ndarray  # (T,) int32, 0 = structure
    looks: tuple[Look, ...]
    support: np.ndarray  # (I,) int32 what carries each instance, 0 = structure
    size_m: tuple[float, float, float]


class RoomBuilder:
    """Builds one room from a random generator."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        self.world = World()
        self.size = (rng.uniform(2.6, 7.5), rng.uniform(2.6, 6.0), rng.uniform(2.2, 3.2))
        x, y, _ = self.size
        floor = Top((0.1, 0.1), (x - 0.1, y - 0.1), 0.0, 2.0, 0.15, "floor")
        self.floor = Surface(np.zeros(3), 0.0, floor, 0)
        self.shell = Shell(rng, self.world, self.floor, self.size)
        self._chairs: list[tuple[float, float]] = []

    def build(self) -> TrainingRoom:
        """Structure, furniture, what hangs and what lies around."""
        self.shell.build()
        rng = self.rng
        if rng.random() < 0.5:
            self._counter_run()
        for _ in range(int(rng.integers(0, 4))):
            self._table_group()
        for _ in range(int(rng.integers(3, 13))):
            self._furniture()
        for _ in range(int(rng.integers(1, 11))):
            self._on_wall()
        if rng.random() < 0.3:
            self._rug()
        fill(rng, self.world, self.floor, int(rng.integers(0, 12)))
        w = self.world
        return TrainingRoom(
            np.concatenate(w.corners),
            np.concatenate(w.uv),
            np.concatenate(w.look),
            np.concatenate(w.instance),
            tuple(w.looks),
            np.array(w.support, np.int32),
            self.size,
        )

    # --- what stands on the floor

    def _stand(self, shape: Shape, x: float, y: float, yaw: float, slack: float = 0.95) -> list[Surface] | None:
        """Put furniture on the floor unless something is there; returns the surfaces it offers."""
        hx, hy = turned_half(shape, yaw)
        if self.world.full or self.floor.overlap_height(x - hx * slack, y - hy * slack, x + hx * slack, y + hy * slack):
            return None
        self.floor.taken.append((x - hx, y - hy, x + hx, y + hy, float(shape.hi_m[2])))
        return self.world.stand(shape, np.array([x, y, 0.0]), yaw, 0, 0)

    def _fill_all(self, surfaces: list[Surface] | None) -> None:
        for surface in surfaces or []:
            if self.rng.random() < 0.85:
                fill(self.rng, self.world, surface)

    def _at_wall(self, shape: Shape, tries: int = 8) -> tuple[int, float, list[Surface]] | None:
        """Put furniture with its back to a wall, often right beside what stands there."""
        rng = self.rng
        for _ in range(tries):
            k = int(rng.integers(4))
            wall = self.shell.walls[k]
            half = (shape.hi_m - shape.lo_m) / 2
            if wall.length_m < 2 * half[0] + 0.1:
                continue
            u = rng.uniform(half[0], wall.length_m - half[0])
            place = wall.to_room(u, half[1] + rng.choice([0.0, 0.01, 0.05]), 0)
            surfaces = self._stand(shape, place[0], place[1], wall.yaw_rad + np.pi)
            if surfaces is not None:
                self.shell.used[k].append((u - half[0], 0, u + half[0], float(shape.hi_m[2])))
                return k, u, surfaces
        return None

    def _furniture(self) -> None:
        rng = self.rng
        weights = np.array([w for _, w, _ in furniture.FURNITURE])
        build, _, wall_share = furniture.FURNITURE[int(rng.choice(len(weights), p=weights / weights.sum()))]
        shape = library_shape(rng, large=True) if rng.random() < 0.2 else build(rng)
        if rng.random() < wall_share:
            done = self._at_wall(shape)
            self._fill_all(done[2] if done else None)
            return
        for _ in range(8):
            yaw = rng.integers(4) * np.pi / 2 if rng.random() < 0.5 else rng.uniform(0, 2 * np.pi)
            x, y = rng.uniform(0.3, self.size[0] - 0.3), rng.uniform(0.3, self.size[1] - 0.3)
            if self.floor.taken and rng.random() < 0.4:  # touching something
                a, b, c, d, _ = self.floor.taken[int(rng.integers(len(self.floor.taken)))]
                hx, hy = turned_half(shape, yaw)
                x, y = (c + hx, rng.uniform(b, d)) if rng.random() < 0.5 else (rng.uniform(a, c), d + hy)
                if not (0.1 < x < self.size[0] - 0.1 and 0.1 < y < self.size[1] - 0.1):
                    continue
            surfaces = self._stand(shape, x, y, yaw)
            if surfaces is not None:
                self._fill_all(surfaces)
                return

    def _counter_run(self) -> None:
        """Counter with things on it and cabinets, shelves or a hood above."""
        rng = self.rng
        shape = furniture.counter(rng)
        length = float(np.ptp([shape.lo_m[0], shape.hi_m[0]]))
        done = self._at_wall(shape, 20)
        if done is None:
            return
        k, u, surfaces = done
        self._fill_all(surfaces)
        above = float(shape.hi_m[2]) + rng.uniform(0.4, 0.65)
        if rng.random() < 0.6:
            self._wall_cabinets(k, u, length, above)
        elif rng.random() < 0.7:
            self._shelf_board(k, u, length * rng.uniform(0.4, 0.95), above)

    def _wall_cabinets(self, k: int, u: float, length: float, low: float) -> None:
        rng, high, deep = self.rng, self.rng.uniform(0.35, 0.8), self.rng.uniform(0.25, 0.4)
        count = int(rng.choice([1, 1, 2, 3]))
        looks = random_look(rng), random_look(rng)
        for i in range(count):
            w = length / count
            parts = [(slab((w - 0.005, deep, high)), looks[0])]
            parts += furniture.fronts(rng, w - 0.02, deep, 0.01, high - 0.01, looks[int(rng.random() < 0.2)])
            self._hang(k, grounded(parts), u - length / 2 + w * (i + 0.5), low, check=False)

    def _shelf_board(self, k: int, u: float, length: float, z: float) -> None:
        rng, deep, thick = self.rng, self.rng.uniform(0.12, 0.32), self.rng.uniform(0.015, 0.05)
        top = Top((-length / 2 + 0.02, -deep / 2 + 0.01), (length / 2 - 0.02, deep / 2 - 0.01), thick, 0.5, 2.0)
        self._hang(k, Shape(((slab((length, deep, thick)), random_look(rng)),), (top,)), u, z, check=False)

    def _table_group(self) -> None:
        """A table with chairs, most of them pushed under it."""
        rng = self.rng
        shape = furniture.table(rng) if rng.random() < 0.8 else library_shape(rng, large=True)
        half = (shape.hi_m - shape.lo_m) / 2
        yaw = rng.integers(2) * np.pi / 2 + (rng.normal(0, 0.1) if rng.random() < 0.5 else rng.uniform(-0.8, 0.8))
        x, y = rng.uniform(0.6, self.size[0] - 0.6), rng.uniform(0.6, self.size[1] - 0.6)
        surfaces = self._stand(shape, x, y, yaw)
        if surfaces is None:
            return
        self._fill_all(surfaces)
        if half[2] < 0.3:
            return
        same = furniture.chair(rng) if rng.random() < 0.7 else None
        for _ in range(int(rng.integers(1, 7))):
            self._chair_at(same or furniture.chair(rng), (x, y), yaw, half)

    def _chair_at(self, chair: Shape, middle: tuple[float, float], yaw: float, half: np.ndarray) -> None:
        rng = self.rng
        side = int(rng.integers(4))
        turn = yaw + side * np.pi / 2
        reach, across = (half[1], half[0]) if side % 2 == 0 else (half[0], half[1])
        out = reach + rng.uniform(-0.25, 0.35)
        along = rng.uniform(-1, 1) * max(across - 0.25, 0)
        c, s = np.cos(turn), np.sin(turn)
        x, y = middle[0] + c * along - s * out, middle[1] + s * along + c * out
        if not (0.15 < x < self.size[0] - 0.15 and 0.15 < y < self.size[1] - 0.15) or self.world.full:
            return
        if any((x - a) ** 2 + (y - b) ** 2 < CHAIR_GAP_M**2 for a, b in self._chairs):
            return
        self._chairs.append((x, y))
        # Less than its true outline: tables overlap the chairs pushed under them.
        self.floor.taken.append((x - 0.2, y - 0.2, x + 0.2, y + 0.2, 0.9))
        for surface in self.world.stand(chair, np.array([x, y, 0.0]), turn + rng.normal(0, 0.2), 0, 0):
            if rng.random() < 0.3:
                fill(rng, self.world, surface)

    def _rug(self) -> None:
        rng = self.rng
        x, y = rng.uniform(0.6, 2.2, 2)
        mesh = slab((x, y, rng.uniform(0.004, 0.02)))
        at = np.array([rng.uniform(0.5, self.size[0] - 0.5), rng.uniform(0.5, self.size[1] - 0.5), 0.0])
        self.world.stand(Shape(((mesh, random_look(rng, "cloth")),)), at, rng.integers(2) * np.pi / 2, 0, 9)

    # --- what hangs on walls

    def _hang(self, k: int, shape: Shape, u: float, low: float, check: bool = True) -> bool:
        """Fix a shape to a wall, its back against it, its bottom at a height."""
        half = (shape.hi_m - shape.lo_m) / 2
        rect = (u - half[0], low, u + half[0], low + 2 * half[2])
        if check and any(
            rect[0] < c and rect[2] > a and rect[1] < d and rect[3] > b for a, b, c, d in self.shell.used[k]
        ):
            return False
        self.shell.used[k].append(rect)  # type: ignore[arg-type]
        wall = self.shell.walls[k]
        place = wall.to_room(u, half[1] + 0.001, low)
        self._fill_all(self.world.stand(shape, place, wall.yaw_rad + np.pi, 0, 0))
        return True

    def _on_wall(self) -> None:
        rng = self.rng
        shape, low = wall_thing(rng)
        for _ in range(6):
            k = int(rng.integers(4))
            half = (shape.hi_m - shape.lo_m)[0] / 2
            if self.shell.walls[k].length_m > 2 * half + 0.1 and not self.world.full:
                u = rng.uniform(half, self.shell.walls[k].length_m - half)
                if self._hang(k, shape, u, low):
                    return


def build_room(seed: int) -> TrainingRoom:
    """The room of a seed; the same seed gives the same room."""
    return RoomBuilder(np.random.default_rng([seed, 101])).build()
