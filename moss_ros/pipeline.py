"""The story: frames become a map, the map becomes instances. Live node and replay both call this.

frame -> voxel map -> keyframe                                         step(), every frame
map -> normals -> superpoints -> structure -> parts                    segment(), when there is time
keyframes -> 2D masks -> evidence -> consensus -> union -> instances
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moss_ros.config import MossConfig
from moss_ros.instances.evidence_picture import best_view, draw_evidence
from moss_ros.instances.instance_map import InstanceMap
from moss_ros.mapping.keyframes import KeyframeGate, sharpness
from moss_ros.mapping.normals import NormalMap
from moss_ros.mapping.structure import find_structure
from moss_ros.mapping.superpoints import SuperpointMap
from moss_ros.mapping.voxel_map import VoxelMap
from moss_ros.masks2d.keyframe_masks import KeyframeMasks
from moss_ros.proposals.consensus import consensus_proposals
from moss_ros.proposals.flat import flat_proposals
from moss_ros.proposals.objects import SolidVoxels, find_parts, object_proposals
from moss_ros.proposals.union import exclusive, unite
from moss_ros.records import Frame, MaskProposals, Snapshot
from moss_ros.timings import Timings


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one frame did."""

    is_keyframe: bool
    new_voxels: int


@dataclass(frozen=True, slots=True)
class LabelledCloud:
    """The solid voxels with the instance that owns each (0 = none)."""

    points_m: np.ndarray  # (N, 3) float32, world
    colors_rgb: np.ndarray  # (N, 3) uint8
    instance_ids: np.ndarray  # (N,) int32


class Pipeline:
    """Not thread-safe: one worker owns it."""

    def __init__(self, config: MossConfig | None = None) -> None:
        self.config = config or MossConfig()
        self.timings = Timings()
        self.reset()

    def reset(self) -> None:
        """Forget the map, the keyframes and the instances."""
        c = self.config
        self.voxels = VoxelMap(c.mapping, c.input)
        self.normals = NormalMap()
        self.superpoints = SuperpointMap(c.mapping.superpoint_k, c.mapping.superpoint_min_voxels)
        self.keyframes = KeyframeMasks(c.masks, c.mapping.keyframe_budget)
        self.instances = InstanceMap(c.instances)
        self.proposals = MaskProposals.join([])  # all of the last segmentation, also the unsure ones
        self._gate = KeyframeGate(c.mapping)
        self._stamp_ns = 0

    def step(self, frame: Frame) -> StepReport:
        """Add a frame to the map, and keep it as a keyframe when it shows something new."""
        with self.timings.stage("integrate"):
            done = self.voxels.integrate(frame)
        self._stamp_ns = frame.stamp_ns
        with self.timings.stage("keyframe"):
            sharp = sharpness(frame.color_rgb)
            accepted = self._gate.accepts(frame, sharp, done.new_pixels / max(done.pixels, 1))
            if accepted:
                self.voxels.count_see_through(self.voxels.view(frame))
                self.keyframes.add(frame, sharp)
        return StepReport(accepted, done.new_voxels)

    def segment(self, full: bool = False) -> Snapshot:
        """Instances of the map as it is now. Only what changed since the last call is redone; full redoes
        every keyframe whose background changed at all."""
        c, stage, voxels = self.config, self.timings.stage, self.voxels
        with stage("normals"):
            changed = self.normals.update(voxels, voxels.take_touched())
        with stage("superpoints"):
            self.superpoints.update(voxels, self.normals, changed)
        solid, normal = self.normals.solid, self.normals.two_rings
        with stage("structure"):
            structure = find_structure(
                voxels.position, normal, solid, voxels.neighbours, voxels.voxel_size_m, c.structure
            )
        with stage("parts"):
            view = SolidVoxels(
                voxels.position, voxels.grid, voxels.neighbours, solid, voxels.index, voxels.voxel_size_m
            )
            parts = find_parts(view, structure, c.proposals)
        with stage("flat"):
            flat = flat_proposals(voxels.position, voxels.color, normal, voxels.grid, structure, c.proposals)
        with stage("masks2d"):
            self.keyframes.refresh(voxels, normal, parts.background, everything=full)
        with stage("consensus"):
            agreed = consensus_proposals(self.keyframes.evidence, c.proposals)
        with stage("union"):
            self.proposals = unite(
                object_proposals(parts),
                flat,
                agreed,
                voxels.position,
                structure.is_structure,
                voxels.voxel_size_m,
                c.proposals,
            )
            owned, _ = exclusive(self.proposals, voxels.count, c.proposals.map_min_score)
        with stage("instances"):
            return self.instances.update(
                owned,
                voxels.position,
                voxels.color,
                self.keyframes.evidence.seen,
                self.keyframes.stamps_ns(),
                self._stamp_ns,
            )

    def cloud(self) -> LabelledCloud:
        """The map for display."""
        solid = self.voxels.solid()
        owner = np.zeros(self.voxels.count, np.int32)
        owner[: len(self.instances.owner)] = self.instances.owner
        color = np.clip(np.rint(self.voxels.color[solid]), 0, 255).astype(np.uint8)
        return LabelledCloud(self.voxels.position[solid], color, owner[solid])

    def evidence_jpeg(self, instance_id: int) -> bytes | None:
        """JPEG of the view that shows most of an instance, its mask drawn; None when no keyframe sees it."""
        owner = self.instances.owner
        views = self.keyframes
        keyframe = best_view(np.flatnonzero(owner == instance_id), views.evidence.seen, views.keyframes)
        return None if keyframe is None else draw_evidence(keyframe, self.voxels, owner, instance_id)
