"""Masks of every thing of a view by every method, scored against the truth."""

from __future__ import annotations

import dataclasses
from collections import defaultdict

import numpy as np

from benchmarks.expansion_baselines import BASELINES, voronoi_labels
from benchmarks.expansion_scene import STRUCTURE, MappedRoom, RoomView, keep_probability, mapped_room, thinned
from benchmarks.expansion_score import boundary_f, iou
from moss_ros.config import LiftingConfig
from moss_ros.lifting.ellipse import Z
from moss_ros.lifting.expansion import Expansion
from moss_ros.lifting.surfels import visible_surfels
from moss_ros.lifting.target_view import TargetView

THINNINGS = ("full", "random", "uneven")
OURS, OPENCV, LOOK_UP = "expansion", "expansion, opencv", "look-up only"
_MIN_PIXELS, _MIN_POINTS, _PAD = 400, 15, 4

# {(depth or not, thinning, method): [(IoU, boundary F) of each thing in each view]}
Scores = dict[tuple[bool, str, str], list[tuple[float, float]]]


def score_rooms(seeds: range, views: int, config: LiftingConfig, baselines: bool = True) -> Scores:
    """All rooms, thinnings and methods."""
    scores: Scores = defaultdict(list)
    for seed in seeds:
        room = mapped_room(seed, views=views)
        for kind in THINNINGS:
            rng = np.random.default_rng([seed, 1])
            keep = rng.random(room.voxels.count) < keep_probability(kind, room.voxels.position, rng)
            thin = thinned(room, keep)
            expansion = Expansion(config)
            for view in room.views:
                for with_depth in (True, False):
                    _score_view(scores, kind, with_depth, thin, view, expansion, config, baselines)
    return scores


def _score_view(
    scores: Scores,
    kind: str,
    with_depth: bool,
    room: MappedRoom,
    view: RoomView,
    expansion: Expansion,
    config: LiftingConfig,
    baselines: bool,
) -> None:
    depth = view.depth_m if with_depth else None
    target = TargetView(view.camera, view.pose, depth)
    images = {OURS: _labels(room, expansion.id_buffer(room.voxels, target))}
    if baselines:
        images[OPENCV] = _labels(room, _with_density(expansion, config, "opencv").id_buffer(room.voxels, target))
    shape = view.true_ids.shape
    surfels = visible_surfels(
        room.voxels,
        expansion.density,
        view.camera,
        view.pose,
        np.zeros(shape, np.float32) if depth is None else depth,
        np.ones(shape, bool),
        config,
    )
    table, labels = surfels.table, room.labels[surfels.voxels]
    pixels = np.floor(table[:, :2] + 0.5).astype(np.int32)
    inside = ((pixels >= 0) & (pixels < shape[::-1])).all(1)
    order = np.flatnonzero(inside)[np.argsort(-table[inside, Z], kind="stable")]
    pixels, labels, depth_of = pixels[order], labels[order], table[order, Z]
    spacing = view.camera.fx * room.voxels.voxel_size_m / depth_of
    if baselines:
        images["Voronoi"] = voronoi_labels(pixels, labels, 0.8 * spacing, shape)
        if with_depth:
            images[LOOK_UP] = _labels(room, expansion._looked_up(room.voxels, target)[0])
    for thing in np.unique(view.true_ids[view.true_ids < STRUCTURE]):
        truth, mine = view.true_ids == thing, labels == thing
        if truth.sum() < _MIN_PIXELS or mine.sum() < _MIN_POINTS:
            continue
        masks = {name: image == thing for name, image in images.items()}
        if baselines:
            for name, method in BASELINES.items():
                masks[name] = method(pixels[mine], shape, float(np.median(spacing[mine]))) > 0
        for name, mask in masks.items():
            a, b = _cropped(mask, truth)
            scores[with_depth, kind, name].append((iou(a, b), boundary_f(a, b)))


def _with_density(expansion: Expansion, config: LiftingConfig, backend: str) -> Expansion:
    """Another backend on the same cues."""
    other = Expansion(dataclasses.replace(config, backend=backend))
    other.density = expansion.density
    return other


def _labels(room: MappedRoom, ids: np.ndarray) -> np.ndarray:
    return np.where(ids >= 0, room.labels[ids], -1)


def _cropped(mask: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both images around what is not empty: the scores do not change, and come faster."""
    both = mask | truth
    rows, columns = np.flatnonzero(both.any(1)), np.flatnonzero(both.any(0))
    window = tuple(slice(max(0, i[0] - _PAD), i[-1] + 1 + _PAD) for i in (rows, columns))
    return mask[window], truth[window]
