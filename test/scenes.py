"""Tiny synthetic scenes: exact RGB-D frames by ray casting planes and upright boxes, with an id per pixel."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from moss_ros.config import MappingConfig, MossConfig
from moss_ros.geometry.camera import Camera
from moss_ros.geometry.voxels import BLOCK_SIDE, VoxelIndex, block_key, find_block, link_neighbours
from moss_ros.mapping.normals import NormalMap
from moss_ros.mapping.structure import Structure, StructureMap
from moss_ros.mapping.voxel_map import VoxelMap
from moss_ros.proposals.flat import FlatMap
from moss_ros.proposals.parts import PartMap, Parts
from moss_ros.proposals.solid_voxels import SolidVoxels
from moss_ros.records import Frame, MaskProposals

CAMERA = Camera(fx=120.0, fy=120.0, cx=79.5, cy=59.5, width=160, height=120)
MAPPING = MappingConfig(pixel_stride=1)  # the images are small: take every pixel
CONFIG = MossConfig(mapping=MAPPING)

FLOOR, WALL, TABLE, CHAIR = 1, 2, 3, 4
THINGS = (11, 12, 13)  # the three boxes on the table
FLOOR_M, TABLE_TOP_M, CHAIR_TOP_M = 0.01, 0.71, 0.45  # odd centimetres: no surface lies on a voxel border


@dataclass(frozen=True)
class Plane:
    """Points with normal . p = offset_m, seen from the side the normal points to."""

    id: int
    normal: tuple[float, float, float]
    offset_m: float
    color: tuple[int, int, int] = (200, 200, 190)


@dataclass(frozen=True)
class Box:
    """An upright box turned by yaw about its centre."""

    id: int
    center_m: tuple[float, float, float]
    size_m: tuple[float, float, float]
    yaw_rad: float = 0.0
    color: tuple[int, int, int] = (180, 60, 60)


@dataclass(frozen=True)
class Patch:
    """Paint: every hit point between the corners gets this id and colour."""

    id: int
    low_m: tuple[float, float, float]
    high_m: tuple[float, float, float]
    color: tuple[int, int, int]


@dataclass(frozen=True)
class Scene:
    """What the rays can hit; paint comes last."""

    planes: tuple[Plane, ...] = ()
    boxes: tuple[Box, ...] = ()
    patches: tuple[Patch, ...] = field(default=())

    def without(self, thing: int) -> Scene:
        """The same scene after somebody took a box away."""
        return replace(self, boxes=tuple(b for b in self.boxes if b.id != thing))


def look_at(eye_m: tuple[float, float, float], target_m: tuple[float, float, float]) -> np.ndarray:
    """world_from_camera of an optical frame at eye that looks at target, image upright."""
    eye, target = np.asarray(eye_m, float), np.asarray(target_m, float)
    forward = (target - eye) / np.linalg.norm(target - eye)
    side = np.array([0.0, 1.0, 0.0]) if abs(forward[2]) > 0.999 else np.array([0.0, 0.0, 1.0])
    right = np.cross(forward, side)
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2], pose[:3, 3] = right, np.cross(forward, right), forward, eye
    return pose


def cast(
    scene: Scene,
    pose: np.ndarray,
    camera: Camera = CAMERA,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Depth (H, W) m (0 = nothing hit), ids (H, W) and colour (H, W, 3) uint8 of the nearest surfaces."""
    v, u = np.mgrid[0 : camera.height, 0 : camera.width]
    rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(u.shape)], -1)
    rays = rays.reshape(-1, 3) @ pose[:3, :3].T  # so that the parameter along a ray is its depth
    eye = pose[:3, 3]
    depth = np.full(len(rays), np.inf)
    ids = np.zeros(len(rays), np.int32)
    color = np.zeros((len(rays), 3))
    with np.errstate(divide="ignore", invalid="ignore"):
        for surface in (*scene.planes, *scene.boxes):
            hit = (_hit_plane if isinstance(surface, Plane) else _hit_box)(surface, eye, rays)
            near = (hit > 1e-6) & (hit < depth)
            depth[near], ids[near], color[near] = hit[near], surface.id, surface.color
    depth[~np.isfinite(depth)] = 0.0
    points = eye + depth[:, None] * rays
    for patch in scene.patches:
        inside = ((points >= patch.low_m) & (points <= patch.high_m)).all(1) & (depth > 0)
        ids[inside], color[inside] = patch.id, patch.color
    shape = (camera.height, camera.width)
    return depth.reshape(shape), ids.reshape(shape), color.reshape(*shape, 3).astype(np.uint8)


