"""Poses over time, and what lies between two of them."""

from __future__ import annotations

from bisect import bisect_left
from enum import Enum

import numpy as np

from moss_ros.geometry.transforms import interpolate

_KEEP_NS = 20_000_000_000  # longer than images ever wait


class Wait(Enum):
    """Why there is no pose at a stamp."""

    LATER = "later"  # a newer pose may still come
    NEVER = "never"  # it lies before the first pose, or in a gap


class PoseUnavailable(Exception):
    """No pose at the stamp asked for; ``wait`` says whether one may still come."""

    def __init__(self, wait: Wait, text: str) -> None:
        super().__init__(text)
        self.wait = wait


class PoseBuffer:
    """Poses of one frame in another, sorted by stamp, of the last 20 s."""

    def __init__(self, gap_ns: int, jump_ns: int) -> None:
        self._gap_ns = gap_ns
        self._jump_ns = jump_ns
        self._stamps: list[int] = []
        self._poses: list[np.ndarray] = []

    def add(self, stamp_ns: int, pose: np.ndarray) -> bool:
        """Keep a 4x4 pose; one with a known stamp replaces the old one, a late one is sorted in.

        True when time jumped back by more than jump_ns: the poses before belong to another time and are gone.
        """
        jumped = bool(self._stamps) and stamp_ns < self._stamps[-1] - self._jump_ns
        if jumped:
            self.clear()
        i = bisect_left(self._stamps, stamp_ns)
        if i < len(self._stamps) and self._stamps[i] == stamp_ns:
            self._poses[i] = pose
            return False
        self._stamps.insert(i, stamp_ns)
        self._poses.insert(i, pose)
        oldest = self._stamps[-1] - _KEEP_NS
        if self._stamps[0] < oldest - _KEEP_NS:  # cut in large pieces, so that adding stays cheap
            cut = bisect_left(self._stamps, oldest)
            del self._stamps[:cut], self._poses[:cut]
        return jumped

    def forget_time_after(self, limit_ns: int) -> None:
        """Forget all poses when the newest is later than limit_ns: it is from before a jump back in time."""
        if self._stamps and self._stamps[-1] > limit_ns:
            self.clear()

    def clear(self) -> None:
        """Forget all poses."""
        self._stamps.clear()
        self._poses.clear()

    def at(self, stamp_ns: int) -> np.ndarray:
        """4x4 pose at the stamp, interpolated between its two neighbours. Raises PoseUnavailable."""
        if not self._stamps:
            raise PoseUnavailable(Wait.LATER, "no pose has come yet: is the pose source running?")
        i = bisect_left(self._stamps, stamp_ns)
        if i < len(self._stamps) and self._stamps[i] == stamp_ns:
            return self._poses[i]
        if i == 0:
            early = (self._stamps[0] - stamp_ns) / 1e9
            raise PoseUnavailable(Wait.NEVER, f"the image is {early:.3f} s older than the first pose")
        if i == len(self._stamps):
            late = (stamp_ns - self._stamps[-1]) / 1e9
            raise PoseUnavailable(
                Wait.LATER,
                f"the newest pose is {late:.3f} s older than the image: the pose source is late or silent; "
                "raise input.sync_wait_s when it only lags",
            )
        before, after = self._stamps[i - 1], self._stamps[i]
        if after - before > self._gap_ns:
            raise PoseUnavailable(
                Wait.NEVER,
                f"the poses around the image are {(after - before) / 1e9:.3f} s apart: raise "
                f"input.pose_gap_s (now {self._gap_ns / 1e9:g}) when so slow poses are good enough",
            )
        return interpolate(self._poses[i - 1], self._poses[i], (stamp_ns - before) / (after - before))
