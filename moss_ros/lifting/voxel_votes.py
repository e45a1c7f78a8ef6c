"""The vote on each voxel of one mask: add what the 2D masks agree on, take away what they agree is not of it.

A voxel that views see is decided by them alone, so that thin and small things are not rounded to superpoints. What no
view sees follows its superpoint when that is decided. What is added must hang together with the mask.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

_LEAST_HIT = 10  # voxels of a superpoint that 2D masks must hold before it is decided
_HIT_SHARE = 0.2
_SNAP_IN, _SNAP_OUT = 0.8, 0.2  # share of a superpoint in the mask that takes all of it, or nothing
_BACKED = 0.5  # snapping takes no voxel away that so large a share of its views want, and adds none that fewer want
_OWN, _MASKED, _FILLED, _LEAK, _WANTED, _ADDED = 1, 2, 3, 4, 5, 6  # marks of voxels


class MapArrays(NamedTuple):
    """The map for the kernels: N voxels, S superpoints, B blocks."""

    neighbours: np.ndarray  # (N, 26) int32
    solid: np.ndarray  # (N,) bool
    seen: np.ndarray  # (N, W) uint64 a bit for each keyframe slot
    block: np.ndarray  # (N,) int32
    superpoint: np.ndarray  # (N,) int32, -1 = none
    of_superpoint: np.ndarray  # voxels of superpoint s: of_superpoint[first_of[s] : first_of[s + 1]]
    first_of: np.ndarray  # (S + 1,) int64


class Scratch(NamedTuple):
    """Work space, all zero between calls."""

    votes: np.ndarray  # (N,) float32 weight of the views that put the voxel into the mask
    views: np.ndarray  # (N,) float32 weight of the views that see it
    mark: np.ndarray  # (N,) int8
    found: np.ndarray  # (N,) int32, need not be zero
    superpoint_done: np.ndarray  # (S,) bool
    block_done: np.ndarray  # (B,) bool

    @classmethod
    def of(cls, voxels: int, superpoints: int, blocks: int) -> Scratch:
        """For a map of so many."""
        return cls(
            np.zeros(voxels, np.float32),
            np.zeros(voxels, np.float32),
            np.zeros(voxels, np.int8),
            np.empty(voxels, np.int32),
            np.zeros(superpoints, np.bool_),
            np.zeros(blocks, np.bool_),
        )


class Limits(NamedTuple):
    """Shares of the views that decide."""

    add: float
    remove: float  # 0: nothing is removed
    superpoint: float
    min_views: int


class Speakers(NamedTuple):
    """The 2D masks that speak for mask k of K: masks[first[k] : first[k + 1]]; 2D mask m holds
    voxels[offsets[m] : offsets[m + 1]]."""

    first: np.ndarray  # (K + 1,) int64
    masks: np.ndarray  # (n,) int64
    slots: np.ndarray  # (n,) int64 keyframe slot of each
    weights: np.ndarray  # (n,) float32
    offsets: np.ndarray  # (M + 1,) int64
    voxels: np.ndarray  # (m,) int32


@njit(cache=True, nogil=True)
def refine_all(members, ends, snaps, said, world, work, limits):
    """Voxels of the refined masks, ascending in each, and the blocks that each depends on: two arrays of int32, each
    followed by the ends (K + 1,) of the K masks in it.

    Voxels of mask k: members[ends[k] : ends[k + 1]]; snaps (K,) bool: its edges snap to superpoints.
    """
    count = len(ends) - 1
    found, blocks = np.empty(2 * len(members) + 1, np.int32), np.empty(1024, np.int32)
    last, last_block = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
    for k in range(count):
        a, b = said.first[k], said.first[k + 1]
        speakers = said.masks[a:b], said.slots[a:b], said.weights[a:b]
        own = members[ends[k] : ends[k + 1]]
        mask, near = _refined(own, speakers, said.offsets, said.voxels, world, work, limits, snaps[k])
        found, last[k + 1] = _appended(found, last[k], mask)
        blocks, last_block[k + 1] = _appended(blocks, last_block[k], near)
    return found[: last[count]], last, blocks[: last_block[count]], last_block


@njit(cache=True, nogil=True)
def _appended(out, start, more):
    """out with more from start on, longer where there is no room, and the new end."""
    end = start + len(more)
    if end > len(out):
        longer = np.empty(2 * end, out.dtype)
        longer[:start] = out[:start]
        out = longer
    out[start:end] = more
    return out, end


@njit(cache=True, nogil=True)
def _refined(own, speakers, offsets, mask_voxels, world, work, limits, snaps):
    """Voxels (n,) int32 ascending of one refined mask, and the blocks (m,) int32 that it depends on."""
    masks, slots, weights = speakers
    views, say = _views(slots, weights)
    n, blocks = _gather(own, masks, weights, offsets, mask_voxels, world, work)
    if len(views) >= max(limits.min_views, 1):
        for i in range(n):
            work.views[work.found[i]] = _seeing(world.seen[work.found[i]], views, say)
        n = _superpoints(n, world, work, limits, views, say, snaps)
        _decide(n, world.seen, work, limits, views)
    _reach(n, world.neighbours, work)
    return _collect(n, work), blocks


@njit(cache=True, nogil=True)
def _gather(own, masks, weights, offsets, mask_voxels, world, work):
    """Enter the mask's voxels and all that the 2D masks hold, with their votes; returns their number and the blocks."""
    n, b = 0, 0
    blocks = np.empty(len(work.block_done), np.int32)
    for v in own:
        work.mark[v] = _OWN
        work.found[n] = v
        n += 1
        b = _note_block(world.block[v], work.block_done, blocks, b)
    for i in range(len(masks)):
        for j in range(offsets[masks[i]], offsets[masks[i] + 1]):
            v = mask_voxels[j]
            if work.mark[v] == 0:
                b = _note_block(world.block[v], work.block_done, blocks, b)
                if not world.solid[v]:
                    continue
                work.mark[v] = _MASKED
                work.found[n] = v
                n += 1
            work.votes[v] += weights[i]
    for i in range(b):
        work.block_done[blocks[i]] = False
    return n, blocks[:b].copy()