def render(
    scene: Scene,
    pose: np.ndarray,
    camera: Camera = CAMERA,
    *,
    stamp_ns: int = 0,
    noise_m: float = 0.0,
    seed: int = 0,
    color_camera: Camera | None = None,
) -> Frame:
    """A Frame of the scene; noise_m is the standard deviation of the depth."""
    depth, _, color = cast(scene, pose, camera)
    if noise_m:
        noise = np.random.default_rng([seed, stamp_ns]).normal(0.0, noise_m, depth.shape)
        depth = np.where(depth > 0, depth + noise, 0.0)
    if color_camera is not None:
        color = cast(scene, pose, color_camera)[2]
    return Frame(stamp_ns, color, color_camera or camera, depth.astype(np.float32), camera, pose)


def room() -> Scene:
    """3.02 x 2.62 m: floor, four walls, a table with three boxes on it, a chair-high box in a corner."""
    planes = (
        Plane(FLOOR, (0, 0, 1), FLOOR_M, (120, 100, 80)),
        Plane(WALL, (1, 0, 0), -1.51),
        Plane(WALL, (-1, 0, 0), -1.51),
        Plane(WALL, (0, 1, 0), -1.31),
        Plane(WALL, (0, -1, 0), -1.31),
    )
    wood = (150, 110, 60)
    top = Box(TABLE, (0, 0, TABLE_TOP_M - 0.02), (0.9, 0.6, 0.04), color=wood)
    corners = [(x, y) for x in (-0.4, 0.4) for y in (-0.25, 0.25)]
    legs = tuple(Box(TABLE, (x, y, 0.34), (0.05, 0.05, 0.66), color=wood) for x, y in corners)
    things = (
        Box(11, (-0.28, 0.08, 0.77), (0.14, 0.10, 0.12), color=(200, 40, 40)),
        Box(12, (0.02, -0.10, 0.80), (0.12, 0.12, 0.18), yaw_rad=0.5, color=(40, 160, 60)),
        Box(13, (0.28, 0.10, 0.75), (0.20, 0.10, 0.08), color=(40, 70, 200)),
    )
    chair = Box(CHAIR, (1.15, -0.95, CHAIR_TOP_M / 2), (0.40, 0.40, CHAIR_TOP_M), color=(90, 60, 130))
    return Scene(planes, (top, *legs, *things, chair))


def orbit(count: int = 24, radius_m: float = 1.0, height_m: float = 1.35) -> list[np.ndarray]:
    """Poses on a circle that look at the table."""
    angles = 2 * np.pi * np.arange(count) / count
    eyes = [(radius_m * np.cos(a), radius_m * np.sin(a), height_m) for a in angles]
    return [look_at(eye, (0.0, 0.0, TABLE_TOP_M - 0.1)) for eye in eyes]


def outward(count: int = 24, height_m: float = 1.2) -> list[np.ndarray]:
    """Poses near the middle of the room that look at the walls and the floor before them."""
    angles = 2 * np.pi * (np.arange(count) + 0.5) / count
    rays = np.stack([np.cos(angles), np.sin(angles)], 1)
    return [look_at((-0.3 * c, -0.3 * s, height_m), (1.4 * c, 1.4 * s, 0.45)) for c, s in rays]


@cache
def room_frames(noise_m: float = 0.0, scene: Scene | None = None) -> tuple[Frame, ...]:
    """A drive through the room: around the table, then along the walls."""
    scene, poses = scene or room(), [*orbit(), *outward()]
    return tuple(render(scene, p, stamp_ns=100_000_000 * i, noise_m=noise_m) for i, p in enumerate(poses))


