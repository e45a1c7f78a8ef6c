"""How well things lie to others as words say, judged by their boxes, with the reason in metres.

Each relation gives 0..1 for a pair (thing, anchor); a clear case is 1, and the borders are soft, for boxes of partly
seen things are. Lengths below were chosen for rooms.

Left, right, in front of and behind need someone who looks. It is, in this order: the observer given with the query;
the mean place from which the anchor was seen; the middle of the map. In front means nearer to the observer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from moss_ros.questions.box_pairs import (
    Boxes,
    footprint_share,
    height_gap_m,
    height_share,
    inside_plan,
    near_pairs,
    plan_gap_m,
)
from moss_ros.questions.lexicon import RelationKind

CONTACT_M, LOOSE_M = 0.04, 0.12  # gap over a support: surely on it, surely not
BESIDE_M, APART_M = 0.3, 0.8  # plan distance: surely next to, surely not
NEAR_M, FAR_M = 0.5, 2.0
SIDE_M, SIDE_END_M = 1.5, 4.0  # plan distance up to which a thing is left of another, and where that ends
_REACH_M = {
    RelationKind.ON: 0.1,
    RelationKind.IN: 0.1,
    RelationKind.UNDER: 0.1,
    RelationKind.ABOVE: APART_M,
    RelationKind.NEXT_TO: APART_M,
    RelationKind.NEAR: FAR_M,
    RelationKind.NEAREST_TO: np.inf,
}
_LOOKS = 64  # pairs whose points are looked at for a surface below; the boxes decide the others


@dataclass(frozen=True, slots=True)
class Pairs:
    """P judged pairs."""

    things: np.ndarray  # (P,) rows of the things
    anchors: np.ndarray  # (P,) rows of the anchors
    scores: np.ndarray  # (P,) in [0, 1]
    lengths_m: np.ndarray  # (P,) what the explanation names
    inner: np.ndarray  # (P,) bool: ON a surface inside the box, such as a seat


Points = Callable[[int], np.ndarray]  # row of an anchor -> its points (N, 3), m


def judge(
    kind: RelationKind, things: Boxes, anchors: Boxes, looks_from_m: np.ndarray, points: Points | None = None
) -> Pairs:
    """Judge every near pair; those left out have score 0. looks_from_m (A, 2 or 3): who looks at each anchor."""
    i, j = near_pairs(things, anchors, _REACH_M.get(kind, SIDE_END_M))
    a, b = things.take(i), anchors.take(j)
    inner = np.zeros(len(i), bool)
    if kind is RelationKind.ON:
        scores, lengths, inner = _on(a, b, j, points)
    elif kind in _SIDES:
        scores, lengths = _beside_view(kind, a, b, looks_from_m[j])
    else:
        scores, lengths = _JUDGES[kind](a, b)
    same = np.all(a.center_m == b.center_m, axis=1) & np.all(a.size_m == b.size_m, axis=1)
    return Pairs(i, j, np.where(same, 0.0, scores), lengths, inner)


def judge_between(things: Boxes, first: Boxes, second: Boxes) -> tuple[np.ndarray, np.ndarray]:
    """Scores (K,) of things between the pair of anchors of one row each, and the distance from their line, m."""
    start, end = first.center_m[0, :2], second.center_m[0, :2]
    along = end - start
    length = max(float(np.hypot(*along)), 1e-6)
    offset = things.center_m[:, :2] - start
    t = offset @ along / length**2
    away = np.abs(offset[:, 0] * along[1] - offset[:, 1] * along[0]) / length
    width = max(float(first.plan_radius_m[0] + second.plan_radius_m[0]) / 2, 0.2)
    inner = _rise(np.minimum(t, 1 - t), 0.0, 0.15)
    heights = _fall(_height_away(things, first, second), 0.3, 1.0)
    return inner * _fall(away, width, 2.5 * width) * heights, away


def judge_floor(things: Boxes, floor_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores (K,) of things that stand on the floor, and their gap to it, m."""
    gap = things.low_m - floor_m
    return _fall(np.abs(gap), 2 * CONTACT_M, 2 * LOOSE_M), gap


