"""Published ways to lift 2D masks to things, written anew from their descriptions, beside ours on the same 2D masks.

All get the learned 2D masks of the same keyframes on the same voxels; scored as the map is, class-agnostic.
MaskClustering (Yan et al., CVPR 2024) is what our own view consensus is built on (proposals/consensus.py): its rows are
that code with our thresholds and with the published ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.inputs import LIVING_KITCHEN, REAL_KITCHEN, bag_folder
from benchmarks.peers_greedy import match_share_of_mask, match_visible_part
from benchmarks.peers_superpoints import TreeRules, merge_up_the_tree
from benchmarks.peers_views import LiftedThings, PeerViews
from benchmarks.table import Bar, Table, Unavailable
from moss_ros.config import ProposalConfig
from moss_ros.evaluation.ladder import Drive, drive
from moss_ros.lifting.refine import Refiner
from moss_ros.pipeline import Pipeline
from moss_ros.proposals.consensus import consensus_proposals
from moss_ros.proposals.flat import FlatMap
from moss_ros.proposals.measures import Measures
from moss_ros.proposals.parts import PartMap
from moss_ros.proposals.shared_voxels import SharedVoxels
from moss_ros.proposals.solid_voxels import SolidVoxels
from moss_ros.proposals.union import suppress
from moss_ros.proposals.views import configured_views
from moss_ros.warm_up import warm_up

Lift = Callable[[PeerViews], LiftedThings]

_PUBLISHED = replace(ProposalConfig(), consensus_containment=0.8, consensus_under_segmentation=0.3)


def _clustered(config: ProposalConfig) -> Lift:
    def lift(views: PeerViews) -> LiftedThings:
        found = consensus_proposals(views.evidence, config)
        return LiftedThings([v[views.solid[v]] for v in found.voxels], found.scores)

    return lift


_PEERS: dict[str, Lift] = {
    "Open3DIS-style, IoU .9, from 2 superpoints (published)": lambda v: merge_up_the_tree(v, TreeRules()),
    "Open3DIS-style, IoU .5, from 1 superpoint": lambda v: merge_up_the_tree(v, TreeRules(0.5, 1)),
    "Open3DIS-style, IoU .3, from 1 superpoint": lambda v: merge_up_the_tree(v, TreeRules(0.3, 1)),
    "OVIR-3D-style, IoU .3 (published)": match_visible_part,
    "OVIR-3D-style, IoU .5": lambda v: match_visible_part(v, 0.5),
    "ConceptGraphs-style, share .5 (published)": match_share_of_mask,
    "ConceptGraphs-style, share .8": lambda v: match_share_of_mask(v, 0.8, 0.9),
    "MaskClustering-style, published thresholds": _clustered(_PUBLISHED),
}
_CONSENSUS = "ours, view consensus alone"
_REFINED = "ours, view consensus ranked and refined"
_ALL = "ours, all sources ranked and refined"
_WHOLE = "ours, the map (of these the confident ones, each voxel in one)"


@dataclass(frozen=True, slots=True)
class _Result:
    """What one way reached on one scene."""

    numbers: dict[str, float]
    count: int
    cpu_s: float

    def add_to(self, table: Table, what: str) -> None:
        n = {name: 100 * self.numbers[name] for name in ("ap", "ap50", "ap25", "ap50_constant", "ap25_constant")}
        table.add(
            what,
            n["ap50"],
            "% AP50",
            None,
            f"AP {n['ap']:.1f}, AP25 {n['ap25']:.1f}; all scores equal: AP50 {n['ap50_constant']:.1f}, "
            f"AP25 {n['ap25_constant']:.1f}; {self.count} masks, {self.cpu_s:.2f} s CPU",
        )


def run(quick: bool = False) -> Table:
    """AP50 of each way on each scene (the note has AP, AP25 and seconds), then what parts ours from the best peer."""
    warm_up()
    table = Table("lifting_peers", "", "the same 2D masks lifted otherwise")
    names = []
    for name in (LIVING_KITCHEN,) if quick else (LIVING_KITCHEN, REAL_KITCHEN):
        try:
            scene = bag_folder(name).parent
        except Unavailable:
            continue
        names.append(name)
        _add_scene(table, scene)
    if not names:
        raise Unavailable("no scene with a truth: set MOSS_DATA to the folder of the shared data")
    table.setting = ", ".join(names)
    return table


def _add_scene(table: Table, scene: Path) -> None:
    done = drive(scene)
    views = PeerViews.of(done.pipeline)
    masks = sum(v.count for v in views.evidence.views.values())
    peers = {name: _measured(done, views, lift) for name, lift in _PEERS.items()}
    agreed = drive(scene, values={"proposals.views": "consensus"})
    consensus = _measured(agreed, views, _clustered(agreed.pipeline.config.proposals))
    refined = _refined_consensus(agreed)
    proposals = done.pipeline.proposals
    numbers = done.score(list(proposals.voxels), proposals.scores), done.instances()
    cost = _whole_cost(done.pipeline)
    candidates = _Result(numbers[0], len(proposals), cost)
    whole = _Result(numbers[1], len(done.snapshot.instances), cost)
    table.add(f"{scene.name}: 2D masks", masks, "", None, f"of {len(views.slots)} keyframes")
    for name, result in peers.items():
        result.add_to(table, f"  {name}")
    consensus.add_to(table, f"  {_CONSENSUS}")
    refined.add_to(table, f"  {_REFINED}")
    candidates.add_to(table, f"  {_ALL}")
    whole.add_to(table, f"  {_WHOLE}")
    for key, what in (("ap", "AP"), ("ap50", "AP50"), ("ap25", "AP25")):
        ahead = whole.numbers[key] - max(r.numbers[key] for r in peers.values())
        table.add(f"  ours ahead of the best peer, {what}", 100 * ahead, "points", Bar(0, at_least=True))


def _measured(done: Drive, views: PeerViews, lift: Lift) -> _Result:
    start = time.process_time()
    found = lift(views)
    seconds = time.process_time() - start
    scores = found.votes / max(found.votes.max(initial=0), 1e-9)
    return _Result(done.score(found.voxels, np.asarray(scores)), len(found.voxels), seconds)


def _refined_consensus(done: Drive) -> _Result:
    """The consensus by itself through the rest of the pipeline; its ranking has seen how other sources agree."""
    pipeline, c = done.pipeline, done.pipeline.config
    rows = np.array([i for i, s in enumerate(pipeline.candidates.sources) if s == "consensus"], np.int64)
    solid = SolidVoxels.of(pipeline.voxels, pipeline.normals.solid)
    evidence = pipeline.keyframes.evidence
    start = time.process_time()
    consensus_proposals(evidence, c.proposals)
    found = pipeline.candidates.take(rows).with_scores(pipeline._ranking.scores(pipeline.features[rows]))
    shared = SharedVoxels.of(found, pipeline.voxels.count).shared
    found = found.take(suppress(shared, found.scores, c.proposals.suppress_iou))
    found = Refiner(c.lifting).update(found, evidence, solid, pipeline.superpoints.labels)
    seconds = time.process_time() - start
    return _Result(done.score(list(found.voxels), found.scores), len(found), seconds)


def _whole_cost(pipeline: Pipeline) -> float:
    """CPU seconds of a pass that knows the map and its masks, but no proposals: those parts start anew."""
    c = pipeline.config
    pipeline._part_map, pipeline._flat_map = PartMap(c.proposals), FlatMap(c.proposals)
    pipeline._views, pipeline._measures = configured_views(c.proposals), Measures()
    pipeline._refiner = Refiner(c.lifting)
    start = time.process_time()
    pipeline.segment()
    return time.process_time() - start
