"""The transform tree over time, from /tf and /tf_static messages."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from moss_ros.geometry.transforms import inverse
from moss_ros.source.poses import PoseBuffer, PoseUnavailable, Wait

_LONGEST_CHAIN = 100


class TransformTree(Protocol):
    """What keeps transforms over time: the own TfBuffer, or tf2_ros in the live node."""

    def add(self, parent: str, child: str, stamp_ns: int, parent_from_child: np.ndarray) -> bool:
        """A pose (4x4) of a moving edge; True when its time jumped back."""
        ...

    def add_static(self, parent: str, child: str, parent_from_child: np.ndarray) -> None:
        """A fixed edge (4x4)."""
        ...

    def forget_time_after(self, limit_ns: int) -> None:
        """Images jumped back in time: forget the poses that are from before."""
        ...

    def at(self, target: str, source: str, stamp_ns: int) -> np.ndarray:
        """4x4 target_from_source at the stamp. Raises PoseUnavailable."""
        ...


class TfBuffer:
    """Each frame has one parent; moving edges are interpolated at the stamp asked for, static ones hold always."""

    def __init__(self, gap_ns: int, jump_ns: int) -> None:
        self._gap_ns = gap_ns
        self._jump_ns = jump_ns
        self._parent: dict[str, str] = {}
        self._moving: dict[str, PoseBuffer] = {}
        self._static: dict[str, np.ndarray] = {}

    def add(self, parent: str, child: str, stamp_ns: int, parent_from_child: np.ndarray) -> bool:
        """A pose of a moving edge (4x4); True when its time jumped back."""
        if self._parent.get(child) != parent or child not in self._moving:
            self._moving[child] = PoseBuffer(self._gap_ns, self._jump_ns)
            self._static.pop(child, None)
            self._parent[child] = parent
        return self._moving[child].add(stamp_ns, parent_from_child)

    def add_static(self, parent: str, child: str, parent_from_child: np.ndarray) -> None:
        """A fixed edge (4x4)."""
        self._moving.pop(child, None)
        self._static[child] = parent_from_child
        self._parent[child] = parent

    def forget_time_after(self, limit_ns: int) -> None:
        """Forget the poses of moving edges that are from before a jump back in time; static edges stay."""
        for buffer in self._moving.values():
            buffer.forget_time_after(limit_ns)

    def at(self, target: str, source: str, stamp_ns: int) -> np.ndarray:
        """4x4 target_from_source at the stamp. Raises PoseUnavailable."""
        up_source, up_target = self._chain(source), self._chain(target)
        common = next((frame for frame in up_source if frame in set(up_target)), None)
        if common is None:
            known = ", ".join(sorted({*self._parent, *self._parent.values()})) or "none"
            raise PoseUnavailable(
                Wait.LATER,
                f"/tf does not connect {target} and {source}; frames there: {known}. Set input.map_frame "
                "and input.camera_frame, or publish the missing transform",
            )
        common_from_source = self._down(up_source[: up_source.index(common)], stamp_ns)
        common_from_target = self._down(up_target[: up_target.index(common)], stamp_ns)
        return inverse(common_from_target) @ common_from_source

    def _chain(self, frame: str) -> list[str]:
        """The frame and its ancestors up to the root."""
        out = [frame]
        while out[-1] in self._parent and len(out) < _LONGEST_CHAIN:
            out.append(self._parent[out[-1]])
        return out

    def _down(self, frames: list[str], stamp_ns: int) -> np.ndarray:
        """4x4 of the first frame in the parent of the last; identity for none."""
        out = np.eye(4)
        for frame in frames:
            out = self._edge(frame, stamp_ns) @ out
        return out

    def _edge(self, child: str, stamp_ns: int) -> np.ndarray:
        if child in self._static:
            return self._static[child]
        try:
            return self._moving[child].at(stamp_ns)
        except PoseUnavailable as error:
            raise PoseUnavailable(error.wait, f"/tf {self._parent[child]} -> {child}: {error}") from None
