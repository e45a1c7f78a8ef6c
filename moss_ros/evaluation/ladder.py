"""The ladder: what the pipeline reaches on a simulated scene as it is, with perfect parts, and with faults.

Each variant drives the real pipeline once, with another frame stream or another maker of 2D masks, and reads one or
more rows from the result. Rows are the numbers of `class_agnostic.numbers`; those of several draws are averaged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from moss_ros.config import from_flat
from moss_ros.evaluation.carry import instance_of_rows, masks_from_voxels, nearest_rows
from moss_ros.evaluation.class_agnostic import MIN_POINTS, numbers
from moss_ros.evaluation.ground_truth import GroundTruth, load_folder
from moss_ros.evaluation.ladder_streams import AlteredFrames, keep_every, with_jitter
from moss_ros.evaluation.ladder_truth import min_points_in_map, truth_in_map
from moss_ros.evaluation.overlaps import columns_by_flag, count_overlaps
from moss_ros.masks2d.oracle import IdImages, MaskNoise, OracleMasks
from moss_ros.masks2d.segmenter import Segmenter
from moss_ros.pipeline import Pipeline
from moss_ros.proposals.consensus import consensus_proposals
from moss_ros.records import Frame, InstanceState, Snapshot
from moss_ros.replay.bag import BagSource, guess_topics
from moss_ros.replay.run import FrameSource, run_frames

ODOMETRY = {"input.pose_source": "pose", "input.pose_topic": "/camera/pose_noisy"}
DRAWS = 3  # of everything random

Rows = dict[str, dict[str, float]]  # name of the row -> its numbers


@dataclass(frozen=True, slots=True)
class Variant:
    """One drive through a scene."""

    name: str
    rows: Callable[[Path], Rows]  # of a scene folder


@dataclass(frozen=True, slots=True)
class Drive:
    """A scene that was driven through and segmented."""

    pipeline: Pipeline
    snapshot: Snapshot
    source: FrameSource
    truth: GroundTruth

    def score(self, masks: list[np.ndarray], scores: np.ndarray, truth: GroundTruth | None = None) -> dict[str, float]:
        """Numbers of masks, given as voxel ids, against the true surface, or against truth on the solid voxels."""
        voxels = self.pipeline.voxels
        solid = np.flatnonzero(voxels.solid())
        row = np.full(voxels.count, -1, np.int64)
        row[solid] = np.arange(len(solid))
        rows = [row[m][row[m] >= 0] for m in masks]
        if truth is None:
            nearest = nearest_rows(self.truth.points_m, voxels.position[solid])
            least = MIN_POINTS
        else:
            nearest, least = np.arange(len(solid)), min_points_in_map(voxels.voxel_size_m)
        overlaps = count_overlaps(masks_from_voxels(rows, len(solid)), columns_by_flag(truth or self.truth), nearest)
        return numbers(overlaps, scores, min_points=least)

    def instances(self, truth: GroundTruth | None = None) -> dict[str, float]:
        """Numbers of the map, the same as `moss replay --gt`."""
        gone = (InstanceState.MISSING, InstanceState.REMOVED)
        there = [i for i in self.snapshot.instances if i.state not in gone]
        owner = self.pipeline.instances.owner
        masks = [np.flatnonzero(owner == i.id) for i in there]
        return self.score(masks, np.array([i.score for i in there]), truth)

    def consensus(self) -> dict[str, float]:
        """Numbers of the view consensus alone: no rules for objects, furniture or flat things."""
        pipeline = self.pipeline
        found = consensus_proposals(pipeline.keyframes.evidence, pipeline.config.proposals)
        return self.score(list(found.voxels), found.scores)

    def voxel_oracle(self) -> dict[str, float]:
        """Numbers when each voxel belongs to the instance of most true points whose nearest voxel it is."""
        solid = np.flatnonzero(self.pipeline.voxels.solid())
        nearest = nearest_rows(self.truth.points_m, self.pipeline.voxels.position[solid])
        owner = instance_of_rows(nearest, self.truth.instance, len(solid))
        masks = [solid[owner == i] for i in self.truth.evaluated_ids]
        return self.score(masks, np.ones(len(masks)))


def drive(
    scene: Path,
    segmenter: Segmenter | None = None,
    change: Callable[[Frame], Frame] | None = None,
    values: dict[str, Any] | None = None,
    every: int = 1,
) -> Drive:
    """Map a scene as `moss replay` does.

    segmenter: other maker of masks; change: what is done to each frame; values: configuration; every: share of the
    keyframes that is kept.
    """
    config = from_flat({**guess_topics(scene / "bag"), **(values or {})})
    source: FrameSource = BagSource(scene / "bag", config)
    if change is not None:
        source = AlteredFrames(source, change)
    pipeline = Pipeline(config, segmenter)
    keep_every(pipeline, every)
    run_frames(pipeline, source, progress=False)
    return Drive(pipeline, pipeline.segment(full=True), source, load_folder(scene))


def as_it_is(scene: Path) -> Rows:
    """The pipeline, the best that its voxels allow, and what the drift row has to be compared with."""
    done = drive(scene)
    own = truth_in_map(done.pipeline.voxels, done.source, IdImages(scene), done.truth)
    return {
        "pipeline": done.instances(),
        "voxel oracle": done.voxel_oracle(),
        "true poses, truth on the map": done.instances(own),
    }


def true_masks(scene: Path, name: str = "true masks", noise: MaskNoise | None = None) -> Rows:
    """True 2D masks: the consensus alone, and in the full recipe."""
    done = drive(scene, OracleMasks(IdImages(scene), noise))
    return {f"{name}, consensus": done.consensus(), f"{name}, full recipe": done.instances()}


def drifting(scene: Path) -> Rows:
    """Poses of the odometry; truth is what the id images show on the voxels of the drifting map."""
    done = drive(scene, values=ODOMETRY)
    own = truth_in_map(done.pipeline.voxels, done.source, IdImages(scene), done.truth)
    return {"drifting odometry, truth on the map": done.instances(own)}


def jittered(scene: Path, draw: int) -> Rows:
    """Each pose with its own small error, and what the voxels of that map would allow."""
    done = drive(scene, change=partial(with_jitter, seed=draw))
    return {"pose jitter": done.instances(), "pose jitter, voxel oracle": done.voxel_oracle()}


def sparse(scene: Path, every: int, name: str) -> Rows:
    """Fewer keyframes."""
    return {name: drive(scene, every=every).instances()}


def noisy(scene: Path, draw: int) -> Rows:
    """True masks with faults."""
    return true_masks(scene, "noisy true masks", MaskNoise(seed=draw))


VARIANTS = (
    Variant("as_it_is", as_it_is),
    Variant("true_masks", true_masks),
    *(Variant(f"noisy_masks_{draw}", partial(noisy, draw=draw)) for draw in range(DRAWS)),
    Variant("drift", drifting),
    *(Variant(f"jitter_{draw}", partial(jittered, draw=draw)) for draw in range(DRAWS)),
    Variant("half_keyframes", partial(sparse, every=2, name="every second keyframe")),
    Variant("quarter_keyframes", partial(sparse, every=4, name="every fourth keyframe")),
)
