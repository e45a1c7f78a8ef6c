"""Frozen records that pass between the stages.

Letters: H, W image size; N voxels; K masks or instances.
Frames: ``world`` is the map frame (metric, z up, REP 105); ``camera`` is the optical frame
(x right, y down, z forward, REP 103). Times are integer nanoseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from moss_ros.geometry.camera import Camera


@dataclass(frozen=True, slots=True)
class Frame:
    """One RGB-D image pair with its pose; depth is registered to the colour camera's optical frame."""

    stamp_ns: int
    color_rgb: np.ndarray  # (H, W, 3) uint8
    color_camera: Camera
    depth_m: np.ndarray  # (h, w) float32, 0 = no measurement
    depth_camera: Camera
    world_from_camera: np.ndarray  # (4, 4) float64

    def __post_init__(self) -> None:
        _require(self.color_rgb.dtype == np.uint8, "color_rgb must be uint8")
        _require(self.depth_m.dtype == np.float32, "depth_m must be float32 metres")
        _require(
            self.color_rgb.shape == (self.color_camera.height, self.color_camera.width, 3),
            f"colour image is {self.color_rgb.shape}, its camera is "
            f"{self.color_camera.height} x {self.color_camera.width}",
        )
        _require(
            self.depth_m.shape == (self.depth_camera.height, self.depth_camera.width),
            f"depth image is {self.depth_m.shape}, its camera is "
            f"{self.depth_camera.height} x {self.depth_camera.width}",
        )
        _require(
            self.world_from_camera.shape == (4, 4) and bool(np.isfinite(self.world_from_camera).all()),
            "world_from_camera must be a finite 4x4 matrix",
        )


@dataclass(frozen=True, slots=True)
class MaskProposals:
    """K class-agnostic masks over voxels; masks may overlap."""

    voxels: tuple[np.ndarray, ...]  # K arrays of sorted unique int32 voxel ids
    scores: np.ndarray  # (K,) float32 in [0, 1]
    sources: tuple[str, ...]  # K names of the stage that proposed the mask

    def __post_init__(self) -> None:
        _require(len(self.voxels) == len(self.scores) == len(self.sources), "one score and source per mask")

    def __len__(self) -> int:
        return len(self.voxels)

    def take(self, rows: np.ndarray) -> MaskProposals:
        """The proposals at the given row numbers, in that order."""
        return MaskProposals(
            voxels=tuple(self.voxels[i] for i in rows),
            scores=self.scores[rows],
            sources=tuple(self.sources[i] for i in rows),
        )

    def with_scores(self, scores: np.ndarray) -> MaskProposals:
        """The same masks with other scores (K,)."""
        return MaskProposals(self.voxels, scores.astype(np.float32), self.sources)

    @staticmethod
    def join(parts: list[MaskProposals]) -> MaskProposals:
        """All proposals of several sets, in order."""
        return MaskProposals(
            voxels=tuple(v for part in parts for v in part.voxels),
            scores=np.concatenate([p.scores for p in parts]) if parts else np.zeros(0, np.float32),
            sources=tuple(s for part in parts for s in part.sources),
        )


class InstanceState(IntEnum):
    """Life of an instance; values equal the constants of moss_msgs/Instance."""

    TENTATIVE = 0
    CONFIRMED = 1
    MISSING = 2
    REMOVED = 3


@dataclass(frozen=True, slots=True)
class OrientedBox:
    """Box with vertical z axis: world_from_box is a yaw turn and a translation to the centre."""

    center_m: np.ndarray  # (3,) float64, world
    size_m: np.ndarray  # (3,) float64 full extents along the box axes
    yaw_rad: float  # turn of the box about world z


@dataclass(frozen=True, slots=True)
class Instance:
    """One object of the map at the moment of a snapshot."""

    id: int  # stable for the life of the map
    state: InstanceState
    box: OrientedBox
    centroid_m: np.ndarray  # (3,) float64, world
    points_m: np.ndarray  # (N, 3) float32, world, voxel means
    colors_rgb: np.ndarray  # (N, 3) uint8
    score: float  # confidence of the mask, [0, 1]
    label: str  # "object" until language names it
    label_score: float  # [0, 1]
    first_seen_ns: int
    last_seen_ns: int
    observations: int  # keyframes that saw at least a tenth of its voxels
    source: str  # the proposal stage its mask came from


@dataclass(frozen=True, slots=True)
class Embeddings:
    """What K instances look like, in the space of one model of words and pictures."""

    model: str
    ids: np.ndarray  # (K,) int32 instance ids
    mean: np.ndarray  # (K, D) float32 unit: weighted mean over the views; zeros = not looked at yet
    best: np.ndarray  # (K, D) float32 unit: the most telling view
    views: np.ndarray  # (K,) int32 views behind it
    looks_from_m: np.ndarray  # (K, 3) float32 mean place of the camera in those views, world


@dataclass(frozen=True, slots=True)
class IdentityEvent:
    """One line of the merge/split log."""

    stamp_ns: int
    kind: str  # "new", "merge", "split", "lost"
    id: int
    others: tuple[int, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the map knows after one segmentation; the node publishes it, replay writes it."""

    stamp_ns: int
    instances: tuple[Instance, ...]
    changed_ids: frozenset[int]  # new or different since the snapshot before
    removed_ids: frozenset[int]  # gone since the snapshot before


def rows_of(embeddings: Embeddings, ids: Sequence[int]) -> Embeddings:
    """The embeddings of these instances, in this order; zeros for the ones it does not have."""
    row = {int(i): number for number, i in enumerate(embeddings.ids)}
    rows = np.array([row.get(int(i), -1) for i in ids], np.int64)
    known = rows >= 0

    def taken(table: np.ndarray) -> np.ndarray:
        out = np.zeros((len(rows), *table.shape[1:]), table.dtype)
        out[known] = table[rows[known]]
        return out

    return Embeddings(
        embeddings.model,
        np.array(ids, np.int32),
        taken(embeddings.mean),
        taken(embeddings.best),
        taken(embeddings.views),
        taken(embeddings.looks_from_m),
    )


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