def build_map(frames: tuple[Frame, ...], config: MappingConfig = MAPPING) -> tuple[VoxelMap, NormalMap]:
    """The frames integrated, and the normals of the result."""
    voxels, normals = VoxelMap(config), NormalMap()
    for frame in frames:
        voxels.integrate(frame)
    normals.update(voxels, voxels.take_touched())
    return voxels, normals


@cache
def room_map(noise_m: float = 0.0) -> tuple[VoxelMap, NormalMap]:
    """Map of the room shared by tests: do not integrate into it."""
    return build_map(room_frames(noise_m))


def inside_box(points_m: np.ndarray, box: Box, margin_m: float = 0.0) -> np.ndarray:
    """(N,) bool: points (N, 3) in the box grown by the margin."""
    local = _to_box(box, np.asarray(points_m, float) - box.center_m)
    return (np.abs(local) <= np.array(box.size_m) / 2 + margin_m).all(1)


def _to_box(box: Box, vectors: np.ndarray) -> np.ndarray:
    c, s = np.cos(box.yaw_rad), np.sin(box.yaw_rad)
    return vectors @ np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _hit_plane(plane: Plane, eye: np.ndarray, rays: np.ndarray) -> np.ndarray:
    normal = np.asarray(plane.normal, float)
    along = rays @ normal
    return np.where(along < 0, (plane.offset_m - eye @ normal) / along, np.inf)


def _hit_box(box: Box, eye: np.ndarray, rays: np.ndarray) -> np.ndarray:
    start = _to_box(box, eye - np.asarray(box.center_m, float))
    step = _to_box(box, rays)
    half = np.asarray(box.size_m) / 2
    first, last = (-half - start) / step, (half - start) / step
    enter = np.minimum(first, last).max(1)
    leave = np.maximum(first, last).min(1)
    return np.where((enter <= leave) & (enter > 0), enter, np.inf)


def find_structure(position, normal, solid, neighbours, config, voxel_size_m=0.02) -> Structure:
    """Structure of a map seen for the first time."""
    return StructureMap(config, voxel_size_m).update(position, normal, solid, neighbours, np.ones(len(solid), bool))


def find_parts(voxels: SolidVoxels, structure: Structure, config) -> Parts:
    """Parts of a map seen for the first time."""
    return PartMap(config).update(voxels, structure, np.ones(len(voxels.solid), bool))


def find_flat(position, color_rgb, normal, grid, structure, config) -> MaskProposals:
    """Flat things of a map seen for the first time."""
    everything = np.ones(len(position), bool)
    return FlatMap(config).update(position, color_rgb, normal, grid, structure, everything)


def voxels_of(grid):
    """Solid voxels at cell centres."""
    grid = np.asarray(grid, np.int32)
    index = VoxelIndex()
    index.ensure_blocks(grid)
    block_of = np.zeros(len(grid), np.int32)
    for number, cell in enumerate(grid.tolist()):
        block = block_of[number] = find_block(index.keys, index.blocks, block_key(*(c // BLOCK_SIDE for c in cell)))
        x, y, z = (c % BLOCK_SIDE for c in cell)
        index.ids[block, (x * BLOCK_SIDE + y) * BLOCK_SIDE + z] = number
    table = np.full((len(grid), 26), -1, np.int32)
    link_neighbours(index.keys, index.blocks, index.ids, grid, table, 0, len(grid))
    position = ((grid + 0.5) * 0.02).astype(np.float32)
    gray = np.full((len(grid), 3), 128, np.float32)
    return SolidVoxels(position, gray, grid, table, np.ones(len(grid), bool), block_of, index, 0.02)


def block(x, y, z):
    """Cells of a box, each side given as (first, last + 1)."""
    axes = np.meshgrid(*[np.arange(*side) for side in (x, y, z)], indexing="ij")
    return np.stack(axes, -1).reshape(-1, 3)
