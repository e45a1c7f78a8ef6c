"""Pictures of the report as PNG data: map beside truth, bars per class, best and worst things, latency."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from moss_ros.evaluation.ground_truth import GroundTruth
from moss_ros.evaluation.metrics import Evaluation
from moss_ros.evaluation.run_files import RunFiles
from moss_ros.instances.colors import color_of

_CELL_M = 0.02
_CEILING_M = 2.1  # what hangs higher above the lowest point would hide the room
_GREY, _BLACK = (205, 205, 205), (30, 30, 30)
_GOOD, _FAIR, _BAD = "#3b7a57", "#c98b2b", "#b3392f"
_FITS = 0.25  # IoU from which a mask gets the colour of the true thing


def side_by_side(run: RunFiles, truth: GroundTruth, result: Evaluation) -> str:
    """Top views of map and truth: one colour for a thing on both sides, black for masks that fit nothing."""
    from matplotlib.figure import Figure

    scored = {int(i): color_of(int(i)) for i in result.overlaps.truth.ids}
    true_colors = _paint(truth.instance, scored)
    map_colors = np.full((len(run.points_m), 3), _GREY, np.uint8)
    owner = _owners(result)
    for row in np.argsort(-run.masks.getnnz(axis=1), kind="stable"):  # small things over large ones
        map_colors[run.masks[int(row)].indices] = scored.get(int(owner[row]), _BLACK if owner[row] else _GREY)
    low, high = truth.points_m[:, :2].min(0) - 0.1, truth.points_m[:, :2].max(0) + 0.1
    figure = Figure(figsize=(13, 1 + 6.2 * float(np.clip((high - low)[1] / (high - low)[0], 0.4, 1.6))), dpi=90)
    titles = (f"Map: {len(run.ids)} instances", f"Truth: {len(scored)} scored things")
    for number, (points, colors) in enumerate(((run.points_m, map_colors), (truth.points_m, true_colors))):
        axes = figure.add_subplot(1, 2, number + 1)
        extent = (low[0], high[0], low[1], high[1])
        axes.imshow(_top_view(points, colors, low, high), origin="lower", extent=extent, interpolation="nearest")
        axes.set_title(titles[number], loc="left")
        axes.set_xlabel("x in metres")
    figure.tight_layout()
    return _png(figure)


def bars(values: Mapping[str, float], title: str) -> str:
    """One bar for each name, best first."""
    from matplotlib.figure import Figure

    names = sorted(values, key=lambda name: -values[name])
    figure = Figure(figsize=(13, 3.6), dpi=90)
    axes = figure.add_subplot()
    heights = [values[name] for name in names]
    colors = [_GOOD if h > 0.5 else _FAIR if h > 0.25 else _BAD for h in heights]
    axes.bar(range(len(names)), heights, color=colors)
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=8)
    axes.set_ylim(0, 1)
    axes.set_xlim(-0.6, len(names) - 0.4)
    axes.axhline(0.5, color="grey", linewidth=0.7)
    axes.set_title(title, loc="left")
    figure.tight_layout()
    return _png(figure)


def things(run: RunFiles, truth: GroundTruth, result: Evaluation, ids: Sequence[int], title: str) -> str:
    """Small pictures of true things and their best masks: green = both, blue = missed, orange = too much."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 2.5), dpi=90)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    best = result.metrics["class_agnostic"]["best_iou"]
    for number, thing in enumerate(ids):
        axes = figure.add_subplot(1, max(len(ids), 6), number + 1)
        for points, color in _agreement(run, truth, result, thing):
            axes.scatter(points[:, 0], points[:, 1], s=0.5, color=color, rasterized=True)
        axes.set_aspect("equal", adjustable="datalim")
        axes.set_axis_off()
        name = truth.instances[thing].name
        name = name if len(name) <= 24 else name[:23] + "…"
        axes.set_title(f"{thing} {name}\nIoU {best[str(thing)]:.2f}", fontsize=8)
    figure.tight_layout()
    return _png(figure)


