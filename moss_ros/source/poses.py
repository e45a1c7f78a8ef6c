"""Where a frame of reference was at an image stamp: poses kept in time order and interpolated."""

from __future__ import annotations

from bisect import bisect_left, insort

import numpy as np

from moss_ros.geometry.transforms import interpolate, inverse

_KEPT_NS = 30_000_000_000  # poses older than this against the newest are forgotten


class PoseHistory:
    """Poses (4, 4) by stamp."""

    def __init__(self, gap_ns: int) -> None:
        self._gap_ns = gap_ns
        self._stamps: list[int] = []
        self._poses: dict[int, np.ndarray] = {}

    def add(self, stamp_ns: int, pose: np.ndarray) -> None:
        """Enter a pose; a second one of the same stamp replaces the first."""
        if stamp_ns not in self._poses:
            insort(self._stamps, stamp_ns)
        self._poses[stamp_ns] = pose
        while self._stamps[-1] - self._stamps[0] > _KEPT_NS:
            del self._poses[self._stamps.pop(0)]

    def at(self, stamp_ns: int) -> np.ndarray | None:
        """Pose at the stamp: exact, or between two neighbours not farther apart than the gap; else None."""
        i = bisect_left(self._stamps, stamp_ns)
        if i < len(self._stamps) and self._stamps[i] == stamp_ns:
            return self._poses[stamp_ns]
        if i == 0 or i == len(self._stamps):
            return None
        before, after = self._stamps[i - 1], self._stamps[i]
        if after - before > self._gap_ns:
            return None
        fraction = (stamp_ns - before) / (after - before)
        return interpolate(self._poses[before], self._poses[after], fraction)

    def newest_ns(self) -> int | None:
        """Stamp of the newest pose."""
        return self._stamps[-1] if self._stamps else None


class TransformTree:
    """A small TF buffer: parent_from_child by child frame, static or over time."""

    def __init__(self, gap_ns: int) -> None:
        self._gap_ns = gap_ns
        self._parent: dict[str, str] = {}
        self._static: dict[str, np.ndarray] = {}
        self._moving: dict[str, PoseHistory] = {}

    def add(self, parent: str, child: str, stamp_ns: int, parent_from_child: np.ndarray, is_static: bool) -> None:
        """Enter one transform of /tf or /tf_static."""
        parent, child = parent.lstrip("/"), child.lstrip("/")
        self._parent[child] = parent
        if is_static:
            self._static[child] = parent_from_child
            self._moving.pop(child, None)
        else:
            self._moving.setdefault(child, PoseHistory(self._gap_ns)).add(stamp_ns, parent_from_child)

    def lookup(self, target: str, source: str, stamp_ns: int) -> np.ndarray | None:
        """target_from_source at the stamp, through the common ancestor; None when a link is missing then."""
        up = self._to_root(source.lstrip("/"), stamp_ns)
        down = self._to_root(target.lstrip("/"), stamp_ns)
        for frame, frame_from_source in up.items():
            if frame in down:
                return inverse(down[frame]) @ frame_from_source
        return None

    def clear_moving(self) -> None:
        """Forget transforms over time (the clock jumped back); static ones stay."""
        self._moving.clear()

    def frames(self) -> list[str]:
        """Known frames, for messages."""
        return sorted(set(self._parent) | set(self._parent.values()))

    def _to_root(self, frame: str, stamp_ns: int) -> dict[str, np.ndarray]:
        """ancestor_from_frame of every ancestor that can be reached at the stamp, nearest first."""
        chain = {frame: np.eye(4)}
        total = np.eye(4)
        while frame in self._parent:
            link = self._static.get(frame)
            if link is None:
                history = self._moving.get(frame)
                link = None if history is None else history.at(stamp_ns)
            if link is None:
                break
            total = link @ total
            frame = self._parent[frame]
            if frame in chain:
                break  # a loop in the tree
            chain[frame] = total
        return chain
