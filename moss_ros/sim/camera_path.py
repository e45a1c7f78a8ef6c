"""A walk through the home that looks at its things, clear of furniture and walls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter1d, label
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from moss_ros.sim.collision import Block, inside_room, placed_blocks
from moss_ros.sim.scene import Placed, Room, Scene

CELL_M = 0.08
EYE_M = (1.15, 1.5)  # range of camera heights
CLEAR_M = 0.28  # between the camera and what reaches near its height
METRES_PER_FRAME, DEGREES_PER_FRAME = 0.09, 4.5
PACE = 1.5  # a walk may be so many times faster than that


@dataclass(frozen=True, slots=True)
class Stop:
    """A cell of the free space and a view from it."""

    cell: int
    heading: float  # rad about z, 0 along x
    pitch: float  # rad, up is positive
    weight: float


@dataclass(frozen=True, slots=True)
class Target:
    """Something worth a look."""

    center_m: np.ndarray  # (3,)
    front: np.ndarray  # (2,) unit vector, the side that it shows
    weight: float


class FreeSpace:
    """Ground cells where the camera may be, and ways between them."""

    def __init__(self, room: Room, blocks: list[Block]) -> None:
        points = np.array(room.polygon_m)
        self._origin = points.min(0)
        shape = tuple(np.ceil((points.max(0) - self._origin) / CELL_M).astype(int))
        ij = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), -1)
        self._centers = self._origin + (ij + 0.5) * CELL_M
        free = np.array([inside_room(room, _point(c), 0.0) for c in self._centers.reshape(-1, 2)]).reshape(shape)
        if room.partition_x_m is not None:
            y = self._centers[..., 1]
            door = np.abs(self._centers[..., 0] - room.partition_x_m) <= room.partition_half_m + CELL_M
            free |= door & (y > room.doorway_m[0]) & (y < room.doorway_m[1])
        for block in blocks:
            if block.high_m > 0.35 and block.low_m < EYE_M[1] + 0.15:
                free &= ~_covered(self._centers, block)
        self.distance_m = distance_transform_edt(np.pad(free, 1))[1:-1, 1:-1] * CELL_M
        # Where a room is too full, the camera may come nearer.
        for clear in (CLEAR_M, 0.2, 0.12):
            parts, count = label(self.distance_m > clear)
            sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
            if count and sizes.max() * CELL_M**2 > 1.5:
                break
        self._open = parts == 1 + int(sizes.argmax())
        self._cells = np.argwhere(self._open)
        self._graph = self._edges()

    @property
    def cells_m(self) -> np.ndarray:
        """(C, 2) centres of the reachable cells."""
        return self._centers[tuple(self._cells.T)]

    def _edges(self) -> coo_matrix:
        number = np.full(self._open.shape, -1)
        number[tuple(self._cells.T)] = np.arange(len(self._cells))
        rows, columns, costs = [], [], []
        for di, dj in ((1, 0), (0, 1), (1, 1), (1, -1)):
            other = self._cells + [di, dj]
            ok = ((other >= 0) & (other < self._open.shape)).all(1)
            target = np.full(len(other), -1)
            target[ok] = number[tuple(other[ok].T)]
            at = np.flatnonzero(target >= 0)
            near = self.distance_m[tuple(self._cells[at].T)]
            rows.append(at)
            columns.append(target[at])
            costs.append(np.hypot(di, dj) * CELL_M * (1 + 0.06 / near))
        r, c, w = (np.concatenate(x) for x in (rows, columns, costs))
        return coo_matrix((w, (r, c)), (len(self._cells), len(self._cells))).tocsr()

    def way(self, start: int, goal: int) -> np.ndarray:
        """(W, 2) cell centres from one cell to another."""
        _, before = dijkstra(self._graph, directed=False, indices=start, return_predecessors=True)
        path = [goal]
        while path[-1] != start:
            path.append(int(before[path[-1]]))
        return self.cells_m[path[::-1]]

    def clear_at(self, points_m: np.ndarray) -> np.ndarray:
        """(N,) metres to the next obstacle."""
        ij = ((points_m - self._origin) / CELL_M).astype(int)
        ij = np.clip(ij, 0, np.array(self.distance_m.shape) - 1)
        return self.distance_m[tuple(ij.T)]


def _point(xy: np.ndarray) -> Block:
    return Block(np.repeat(xy[None], 4, 0), 0.0, 1.0, np.eye(2))


def _covered(centers: np.ndarray, block: Block) -> np.ndarray:
    inside = np.ones(centers.shape[:2], bool)
    for axis in block.axes:
        p, q = centers @ axis, block.corners_m @ axis
        inside &= (p > q.min()) & (p < q.max())
    return inside


def walk(scene: Scene, frames: int, rng: np.random.Generator) -> np.ndarray:
    """(frames, 4, 4) world_from_camera of a smooth walk past the fullest places."""
    standing = [p for p in scene.placed if p.relation not in ("wall", "ceiling")]
    space = FreeSpace(scene.room, [b for p in standing for b in placed_blocks(p)])
    stops = _stops(space, scene.room, _targets(scene), PACE * frames, rng)
    # Fewer stops until the pace is one of a person.
    while True:
        track, time = _track(space, stops)
        if time[-1] <= PACE * frames or len(stops) <= 3:
            break
        stops.pop(int(np.argmin([s.weight for s in stops])))
    at = np.linspace(0, time[-1], frames)
    track = np.array([np.interp(at, time, c) for c in track.T])
    track = gaussian_filter1d(track, min(1.5, frames / 30), axis=1, mode="nearest").T
    heights = np.interp(np.linspace(0, 1, frames), np.linspace(0, 1, 7), rng.uniform(*EYE_M, 7))
    heights = gaussian_filter1d(heights, frames / 14 + 0.5)
    eyes = np.column_stack([track[:, :2], heights])
    forward = np.stack(
        [
            np.cos(track[:, 3]) * np.cos(track[:, 2]),
            np.cos(track[:, 3]) * np.sin(track[:, 2]),
            np.sin(track[:, 3]),
        ],
        1,
    )
    return np.stack([look_at(e, e + f) for e, f in zip(eyes, forward, strict=True)])


def _targets(scene: Scene) -> list[Target]:
    """Places worth a look and how many things are there: carriers with what they carry, and single things."""
    children: dict[int, list[Placed]] = {}
    for p in scene.placed:
        children.setdefault(p.support_id, []).append(p)
    out = []
    for p in scene.placed:
        if p.relation in ("ceiling",) or p.thing.category in ("rug", "door mat"):
            continue
        carried = children.get(p.id, [])
        lo, hi = p.thing.lo_m, p.thing.hi_m
        center = p.to_world(np.array([[0.0, 0.0, (lo[2] + hi[2]) / 2]]))[0]
        if carried:
            center = 0.5 * center + 0.5 * np.mean([c.position_m for c in carried], axis=0)
        big = float(np.prod(np.maximum(p.thing.size_m, 0.05))) ** (1 / 3)
        if carried or big > 0.3:
            front = np.array([np.sin(p.yaw_rad), -np.cos(p.yaw_rad)])
            out.append(Target(center, front, 1.0 + len(carried) + big))
    return out


def _stops(
    space: FreeSpace,
    room: Room,
    targets: list[Target],
    budget: float,
    rng: np.random.Generator,
) -> list[Stop]:
    """Stops in the order of a short tour; each looks at one target from a good distance."""
    weights = np.array([t.weight for t in targets]) * rng.uniform(0.8, 1.2, len(targets))
    cells = space.cells_m
    stops = []
    for index in np.argsort(-weights):
        center = targets[index].center_m
        offsets = cells - center[:2]
        away = np.linalg.norm(offsets, axis=1)
        cost = np.abs(away - rng.uniform(1.1, 1.9)) + 0.3 * rng.random(len(cells))
        cost -= 0.5 * (offsets @ targets[index].front) / np.maximum(away, 0.1)
        if room.partition_x_m is not None:
            cost += 5.0 * ((cells[:, 0] > room.partition_x_m) != (center[0] > room.partition_x_m))
        cell = int(np.argmin(cost))
        offset = center - np.array([*cells[cell], np.mean(EYE_M)])
        pitch = float(np.clip(np.arctan2(offset[2], np.hypot(*offset[:2])), -0.55, 0.1))
        stops.append(Stop(cell, float(np.arctan2(offset[1], offset[0])), pitch, float(weights[index])))
    return _tour(stops, cells, budget)


def _tour(stops: list[Stop], cells: np.ndarray, budget: float) -> list[Stop]:
    """As many stops as a walk of so many frames allows, the weightiest first, each where it costs least."""

    def cost(a: Stop, b: Stop) -> float:
        way = 1.2 * float(np.linalg.norm(cells[a.cell] - cells[b.cell])) / METRES_PER_FRAME
        return way + abs(np.degrees(_turn(a.heading, b.heading))) / DEGREES_PER_FRAME

    tour, spent = [stops[0]], 0.0
    for stop in stops[1:]:
        added = [cost(stop, tour[0])]
        added += [cost(a, stop) + cost(stop, b) - cost(a, b) for a, b in zip(tour[:-1], tour[1:], strict=True)]
        added.append(cost(tour[-1], stop))
        best = int(np.argmin(added))
        if spent + added[best] <= budget or len(tour) < 3:
            tour.insert(best, stop)
            spent += added[best]
    return tour


def _turn(start_rad: float, end_rad: float) -> float:
    return float((end_rad - start_rad + np.pi) % (2 * np.pi) - np.pi)


def _track(space: FreeSpace, stops: list[Stop]) -> tuple[np.ndarray, np.ndarray]:
    """(N, 4) x, y, heading, pitch along the tour, and (N,) the time in frames at which each is reached."""
    heading = stops[0].heading
    rows = [np.array([[*space.cells_m[stops[0].cell], heading, stops[0].pitch]])]
    for a, b in zip(stops[:-1], stops[1:], strict=True):
        leg = space.way(a.cell, b.cell)
        leg = np.repeat(leg, 2 if len(leg) > 6 else 12, 0)
        share = np.linspace(0, 1, len(leg))
        share = share * share * (3 - 2 * share)
        turn = _turn(heading, b.heading)
        rows.append(np.column_stack([leg, heading + share * turn, a.pitch + share * (b.pitch - a.pitch)]))
        heading += turn
    raw = np.concatenate(rows)
    track = gaussian_filter1d(raw, 5.0, axis=0, mode="nearest")
    # Smoothing cuts corners: where it comes too near to something, the way keeps to its cells.
    near = space.clear_at(track[:, :2]) < 0.7 * np.minimum(space.clear_at(raw[:, :2]), CLEAR_M)
    track[near, :2] = raw[near, :2]
    track[:, :2] = gaussian_filter1d(track[:, :2], 1.5, axis=0, mode="nearest")
    step = np.linalg.norm(np.diff(track[:, :2], axis=0), axis=1) / METRES_PER_FRAME
    turn_deg = np.degrees(np.hypot(*np.diff(track[:, 2:], axis=0).T))
    return track, np.concatenate([[0], np.cumsum(np.hypot(step, turn_deg / DEGREES_PER_FRAME) + 1e-3)])


def look_at(eye_m: np.ndarray, target_m: np.ndarray) -> np.ndarray:
    """(4, 4) world_from_camera of an upright optical frame (x right, y down, z forward)."""
    forward = (target_m - eye_m) / np.linalg.norm(target_m - eye_m)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    out = np.eye(4)
    out[:3, 0], out[:3, 1], out[:3, 2], out[:3, 3] = right, np.cross(forward, right), forward, eye_m
    return out


def with_drift(world_from_camera: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same walk as an odometry would report it: small errors that add up (about 1 % of the way)."""
    out = [world_from_camera[0]]
    for a, b in zip(world_from_camera[:-1], world_from_camera[1:], strict=True):
        step = np.linalg.inv(a) @ b
        length = float(np.linalg.norm(step[:3, 3]))
        turn = rng.normal(0, 0.0006 + 0.004 * length, 3)
        error = np.eye(4)
        error[:3, :3] = _small_rotation(turn)
        error[:3, 3] = rng.normal(0, 0.0005 + 0.02 * length, 3)
        out.append(out[-1] @ step @ error)
    return np.stack(out)


def _small_rotation(vector_rad: np.ndarray) -> np.ndarray:
    angle = float(np.linalg.norm(vector_rad))
    x, y, z = vector_rad / max(angle, 1e-12)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k