def explain(kind: RelationKind, length_m: float, thing: str, anchor: str, inner: bool = False) -> str:
    """One sentence, e.g. "mug 12 is on table 3: 2 cm above its top"."""
    side, face = "above" if length_m >= 0 else "into", "surface" if inner else "top"
    reason = {
        RelationKind.ON: f"{_length(abs(length_m))} {side} its {face}",
        RelationKind.UNDER: f"{_length(length_m)} below its top",
        RelationKind.ABOVE: f"{_length(max(length_m, 0))} above its top",
        RelationKind.IN: f"{round(100 * length_m)} % of it is inside",
        RelationKind.NEXT_TO: f"{_length(length_m)} apart",
        RelationKind.NEAR: f"{_length(length_m)} apart",
        RelationKind.NEAREST_TO: f"{_length(length_m)} apart",
        RelationKind.BETWEEN: f"{_length(length_m)} from the line between them",
    }.get(kind, f"{_length(length_m)} to that side")
    return f"{thing} is {kind.value} {anchor}: {reason}"


def _length(metres: float) -> str:
    return f"{round(100 * metres)} cm" if abs(metres) < 1 else f"{metres:.1f} m"


def _on(
    a: Boxes, b: Boxes, anchor_rows: np.ndarray, points: Points | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """On the top of the box, or on a surface inside it: seat, shelf board."""
    share = footprint_share(a, b)
    gap = a.low_m - b.high_m
    over = _rise(share, 0.2, 0.6)
    scores = over * _stands(gap)
    inner = np.zeros(len(gap), bool)
    open_pairs = (over > 0) & (scores < 1) & (a.low_m > b.low_m + CONTACT_M) & (gap < 0)
    smaller = a.plan_radius_m < b.plan_radius_m
    for row in np.flatnonzero(open_pairs & smaller)[:_LOOKS] if points is not None else ():
        assert points is not None
        below = _surface_gap_m(points(int(anchor_rows[row])), a, row)
        if below is not None:
            found = 0.9 * over[row] * float(_stands(np.array(below)))
            if found > scores[row]:
                scores[row], gap[row], inner[row] = found, below, True
    return scores, gap, inner


def _stands(gap: np.ndarray) -> np.ndarray:
    """Noise and thickness of the support let a thing sink a little into it."""
    return np.where(gap >= 0, _fall(gap, CONTACT_M, LOOSE_M), _fall(-gap, 1.5 * CONTACT_M, LOOSE_M))


def _surface_gap_m(points_m: np.ndarray, a: Boxes, row: int) -> float | None:
    """Gap between the underside of a thing and the points of an anchor below it; None without enough of them."""
    size = a.size_m[row] + 0.04
    low = float(a.low_m[row])
    near = points_m[np.abs(points_m[:, 2] - low) < LOOSE_M]
    near = near[inside_plan(near, a.center_m[row], size, float(a.yaw_rad[row]))]
    level = near[near[:, 2] < low + CONTACT_M]
    if len(level) < 4:
        return None
    return low - float(np.percentile(level[:, 2], 90))


def _in(a: Boxes, b: Boxes) -> tuple[np.ndarray, np.ndarray]:
    share = footprint_share(a, b) * height_share(a, b)
    smaller = a.volume_m3 < b.volume_m3
    return np.where(smaller, _rise(share, 0.4, 0.8), 0.0), share


def _under(a: Boxes, b: Boxes) -> tuple[np.ndarray, np.ndarray]:
    share = np.maximum(footprint_share(a, b), footprint_share(b, a))
    below = b.high_m - a.high_m
    reaches = _fall(np.maximum(a.low_m - b.low_m, 0) / np.maximum(b.size_m[:, 2], 0.05), 0.6, 0.9)
    return _rise(share, 0.2, 0.6) * _rise(below, 0.0, 0.03) * reaches, below


def _above(a: Boxes, b: Boxes) -> tuple[np.ndarray, np.ndarray]:
    up = a.low_m - b.high_m
    return _fall(plan_gap_m(a, b), 0.3, APART_M) * _rise(up, -LOOSE_M, 0.0) * _fall(up, 1.5, 2.5), up


def _next_to(a: Boxes, b: Boxes) -> tuple[np.ndarray, np.ndarray]:
    gap = plan_gap_m(a, b)
    stacked = np.maximum(footprint_share(a, b), footprint_share(b, a)) > 0.5
    scores = _fall(gap, BESIDE_M, APART_M) * _fall(height_gap_m(a, b), 0.15, 0.6)
    # Among things that are near enough, the nearer one is meant.
    return np.where(stacked, 0.2, 1 - 0.2 * np.clip(gap / BESIDE_M, 0, 1)) * scores, gap


def _near(a: Boxes, b: Boxes) -> tuple[np.ndarray, np.ndarray]:
    gap = np.hypot(plan_gap_m(a, b), height_gap_m(a, b))
    return _fall(gap, NEAR_M, FAR_M), gap


def _nearest(a: Boxes, b: Boxes) -> tuple[np.ndarray, np.ndarray]:
    gap = np.hypot(plan_gap_m(a, b), height_gap_m(a, b))
    return 1 / (1 + gap), gap


_JUDGES: dict[RelationKind, Callable[[Boxes, Boxes], tuple[np.ndarray, np.ndarray]]] = {
    RelationKind.IN: _in,
    RelationKind.UNDER: _under,
    RelationKind.ABOVE: _above,
    RelationKind.NEXT_TO: _next_to,
    RelationKind.NEAR: _near,
    RelationKind.NEAREST_TO: _nearest,
}
# Side -> (along the view, to the right of it)
_SIDES = {
    RelationKind.LEFT_OF: (0.0, -1.0),
    RelationKind.RIGHT_OF: (0.0, 1.0),
    RelationKind.IN_FRONT_OF: (-1.0, 0.0),
    RelationKind.BEHIND: (1.0, 0.0),
}


def _beside_view(kind: RelationKind, a: Boxes, b: Boxes, looks_from_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    view = b.center_m[:, :2] - looks_from_m[:, :2]
    norm = np.hypot(view[:, 0], view[:, 1])[:, None]
    view = np.where(norm > 1e-6, view / np.maximum(norm, 1e-6), np.array([1.0, 0.0]))
    right = np.stack([view[:, 1], -view[:, 0]], 1)
    along, across = _SIDES[kind]
    direction = along * view + across * right
    offset = a.center_m[:, :2] - b.center_m[:, :2]
    length = (offset * direction).sum(axis=1)
    cosine = length / np.maximum(np.hypot(offset[:, 0], offset[:, 1]), 1e-6)
    gap = plan_gap_m(a, b)
    scores = _rise(cosine, 0.3, 0.8) * _fall(gap, SIDE_M, SIDE_END_M) * _fall(height_gap_m(a, b), 0.5, 1.5)
    return scores, length


def _height_away(things: Boxes, first: Boxes, second: Boxes) -> np.ndarray:
    low = min(float(first.low_m[0]), float(second.low_m[0]))
    high = max(float(first.high_m[0]), float(second.high_m[0]))
    return np.maximum(np.maximum(things.low_m - high, low - things.high_m), 0)


def _rise(values: np.ndarray, zero: float, one: float) -> np.ndarray:
    return np.clip((values - zero) / (one - zero), 0, 1)


def _fall(values: np.ndarray, one: float, zero: float) -> np.ndarray:
    return np.clip((zero - values) / (zero - one), 0, 1)
