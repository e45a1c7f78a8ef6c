"""The scene of the association benchmark: a mapped kitchen with made-up proposals and 2D masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from benchmarks.inputs import REAL_KITCHEN, configuration, recording
from benchmarks.superpoints import Surface
from moss_ros.geometry.projection import look_up
from moss_ros.geometry.transforms import inverse
from moss_ros.mapping.voxel_map import VoxelMap
from moss_ros.records import Frame

CLASSES = 40
VOXEL_M = 0.014  # fine enough for 300 000 points
_THINGS = 150  # made-up things that the 2D masks show


@dataclass(frozen=True, slots=True)
class Scene:
    """Points, views, 2D masks and proposals; every rival reads the same."""

    points: np.ndarray  # (N, 3) float32, m
    block: np.ndarray  # (N,) int32 block of each point
    centers: np.ndarray  # (B, 3) block centres, m
    superpoint: np.ndarray  # (N,) int32, 0..S-1
    proposals: np.ndarray  # (K, S) bool: each is a union of superpoints
    depth: np.ndarray  # (V, H, W) float32, m
    camera_from_world: np.ndarray  # (V, 4, 4)
    intrinsics: np.ndarray  # (3, 3)
    labels: np.ndarray  # (V, H, W) int32: 2D mask of each pixel in its view, -1 = none
    mask_counts: np.ndarray  # (V,) 2D masks per view
    mask_class: np.ndarray  # (M,) class of each 2D mask

    @property
    def masks(self) -> np.ndarray:
        """(K, N) bool: the proposals on points."""
        return self.proposals[:, self.superpoint]


def build_scene(points: int, views: int, proposals: int, seed: int = 0) -> tuple[Scene, str]:
    """Proposals are balls of superpoints, 2D masks the cells of made-up things."""
    rng = np.random.default_rng(seed)
    frames = recording(REAL_KITCHEN)
    config = configuration(REAL_KITCHEN, mapping__voxel_size_m=VOXEL_M, mapping__min_hits=1)
    voxels = VoxelMap(config.mapping, config.input)
    chosen = set(np.linspace(0, frames.frame_count - 1, views).astype(int).tolist())
    kept = []
    for number, frame in enumerate(frames):
        if number in chosen or number % 4 == 0:
            voxels.integrate(frame)
        if number in chosen:
            kept.append(frame)
    points = min(points, voxels.count)
    ids = np.sort(rng.choice(voxels.count, points, replace=False))
    surface = Surface(config.mapping)
    surface.update(voxels, np.ones(voxels.count, bool))
    superpoint = np.unique(surface.superpoints.labels[ids], return_inverse=True)[1].astype(np.int32)
    position = voxels.position[ids]
    labels, counts = _thing_images(voxels, kept, position[rng.choice(points, _THINGS, replace=False)])
    scene = Scene(
        points=position,
        block=voxels.block[ids],
        centers=voxels.block_centers(),
        superpoint=superpoint,
        proposals=_balls(position, superpoint, proposals, rng),
        depth=np.stack([np.where(voxels.reliable(f.depth_m), f.depth_m, 0) for f in kept]),
        camera_from_world=np.stack([inverse(f.world_from_camera) for f in kept]),
        intrinsics=kept[0].depth_camera.matrix,
        labels=labels,
        mask_counts=counts,
        mask_class=rng.integers(0, CLASSES, int(counts.sum())),
    )
    return scene, frames.label


def take_views(scene: Scene, count: int) -> Scene:
    """The scene with so many of its views, evenly spread."""
    rows = np.linspace(0, len(scene.depth) - 1, count).astype(int)
    first = np.cumsum([0, *scene.mask_counts])
    classes = np.concatenate([scene.mask_class[first[v] : first[v + 1]] for v in rows])
    return Scene(
        scene.points,
        scene.block,
        scene.centers,
        scene.superpoint,
        scene.proposals,
        scene.depth[rows],
        scene.camera_from_world[rows],
        scene.intrinsics,
        scene.labels[rows],
        scene.mask_counts[rows],
        classes,
    )


def _thing_images(voxels: VoxelMap, frames: list[Frame], centers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel belongs to the thing nearest to its voxel; numbered 0.. per view."""
    thing = np.append(cKDTree(centers).query(voxels.position)[1], -1)
    images, counts = [], []
    index = voxels.index
    for frame in frames:
        image = thing[
            look_up(
                index.keys,
                index.blocks,
                index.ids,
                frame.depth_m,
                voxels.reliable(frame.depth_m),
                frame.world_from_camera,
                frame.depth_camera.matrix,
                voxels.voxel_size_m,
            )
        ]
        present, number = np.unique(image, return_inverse=True)
        missing = int(present[0] < 0)
        images.append((number.reshape(image.shape) - missing).astype(np.int32))
        counts.append(len(present) - missing)
    return np.stack(images), np.array(counts)


def _balls(position: np.ndarray, superpoint: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """(K, S) bool: superpoints whose centre lies in a ball of 0.1 to 0.6 m; at least the nearest one."""
    size = np.bincount(superpoint)
    centers = np.stack([np.bincount(superpoint, position[:, a]) / size for a in range(3)], 1)
    distance = np.linalg.norm(position[rng.choice(len(position), count)][:, None] - centers[None], axis=2)
    inside = distance < rng.uniform(0.1, 0.6, count)[:, None]
    inside[np.arange(count), distance.argmin(1)] = True
    return inside
