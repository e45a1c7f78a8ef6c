"""Pairs of colour and depth images whose stamps are nearest to each other."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from typing import Any, Literal

Side = Literal["color", "depth"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A colour and a depth message of the same moment."""

    stamp_ns: int  # of the colour image
    color: Any
    depth: Any


@dataclass(frozen=True, slots=True)
class Unpaired:
    """An image that found no partner."""

    side: Side
    stamp_ns: int
    newest_partner_ns: int | None  # nearest stamp of the other side at that time; None: the other side is silent


@dataclass(slots=True)
class _Stream:
    """Waiting images of one side in the order of their stamps."""

    waiting: list[tuple[int, Any]] = field(default_factory=list)
    newest_ns: int | None = None
    period_ns: int | None = None  # shortest time between two images seen so far

    def add(self, stamp_ns: int, msg: Any) -> None:
        insort(self.waiting, (stamp_ns, msg), key=lambda item: item[0])
        if self.newest_ns is None:
            self.newest_ns = stamp_ns
            return
        step = abs(stamp_ns - self.newest_ns)
        self.period_ns = step if self.period_ns is None else min(self.period_ns, step)
        self.newest_ns = max(self.newest_ns, stamp_ns)

    def has(self, stamp_ns: int) -> bool:
        return any(stamp == stamp_ns for stamp, _ in self.waiting)

    def may_bring_nearer(self, stamp_ns: int, found_ns: int) -> bool:
        """Whether an image still to come can be nearer to stamp_ns than the one found."""
        distance = stamp_ns - found_ns
        if distance <= 0 or self.newest_ns is None or self.newest_ns > found_ns:
            return False  # images come in order: the next ones only move away
        return self.period_ns is None or distance > self.period_ns / 2


class StampPairer:
    """Pairs within a tolerance; each image is used at most once, the output is in the order of stamps.

    A pair leaves as soon as no image still to come can be nearer, so equal stamps never wait.
    """

    def __init__(self, tolerance_ns: int, wait_ns: int, queue_size: int) -> None:
        self._tolerance_ns = tolerance_ns
        self._wait_ns = wait_ns
        self._queue_size = queue_size
        self._streams: dict[Side, _Stream] = {"color": _Stream(), "depth": _Stream()}

    def clear(self) -> int:
        """Forget everything; returns how many images were waiting."""
        count = sum(len(s.waiting) for s in self._streams.values())
        self._streams = {"color": _Stream(), "depth": _Stream()}
        return count

    @property
    def newest_ns(self) -> int | None:
        """Newest stamp of either side."""
        stamps = [s.newest_ns for s in self._streams.values() if s.newest_ns is not None]
        return max(stamps, default=None)

    def is_duplicate(self, side: Side, stamp_ns: int) -> bool:
        """Whether this side already brought an image with this stamp (or a later one that was used)."""
        stream = self._streams[side]
        return stream.has(stamp_ns) or stream.newest_ns == stamp_ns

    def add(self, side: Side, stamp_ns: int, msg: Any) -> tuple[list[Pair], list[Unpaired]]:
        """Pairs that are certain now, and images that will find no partner any more."""
        self._streams[side].add(stamp_ns, msg)
        pairs: list[Pair] = []
        lost: list[Unpaired] = []
        while (step := self._next()) is not None:
            pair, gone = step
            pairs += [pair] if pair else []
            lost += gone
        return pairs, lost

    def flush(self) -> tuple[list[Pair], list[Unpaired]]:
        """Pairs that only waited for a nearer partner; all other images are lost. For the end of a recording."""
        pairs: list[Pair] = []
        lost: list[Unpaired] = []
        color, depth = self._streams["color"].waiting, self._streams["depth"].waiting
        while color:
            partner = self._partner(color[0][0])
            if partner is None:
                lost.append(self._lose("color"))
                continue
            pair, gone = self._take(partner)
            pairs.append(pair)
            lost += gone
        while depth:
            lost.append(self._lose("depth"))
        return pairs, lost

    def _next(self) -> tuple[Pair | None, list[Unpaired]] | None:
        """One decision about the oldest colour image or a hopeless image; None when all must wait."""
        color, depth = self._streams["color"], self._streams["depth"]
        newest = self.newest_ns or 0
        if color.waiting:
            stamp = color.waiting[0][0]
            partner = self._partner(stamp)
            late = self._is_late(color, newest)
            if partner is not None and (late or not depth.may_bring_nearer(stamp, depth.waiting[partner][0])):
                return self._take(partner)
            passed = depth.newest_ns is not None and depth.newest_ns > stamp + self._tolerance_ns
            if partner is None and (passed or late):
                return None, [self._lose("color")]
        if depth.waiting:
            stamp = depth.waiting[0][0]
            wanted = any(abs(stamp - c) <= self._tolerance_ns for c, _ in color.waiting)
            passed = color.newest_ns is not None and color.newest_ns > stamp + self._tolerance_ns
            if (passed and not wanted) or self._is_late(depth, newest):
                return None, [self._lose("depth")]
        return None

    def _is_late(self, stream: _Stream, newest_ns: int) -> bool:
        return newest_ns - stream.waiting[0][0] > self._wait_ns or len(stream.waiting) > self._queue_size

    def _partner(self, stamp_ns: int) -> int | None:
        """Index of the nearest depth image that no later waiting colour image is nearer to."""
        colors = [stamp for stamp, _ in self._streams["color"].waiting[1:]]
        best = None
        best_distance = self._tolerance_ns + 1
        for i, (stamp, _) in enumerate(self._streams["depth"].waiting):
            distance = abs(stamp - stamp_ns)
            if distance < best_distance and not any(abs(stamp - other) < distance for other in colors):
                best, best_distance = i, distance
        return best

    def _take(self, partner: int) -> tuple[Pair, list[Unpaired]]:
        stamp, color = self._streams["color"].waiting.pop(0)
        lost = [self._lose("depth") for _ in range(partner)]  # older ones come too late for the next colour
        _, depth = self._streams["depth"].waiting.pop(0)
        return Pair(stamp, color, depth), lost

    def _lose(self, side: Side) -> Unpaired:
        other: Side = "depth" if side == "color" else "color"
        stamp, _ = self._streams[side].waiting.pop(0)
        return Unpaired(side, stamp, self._streams[other].newest_ns)
