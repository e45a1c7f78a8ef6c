"""`python -m benchmarks.ablation SCENE...`: what each source of proposals and each part of the refinement is worth.

Every scene (a folder with bag/ and its truth) is mapped once; the stages behind the joined views are then run again
with one thing switched off or changed. Class-agnostic AP / AP50 / AP25 of the map as `moss replay --gt` scores it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmarks.inputs import LIVING_KITCHEN, REAL_KITCHEN, bag_folder
from moss_ros.config import LiftingConfig, ProposalConfig
from moss_ros.evaluation.ladder import Drive, drive
from moss_ros.lifting.refine import Refiner, share_out
from moss_ros.proposals.features import features_of
from moss_ros.proposals.measures import Measures
from moss_ros.proposals.shared_voxels import SharedVoxels
from moss_ros.proposals.solid_voxels import SolidVoxels
from moss_ros.proposals.union import suppress
from moss_ros.warm_up import warm_up

_NUMBERS = ("ap", "ap50", "ap25")


@dataclass(frozen=True, slots=True)
class Change:
    """What one row does otherwise."""

    without: tuple[str, ...] = ()  # sources
    ranked: bool = True  # False: every candidate has the same score
    proposals: dict[str, float] = field(default_factory=dict)  # values of the configuration
    lifting: dict[str, float | bool | str] = field(default_factory=dict)


CHANGES = {
    "as shipped": Change(),
    "without objects on supports": Change(without=("object",)),
    "without furniture": Change(without=("furniture",)),
    "without both": Change(without=("object", "furniture")),
    "without flat things": Change(without=("flat",)),
    "without the joined views": Change(without=("affinity", "consensus")),
    "not ranked": Change(ranked=False),
    "small masks take nothing from larger ones": Change(proposals={"map_lend_share": 0.0}),
    "no refinement": Change(lifting={"refine": False}),
    "no snapping to superpoints": Change(lifting={"refine_snap_sources": ""}),
    "no superpoints for unseen voxels": Change(lifting={"refine_superpoint": 2.0}),
    "only whole 2D masks speak": Change(lifting={"refine_inside": 1.0}),
    "added at .6": Change(lifting={"refine_add": 0.6}),
    "leaks removed at .1": Change(lifting={"refine_remove": 0.1}),
}


def measured(done: Drive, change: Change) -> dict[str, float]:
    """Numbers of the map of a scene with a change."""
    pipeline = done.pipeline
    assert pipeline.structure is not None
    proposing: ProposalConfig = replace(pipeline.config.proposals, **change.proposals)
    lifting: LiftingConfig = replace(pipeline.config.lifting, **change.lifting)
    voxels, normals, evidence = pipeline.voxels, pipeline.normals, pipeline.keyframes.evidence
    solid = SolidVoxels.of(voxels, normals.solid)
    kept = np.flatnonzero([source not in change.without for source in pipeline.candidates.sources])
    found = pipeline.candidates.take(kept)
    joined = None if "affinity" in change.without else pipeline.joined.affinity
    shared = SharedVoxels.of(found, voxels.count)
    everything = np.ones(voxels.count, bool)
    measures = Measures().update(found, shared, solid, normals.two_rings, evidence, everything)
    features = features_of(found, measures, shared, pipeline.structure, joined)
    scores = pipeline._ranking.scores(features) if change.ranked else np.ones(len(found), np.float32)
    found = found.with_scores(scores)
    rows = suppress(shared.shared, scores, proposing.suppress_iou)
    sure = found.take(rows[scores[rows] >= proposing.map_min_score])
    whole = Refiner(lifting).update(sure, evidence, solid, pipeline.superpoints.labels)
    _, owned = share_out(sure, whole, voxels.count, proposing)
    return done.score(list(owned.voxels), owned.scores)


def markdown(scenes: list[str], rows: dict[str, list[dict[str, float]]]) -> str:
    """Table: the first row in full, the others as gains over it."""
    base = next(iter(rows.values()))
    lines = [f"| gain over the first row | {' | '.join(scenes)} | mean |", "|---" * (len(scenes) + 2) + "|"]
    for number, (name, results) in enumerate(rows.items()):
        cells = [[100 * (r[n] - b[n] * (number > 0)) for n in _NUMBERS] for r, b in zip(results, base, strict=True)]
        cells.append(list(np.mean(cells, 0)))
        lines.append(f"| {name} | " + " | ".join(_figures(cell, sign=number > 0) for cell in cells) + " |")
    return "\n".join(lines)


def _figures(values: list[float], sign: bool = False) -> str:
    return " / ".join(f"{value:+.1f}" if sign else f"{value:.1f}" for value in values)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation", description=__doc__)
    parser.add_argument("scenes", type=Path, nargs="*", help="default: the scenes of the shared data")
    folders = parser.parse_args().scenes or [bag_folder(name).parent for name in (REAL_KITCHEN, LIVING_KITCHEN)]
    warm_up()
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in CHANGES}
    for folder in folders:
        done = drive(folder, values={"language.enabled": "never"})
        for name, change in CHANGES.items():
            rows[name].append(measured(done, change))
            figures = _figures([100 * rows[name][-1][n] for n in _NUMBERS])
            print(f"{folder.name}  {name}: {figures}", flush=True)
    print("\n" + markdown([folder.name for folder in folders], rows))


if __name__ == "__main__":
    main()
