"""The transform tree by tf2_ros, where that is installed, behind the interface of the own buffer."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any

import numpy as np
from rclpy.callback_groups import CallbackGroup
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.time import Time

from moss_ros.config import ConfigError
from moss_ros.geometry.transforms import from_translation_quaternion
from moss_ros.messages.stamps import frame_name
from moss_ros.source.poses import PoseUnavailable, Wait
from moss_ros.source.tf_buffer import TfBuffer

_CACHE = Duration(seconds=20)  # longer than images ever wait
Receive = Callable[[Any, bool], None]  # a TransformStamped, and whether it is static


def find_tf2(choice: str) -> Any | None:
    """The module tf2_ros by input.tf_buffer (auto, tf2_ros, own); None: use the own buffer. Raises ConfigError."""
    if choice == "own":
        return None
    try:
        return importlib.import_module("tf2_ros")
    except ImportError as error:
        if choice == "auto":
            return None
        raise ConfigError(
            f"input.tf_buffer is tf2_ros, which cannot be imported ({error}): install tf2_ros_py of your ROS, or set "
            "input.tf_buffer to auto or own"
        ) from error


class Tf2Lookup:
    """tf2 gives the poses. The own buffer, fed alike, says when there is none, for tf2 would interpolate across any
    gap and does not tell which transform is late: a refusal reads the same whoever keeps the transforms."""

    def __init__(self, tf2_ros: Any, gap_ns: int, jump_ns: int) -> None:
        self._refusals = TfBuffer(gap_ns, jump_ns)
        self._jump_ns = jump_ns
        self._tf2_errors = (
            tf2_ros.LookupException,
            tf2_ros.ConnectivityException,
            tf2_ros.ExtrapolationException,
        )
        self._buffer = _feeding_buffer(tf2_ros, self._before, self._after)
        self._make_listener = tf2_ros.TransformListener
        self._newest_ns: dict[str, int] = {}  # of each moving child frame
        self._lock = Lock()
        self._arrived: SimpleQueue[tuple[Any, bool]] = SimpleQueue()
        self._wake: Callable[[], None] = lambda: None
        self._stop: Callable[[], None] = lambda: None

    def listen(self, node: Node, group: CallbackGroup, receive: Receive) -> None:
        """Subscribe. Each transform is also given to receive, in the callback group, once tf2 has it."""
        guard = node.create_guard_condition(lambda: self._hand_over(receive), callback_group=group)
        self._wake = guard.trigger
        listener = self._make_listener(self._buffer, node)

        def stop() -> None:
            listener.unregister()
            node.destroy_guard_condition(guard)

        self._stop = stop

    def close(self) -> None:
        """End the subscriptions."""
        self._wake = lambda: None
        self._stop()

    def add(self, parent: str, child: str, stamp_ns: int, parent_from_child: np.ndarray) -> bool:
        """A pose (4x4) of a moving edge that tf2 has already; True when its time jumped back."""
        return self._refusals.add(parent, child, stamp_ns, parent_from_child)

    def add_static(self, parent: str, child: str, parent_from_child: np.ndarray) -> None:
        """A fixed edge (4x4) that tf2 has already."""
        self._refusals.add_static(parent, child, parent_from_child)

    def forget_time_after(self, limit_ns: int) -> None:
        """Images jumped back in time: forget the transforms that have not jumped yet; static ones stay."""
        self._refusals.forget_time_after(limit_ns)
        with self._lock:
            if any(newest > limit_ns for newest in self._newest_ns.values()):
                self._forget()

    def at(self, target: str, source: str, stamp_ns: int) -> np.ndarray:
        """4x4 target_from_source at the stamp, interpolated by tf2. Raises PoseUnavailable."""
        self._refusals.at(target, source, stamp_ns)
        try:
            found = self._buffer.lookup_transform_core(target, source, Time(nanoseconds=stamp_ns)).transform
        except self._tf2_errors as error:
            raise PoseUnavailable(
                Wait.LATER,
                f"tf2_ros does not give {target} from {source}: {error}. Set input.map_frame and input.camera_frame, "
                "publish the missing transform, or set input.tf_buffer to own",
            ) from None
        move, turn = found.translation, found.rotation
        return from_translation_quaternion(
            np.array([move.x, move.y, move.z]), np.array([turn.x, turn.y, turn.z, turn.w])
        )

    def _before(self, transform: Any) -> None:
        """tf2 refuses what is older than its cache and would mix two times: start again when time jumps back."""
        child, stamp = frame_name(transform.child_frame_id), _stamp_ns(transform)
        with self._lock:
            newest = self._newest_ns.get(child, stamp)
            if stamp < newest - self._jump_ns:
                self._forget()
                newest = stamp
            self._newest_ns[child] = max(newest, stamp)

    def _forget(self) -> None:
        self._buffer.clear()  # moving edges only
        self._newest_ns.clear()

    def _after(self, transform: Any, static: bool) -> None:
        self._arrived.put((transform, static))
        self._wake()

    def _hand_over(self, receive: Receive) -> None:
        while True:
            try:
                transform, static = self._arrived.get_nowait()
            except Empty:
                return
            receive(transform, static)


def _feeding_buffer(tf2_ros: Any, before: Callable[[Any], None], after: Receive) -> Any:
    """A tf2_ros.Buffer that tells what the listener puts into it."""

    class FeedingBuffer(tf2_ros.Buffer):  # type: ignore[misc]  # made here: tf2_ros is not there on every machine
        def set_transform(self, transform: Any, authority: str) -> None:
            before(transform)
            super().set_transform(transform, authority)
            after(transform, False)

        def set_transform_static(self, transform: Any, authority: str) -> None:
            super().set_transform_static(transform, authority)
            after(transform, True)

    return FeedingBuffer(cache_time=_CACHE)


def _stamp_ns(transform: Any) -> int:
    stamp = transform.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