def latency(stages: Mapping[str, Mapping[str, Any]]) -> str:
    """Median (bar) and 95th percentile (line) of each stage, on a logarithmic axis."""
    from matplotlib.figure import Figure

    names = list(stages)[::-1]
    figure = Figure(figsize=(13, 0.8 + 0.3 * len(names)), dpi=90)
    axes = figure.add_subplot()
    median = np.maximum([stages[n]["median_ms"] for n in names], 1e-3)
    high = np.maximum([stages[n]["p95_ms"] for n in names], median)
    axes.barh(names, median, color="#4a6fa5")
    axes.hlines(range(len(names)), median, high, color="#222222")
    axes.set_xscale("log")
    axes.set_xlabel("milliseconds: bar = median, line = up to the 95th percentile")
    figure.tight_layout()
    return _png(figure)


def _owners(result: Evaluation) -> np.ndarray:
    """(K,) true id that each mask fits best; -1 = a mask that fits nothing; 0 = it lies mostly on void."""
    overlaps = result.overlaps
    shared = overlaps.counts.toarray()
    union = overlaps.mask_points[:, None] + overlaps.truth.points[None] - shared
    iou = shared / np.maximum(union, 1)
    owner = np.full(len(shared), -1, np.int64)
    if shared.shape[1] and len(shared):
        column = iou.argmax(axis=1)
        fits = iou[np.arange(len(iou)), column] > _FITS
        owner[fits] = overlaps.truth.ids[column[fits]]
        owner[~fits & (overlaps.void_points > 0.5 * overlaps.mask_points)] = 0
    owner[overlaps.mask_points == 0] = 0
    return owner


def _agreement(run: RunFiles, truth: GroundTruth, result: Evaluation, thing: int) -> list[tuple[np.ndarray, str]]:
    """(points seen along the narrowest direction (n, 2), colour) of missed, extra and common surface."""
    overlaps = result.overlaps
    column = int(np.searchsorted(overlaps.truth.ids, thing))
    shared = overlaps.counts[:, column].toarray().ravel()
    iou = shared / np.maximum(overlaps.mask_points + overlaps.truth.points[column] - shared, 1)
    in_mask = np.zeros(len(truth.instance), bool)
    if len(iou) and iou.max() > 0:
        member = np.zeros(len(run.points_m) + 1, bool)  # the last one stands for "none"
        member[run.masks[int(iou.argmax())].indices] = True
        in_mask = member[result.nearest]
    mine = truth.instance == thing
    center = np.median(truth.points_m[mine], axis=0)
    across = np.sort(np.argsort(np.ptp(truth.points_m[mine], axis=0))[1:])
    near = np.abs(truth.points_m - center).max(axis=1) < 0.75 * np.ptp(truth.points_m[mine], axis=0).max() + 0.05
    parts = ((~in_mask & mine, "#2b6cb0"), (in_mask & ~mine & near, "#dd8a1f"), (in_mask & mine, "#2f8f4e"))
    return [(_thin(truth.points_m[part][:, across]), color) for part, color in parts]


def _thin(points: np.ndarray, most: int = 4000) -> np.ndarray:
    return points[:: max(1, len(points) // most)]


def _paint(ids: np.ndarray, colors: Mapping[int, tuple[int, int, int]]) -> np.ndarray:
    """(P, 3) uint8 colour of each id; ids without a colour are grey."""
    table = np.full((int(ids.max(initial=0)) + 1, 3), _GREY, np.uint8)
    for number, color in colors.items():
        table[number] = color
    return table[ids]


def _top_view(points_m: np.ndarray, colors: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(rows, columns, 3) uint8; the highest point below the ceiling shows, row 0 at the lowest y."""
    columns, rows = (np.ceil((high - low) / _CELL_M).astype(int) + 1).tolist()
    picture = np.full((rows, columns, 3), 255, np.uint8)
    if not len(points_m):
        return picture
    inside = ((points_m[:, :2] >= low) & (points_m[:, :2] <= high)).all(axis=1)
    shown = inside & (points_m[:, 2] < np.percentile(points_m[:, 2], 0.5) + _CEILING_M)
    points_m, colors = points_m[shown], colors[shown]
    order = np.argsort(points_m[:, 2], kind="stable")
    cell = ((points_m[order, :2] - low) / _CELL_M).astype(int)
    picture[cell[:, 1], cell[:, 0]] = colors[order]
    return picture


def _png(figure: Any) -> str:
    """The figure as a data URI."""
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode("ascii")