@njit(cache=True, nogil=True)
def _note_block(block, done, blocks, count):
    if done[block]:
        return count
    done[block] = True
    blocks[count] = block
    return count + 1


@njit(cache=True, nogil=True)
def _views(slots, weights):
    """Each speaking keyframe once, ascending, and its weight; slots come in order."""
    views, say = np.empty(len(slots), np.int64), np.empty(len(slots), np.float32)
    n = 0
    for i in range(len(slots)):
        if n == 0 or views[n - 1] != slots[i]:
            views[n], say[n] = slots[i], weights[i]
            n += 1
    return views[:n], say[:n]


@njit(cache=True, nogil=True, inline="always")
def _sees(words, view):
    """1 where the view sees the voxel of these words, else 0."""
    return (words[view >> 6] >> np.uint64(view & 63)) & np.uint64(1)


@njit(cache=True, nogil=True)
def _seeing(words, views, say):
    """Weight of the speaking views among those that see a voxel."""
    total = np.float32(0)
    for i in range(len(views)):
        total += say[i] * np.float32(_sees(words, views[i]))  # without a branch that nobody can predict
    return total


@njit(cache=True, nogil=True)
def _superpoints(n, world, work, limits, views_that_speak, say, snaps):
    """Let decided superpoints take what no speaking view sees, and snap where that is asked for; returns the number."""
    start = n
    done = np.empty(start, np.int32)
    count = 0
    for i in range(start):
        s = world.superpoint[work.found[i]]
        if s < 0 or work.superpoint_done[s]:
            continue
        work.superpoint_done[s] = True
        done[count] = s
        count += 1
        members = world.of_superpoint[world.first_of[s] : world.first_of[s + 1]]
        hit, held = 0, 0
        for v in members:
            hit += work.votes[v] > 0
            held += work.mark[v] == _OWN
        snaps_in = snaps and held >= _SNAP_IN * len(members)
        snaps_out = snaps and held <= _SNAP_OUT * len(members)
        decided = snaps_in
        if not decided and hit >= max(_LEAST_HIT, _HIT_SHARE * len(members)):
            votes, views = 0.0, 0.0
            for v in members:
                votes += work.votes[v]
                views += work.views[v] if work.mark[v] > 0 else _seeing(world.seen[v], views_that_speak, say)
            decided = votes >= limits.superpoint * views
        for v in members:
            backed = work.votes[v] >= _BACKED * work.views[v]
            if work.mark[v] == 0:
                if decided and _seeing(world.seen[v], views_that_speak, say) == 0:
                    work.mark[v] = _FILLED
                    work.found[n] = v
                    n += 1
            elif work.mark[v] == _MASKED and snaps_in and backed:
                work.mark[v] = _FILLED
            elif work.mark[v] == _OWN and snaps_out and (not backed or work.views[v] == 0):
                work.mark[v] = _LEAK
    for i in range(count):
        work.superpoint_done[done[i]] = False
    return n


@njit(cache=True, nogil=True)
def _decide(n, seen, work, limits, views):
    """Mark what is to be removed, and what wants to be added."""
    for i in range(n):
        v = work.found[i]
        if work.mark[v] == _OWN:
            if limits.remove > 0 and work.views[v] > 0 and work.votes[v] <= limits.remove * work.views[v]:
                count = 0
                for view in views:
                    count += _sees(seen[v], view)
                if count >= 2:  # one view may be wrong
                    work.mark[v] = _LEAK
        elif work.mark[v] == _FILLED or (work.mark[v] == _MASKED and work.votes[v] >= limits.add * work.views[v]):
            work.mark[v] = _WANTED


@njit(cache=True, nogil=True)
def _reach(n, neighbours, work):
    """Add the wanted voxels that hang together with the mask; islands stay out."""
    stack = np.empty(n, np.int32)
    top = 0
    for i in range(n):
        if work.mark[work.found[i]] == _OWN:
            stack[top] = work.found[i]
            top += 1
    while top > 0:
        top -= 1
        for u in neighbours[stack[top]]:
            if u >= 0 and work.mark[u] == _WANTED:
                work.mark[u] = _ADDED
                stack[top] = u
                top += 1


@njit(cache=True, nogil=True)
def _collect(n, work):
    """The voxels of the refined mask; leaves the scratch as it was."""
    out = np.empty(n, np.int32)
    count = 0
    for i in range(n):
        v = work.found[i]
        if work.mark[v] == _OWN or work.mark[v] == _ADDED:
            out[count] = v
            count += 1
        work.mark[v] = 0
        work.votes[v] = 0
        work.views[v] = 0
    return np.sort(out[:count])
