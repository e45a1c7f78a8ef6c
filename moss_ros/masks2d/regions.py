"""Regions from affinities: average-linkage agglomeration of seeds, at several levels at once.

Pixels that surely belong together form seeds; then the two touching groups whose pairs of pixels are most surely
of one thing are joined, again and again. Where that is cut decides between a thing and its parts, so the cuts at
several levels are all kept as hypotheses, each with a score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

# (rows, columns) from a pixel to the other pixel of each affinity that the network gives.
OFFSETS: tuple[tuple[int, int], ...] = (
    (0, 1), (1, 0),
    (0, 4), (4, 0), (4, 4), (4, -4),
    (0, 12), (12, 0), (12, 12), (12, -12),
    (0, 28), (28, 0),
)  # fmt: skip
MOST_SEEDS = 1024  # the largest are kept: bounds time and memory
HALF_SCORE_PX = 60.0  # a mask of so many pixels has half the score that a large one would have
STRADDLE_PX = 4  # pairs so long back up the neighbours
NEAR_PX = 4  # groups touch when pairs so close connect them


@dataclass(frozen=True, slots=True)
class RegionRules:
    """Thresholds of probabilities and sizes, chosen on held-out simulated views. The network learns to be careful:
    it says one half where pairs of pixels belong together in three of four cases."""

    thing: float = 0.3  # a pixel is on a thing
    join: float = 0.75  # neighbours are one seed, by themselves and the pairs across them
    join_thin: float = 0.85  # the same where only neighbours can tell
    level: float = 0.4  # groups of higher affinity are joined: the cut that gives the label image
    other_levels: tuple[float, ...] = (0.6, 0.25)  # cuts that give more hypotheses
    min_pixels: int = 15  # smallest seed
    grow_pixels: int = 2  # seeds grow back into their rims


@dataclass(frozen=True, slots=True)
class Regions:
    """S seeds, M masks that may overlap."""

    labels: np.ndarray  # (H, W) int32, 0 = none, 1..n: the cut at the first level
    label_scores: np.ndarray  # (n,) float32 in [0, 1]
    seeds: np.ndarray  # (H, W) int32, 0 = none, 1..S
    members: np.ndarray  # (M, S) bool seeds of each mask
    scores: np.ndarray  # (M,) float32 in [0, 1]

    def mask(self, row: int) -> np.ndarray:
        """(H, W) bool pixels of a hypothesis."""
        return np.concatenate([[False], self.members[row]])[self.seeds]


def find_regions(
    thing: np.ndarray,
    affinities: np.ndarray,
    offsets: Sequence[tuple[int, int]],
    measured: np.ndarray,
    rules: RegionRules,
) -> Regions:
    """Regions of one image.

    thing (H, W) and affinities (K, H, W) are probabilities; offsets (K) say which pixel each affinity leads to, the
    first two must be (0, 1) and (1, 0); measured (H, W) bool. Raises ValueError for other offsets.
    """
    if list(offsets[:2]) != [(0, 1), (1, 0)] or len(offsets) != len(affinities):
        raise ValueError("affinities must start with those to the right and to the lower neighbour, one per offset")
    inside = np.ascontiguousarray((thing > rules.thing) & measured)
    seeds, count = _largest(*_seed_image(inside, affinities, offsets, rules))
    links = _links(seeds, count, np.ascontiguousarray(affinities), np.array(offsets, np.int64), measured)
    first, second, height = _merges(*_between(links), min((rules.level, *rules.other_levels)))
    members, born, died = _tree(count, first, second, height)
    at_level = _cut(born, died, rules.level)
    kept = at_level.copy()
    for level in rules.other_levels:
        kept |= _cut(born, died, level)
    scores = np.zeros(len(members), np.float32)
    scores[kept] = _scores(members[kept], links, seeds, thing)
    label_of = np.zeros(count + 1, np.int32)
    for label, row in enumerate(np.flatnonzero(at_level), 1):
        label_of[1:][members[row]] = label
    seeds = _grown(seeds, inside, rules.grow_pixels)
    return Regions(label_of[seeds], scores[at_level], seeds, members[kept], scores[kept])


def _cut(born: np.ndarray, died: np.ndarray, level: float) -> np.ndarray:
    """Which groups there are when joining stops at a level."""
    return (born >= level) & (died < level)


def _between(links: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums of affinities, pairs and near pairs between seeds (S, S), without the pairs inside a seed."""
    tables = links[:, 1:, 1:].copy()
    tables[:, np.arange(tables.shape[1]), np.arange(tables.shape[1])] = 0
    return tables[0], tables[1], tables[2]


