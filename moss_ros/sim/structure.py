"""Floor, walls, ceiling and lights of a room."""

from __future__ import annotations

import numpy as np

from moss_ros.sim import textures
from moss_ros.sim.mesh import Mesh, box, join, quad
from moss_ros.sim.palette import COLORS, WOODS, vary
from moss_ros.sim.scene import CEILING_ID, FLOOR_ID, WALL_ID, Light, Material, Part, Room

DOORWAY_HEIGHT_M = 2.05


def make_room(rng: np.random.Generator, two_rooms: bool) -> Room:
    """A convex plan: a rectangle, often with a slanted wall or a cut corner."""
    length = float(rng.uniform(8.2, 9.2) if two_rooms else rng.uniform(5.6, 6.6))
    width = float(rng.uniform(4.5, 5.2))
    shape = rng.random()
    if shape < 0.4:
        polygon = [(0, 0), (length, 0), (length, width), (0, width)]
    elif shape < 0.7:
        slant = float(rng.uniform(0.4, 0.9))
        polygon = [(0, 0), (length, 0), (length, width), (0, width - slant)]
    else:
        cut = float(rng.uniform(0.9, 1.4))
        polygon = [(0, 0), (length, 0), (length, width - cut), (length - 0.7 * cut, width), (0, width)]
    plan = tuple((float(x), float(y)) for x, y in polygon)
    height = float(rng.uniform(2.5, 2.75))
    if not two_rooms:
        return Room(plan, height)
    y = float(rng.uniform(1.2, width - 2.6))
    return Room(plan, height, float(rng.uniform(0.45, 0.55) * length), (y, y + 1.0))


def structure_parts(rng: np.random.Generator, room: Room) -> dict[int, tuple[Part, ...]]:
    """Meshes in map by instance id."""
    floor = _floor_material(rng)
    polygon = np.array(room.polygon_m)
    lo, hi = polygon.min(0), polygon.max(0)
    fan = _fan(polygon, 0.0, 1 / 1.3)
    parts: dict[int, tuple[Part, ...]] = {
        FLOOR_ID: (Part(fan, floor),),
        CEILING_ID: (
            Part(
                _fan(polygon, room.height_m, 0.5).flipped(),
                Material(textures.mottled(rng, (240, 239, 235), 0.02)),
            ),
        ),
    }
    paints = [
        vary(rng, c, 0.06)
        for c in ((228, 222, 208), (206, 214, 216), (222, 206, 190), (198, 210, 192), (214, 204, 214))
    ]
    first, second = (Material(textures.mottled(rng, paints[i], 0.05, 256)) for i in rng.permutation(len(paints))[:2])
    walls = []
    skirting: list[Mesh] = []
    for k, (a, b) in enumerate(zip(polygon, np.roll(polygon, -1, 0), strict=True)):
        # Seen from inside, the wall from a to b faces left of its direction.
        length = float(np.linalg.norm(b - a))
        wall = quad((*b, 0), (*(a - b), 0), (0, 0, room.height_m), (length / 1.5, room.height_m / 1.5))
        walls.append(Part(wall, second if k == 1 else first))
        n = np.array([-(b - a)[1], (b - a)[0]]) / length
        skirting += _skirting(a, b, n)
    if room.partition_x_m is not None:
        walls.append(Part(join(_partition(room, lo[1], hi[1])), first))
    parts[WALL_ID] = (*walls, Part(join(skirting), Material(textures.plain((232, 230, 224)), 0.2)))
    return parts


def _skirting(a: np.ndarray, b: np.ndarray, inward: np.ndarray) -> list[Mesh]:
    p, q = a + inward * 0.012, b + inward * 0.012
    along = (*(p - q), 0.0)
    return [quad((*q, 0), along, (0, 0, 0.07)), quad((*q, 0.07), along, (*(-inward * 0.012), 0))]


def _floor_material(rng: np.random.Generator) -> Material:
    if rng.random() < 0.7:
        name = ("light", "brown", "dark brown")[int(rng.integers(3))]
        return Material(textures.planks(rng, vary(rng, WOODS[name], 0.1), int(rng.integers(7, 11))), 0.12)
    color = (COLORS["beige"], (176, 122, 96), (150, 156, 160))[int(rng.integers(3))]
    return Material(textures.tiles(rng, vary(rng, color), (198, 194, 186)), 0.25)


def _fan(polygon: np.ndarray, z: float, repeats_per_m: float) -> Mesh:
    points = np.column_stack([polygon, np.full(len(polygon), z)])
    corners = np.array([points[[0, k, k + 1]] for k in range(1, len(points) - 1)])
    return Mesh(corners, corners[..., :2] * repeats_per_m)


def partition_spans_m(room: Room) -> list[tuple[float, float]]:
    """y ranges of the wall across, on both sides of its doorway."""
    y = [p[1] for p in room.polygon_m]
    return [(min(y), room.doorway_m[0]), (room.doorway_m[1], max(y))]


def _partition(room: Room, low_y: float, high_y: float) -> list[Mesh]:
    x, half = room.partition_x_m or 0.0, room.partition_half_m
    walls = [box((x - half, a, 0), (x + half, b, room.height_m), 1 / 1.5) for a, b in partition_spans_m(room)]
    return [
        *walls,
        box(
            (x - half, room.doorway_m[0], DOORWAY_HEIGHT_M),
            (x + half, room.doorway_m[1], room.height_m),
            1 / 1.5,
        ),
    ]


def ceiling_lights(rng: np.random.Generator, room: Room) -> list[Light]:
    """One soft lamp for each half of the home."""
    polygon = np.array(room.polygon_m)
    lo, hi = polygon.min(0), polygon.max(0)
    warm = float(rng.uniform(0.8, 1.0))
    lights = []
    for share in (0.25, 0.75):
        x, y = lo[0] + share * (hi[0] - lo[0]), (lo[1] + hi[1]) / 2
        lights.append(
            Light(
                (float(x), float(y), room.height_m - 0.03),
                (0.8, 0, 0),
                (0, 0.8, 0),
                (0, 0, -1),
                (9.0, 9.0 * (0.5 + 0.5 * warm) * 0.98, 9.0 * warm * 0.92),
            )
        )
    return lights
