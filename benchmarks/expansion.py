"""Dense masks of things from a sparse map, beside fixed ways to make them.

`python -m benchmarks.expansion` prints every method and measure as the table of docs/results_expansion.md.
"""

from __future__ import annotations

import statistics
import sys
import time
from importlib.util import find_spec

import numpy as np

from benchmarks.expansion_methods import OPENCV, OURS, THINNINGS, Scores, score_rooms
from benchmarks.expansion_scene import MappedRoom, mapped_room
from benchmarks.table import Bar, Table
from moss_ros.config import LiftingConfig
from moss_ros.lifting.expansion import Expansion
from moss_ros.lifting.target_view import TargetView

_ROOMS, _VIEWS = 5, 6
_BARS = {(True, "full"): 0.92, (True, "uneven"): 0.90, (False, "full"): 0.82, (False, "uneven"): 0.76}
_MARGIN = 0.04
_FIXED = ("dilation r=3", "dilation r=7", "dilation r=13")
_BASELINE = "all methods take the same visible points; best of 3 fixed dilations, and best of all other methods"


def run(quick: bool = False) -> Table:
    """Mean overlap with the truth on rooms that no constant was chosen on, and time per view."""
    rooms, views = (1, 2) if quick else (_ROOMS, _VIEWS)
    config = LiftingConfig()
    scores = score_rooms(range(rooms), views, config)
    things = len(scores[True, "full", OURS])
    setting = f"{rooms} made-up rooms, {views} held-out views each, {things} things in views; 2 cm voxels; 640x480"
    table = Table("expansion", setting, _BASELINE)
    for with_depth in (True, False):
        for kind in THINNINGS:
            _add_overlap(table, scores, with_depth, kind)
    for name, milliseconds in _times(mapped_room(0, views=views), config).items():
        table.add(name, milliseconds, "ms", Bar(60))
    agreement = _torch_agreement(mapped_room(0, views=views), config)
    table.add("pixels on which torch agrees", agreement, "", Bar(0.999, at_least=True), "" if agreement else "no torch")
    return table


def _add_overlap(table: Table, scores: Scores, with_depth: bool, kind: str) -> None:
    means = {m: np.mean(np.array(v), 0) for (d, k, m), v in scores.items() if (d, k) == (with_depth, kind)}
    ours, boundary = means[OURS]
    limit = _BARS.get((with_depth, kind))
    title = f"IoU {'with' if with_depth else 'without'} depth, {kind}"
    p10 = np.quantile([i for i, _ in scores[with_depth, kind, OURS]], 0.1)
    table.add(
        title, ours, "", Bar(limit, at_least=True) if limit else None, f"p10 {p10:.3f}, boundary F {boundary:.3f}"
    )
    others = {m: iou for m, (iou, _) in means.items() if m not in (OURS, OPENCV)}
    fixed = max(_FIXED, key=lambda m: others[m])
    best = max(others, key=lambda m: others[m])
    table.add(f"  above {fixed}", ours - others[fixed], "", Bar(_MARGIN, at_least=True))
    table.add(f"  above {best}", ours - others[best], "", Bar(_MARGIN, at_least=True))


def _times(room: MappedRoom, config: LiftingConfig) -> dict[str, float]:
    """Median milliseconds per view of the mapping camera's optics, density up to date."""
    expansion, out = Expansion(config), {}
    for name, with_depth in (("id buffer with depth", True), ("id buffer without depth", False)):
        samples = []
        for repeat in range(4):
            for view in room.views[::2]:
                target = TargetView(view.camera, view.pose, view.depth_m if with_depth else None)
                start = time.perf_counter()
                expansion.id_buffer(room.voxels, target)
                if repeat:
                    samples.append(1e3 * (time.perf_counter() - start))
        out[name] = statistics.median(samples)
    return out


def _torch_agreement(room: MappedRoom, config: LiftingConfig) -> float | None:
    """Least share of equal pixels over a view with and one without depth; None without torch."""
    if find_spec("torch") is None:
        return None
    from dataclasses import replace

    ours, theirs = Expansion(config), Expansion(replace(config, backend="torch"))
    view = room.views[0]
    targets = [TargetView(view.camera, view.pose, depth) for depth in (view.depth_m, None)]
    return min(float(np.mean(ours.id_buffer(room.voxels, t) == theirs.id_buffer(room.voxels, t))) for t in targets)


def markdown(scores: Scores) -> str:
    """Mean IoU (10th percentile) / boundary F of every method, best first within a half."""
    columns = [(d, k) for d in (True, False) for k in THINNINGS]
    methods = sorted(
        {m for _, _, m in scores}, key=lambda m: -np.mean([i for i, _ in scores[False, "full", m] or [(0, 0)]])
    )
    head = [f"{'depth' if d else 'no depth'}, {k}" for d, k in columns]
    lines = ["| method | " + " | ".join(head) + " |", "|---" * (1 + len(columns)) + "|"]
    for method in methods:
        lines.append(f"| {method} | " + " | ".join(_cell(scores.get((*c, method), [])) for c in columns) + " |")
    return "\n".join(lines)


def _cell(pairs: list[tuple[float, float]]) -> str:
    if not pairs:
        return ""
    overlap, boundary = np.array(pairs).T
    return f"{overlap.mean():.3f} ({np.quantile(overlap, 0.1):.3f}) / {boundary.mean():.3f}"


if __name__ == "__main__":
    print(markdown(score_rooms(range(_ROOMS), _VIEWS, LiftingConfig())))
    sys.exit(0)