def _scores(members: np.ndarray, links: np.ndarray, seeds: np.ndarray, thing: np.ndarray) -> np.ndarray:
    """(M,) float32: pixels in the mask belong together, those around do not belong to it, it is on a thing, and it
    is not tiny."""
    pick, flat = members.astype(np.float64), seeds.ravel()
    within, around = [], []
    for table in links[:2]:  # sums, then counts
        twice = ((pick @ table[1:, 1:]) * pick).sum(1)  # pairs between two seeds come from both sides
        within.append((twice + pick @ np.diag(table)[1:]) / 2)
        around.append(pick @ table[1:].sum(1) - twice)
    inner, outer = (a / np.maximum(b, 1) for a, b in (within, around))
    pixels = pick @ np.bincount(flat, minlength=pick.shape[1] + 1)[1:]
    sure = pick @ np.bincount(flat, thing.ravel(), minlength=pick.shape[1] + 1)[1:]
    return (inner * (1 - outer) * sure / (pixels + HALF_SCORE_PX)).astype(np.float32)


def _seed_image(
    inside: np.ndarray, affinities: np.ndarray, offsets: Sequence[tuple[int, int]], rules: RegionRules
) -> tuple[np.ndarray, int]:
    """(H, W) int32 seeds 1..S and S.

    Neighbours alone leak: one weak pixel in a border joins two things. So pairs across a border count with them;
    what is too thin for that, the legs of a chair, is joined by its neighbours in a second round.
    """
    right, down = np.ascontiguousarray(affinities[0]), np.ascontiguousarray(affinities[1])
    firm_right, firm_down = right, down
    if (0, STRADDLE_PX) in offsets and (STRADDLE_PX, 0) in offsets:
        across, along = affinities[offsets.index((0, STRADDLE_PX))], affinities[offsets.index((STRADDLE_PX, 0))]
        firm_right = _straddled(right, np.ascontiguousarray(across), inside)
        firm_down = _straddled(down.T.copy(), np.ascontiguousarray(along.T), inside.T.copy()).T.copy()
    seeds, count = _seeds(inside, firm_right, firm_down, rules.join, rules.min_pixels)
    seeds = _grown(seeds, inside, rules.grow_pixels)
    rest, more = _seeds(inside & (seeds == 0), right, down, rules.join_thin, rules.min_pixels)
    return np.where(rest > 0, rest + count, seeds).astype(np.int32), count + more


@njit(cache=True, nogil=True)
def _straddled(near, far, inside):
    """Mean of near (u, u + 1) and of all far pairs (w, w + STRADDLE_PX) on things with w <= u < w + STRADDLE_PX."""
    height, width = near.shape
    out = near.copy()
    for v in range(height):
        for u in range(width - 1):
            total, count = near[v, u], 1
            for w in range(max(u - STRADDLE_PX + 1, 0), u + 1):
                if w + STRADDLE_PX < width and inside[v, w] and inside[v, w + STRADDLE_PX]:
                    total += far[v, w]
                    count += 1
            out[v, u] = total / count
    return out


