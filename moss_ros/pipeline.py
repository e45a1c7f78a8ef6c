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
from moss_ros.lifting.expansion import Expansion
from moss_ros.mapping.keyframes import KeyframeGate, sharpness
from moss_ros.mapping.normals import NormalMap
from moss_ros.mapping.structure import Structure, StructureMap
from moss_ros.mapping.superpoints import SuperpointMap
from moss_ros.mapping.voxel_map import VoxelMap
from moss_ros.masks2d.choose import configured_segmenter
from moss_ros.masks2d.keyframe_masks import KeyframeMasks
from moss_ros.masks2d.segmenter import Segmenter
from moss_ros.proposals.consensus import ConsensusMap
from moss_ros.proposals.features import FEATURES, FeatureMap
from moss_ros.proposals.flat import FlatMap
from moss_ros.proposals.parts import PartMap, Parts, object_proposals
from moss_ros.proposals.ranking import load_ranking
from moss_ros.proposals.shared_voxels import SharedVoxels
from moss_ros.proposals.solid_voxels import SolidVoxels
from moss_ros.proposals.union import exclusive, suppress
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

    def __init__(self, config: MossConfig | None = None, segmenter: Segmenter | None = None) -> None:
        """segmenter: makes the 2D masks; default: the configured one."""
        self.config = config or MossConfig()
        self._segmenter = segmenter or configured_segmenter(self.config.masks)
        self.timings = Timings()
        self._ranking = load_ranking()
        self.reset()

    def reset(self) -> None:
        """Forget the map, the keyframes and the instances."""
        c = self.config
        self.voxels = VoxelMap(c.mapping, c.input)
        self.normals = NormalMap()
        self.superpoints = SuperpointMap(c.mapping.superpoint_k, c.mapping.superpoint_min_voxels)
        self._structure_map = StructureMap(c.structure, c.mapping.voxel_size_m)
        self._part_map = PartMap(c.proposals)
        self._flat_map = FlatMap(c.proposals)
        self._consensus = ConsensusMap(c.proposals)
        self._feature_map = FeatureMap()
        self.structure: Structure | None = None  # of the last segmentation, as parts and flat
        self.parts: Parts | None = None
        self.flat = MaskProposals.join([])
        self.keyframes = KeyframeMasks(c.masks, c.mapping.keyframe_budget, self._segmenter)
        self.instances = InstanceMap(c.instances)
        self.candidates = MaskProposals.join([])  # of the last segmentation, from all sources
        self.features = np.zeros((0, len(FEATURES)), np.float32)  # of the candidates
        self.proposals = MaskProposals.join([])  # the candidates ranked, without repeats, also the unsure ones
        self._gate = KeyframeGate(c.mapping)
        self._expansion = Expansion(c.lifting)
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
                self.keyframes.add(frame, sharp, self.structure.floor_m if self.structure else None)
        return StepReport(accepted, done.new_voxels)

    def segment(self, full: bool = False) -> Snapshot:
        """Instances of the map as it is now. Only what changed since the last call is redone; full redoes
        every keyframe whose background changed at all."""
        c, stage, voxels = self.config, self.timings.stage, self.voxels
        with stage("normals"):
            changed = self.normals.update(voxels, voxels.take_touched())
        with stage("superpoints"):
            self.superpoints.update(voxels, self.normals, changed)
        solid, normal, changed = self.normals.solid, self.normals.two_rings, self.normals.changed
        with stage("structure"):
            structure = self._structure_map.update(voxels.position, normal, solid, voxels.neighbours, changed)
        with stage("parts"):
            solid_voxels = SolidVoxels.of(voxels, solid)
            parts = self._part_map.update(solid_voxels, structure, changed)
        with stage("flat"):
            flat = self._flat_map.update(voxels.position, voxels.color, normal, voxels.grid, structure, changed)
        with stage("masks2d"):
            self.keyframes.refresh(voxels, normal, parts.background, everything=full)
        with stage("consensus"):
            agreed = self._consensus.update(self.keyframes.evidence, solid)
        with stage("ranking"):
            self.structure, self.parts, self.flat = structure, parts, flat
            self.candidates = MaskProposals.join([object_proposals(parts), agreed, flat])
            shared = SharedVoxels.of(self.candidates, voxels.count)
            self.features = self._feature_map.update(
                self.candidates, shared, solid_voxels, voxels.color, normal, structure, self.keyframes.evidence, changed
            )
            ranked = self.candidates.with_scores(self._ranking.scores(self.features))
        with stage("union"):
            self.proposals = ranked.take(suppress(shared.shared, ranked.scores, c.proposals.suppress_iou))
            owned, _ = exclusive(self.proposals, voxels.count, c.proposals)
        with stage("instances"):
            return self.instances.update(
                owned,
                voxels.position,
                voxels.color,
                self.keyframes.evidence.seen,
                self.keyframes.stamps_ns(),
                self._stamp_ns,
                changed,
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
        return None if keyframe is None else draw_evidence(keyframe, self.voxels, self._expansion, owner, instance_id)
