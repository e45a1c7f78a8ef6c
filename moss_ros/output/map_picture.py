"""map.png: the map from above, instances coloured and numbered, with a legend a person can read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from moss_ros.instances.colors import color_of
from moss_ros.records import Instance

_CELL_M = 0.02
_CEILING_M = 2.1  # what hangs higher above the lowest point would hide the room


def write_map_picture(
    path: Path,
    points_m: np.ndarray,
    colors_rgb: np.ndarray,
    instance_ids: np.ndarray,
    instances: tuple[Instance, ...],
    title: str,
) -> None:
    """Top view of a labelled cloud: points (N, 3), colours (N, 3) uint8, instance id per point (0 = none)."""
    from matplotlib.figure import Figure  # slow to import and only needed here

    image, corner = _top_view(points_m, colors_rgb, instance_ids)
    height_m, width_m = image.shape[0] * _CELL_M, image.shape[1] * _CELL_M
    scale = 11.0 / max(height_m, 1e-3)
    legend_columns = max(1, -(-len(instances) // 46))
    figure = Figure(figsize=(min(max(width_m * scale, 6.0), 24.0) + 3.6 * legend_columns, 12.0), dpi=110)
    plan_share = 1 - 3.6 * legend_columns / figure.get_figwidth()
    axes = figure.add_axes((0.04, 0.05, plan_share - 0.05, 0.89))
    extent = (corner[0], corner[0] + width_m, corner[1], corner[1] + height_m)
    axes.imshow(image, origin="lower", extent=extent, interpolation="nearest")
    axes.set_title(title, loc="left", fontsize=13)
    axes.set_xlabel("x in metres")
    axes.set_ylabel("y in metres")
    _number_instances(axes, instances, extent)
    _legend(figure, plan_share, instances, legend_columns)
    figure.savefig(path)


def _top_view(points_m: np.ndarray, colors_rgb: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(rows, columns, 3) uint8 image, row 0 at the lowest y, and the (x, y) of its corner."""
    if not len(points_m):
        return np.full((10, 10, 3), 245, np.uint8), np.zeros(2)
    floor = np.percentile(points_m[:, 2], 0.5)
    shown = points_m[:, 2] < floor + _CEILING_M
    points, colors, ids = points_m[shown], colors_rgb[shown], ids[shown]
    corner = points[:, :2].min(0) - 10 * _CELL_M
    cell = ((points[:, :2] - corner) / _CELL_M).astype(int)
    shape = cell.max(0) + 11
    order = np.argsort(points[:, 2], kind="stable")  # the highest point is written last
    picture = np.full((shape[1], shape[0], 3), 245, np.uint8)
    grey = 0.25 * colors + 0.75 * (120 + 0.45 * colors.mean(1, keepdims=True))
    tints = np.array([color_of(int(i)) for i in range(int(ids.max(initial=0)) + 1)], np.float64)
    tinted = 0.45 * colors + 0.55 * tints[ids]
    painted = np.where((ids > 0)[:, None], tinted, grey).astype(np.uint8)
    picture[cell[order, 1], cell[order, 0]] = painted[order]
    return picture, corner


def _number_instances(axes, instances: tuple[Instance, ...], extent: tuple[float, float, float, float]) -> None:
    """Boxes and id tags; tags move outwards until they do not cover each other."""
    from matplotlib.patheffects import withStroke

    taken: list[tuple[float, float]] = []
    reach = max(extent[1] - extent[0], extent[3] - extent[2])
    for instance in sorted(instances, key=lambda i: -len(i.points_m)):
        color = tuple(c / 255 for c in color_of(instance.id))
        dark = tuple(0.55 * c for c in color)
        corners = _corners(instance)
        axes.plot(corners[:, 0], corners[:, 1], color=dark, linewidth=1.2)
        x, y = instance.box.center_m[:2]
        tag = _free_spot(x, y, taken, 0.018 * reach)
        taken.append(tag)
        if tag != (x, y):
            axes.plot([x, tag[0]], [y, tag[1]], color=dark, linewidth=0.7)
        axes.text(
            *tag,
            str(instance.id),
            fontsize=8.5,
            weight="bold",
            color="black",
            ha="center",
            va="center",
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )


def _free_spot(x: float, y: float, taken: list[tuple[float, float]], gap: float) -> tuple[float, float]:
    for ring in range(12):
        for step in range(max(1, 8 * ring)):
            angle = 2 * np.pi * step / max(1, 8 * ring)
            spot = (x + ring * gap * np.cos(angle), y + ring * gap * np.sin(angle)) if ring else (x, y)
            if all(abs(spot[0] - t[0]) > 1.3 * gap or abs(spot[1] - t[1]) > gap for t in taken):
                return spot
    return x, y


def _corners(instance: Instance) -> np.ndarray:
    box = instance.box
    c, s = np.cos(box.yaw_rad), np.sin(box.yaw_rad)
    half = box.size_m[:2] / 2
    outline = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1), (1, 1)]) * half
    return outline @ np.array([[c, s], [-s, c]]) + box.center_m[:2]


def _legend(figure, left: float, instances: tuple[Instance, ...], columns: int) -> None:
    rows = -(-len(instances) // columns) if instances else 0
    for number, instance in enumerate(instances):
        column, row = divmod(number, rows)
        x = left + 0.01 + column * (1 - left - 0.01) / columns
        y = 0.93 - row * 0.88 / max(rows, 40)
        size = " x ".join(f"{v:.2f}" for v in instance.box.size_m)
        color = tuple(c / 255 for c in color_of(instance.id))
        figure.text(x, y, "■", color=color, fontsize=11, va="center")
        figure.text(
            x + 0.14 / figure.get_figwidth() * 2,
            y,
            f"{instance.id:3d}  {instance.label}  {size} m",
            fontsize=8.5,
            va="center",
        )