@njit(cache=True, nogil=True)
def _seeds(inside, right, down, join, min_pixels):
    """(H, W) int32 connected pixels, and how many seeds."""
    height, width = inside.shape
    parent = np.arange(height * width)
    for v in range(height):
        for u in range(width):
            if not inside[v, u]:
                continue
            here = v * width + u
            if u + 1 < width and inside[v, u + 1] and right[v, u] > join:
                _unite(parent, here, here + 1)
            if v + 1 < height and inside[v + 1, u] and down[v, u] > join:
                _unite(parent, here, here + width)
    size = np.zeros(height * width, np.int64)
    for i in range(height * width):
        if inside[i // width, i % width]:
            size[_find(parent, i)] += 1
    number = np.zeros(height * width, np.int32)
    count = 0
    out = np.zeros((height, width), np.int32)
    for i in range(height * width):
        if not inside[i // width, i % width]:
            continue
        root = _find(parent, i)
        if size[root] < min_pixels:
            continue
        if number[root] == 0:
            count += 1
            number[root] = count
        out[i // width, i % width] = number[root]
    return out, count


@njit(cache=True, nogil=True)
def _find(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True, nogil=True)
def _unite(parent, a, b):
    a, b = _find(parent, a), _find(parent, b)
    if a < b:
        parent[b] = a
    else:
        parent[a] = b


def _largest(seeds: np.ndarray, count: int) -> tuple[np.ndarray, int]:
    if count <= MOST_SEEDS:
        return seeds, count
    size = np.bincount(seeds.ravel(), minlength=count + 1)
    size[0] = 0
    keep = np.sort(np.argsort(-size, kind="stable")[:MOST_SEEDS])
    number = np.zeros(count + 1, np.int32)
    number[keep] = np.arange(1, MOST_SEEDS + 1)
    return number[seeds], MOST_SEEDS


@njit(cache=True, nogil=True)
def _links(seeds, count, affinities, offsets, measured):
    """(3, S + 1, S + 1) symmetric: sums of affinities, pairs, pairs of close pixels; row 0 is what has no seed."""
    out = np.zeros((3, count + 1, count + 1))
    height, width = seeds.shape
    for k in range(len(offsets)):
        dy, dx = offsets[k, 0], offsets[k, 1]
        close = 1.0 if max(abs(dy), abs(dx)) <= NEAR_PX else 0.0
        for v in range(height - dy):
            for u in range(max(0, -dx), width - max(0, dx)):
                a, b = seeds[v, u], seeds[v + dy, u + dx]
                if a + b == 0 or not measured[v, u] or not measured[v + dy, u + dx]:
                    continue
                i, j = min(a, b), max(a, b)
                out[0, i, j] += affinities[k, v, u]
                out[1, i, j] += 1
                out[2, i, j] += close
    for i in range(count + 1):
        for j in range(i):
            for table in range(3):
                out[table, i, j] = out[table, j, i]
    return out


@njit(cache=True, nogil=True)
def _merges(total, pairs, near, lowest):
    """Joins in order: groups joined (the first keeps its number) and their mean affinity. Changes its inputs."""
    n = len(total)
    first, second = np.empty(n, np.int64), np.empty(n, np.int64)
    height = np.empty(n)
    best, value = np.full(n, -1, np.int64), np.full(n, -1.0)
    alive = np.ones(n, np.bool_)
    for i in range(n):
        _refresh(i, total, pairs, near, alive, best, value)
    done = 0
    while done < n - 1:
        a = np.argmax(value)
        if value[a] < lowest:
            break
        i, j = min(a, best[a]), max(a, best[a])
        first[done], second[done], height[done] = i, j, value[i]
        done += 1
        alive[j] = False
        value[j] = -1.0
        for k in range(n):
            if k != i and k != j:
                total[i, k] += total[j, k]
                pairs[i, k] += pairs[j, k]
                near[i, k] += near[j, k]
                total[k, i], pairs[k, i], near[k, i] = total[i, k], pairs[i, k], near[i, k]
        for k in range(n):
            if alive[k] and (k == i or best[k] == i or best[k] == j or near[k, i] > 0):
                _refresh(k, total, pairs, near, alive, best, value)
    return first[:done], second[:done], height[:done]


@njit(cache=True, nogil=True)
def _refresh(i, total, pairs, near, alive, best, value):
    best[i], value[i] = -1, -1.0
    for k in range(len(total)):
        if k != i and alive[k] and near[i, k] > 0:
            mean = total[i, k] / pairs[i, k]
            if mean > value[i]:
                best[i], value[i] = k, mean


def _tree(
    count: int, first: np.ndarray, second: np.ndarray, height: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every group that ever was: its seeds (G, S) bool, and the affinities at which it was born and joined another.

    Heights need not fall (a join can make a third group closer); they are made to, so that cuts nest.
    """
    height = np.minimum.accumulate(height) if len(height) else height
    groups = count + len(first)
    members = np.zeros((groups, count), bool)
    members[np.arange(count), np.arange(count)] = True
    born, died = np.ones(groups), np.zeros(groups)
    now = np.arange(count)
    for step, (a, b, h) in enumerate(zip(first, second, height, strict=True)):
        new = count + step
        members[new] = members[now[a]] | members[now[b]]
        died[now[a]] = died[now[b]] = h
        born[new] = h
        now[a] = new
    return members, born, died


@njit(cache=True, nogil=True)
def _grown(seeds, inside, rounds):
    """Seeds spread over thing pixels without one; of several neighbours the one with most contacts wins."""
    height, width = seeds.shape
    now = seeds
    for _ in range(rounds):
        new = now.copy()
        changed = False
        for v in range(height):
            for u in range(width):
                if now[v, u] == 0 and inside[v, u]:
                    label = _most_around(now, v, u)
                    if label > 0:
                        new[v, u] = label
                        changed = True
        now = new
        if not changed:
            break
    return now


@njit(cache=True, nogil=True)
def _most_around(now, v, u):
    best, most = 0, 0
    for y in range(max(v - 1, 0), min(v + 2, now.shape[0])):
        for x in range(max(u - 1, 0), min(u + 2, now.shape[1])):
            label = now[y, x]
            if label == 0:
                continue
            count = 0
            for b in range(max(v - 1, 0), min(v + 2, now.shape[0])):
                for a in range(max(u - 1, 0), min(u + 2, now.shape[1])):
                    if now[b, a] == label:
                        count += 1
            if count > most or (count == most and label < best):
                best, most = label, count
    return best
