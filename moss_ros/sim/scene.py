"""What a home is made of. World frame ``map``: metric, z up, floor at z = 0."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from moss_ros.sim.mesh import Mesh, axis_rotation

FLOOR_ID, WALL_ID, CEILING_ID = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Material:
    """Look of a surface."""

    texture: np.ndarray  # (H, W, 3) uint8 sRGB
    gloss: float = 0.0  # strength of the highlight, 0 matt to 1
    glow: float = 0.0  # light sent out, as a share of white at full light


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a thing in one material."""

    mesh: Mesh
    material: Material


@dataclass(frozen=True, slots=True)
class Solid:
    """Axis-aligned box in the frame of its thing that nothing else may enter."""

    lo_m: tuple[float, float, float]
    hi_m: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Support:
    """Level rectangle in the frame of its thing on which other things can stand."""

    lo_m: tuple[float, float]
    hi_m: tuple[float, float]
    height_m: float
    clearance_m: float  # free height above
    relation: str = "on"  # how a thing there is said to be: on, in, under
    tags: frozenset[str] = frozenset()  # sorts of things that belong there; empty: any


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing in its own frame: centred on x and y, bottom at z = 0, front towards -y."""

    category: str
    color: str  # name of the main colour
    material: str  # "wood", "ceramic", ...
    parts: tuple[Part, ...]
    solids: tuple[Solid, ...]
    lo_m: np.ndarray  # (3,) corners of the box around its meshes
    hi_m: np.ndarray
    supports: tuple[Support, ...] = ()
    text: str = ""  # readable print, if any
    phrase: str = ""  # text query that names it; empty: made from colour, material and category

    @property
    def size_m(self) -> np.ndarray:
        """(3,) extents."""
        return self.hi_m - self.lo_m


@dataclass(frozen=True, slots=True)
class Placed:
    """A thing that stands somewhere."""

    id: int
    thing: Thing
    position_m: tuple[float, float, float]  # origin of the thing's frame in map
    yaw_rad: float
    support_id: int  # what carries it: another placed thing, the floor, the wall or the ceiling
    relation: str  # to its support: on, in, under, wall, ceiling

    def world_mesh(self, part: Part) -> Mesh:
        """A part's mesh in map."""
        x, y, z = self.position_m
        return part.mesh.moved(x, y, z, self.yaw_rad)

    def to_world(self, points_m: np.ndarray) -> np.ndarray:
        """Points (N, 3) from the thing's frame to map."""
        return points_m @ axis_rotation(2, self.yaw_rad).T + np.array(self.position_m)

    def aabb_m(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper corner of the whole mesh in map."""
        corners = np.concatenate([p.mesh.corners_m.reshape(-1, 3) for p in self.thing.parts])
        world = self.to_world(corners)
        return world.min(0), world.max(0)

    def moved_to(
        self, position_m: tuple[float, float, float], yaw_rad: float, support_id: int, relation: str
    ) -> Placed:
        """The same thing elsewhere."""
        return replace(self, position_m=position_m, yaw_rad=yaw_rad, support_id=support_id, relation=relation)


@dataclass(frozen=True, slots=True)
class Light:
    """Rectangular lamp or window that shines to one side."""

    center_m: tuple[float, float, float]
    along_m: tuple[float, float, float]  # full edge vectors
    up_m: tuple[float, float, float]
    normal: tuple[float, float, float]
    radiance_rgb: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Room:
    """Convex floor plan, given counter-clockwise, with an optional wall across it that has a doorway."""

    polygon_m: tuple[tuple[float, float], ...]
    height_m: float
    partition_x_m: float | None = None  # the wall lies across x at this place
    doorway_m: tuple[float, float] = (0.0, 0.0)  # y range of its opening
    partition_half_m: float = 0.06


@dataclass(frozen=True, slots=True)
class Scene:
    """A furnished home."""

    name: str
    room: Room
    structure: dict[int, tuple[Part, ...]] = field(repr=False)  # meshes of floor, walls, ceiling in map
    placed: tuple[Placed, ...] = field(repr=False)
    lights: tuple[Light, ...] = field(repr=False)

    def by_id(self) -> dict[int, Placed]:
        """Placed things by id."""
        return {p.id: p for p in self.placed}
