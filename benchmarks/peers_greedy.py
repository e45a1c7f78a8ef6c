"""2D masks merged one frame after the other into the things known so far.

Two ways that differ in what matches, after what OVIR-3D (Lu et al., CoRL 2023) and ConceptGraphs (Gu et al., ICRA
2024) describe. Their similarity of visual features beside the overlap is left out: without weights there are no such
features.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from benchmarks.peers_views import LiftedThings, PeerViews
from moss_ros.geometry.bits import ones_per_row

# voxels that each mask shares with a thing, voxels of each mask, seen and all voxels of the thing -> match of each mask
Overlap = Callable[[np.ndarray, np.ndarray, int, int], np.ndarray]

VOTED = 0.2  # a voxel stays when so large a share of the frames that saw it put it into the thing
LEAST_VOXELS = 50
TIDY_EVERY = 20  # frames between two filterings and mergings of the things


@dataclass(slots=True)
class _Thing:
    """A thing as it grows."""

    voxels: np.ndarray  # ascending ids
    votes: np.ndarray  # frames that put each voxel into it
    frames: set[int]  # slots that did

    def add(self, voxels: np.ndarray, votes: np.ndarray, frames: set[int]) -> None:
        ids, place = np.unique(np.concatenate([self.voxels, voxels]), return_inverse=True)
        self.votes = np.bincount(place, np.concatenate([self.votes, votes])).astype(np.int64)
        self.voxels = ids
        self.frames |= frames

    def keep(self, which: np.ndarray) -> None:
        self.voxels, self.votes = self.voxels[which], self.votes[which]


def match_visible_part(views: PeerViews, iou: float = 0.3) -> LiftedThings:
    """OVIR-3D-style: a mask joins the thing whose visible part it overlaps best; voxels that few frames confirm go."""

    def overlap(shared: np.ndarray, area: np.ndarray, visible: int, size: int) -> np.ndarray:
        return shared / np.maximum(area + visible - shared, 1)

    things: list[_Thing] = []
    for number, slot in enumerate(views.slots):
        _merge_frame(things, views, slot, overlap, iou)
        if (number + 1) % TIDY_EVERY == 0 or number + 1 == len(views.slots):
            seen_by = ones_per_row(views.evidence.seen & _bits(views.slots[: number + 1], views.evidence.seen.shape[1]))
            for thing in things:
                thing.keep(thing.votes >= VOTED * seen_by[thing.voxels])
            things = _merge_things([t for t in things if len(t.voxels)], len(views.solid), "iou", iou)
    return _large(things, views)


def match_share_of_mask(views: PeerViews, share: float = 0.5, merge_share: float = 0.7) -> LiftedThings:
    """ConceptGraphs-style: a mask joins the thing that holds most of it; of each thing the largest connected part."""

    def overlap(shared: np.ndarray, area: np.ndarray, visible: int, size: int) -> np.ndarray:
        return shared / np.maximum(area, 1)

    things: list[_Thing] = []
    for number, slot in enumerate(views.slots):
        _merge_frame(things, views, slot, overlap, share)
        if (number + 1) % TIDY_EVERY == 0 or number + 1 == len(views.slots):
            things = _merge_things(things, len(views.solid), "inside", merge_share)
    for thing in things:
        thing.keep(_largest_part(thing.voxels, views.neighbours))
    return _large([t for t in things if len(t.frames) >= 3], views)


def _merge_frame(things: list[_Thing], views: PeerViews, slot: int, overlap: Overlap, least: float) -> None:
    """Each mask joins the thing it matches best, or becomes one."""
    view = views.evidence.views[slot]
    label = np.full(len(views.solid), -1, np.int64)
    solid = views.solid[view.voxels]
    label[view.voxels[solid]] = view.labels[solid]
    area = np.bincount(view.labels[solid], minlength=view.count + 1)
    best, owner = np.full(view.count + 1, -1.0), np.full(view.count + 1, -1)
    for number, thing in enumerate(things):
        mine = label[thing.voxels]
        mine = mine[mine >= 0]
        if not len(mine):
            continue
        score = overlap(np.bincount(mine, minlength=view.count + 1), area, len(mine), len(thing.voxels))
        better = score > best
        best[better], owner[better] = score[better], number
    for mask in range(1, view.count + 1):
        voxels = np.flatnonzero(label == mask)
        if not len(voxels):
            continue
        votes = np.ones(len(voxels), np.int64)
        if owner[mask] >= 0 and best[mask] >= least:
            things[owner[mask]].add(voxels, votes, {slot})
        else:
            things.append(_Thing(voxels, votes, {slot}))


def _merge_things(things: list[_Thing], voxel_count: int, measure: str, least: float) -> list[_Thing]:
    """Things that overlap become one, also by way of a third; measure: iou, or inside (of the smaller one)."""
    if len(things) < 2:
        return things
    offsets = np.cumsum([0, *(len(t.voxels) for t in things)])
    columns = np.concatenate([t.voxels for t in things])
    held = sp.csr_matrix((np.ones(len(columns)), columns, offsets), shape=(len(things), voxel_count))
    pair = sp.coo_matrix(held @ held.T)
    size = np.diff(offsets)
    a, b = size[pair.row], size[pair.col]
    whole = a + b - pair.data if measure == "iou" else np.minimum(a, b)
    close = pair.data >= least * np.maximum(whole, 1)
    graph = sp.coo_matrix((np.ones(close.sum()), (pair.row[close], pair.col[close])), shape=pair.shape)
    count, label = sp.csgraph.connected_components(graph, directed=False)
    out = []
    for c in range(count):
        first, *others = (things[i] for i in np.flatnonzero(label == c))
        for other in others:
            first.add(other.voxels, other.votes, other.frames)
        out.append(first)
    return out


def _largest_part(voxels: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """(n,) bool: the largest group of neighbouring voxels."""
    around = neighbours[voxels]
    place = np.searchsorted(voxels, around).clip(0, len(voxels) - 1)
    linked = (around >= 0) & (voxels[place] == around)
    row = np.nonzero(linked)[0]
    graph = sp.coo_matrix((np.ones(len(row)), (row, place[linked])), shape=(len(voxels), len(voxels)))
    _, label = sp.csgraph.connected_components(graph, directed=False)
    return label == np.bincount(label).argmax()


def _large(things: list[_Thing], views: PeerViews) -> LiftedThings:
    kept = [t for t in things if len(t.voxels) >= LEAST_VOXELS]
    return LiftedThings([t.voxels for t in kept], np.array([len(t.frames) for t in kept], float))


def _bits(slots: list[int], words: int) -> np.ndarray:
    out = np.zeros(words, np.uint64)
    for slot in slots:
        out[slot // 64] |= np.uint64(1 << slot % 64)
    return out
