"""Which views see a proposal and which 2D masks it falls into: dense published ways against ours.

Letters: N points, V views, K proposals, S superpoints, M 2D masks of all views together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numba import njit

from benchmarks.association_scene import CLASSES, VOXEL_M, Scene, build_scene, take_views
from benchmarks.dense_association import (
    TOLERANCE_M,
    TOP_VIEWS,
    batched_projection,
    dense_visibility,
    label_loop,
    painted_views,
    rounded_visible,
    viewwise_projection,
)
from benchmarks.table import Bar, Table
from benchmarks.timing import interleaved_seconds
from moss_ros.geometry.projection import blocks_in_view, project_visible
from moss_ros.geometry.voxels import BLOCK_SIDE
from moss_ros.warm_up import warm_up

_BASELINE = (
    "OpenMask3D-style (float64 projection, image per view and proposal) and Open-YOLO-3D-style "
    "(float64 projection, dense product, label loop)"
)


@dataclass(frozen=True, slots=True)
class Association:
    """What all of it is for."""

    visible: np.ndarray  # (K, V) points of a proposal that a view sees
    votes: sp.csr_matrix  # (K, M) points of a proposal inside a 2D mask
    label: np.ndarray  # (K,) most frequent class in the best views, -1 = none
    shared: sp.csr_matrix  # (M, M) points that two lifted 2D masks share


def run(quick: bool = False) -> Table:
    """Medians; OpenMask3D-style is measured on six views and scaled up, as its notes say."""
    warm_up()
    points, views, count = (60_000, 12, 30) if quick else (300_000, 60, 100)
    repeats, part = (1, 6) if quick else (3, 6)
    scene, label = build_scene(points, views, count)
    few, masks = take_views(scene, part), scene.masks
    by_point = np.ascontiguousarray(masks.T)
    few_pixels, few_seen = viewwise_projection(few)
    pixels, seen = batched_projection(scene)
    visibility = dense_visibility(masks, seen)
    seconds = interleaved_seconds(
        {
            "paint project": lambda: viewwise_projection(few),
            "paint": lambda: painted_views(few, by_point, few_pixels, few_seen),
            "batched project": lambda: batched_projection(scene),
            "dense product": lambda: dense_visibility(masks, seen),
            "dense labels": lambda: label_loop(scene, masks, pixels, seen, visibility),
            "ours project": lambda: project_all(scene),
            "ours": lambda: associate(scene),
        },
        repeats,
    )
    labels = label_loop(scene, masks, pixels, seen, visibility)
    table = Table(
        "association",
        f"{label}; {len(scene.points)} points x {views} views x {count} proposals, "
        f"{scene.proposals.shape[1]} superpoints, {scene.mask_counts.mean():.0f} 2D masks a view",
        _BASELINE,
    )
    _time_rows(table, seconds, views / part, f"extrapolated from {part} views")
    _agreement_rows(table, scene, masks, visibility, labels)
    return table


def _time_rows(table: Table, seconds: dict[str, float], scale: float, note: str) -> None:
    painted = (seconds["paint project"] + seconds["paint"]) * scale
    dense = seconds["batched project"] + seconds["dense product"] + seconds["dense labels"]
    ours = seconds["ours"]
    table.add("OpenMask3D-style", painted, "s", note=note)
    table.add("  projection", seconds["paint project"] * scale, "s", note=note)
    table.add("  images and top views", seconds["paint"] * scale, "s", note=f"masks (N, K) as published; {note}")
    table.add("Open-YOLO-3D-style", dense, "s")
    table.add("  projection", seconds["batched project"], "s", note="all views in one batch")
    table.add("  dense product", seconds["dense product"], "s")
    table.add("  label loop", seconds["dense labels"], "s")
    table.add("ours", ours, "s", note="with the overlap of all pairs of lifted 2D masks, which the others leave out")
    table.add("  projection", seconds["ours project"], "s")
    table.add("  histogram and products", ours - seconds["ours project"], "s")
    table.add("faster than OpenMask3D-style", painted / ours, "x", Bar(40, at_least=True))
    table.add("faster than Open-YOLO-3D-style", dense / ours, "x", Bar(15, at_least=True))


def _agreement_rows(table: Table, scene: Scene, masks: np.ndarray, visibility: np.ndarray, labels: np.ndarray) -> None:
    result = associate(scene)
    exact = np.stack([masks[:, rounded_visible(scene, v)].sum(1) for v in range(len(scene.depth))], 1)
    unlike = float(np.mean(exact != result.visible))
    table.add("visible counts unlike float64 numpy", unlike, "share", Bar(0.001), "both round to pixels")
    difference = np.abs(result.visible / masks.sum(1)[:, None] - visibility)
    note = f"largest {difference.max():.3f}: it truncates to pixels where we round"
    table.add("visible share unlike Open-YOLO-3D-style", float(difference.mean()), "mean", Bar(0.005), note)
    equal = float(np.mean(result.label == labels))
    table.add("labels equal to the label loop", equal, "share", Bar(0.95, at_least=True), "near ties may differ")


def associate(scene: Scene) -> Association:
    """One culled projection per view, one (superpoint, mask) histogram, then sparse products."""
    views = project_all(scene)
    superpoints = scene.proposals.shape[1]
    seen, inside = histogram(scene, views)
    proposals = scene.proposals.astype(np.float32)
    visible = proposals @ seen
    votes = sp.csr_matrix(proposals) @ inside
    view = np.repeat(np.arange(len(views)), scene.mask_counts)
    entries = inside.tocoo()
    covered = entries.data >= 0.5 * seen[entries.row, view[entries.col]]
    lifted = sp.csr_matrix(
        (np.ones(covered.sum(), np.float32), (entries.row[covered], entries.col[covered])), shape=inside.shape
    )
    size = sp.diags_array(np.bincount(scene.superpoint, minlength=superpoints).astype(np.float32))
    shared = (lifted.T @ size @ lifted).tocsr()
    return Association(np.rint(visible).astype(np.int64), votes, _labels(scene, visible, votes, view), shared)


def project_all(scene: Scene) -> list[tuple[np.ndarray, np.ndarray]]:
    """Visible points and their pixels, per view."""
    height, width = scene.depth.shape[1:]
    radius = BLOCK_SIDE * VOXEL_M * np.sqrt(3) / 2
    out = []
    for depth, pose in zip(scene.depth, scene.camera_from_world, strict=True):
        far = float(depth.max()) + TOLERANCE_M
        in_view = blocks_in_view(scene.centers, radius, pose, scene.intrinsics, width, height, far)
        points, pixels, _ = project_visible(
            scene.points, scene.block, in_view, pose, scene.intrinsics, depth, TOLERANCE_M, 0.0, 1e9, 0.0
        )
        out.append((points, pixels))
    return out


def histogram(scene: Scene, views: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, sp.csr_matrix]:
    """Visible points per superpoint (S, V), and per superpoint and 2D mask (S, M) sparse."""
    superpoints, widest = scene.proposals.shape[1], int(scene.mask_counts.max())
    seen = np.zeros((len(views), superpoints), np.float32)
    scratch = np.zeros(superpoints * widest, np.int32)
    keys, counts, first = [], [], 0
    for v, (points, pixels) in enumerate(views):
        key, count = _count_joint(scene.superpoint, scene.labels[v], points, pixels, widest, seen[v], scratch)
        keys.append((key // widest, key % widest + first))
        counts.append(count)
        first += int(scene.mask_counts[v])
    rows, columns = (np.concatenate([k[i] for k in keys]) for i in (0, 1))
    shape = (superpoints, first)
    return seen.T, sp.csr_matrix((np.concatenate(counts).astype(np.float32), (rows, columns)), shape=shape)


@njit(cache=True, nogil=True)
def _count_joint(superpoint, labels, points, pixels, width, seen, scratch):
    """Keys superpoint * width + label that occur in one view, and how often; scratch is and stays 0."""
    flat = labels.ravel()
    keys = np.empty(len(points), np.int32)
    n = 0
    for i in range(len(points)):
        s, label = superpoint[points[i]], flat[pixels[i]]
        seen[s] += 1
        if label >= 0:
            key = s * width + label
            if scratch[key] == 0:
                keys[n] = key
                n += 1
            scratch[key] += 1
    keys = keys[:n].copy()
    counts = scratch[keys]
    scratch[keys] = 0
    return keys, counts


def _labels(scene: Scene, visible: np.ndarray, votes: sp.csr_matrix, view: np.ndarray) -> np.ndarray:
    """Most frequent class over the 2D masks of each proposal's best views."""
    kept = np.zeros(visible.shape, bool)
    np.put_along_axis(kept, np.argsort(-visible, 1, kind="stable")[:, :TOP_VIEWS], True, 1)
    entries = votes.tocoo()
    use = kept[entries.row, view[entries.col]]
    key = entries.row[use] * CLASSES + scene.mask_class[entries.col[use]]
    table = np.bincount(key, entries.data[use], minlength=len(kept) * CLASSES).reshape(len(kept), CLASSES)
    return np.where(table.any(1), table.argmax(1), -1)
