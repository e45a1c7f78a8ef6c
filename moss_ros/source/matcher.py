"""Which colour and depth images belong together, and where the camera was: looks at stamps only, decodes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from moss_ros.config import InputConfig
from moss_ros.messages.errors import MessageError
from moss_ros.messages.stamps import stamp_ns
from moss_ros.source.drops import DropLog
from moss_ros.source.pose_source import PoseSource
from moss_ros.source.poses import PoseUnavailable, Wait
from moss_ros.source.sync import Pair, Side, StampPairer, Unpaired


@dataclass(frozen=True, slots=True)
class Match:
    """Two image messages and the pose of the colour camera at the colour stamp."""

    stamp_ns: int
    color: Any
    depth: Any
    color_info: Any
    depth_info: Any  # the colour camera's where input.depth_info_topic is empty
    world_from_camera: np.ndarray  # (4, 4) float64


class Matcher:
    """Messages in, matches out, in the order of stamps. Nothing raises: what cannot be used goes to the drop log."""

    def __init__(self, config: InputConfig, drops: DropLog) -> None:
        self.received = 0  # colour images
        self._config = config
        self._drops = drops
        self._wait_ns = int(config.sync_wait_s * 1e9)
        self._pairer = StampPairer(int(config.sync_tolerance_s * 1e9), self._wait_ns, config.queue_size)
        self.poses = PoseSource(config)
        self._waiting: list[Pair] = []
        self._infos: dict[Side, Any] = {}

    def add_color(self, msg: Any) -> list[Match]:
        """Colour image message."""
        self.received += 1
        return self._add_image("color", msg)

    def add_depth(self, msg: Any) -> list[Match]:
        """Depth image message."""
        return self._add_image("depth", msg)

    def add_info(self, side: Side, msg: Any) -> list[Match]:
        """CameraInfo of one side; images wait for the first one."""
        first = side not in self._infos
        self._infos[side] = msg
        return self._resolve(self._pairer.newest_ns) if first else []

    def add_pose(self, msg: Any) -> list[Match]:
        """PoseStamped message of the camera."""
        return self._add_pose(self.poses.add_pose, msg)

    def add_odometry(self, msg: Any) -> list[Match]:
        """Odometry message of the body that carries the camera."""
        return self._add_pose(self.poses.add_odometry, msg)

    def add_tf(self, msg: Any, static: bool = False) -> list[Match]:
        """TFMessage of /tf, or of /tf_static with static."""
        out: list[Match] = []
        for transform in msg.transforms:
            out += self._add_pose(lambda t: self.poses.add_transform(t, static), transform)
        return out

    def flush(self) -> list[Match]:
        """Whatever can still be matched; the rest is counted. For the end of a recording."""
        pairs, lost = self._pairer.flush()
        self._waiting += pairs
        self._count(lost)
        return self._resolve(newest_ns=None)

    def _add_image(self, side: Side, msg: Any) -> list[Match]:
        try:
            stamp = stamp_ns(msg.header)
        except MessageError as error:
            self._drops.add(error.reason, f"{side} image: {error.text}")
            return []
        newest = self._pairer.newest_ns
        if newest is not None and stamp < newest - self._wait_ns:
            self._jump_back(stamp, newest)
        elif self._pairer.is_duplicate(side, stamp):
            self._drops.add(
                "duplicate",
                f"two {side} images have the stamp {stamp / 1e9:.6f}: two publishers on one topic, or a "
                "driver that repeats frames",
            )
            return []
        pairs, lost = self._pairer.add(side, stamp, msg)
        self._count(lost)
        self._waiting += pairs
        return self._resolve(self._pairer.newest_ns)

    def _add_pose(self, add: Callable[[Any], bool], msg: Any) -> list[Match]:
        try:
            jumped = add(msg)
        except MessageError as error:
            self._drops.add(error.reason, error.text)
            return []
        if jumped:
            self._drops.add("pose_time_jump", "the time of the poses jumped back: the poses before are forgotten")
        return self._resolve(self._pairer.newest_ns)

    def _resolve(self, newest_ns: int | None) -> list[Match]:
        """Matches of the waiting pairs whose pose is known; those that will never get one are dropped."""
        out: list[Match] = []
        still: list[Pair] = []
        missing = self._missing_info()
        for pair in self._waiting:
            late = newest_ns is None or newest_ns - pair.stamp_ns > self._wait_ns
            try:
                pose = self.poses.at(pair.stamp_ns, pair.color.header.frame_id)
            except PoseUnavailable as error:
                if error.wait is Wait.NEVER or late:
                    self._drop_pair(pair, "no_pose", str(error))
                else:
                    still.append(pair)
                continue
            if missing is None:
                out.append(self._match(pair, pose))
            elif late:
                self._drop_pair(pair, "no_camera_info", f"nothing came on {missing}: check the topic name")
            else:
                still.append(pair)
        self._waiting = still
        return out

    def _match(self, pair: Pair, pose: np.ndarray) -> Match:
        color = self._infos["color"]
        depth = self._infos["depth"] if self._config.depth_info_topic else color
        return Match(pair.stamp_ns, pair.color, pair.depth, color, depth, pose)

    def _missing_info(self) -> str | None:
        """Topic of the camera_info that has not come yet."""
        if "color" not in self._infos:
            return self._config.color_info_topic
        if self._config.depth_info_topic and "depth" not in self._infos:
            return self._config.depth_info_topic
        return None

    def _jump_back(self, stamp: int, newest: int) -> None:
        """Start again: everything that waits belongs to the time before."""
        waiting = self._pairer.clear() + len(self._waiting)
        self._waiting.clear()
        self.poses.forget_time_after((stamp + newest) // 2)
        self._drops.add(
            "time_jump",
            f"the image time jumped back by {(newest - stamp) / 1e9:.1f} s (a bag that starts again?): "
            f"{waiting} waiting images are forgotten, mapping goes on",
        )

    def _drop_pair(self, pair: Pair, reason: str, why: str) -> None:
        self._drops.add(reason, f"image at {pair.stamp_ns / 1e9:.3f} s: {why}")

    def _count(self, lost: list[Unpaired]) -> None:
        for image in lost:
            other = "depth" if image.side == "color" else "color"
            topic = self._config.depth_topic if other == "depth" else self._config.color_topic
            if image.newest_partner_ns is None:
                why = f"nothing came on {topic}: check the topic name, its type and its QoS (input.reliability)"
            else:
                why = (
                    f"none on {topic} within input.sync_tolerance_s = {self._config.sync_tolerance_s:g} s (the newest "
                    f"is {(image.newest_partner_ns - image.stamp_ns) / 1e9:+.3f} s away): raise it when the cameras "
                    "are not triggered together"
                )
            self._drops.add(f"no_{other}", f"{image.side} image without {other}: {why}")
