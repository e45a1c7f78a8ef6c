"""Puts things into a room one by one, each only where nothing else is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moss_ros.sim.collision import Block, Occupied, block_of, blocks_of, footprint, inside_room, placed_blocks
from moss_ros.sim.scene import CEILING_ID, FLOOR_ID, WALL_ID, Placed, Room, Solid, Support, Thing
from moss_ros.sim.structure import partition_spans_m

REST_M = 0.0003  # things hover by so much, or surfaces would flicker through each other
WALKWAY_M = 0.6


@dataclass(frozen=True, slots=True)
class Wall:
    """Straight piece of wall as seen from inside."""

    start_m: np.ndarray  # (2,)
    along: np.ndarray  # (2,) unit vector
    inward: np.ndarray  # (2,) unit vector into the room
    length_m: float

    @property
    def yaw_rad(self) -> float:
        """Yaw of a thing whose back is to this wall."""
        return float(np.arctan2(self.inward[0], -self.inward[1]))


def walls_of(room: Room) -> list[Wall]:
    """The outer walls, then both faces of the wall across."""
    polygon = np.array(room.polygon_m)
    pairs = list(zip(polygon, np.roll(polygon, -1, 0), strict=True))
    if room.partition_x_m is not None:
        for side in (-1, 1):
            x = room.partition_x_m + side * room.partition_half_m
            for low, high in partition_spans_m(room):
                ends = np.array([[x, low], [x, high]])
                pairs.append((ends[0], ends[1]) if side < 0 else (ends[1], ends[0]))
    out = []
    for a, b in pairs:
        length = float(np.linalg.norm(b - a))
        along = (b - a) / length
        out.append(Wall(a, along, np.array([-along[1], along[0]]), length))
    return out


class Placer:
    """The home while it is furnished. Every try uses the generator, so the order of calls is part of the seed."""

    def __init__(self, rng: np.random.Generator, room: Room, first_id: int = 4) -> None:
        self.rng = rng
        self.room = room
        self.walls = walls_of(room)
        self.placed: list[Placed] = []
        self._next_id = first_id
        self._taken = Occupied()  # solids of everything
        self._ground = Occupied()  # whole footprints of furniture
        self._walkways = Occupied()  # kept free of furniture, for people and the camera
        if room.partition_x_m is not None:
            y0, y1 = room.doorway_m
            self.keep_free(_block((room.partition_x_m - 0.9, y0 - 0.1, 0), (room.partition_x_m + 0.9, y1 + 0.1, 2)))

    def keep_free(self, block: Block) -> None:
        """Furniture will not stand here."""
        self._walkways.add([block])

    def put(
        self,
        thing: Thing,
        position_m: tuple[float, float, float],
        yaw_rad: float,
        support_id: int,
        relation: str,
    ) -> Placed:
        """Place without a test."""
        placed = Placed(self._next_id, thing, position_m, yaw_rad, support_id, relation)
        self._next_id += 1
        self.placed.append(placed)
        self._taken.add(placed_blocks(placed))
        return placed

    def free(self, thing: Thing, position_m: tuple[float, float, float], yaw_rad: float, gap_m: float = 0.004) -> bool:
        """The thing fits there: inside the room and in no other thing."""
        whole = footprint(thing, position_m, yaw_rad)
        return inside_room(self.room, whole, 0.001) and all(
            self._taken.is_free(b, gap_m) for b in blocks_of(thing, position_m, yaw_rad)
        )

    def stand(
        self,
        thing: Thing,
        x_m: float,
        y_m: float,
        yaw_rad: float,
        margin_m: float = 0.05,
        walkway_m: float = WALKWAY_M,
        ignore_ground: bool = False,
    ) -> Placed | None:
        """Furniture on the floor, with a walkway before its front."""
        position = (x_m, y_m, REST_M)
        around = footprint(thing, position, yaw_rad, margin_m)
        if not self.free(thing, position, yaw_rad, 0.01):
            return None
        way = _before(thing, position, yaw_rad, walkway_m)
        if not ignore_ground and not (
            self._ground.is_free(around)
            and self._walkways.is_free(around)
            and (way is None or self._ground.is_free(way))
        ):
            return None
        self._ground.add([footprint(thing, position, yaw_rad)])
        if way is not None:
            self._walkways.add([way])
        return self.put(thing, position, yaw_rad, FLOOR_ID, "on")

    def stand_at_wall(
        self,
        thing: Thing,
        tries: int = 60,
        gap_m: float = 0.02,
        walkway_m: float = WALKWAY_M,
        walls: list[int] | None = None,
    ) -> Placed | None:
        """Furniture with its back to a wall."""
        half, back = thing.size_m[0] / 2, thing.hi_m[1]
        fitting = [w for i, w in enumerate(self.walls) if w.length_m > 2 * half + 0.1 and (walls is None or i in walls)]
        if not fitting:
            return None
        share = np.array([w.length_m for w in fitting])
        for _ in range(tries):
            wall = fitting[int(self.rng.choice(len(fitting), p=share / share.sum()))]
            t = self.rng.uniform(half + 0.04, wall.length_m - half - 0.04)
            x, y = wall.start_m + wall.along * t + wall.inward * (back + gap_m)
            done = self.stand(thing, float(x), float(y), wall.yaw_rad, 0.03, walkway_m)
            if done is not None:
                return done
        return None

    def stand_free(self, thing: Thing, tries: int = 80, margin_m: float = 0.1, walkway_m: float = 0.0) -> Placed | None:
        """Furniture somewhere on the floor, mostly square to the walls."""
        points = np.array(self.room.polygon_m)
        for _ in range(tries):
            x, y = self.rng.uniform(points.min(0), points.max(0))
            yaw = float(self.rng.integers(4) * np.pi / 2 + self.rng.normal(0, 0.12))
            done = self.stand(thing, float(x), float(y), yaw, margin_m, walkway_m)
            if done is not None:
                return done
        return None

    def hang(
        self,
        thing: Thing,
        height_m: float,
        tries: int = 60,
        wall: int | None = None,
        along_m: float | None = None,
    ) -> Placed | None:
        """A thing on a wall, its lower edge at a height; nothing stands directly before it."""
        half, back = thing.size_m[0] / 2, thing.hi_m[1]
        for _ in range(tries):
            index = int(self.rng.integers(len(self.walls))) if wall is None else wall
            side = self.walls[index]
            if side.length_m < 2 * half + 0.2:
                continue
            t = self.rng.uniform(half + 0.1, side.length_m - half - 0.1) if along_m is None else along_m
            x, y = side.start_m + side.along * t + side.inward * (back + 0.003)
            position = (float(x), float(y), height_m)
            before = _before(thing, position, side.yaw_rad, 0.15)
            if self.free(thing, position, side.yaw_rad, 0.02) and before is not None and self._taken.is_free(before):
                return self.put(thing, position, side.yaw_rad, WALL_ID, "wall")
        return None

    def hang_from_ceiling(self, thing: Thing, x_m: float, y_m: float) -> Placed | None:
        """A thing whose top touches the ceiling."""
        position = (x_m, y_m, self.room.height_m - float(thing.hi_m[2]) - 0.001)
        return self.put(thing, position, 0.0, CEILING_ID, "ceiling") if self.free(thing, position, 0.0) else None

    def rest(
        self,
        thing: Thing,
        carrier: Placed,
        support: Support,
        tries: int = 14,
        turn_rad: float = np.pi,
        at_m: tuple[float, float] | None = None,
        gap_m: float = 0.006,
    ) -> Placed | None:
        """A small thing on a support, turned by up to an angle from its carrier's front."""
        spot = self.find_rest(thing, carrier, support, tries, turn_rad, at_m, gap_m)
        return self.put(thing, *spot, carrier.id, support.relation) if spot is not None else None

    def find_rest(
        self,
        thing: Thing,
        carrier: Placed,
        support: Support,
        tries: int,
        turn_rad: float,
        at_m: tuple[float, float] | None = None,
        gap_m: float = 0.006,
    ) -> tuple[tuple[float, float, float], float] | None:
        """Position and yaw of a thing on a support where nothing is in its way."""
        if thing.size_m[2] > support.clearance_m:
            return None
        lo, hi = np.array(support.lo_m), np.array(support.hi_m)
        for _ in range(tries):
            turn = float(self.rng.uniform(-turn_rad, turn_rad))
            flat = footprint(thing, (0.0, 0.0, 0.0), turn).corners_m
            low, high = lo - flat.min(0), hi - flat.max(0)
            if (low > high).any():
                continue
            spot = np.array(at_m) if at_m is not None else self.rng.uniform(low, high)
            if (spot < low).any() or (spot > high).any():
                continue
            world = carrier.to_world(np.array([[*spot, support.height_m + REST_M]]))[0]
            position = (float(world[0]), float(world[1]), float(world[2]))
            if self.free(thing, position, carrier.yaw_rad + turn, gap_m):
                return position, carrier.yaw_rad + turn
        return None

    def drop_on_floor(self, thing: Thing, tries: int = 25) -> Placed | None:
        """A small thing on the open floor."""
        points = np.array(self.room.polygon_m)
        for _ in range(tries):
            x, y = self.rng.uniform(points.min(0), points.max(0))
            yaw = float(self.rng.uniform(-np.pi, np.pi))
            if self.free(thing, (float(x), float(y), REST_M), yaw, 0.02):
                return self.put(thing, (float(x), float(y), REST_M), yaw, FLOOR_ID, "on")
        return None

    def without(self, ids: set[int]) -> Placer:
        """The same home less some things, to place them anew; ids go on where they were."""
        other = Placer(self.rng, self.room, self._next_id)
        other.placed = [p for p in self.placed if p.id not in ids]
        for p in other.placed:
            other._taken.add(placed_blocks(p))
        return other

    def put_back(self, placed: Placed) -> None:
        """A thing as it was placed elsewhere, with its id."""
        self.placed.append(placed)
        self._taken.add(placed_blocks(placed))


def _block(lo: tuple[float, float, float], hi: tuple[float, float, float]) -> Block:
    return block_of(Solid(lo, hi), (0.0, 0.0, 0.0), 0.0)


def _before(thing: Thing, position_m: tuple[float, float, float], yaw_rad: float, depth_m: float) -> Block | None:
    """The room directly before a thing's front."""
    if depth_m <= 0:
        return None
    lo, hi = thing.lo_m, thing.hi_m
    zone = Solid((float(lo[0]), float(lo[1]) - depth_m, float(lo[2])), (float(hi[0]), float(lo[1]), float(hi[2])))
    return block_of(zone, position_m, yaw_rad)
