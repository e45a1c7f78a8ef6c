"""`python -m benchmarks.size_prior SCENES...`: how well sizes alone tell categories apart, and what that costs.

SCENES are folders with instances.json and gt_points.npz, as `moss sim` writes them. Each scored instance is compared
with all scored categories of its scene; the rank of the right one counts. Tune nothing on what is printed here.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.table import Bar, Table, Unavailable
from moss_ros.instances.boxes import oriented_box
from moss_ros.language.sizes.size_prior import SizePrior

_TOPS = (1, 3, 10)
_SCENE = "sim_living_kitchen"
_OBJECTS = "objects/objects.json"


def run(quick: bool = False, scenes: list[Path] | None = None) -> Table:
    """Ranks in the scenes (default: the shared one) and of the shared objects; times."""
    prior = SizePrior.load()
    shared = Path(os.environ.get("MOSS_DATA", "../shared/data"))
    scenes = scenes or [shared / _SCENE]
    if missing := [str(scene) for scene in scenes if not (scene / "instances.json").exists()]:
        raise Unavailable(f"no instances.json in {', '.join(missing)}: set MOSS_DATA, or name folders of `moss sim`")
    table = Table("Categories by size alone", f"{len(prior.nouns)} nouns", "chance: every category equally likely")
    for scene in scenes:
        names, aligned, upright = scene_boxes(scene)
        _add_ranks(table, f"{scene.name}, boxes along the axes of the map", prior, names, aligned)
        _add_ranks(table, f"{scene.name}, boxes turned to the smallest footprint", prior, names, upright)
    if (shared / _OBJECTS).exists():
        entries = json.loads((shared / _OBJECTS).read_text())["objects"]
        sizes = np.array([entry["size_m"] for entry in entries])
        _add_ranks(table, "objects, boxes of the meshes", prior, [entry["category"] for entry in entries], sizes)
    _add_times(table, prior, 3 if quick else 30)
    return table


def scene_boxes(folder: Path) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Categories and extents (K, 3) of what the camera saw of the scored instances: aligned and upright boxes."""
    instances: list[dict[str, Any]] = json.loads((folder / "instances.json").read_text())["instances"]
    scored = [entry for entry in instances if entry.get("evaluate") and "visible_aabb_min" in entry]
    aligned = [np.subtract(entry["visible_aabb_max"], entry["visible_aabb_min"]) for entry in scored]
    with np.load(folder / "gt_points.npz") as points:
        xyz_m, owner = points["xyz_mm"] / 1000.0, points["instance"]
    upright = [oriented_box(xyz_m[owner == entry["id"]]).size_m for entry in scored]
    return [entry["category"] for entry in scored], np.array(aligned), np.array(upright)


def ranks(prior: SizePrior, names: list[str], extents_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rank of the right category of each box (1 = best, ties in the middle), and log-likelihoods (T, K)."""
    categories = sorted(set(names))
    found = prior.log_likelihood(categories, extents_m)
    right = found[[categories.index(name) for name in names], np.arange(len(names))]
    return 0.5 + (found > right).sum(axis=0) + 0.5 * (found == right).sum(axis=0), found


def _add_ranks(table: Table, what: str, prior: SizePrior, names: list[str], extents_m: np.ndarray) -> None:
    categories = sorted(set(names))
    rank, found = ranks(prior, names, extents_m)
    unknown = [name for name in categories if prior.guess(name).trust == 0]
    note = f"{len(names)} boxes, {len(categories)} categories, not in the table: {', '.join(unknown) or 'none'}"
    table.add(f"{what}: median rank", float(np.median(rank)), "", None, note)
    for top in _TOPS:
        table.add(f"  in the first {top}", 100 * float((rank <= top).mean()), "%", None, _chance(top, categories))
    right = [categories.index(name) for name in names]
    for weight in (0.5, 0.7, 1.0):
        odds = weight * found
        score = odds[right, np.arange(len(names))] - np.log(np.exp(odds).sum(axis=0))
        table.add(
            f"  log score at weight {weight}", float(score.mean()), "nats", None, f"{-np.log(len(categories)):.2f}"
        )


def _chance(top: int, categories: list[str]) -> str:
    return f"chance {100 * min(top / len(categories), 1):.0f} %"


def _add_times(table: Table, prior: SizePrior, repeats: int) -> None:
    rng = np.random.default_rng(0)
    extents_m, seen = np.exp(rng.uniform(-4, 1, (10_000, 3))), rng.random((10_000, 3)) < 0.6
    works: dict[str, tuple[Callable[[], object], Bar | None]] = {
        "one query, whole boxes": (lambda: prior.log_likelihood("the red mug", extents_m), Bar(2.0)),
        "one query, boxes seen in part": (lambda: prior.log_likelihood("the red mug", extents_m, seen), None),
        "300 labels, whole boxes": (lambda: prior.log_likelihood(prior.nouns[:300], extents_m), None),
    }
    for what, (work, bar) in works.items():
        table.add(f"10 000 boxes, {what}", _cpu_ms(work, repeats), "ms", bar, "CPU time")


def _cpu_ms(work: Callable[[], object], repeats: int) -> float:
    """Median: a job this short is mostly waiting for its turn on a machine that others use."""
    work()
    samples = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        samples.append(time.process_time() - start)
    return 1000 * statistics.median(samples)


def main() -> None:
    """Print the table for the scenes on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenes", nargs="*", type=Path, help="folders of `moss sim`; default: the shared scene")
    print(run(scenes=parser.parse_args().scenes))


if __name__ == "__main__":
    main()
