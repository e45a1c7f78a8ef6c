"""The story: frames become a map, the map becomes instances. Live node and replay both call this.

frame -> voxel map -> keyframe                                         step(), every frame
map -> normals -> structure -> parts, flat things                      segment(), when there is time
keyframes -> 2D masks -> evidence -> joined views, and beside them the superpoints
all proposals -> ranking -> union -> (prompts) -> refinement on superpoints -> instances
instances -> telling views -> dense masks -> embeddings -> labels         describe(), when there is time left
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from moss_ros.config import MossConfig
from moss_ros.instances.evidence_picture import best_view, draw_evidence, ids_in_view
from moss_ros.instances.instance_map import InstanceMap
from moss_ros.language.describer import Sight
from moss_ros.language.encoders.encoder import ImageTextEncoder
from moss_ros.lifting.expansion import Expansion
from moss_ros.lifting.prompted_views import Answers, PromptedViews
from moss_ros.lifting.refine import Refiner, share_out
from moss_ros.mapping.keyframes import KeyframeGate, sharpness
from moss_ros.mapping.normals import NormalMap
from moss_ros.mapping.observed import ObservedSpace
from moss_ros.mapping.structure import Structure, StructureMap
from moss_ros.mapping.superpoints import SuperpointMap
from moss_ros.mapping.voxel_map import VoxelMap
from moss_ros.masks2d.choose import configured_prompter, configured_segmenter
from moss_ros.masks2d.keyframe_masks import KeyframeMasks
from moss_ros.masks2d.segmenter import Segmenter
from moss_ros.one_worker import OneWorker
from moss_ros.proposals.features import FEATURES, features_of
from moss_ros.proposals.flat import FlatMap
from moss_ros.proposals.measures import Measures
from moss_ros.proposals.parts import PartMap, Parts, object_proposals
from moss_ros.proposals.ranking import load_ranking
from moss_ros.proposals.shared_voxels import SharedVoxels
from moss_ros.proposals.solid_voxels import SolidVoxels
from moss_ros.proposals.union import suppress
from moss_ros.proposals.views import JoinedViews, configured_views, needs_pairs
from moss_ros.questions.query import QueryAnswer
from moss_ros.questions.query_limits import QueryError, QueryRequest
from moss_ros.questions.words import Words, configured_words
from moss_ros.records import Frame, MaskProposals, Snapshot
from moss_ros.timings import Timings

_NO_WORDS = "no model of words and pictures: pip install 'moss_ros[language]' and set language.enabled: always"


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

    def __init__(
        self,
        config: MossConfig | None = None,
        segmenter: Segmenter | None = None,
        encoder: ImageTextEncoder | None = None,
    ) -> None:
        """segmenter: makes the 2D masks; encoder: compares words and pictures; default: the configured ones."""
        self.config = config or MossConfig()
        self._segmenter = segmenter or configured_segmenter(self.config.masks)
        when = self.config.lifting.prompt if self.config.lifting.refine else "never"
        self._prompter = configured_prompter(self.config.masks, self._segmenter, when)
        self.words = configured_words(self.config, encoder)  # None without a model of words and pictures
        self.timings = Timings()
        self._ranking = load_ranking(self.config.proposals.views)
        self._beside = OneWorker()
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
        self._views = configured_views(c.proposals)
        self._measures = Measures()
        self.structure: Structure | None = None  # of the last segmentation, as parts, flat and joined
        self.parts: Parts | None = None
        self.flat = MaskProposals.join([])
        self.joined = JoinedViews(MaskProposals.join([]))
        self.keyframes = KeyframeMasks(
            c.masks, c.mapping.keyframe_budget, self._segmenter, keep_pairs=needs_pairs(c.proposals)
        )
        self.instances = InstanceMap(c.instances)
        self.candidates = MaskProposals.join([])  # of the last segmentation, from all sources
        self.features = np.zeros((0, len(FEATURES)), np.float32)  # of the candidates
        self.proposals = MaskProposals.join([])  # the sure candidates, the best first, refined and without repeats
        self.observed = ObservedSpace(c.query.observed_cell_m, max_depth_m=c.input.depth_max_m)
        self.snapshot = Snapshot(0, (), frozenset(), frozenset())  # of the last segmentation
        self._gate = KeyframeGate(c.mapping)
        self._expansion = Expansion(c.lifting)
        self._prompts = PromptedViews(c.lifting, self._prompter, self._expansion) if self._prompter else None
        self._refiner = Refiner(c.lifting)
        self._stamp_ns = 0
        if self.words is not None:
            self.words.reset()

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
                self.observed.add(frame.depth_m, frame.world_from_camera, frame.depth_camera)
                self.keyframes.add(frame, sharp, self._floor_m)
        return StepReport(accepted, done.new_voxels)

    def segment(self, full: bool = False) -> Snapshot:
        """Instances of the map as it is now. Only what changed since the last call is redone; full redoes
        every keyframe whose background changed at all."""
        c, stage, voxels = self.config, self.timings.stage, self.voxels
        with stage("normals"):
            changed = self.normals.update(voxels, voxels.take_touched())
        solid_voxels = SolidVoxels.of(voxels, self.normals.solid)
        needs_map = self._segmenter.needs_map  # other masks are lifted beside the stages that look at the map alone
        views = None if needs_map else self._beside.submit(partial(self._join_views, solid_voxels, None, full))
        superpoints = self._beside.submit(partial(self._cut_superpoints, changed))
        solid, normal, changed = self.normals.solid, self.normals.two_rings, self.normals.changed
        with stage("structure"):
            structure = self._structure_map.update(voxels.position, normal, solid, voxels.neighbours, changed)
        with stage("parts"):
            parts = self._part_map.update(solid_voxels, structure, changed)
        with stage("flat"):
            flat = self._flat_map.update(voxels.position, voxels.color, normal, voxels.grid, structure, changed)
        joined = views.result() if views else self._join_views(solid_voxels, parts.background, full)
        evidence = self.keyframes.evidence
        with stage("ranking"):
            self.structure, self.parts, self.flat, self.joined = structure, parts, flat, joined
            self.candidates = MaskProposals.join([object_proposals(parts), joined.proposals, flat])
            shared = SharedVoxels.of(self.candidates, voxels.count)
            measures = self._measures.update(self.candidates, shared, solid_voxels, normal, evidence, changed)
            self.features = features_of(self.candidates, measures, shared, structure, joined.affinity)
            ranked = self.candidates.with_scores(self._ranking.scores(self.features))
        with stage("union"):
            rows = suppress(shared.shared, ranked.scores, c.proposals.suppress_iou)
            sure = ranked.take(rows[ranked.scores[rows] >= c.proposals.map_min_score])
        answers = self._ask(sure, full)
        labels = superpoints.result()
        with stage("refine"):
            whole = self._refiner.update(sure, evidence, solid_voxels, labels, answers)
            self.proposals, owned = share_out(sure, whole, voxels.count, c.proposals)
        with stage("instances"):
            self.snapshot = self.instances.update(
                owned,
                voxels.position,
                voxels.color,
                evidence.seen,
                self.keyframes.stamps_ns(),
                self._stamp_ns,
                changed,
            )
        return self.words.tell(self.snapshot, self._floor_m) if self.words else self.snapshot

    def describe(self, limit: int | None = None) -> Snapshot:
        """Look at the instances of the last segmentation in at most `limit` keyframes (None: in all that it takes),
        and name them."""
        if self.words is None:
            return self.snapshot
        with self.timings.stage("language"):
            views, owner = self.keyframes, self.instances.owner
            sight = Sight(owner, self.voxels, views.keyframes, views.evidence.seen, self._expansion)
            return self.words.describe(self.snapshot, sight, limit, self._floor_m)

    @property
    def undescribed(self) -> int:
        """Keyframes that describe() still has to read, as far as known; 0 where there are no words."""
        return self.words.waiting if self.words else 0

    def find(self, request: QueryRequest) -> QueryAnswer:
        """Ranked instances for a question, or an honest no; from any thread. Raises QueryError, RegionError."""
        return self._with_words().find(request, self.observed)

    def embed_image(self, color_rgb: np.ndarray) -> np.ndarray:
        """(D,) embedding of an example image (H, W, 3), for find; from any thread. Raises QueryError."""
        return self._with_words().embed_image(color_rgb)

    def relabel(self, vocabulary: str | Sequence[str], min_score: float = 0.0) -> tuple[Snapshot, int]:
        """Name all instances anew, from now on in another vocabulary (see configured_labeller); returns how many
        labels changed. Raises QueryError, VocabularyError."""
        return self._with_words().relabel(self.snapshot, vocabulary, min_score, self._floor_m)

    def cloud(self) -> LabelledCloud:
        """The map for display."""
        solid = self.voxels.solid()
        owner = np.zeros(self.voxels.count, np.int32)
        owner[: len(self.instances.owner)] = self.instances.owner
        color = np.clip(np.rint(self.voxels.color[solid]), 0, 255).astype(np.uint8)
        return LabelledCloud(self.voxels.position[solid], color, owner[solid])

    def evidence_jpeg(self, instance_id: int) -> bytes | None:
        """JPEG of the view that shows most of an instance, its mask drawn; None when no keyframe sees it."""
        return next((jpeg for _, jpeg in self.evidence_jpegs([instance_id])), None)

    def evidence_jpegs(self, instance_ids: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """The same for many instances, those of one view together; leaves out what no keyframe sees."""
        owner, keyframes = self.instances.owner, self.keyframes.keyframes
        in_view: dict[int, list[int]] = {}
        for instance_id in instance_ids:
            keyframe = best_view(np.flatnonzero(owner == instance_id), self.keyframes.evidence.seen, keyframes)
            if keyframe is not None:
                in_view.setdefault(keyframe.slot, []).append(instance_id)
        for slot, together in in_view.items():
            id_buffer = ids_in_view(keyframes[slot], self.voxels, self._expansion)
            for instance_id in together:
                yield instance_id, draw_evidence(keyframes[slot], id_buffer, owner, instance_id)

    def _join_views(self, voxels: SolidVoxels, background: np.ndarray | None, full: bool) -> JoinedViews:
        """Lift the masks of the keyframes, and join what they show; background as in KeyframeMasks.refresh."""
        with self.timings.stage("masks2d"):
            self.keyframes.refresh(self.voxels, self.normals.two_rings, background, everything=full)
        with self.timings.stage(self.config.proposals.views):
            return self._views.update(self.keyframes.evidence, voxels)

    def _cut_superpoints(self, changed: np.ndarray) -> np.ndarray:
        """Superpoint (N,) of each voxel, -1 = none; changed (N,) bool as the one-ring normals are."""
        with self.timings.stage("superpoints"):
            self.superpoints.update(self.voxels, self.normals, changed)
        return self.superpoints.labels

    def _ask(self, found: MaskProposals, full: bool) -> Answers:
        """What the prompted model, where there is one, sees of the proposals in their best keyframes."""
        if self._prompts is None:
            return {}
        with self.timings.stage("prompts"):
            views = self.keyframes
            return self._prompts.update(found, views.keyframes, views.evidence, self.voxels, full)

    @property
    def _floor_m(self) -> float | None:
        """Height of the floor, once it is known."""
        return self.structure.floor_m if self.structure else None

    def _with_words(self) -> Words:
        if self.words is None:
            raise QueryError(_NO_WORDS)
        return self.words
