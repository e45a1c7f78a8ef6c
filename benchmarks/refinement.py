"""Damaged voxel masks before and after refinement by 2D masks, and what the stage costs on a whole home.

Every true thing of the scene is damaged: two fifths cut off by a plane; a fifth cut off and a leak to one side; not at
all. The 2D masks are those of the pipeline, or the true ones with faults.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from benchmarks.inputs import LIVING_KITCHEN, bag_folder
from benchmarks.table import Bar, Table
from moss_ros.config import LiftingConfig
from moss_ros.evaluation.carry import instance_of_rows, nearest_rows
from moss_ros.evaluation.ladder import Drive, drive
from moss_ros.lifting.refine import Refiner
from moss_ros.masks2d.oracle import IdImages, MaskNoise, OracleMasks
from moss_ros.proposals.solid_voxels import SolidVoxels
from moss_ros.records import MaskProposals
from moss_ros.warm_up import warm_up

_LEAST = 20  # voxels of a thing
_PLAIN = LiftingConfig(refine_snap_sources="")
_WAYS = {
    "voxels alone": replace(_PLAIN, refine_superpoint=2.0),
    "voxels and superpoints": _PLAIN,
    "the same, snapping": replace(_PLAIN, refine_snap_sources="damaged"),
    "the same, removing": replace(_PLAIN, refine_remove=0.1),
    "snapping and removing": replace(_PLAIN, refine_remove=0.1, refine_snap_sources="damaged"),
}
_SUPERPOINTS_ALONE = "superpoints alone"

Damage = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]  # of a mask, the solid voxels


@dataclass(frozen=True, slots=True)
class Home:
    """A scene that was driven through, and its true things as voxels."""

    done: Drive
    voxels: SolidVoxels
    things: list[np.ndarray]
    labelled: np.ndarray  # (N,) bool voxels that a true point lies next to; the others are neither right nor wrong

    @classmethod
    def of(cls, done: Drive) -> Home:
        """The things with enough voxels; a voxel belongs to the instance of most true points next to it."""
        pipeline = done.pipeline
        voxels = SolidVoxels.of(pipeline.voxels, pipeline.normals.solid)
        solid = np.flatnonzero(voxels.solid)
        nearest = nearest_rows(done.truth.points_m, voxels.position[solid])
        owner = np.full(len(voxels.solid), -1, np.int64)
        owner[solid] = instance_of_rows(nearest, done.truth.instance, len(solid))
        things = [np.flatnonzero(owner == i).astype(np.int32) for i in done.truth.evaluated_ids]
        labelled = owner >= 0
        return cls(done, voxels, [t for t in things if len(t) >= _LEAST], labelled)

    def mean_iou(self, masks: list[np.ndarray]) -> float:
        """Mean overlap with the true things, per cent."""
        overlaps = []
        for mask, thing in zip(masks, self.things, strict=True):
            common = len(np.intersect1d(mask, thing))
            overlaps.append(common / (int(self.labelled[mask].sum()) + len(thing) - common))
        return 100 * float(np.mean(overlaps))

    def refined(self, masks: list[np.ndarray], config: LiftingConfig) -> list[np.ndarray]:
        """The masks after refinement."""
        pipeline = self.done.pipeline
        asked = MaskProposals(tuple(masks), np.ones(len(masks), np.float32), ("damaged",) * len(masks))
        found = Refiner(config).update(asked, pipeline.keyframes.evidence, self.voxels, pipeline.superpoints.labels)
        return list(found.voxels)


def run(quick: bool = False) -> Table:
    """Mean IoU with the true things for each damage and way, then the cost of the stage."""
    scene = bag_folder(LIVING_KITCHEN).parent
    warm_up()
    table = Table("refinement", f"{scene.name}, every true thing damaged; mean IoU in per cent", "before")
    home = Home.of(drive(scene))
    _add_damages(table, home, "masks of the pipeline")
    _add_cost(table, home, 1 if quick else 5)
    if not quick:
        noisy = Home.of(drive(scene, OracleMasks(IdImages(scene), MaskNoise(seed=0))))
        _add_damages(table, noisy, "noisy true masks")
    return table


def _add_damages(table: Table, home: Home, masks: str) -> None:
    for damage, make in _DAMAGES.items():
        rng = np.random.default_rng(0)
        damaged = [make(t, home.voxels.position, rng) for t in home.things]
        before = home.mean_iou(damaged)
        table.add(f"{masks}: {damage}", before, "%", None, f"{len(home.things)} things, before")
        for way, config in _WAYS.items():
            after = home.refined(damaged, config)
            table.add(f"  {way}", home.mean_iou(after), "%")
            if config is _PLAIN:
                snapped = [_rounded(m, home.done.pipeline.superpoints.labels) for m in after]
                table.add(f"  {_SUPERPOINTS_ALONE}", home.mean_iou(snapped), "%")


def _add_cost(table: Table, home: Home, repeats: int) -> None:
    """Of the proposals of the last pass: all anew, after one keyframe was replaced, and when nothing changed."""
    pipeline = home.done.pipeline
    evidence, proposals = pipeline.keyframes.evidence, pipeline.proposals
    config, labels = pipeline.config.lifting, pipeline.superpoints.labels
    full, one, none = [], [], []
    for _ in range(repeats):
        refiner = Refiner(config)
        full.append(_milliseconds(lambda r=refiner: r.update(proposals, evidence, home.voxels, labels)))
        slot = evidence.slots()[-1]
        evidence.put(slot, replace(evidence.views[slot]))
        one.append(_milliseconds(lambda r=refiner: r.update(proposals, evidence, home.voxels, labels)))
        redone = refiner.redone
        none.append(_milliseconds(lambda r=refiner: r.update(proposals, evidence, home.voxels, labels)))
    note = f"{len(proposals)} proposals, {len(evidence.views)} keyframes"
    table.add("cost, everything anew", statistics.median(full), "ms CPU", Bar(150), note)
    table.add("cost, one keyframe replaced", statistics.median(one), "ms CPU", None, f"{redone} proposals redone")
    table.add("cost, nothing new", statistics.median(none), "ms CPU")


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return 1e3 * (time.process_time() - start)


def _cut(mask: np.ndarray, position: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """What remains after a plane in any direction took a share."""
    along = position[mask] @ rng.normal(size=3)
    return mask[along >= np.quantile(along, share)]


def _leaking(mask: np.ndarray, position: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A fifth is cut off, and the voxels nearest to one voxel of the mask are added, a quarter of its size."""
    kept = _cut(mask, position, rng, 0.2)
    solid = np.setdiff1d(np.flatnonzero(np.isfinite(position[:, 0])), mask)
    around = solid[np.abs(position[solid] - position[mask].mean(0)).max(1) < np.ptp(position[mask], 0).max() + 0.2]
    count = min(max(len(mask) // 4, 1), len(around))
    if not count:
        return kept
    _, rows = cKDTree(position[around]).query(position[rng.choice(mask)], k=count)
    return np.sort(np.concatenate([kept, around[np.atleast_1d(rows)]])).astype(np.int32)


def _rounded(mask: np.ndarray, superpoints: np.ndarray) -> np.ndarray:
    """Whole superpoints of which at least half lies in the mask."""
    held = np.bincount(superpoints[mask][superpoints[mask] >= 0], minlength=int(superpoints.max()) + 1)
    size = np.bincount(superpoints[superpoints >= 0], minlength=len(held))
    inside = (held > 0) & (2 * held >= size)
    return np.flatnonzero((superpoints >= 0) & inside[superpoints])


_DAMAGES: dict[str, Damage] = {
    "40 % missing": lambda mask, position, rng: _cut(mask, position, rng, 0.4),
    "20 % missing, leak": _leaking,
    "undamaged": lambda mask, position, rng: mask,
}
