"""Shots of images and poses that belong together by their stamps: the same rules as for topics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from moss_ros.config import InputConfig
from moss_ros.messages.stamps import split_ns
from moss_ros.replay.bag_writer import START_NS
from moss_ros.replay.folders.recording import FolderError, Shot
from moss_ros.source.drops import DropLog
from moss_ros.source.matcher import Match, Matcher

_FRAME = "map"


@dataclass(frozen=True, slots=True)
class Timeline:
    """Times of one kind, and the name under which messages speak of it (a file)."""

    name: str
    stamps_ns: list[int]
    values: list[Any]  # a Path for an image, (7,) tx ty tz qx qy qz qw for a pose


def associate(
    color: Timeline, depth: Timeline, poses: Timeline, config: InputConfig, drops: DropLog
) -> tuple[Shot, ...]:
    """Colour with the nearest depth within input.sync_tolerance_s, and the pose interpolated at the colour stamp."""
    # The matcher names topics in what it says; here those are files.
    matcher = Matcher(
        replace(
            config,
            color_topic=color.name,
            depth_topic=depth.name,
            pose_topic=poses.name,
            pose_source="pose",
            map_frame=_FRAME,
            depth_info_topic="",
        ),
        drops,
    )
    matcher.add_info("color", None)
    shift_ns = clock_shift_ns([*color.stamps_ns, *depth.stamps_ns, *poses.stamps_ns])
    add = {"pose": matcher.add_pose, "color": matcher.add_color, "depth": matcher.add_depth}
    shots: list[Shot] = []
    for stamp, kind, value in _in_order(color, depth, poses):
        shots += _shots(add[kind](_message(stamp + shift_ns, kind, value)))
    shots += _shots(matcher.flush())
    return tuple(shots)


def clock_shift_ns(stamps_ns: Iterable[int]) -> int:
    """What to add to stamps of a clock that starts at zero, which ROS would read as "not stamped"."""
    return START_NS if min(stamps_ns, default=1) <= 0 else 0


def require_increasing(path: Path, stamps_ns: list[int], lines: list[int]) -> None:
    """Raises FolderError at the first line that is not later than the one before."""
    for i in range(1, len(stamps_ns)):
        if stamps_ns[i] <= stamps_ns[i - 1]:
            raise FolderError(f"{path}:{lines[i]}: this time is not later than the one before: sort the lines")


def _in_order(color: Timeline, depth: Timeline, poses: Timeline) -> list[tuple[int, str, Any]]:
    """Everything as it would have come live; a pose before the images of its moment."""
    kinds = (("pose", poses), ("color", color), ("depth", depth))
    events = [(s, kind, v) for kind, line in kinds for s, v in zip(line.stamps_ns, line.values, strict=True)]
    return sorted(events, key=lambda event: event[0])


def _message(stamp_ns: int, kind: str, value: Any) -> SimpleNamespace:
    """As much of a message as the matcher looks at."""
    sec, nanosec = split_ns(stamp_ns)
    header = SimpleNamespace(stamp=SimpleNamespace(sec=sec, nanosec=nanosec), frame_id=_FRAME)
    if kind != "pose":
        return SimpleNamespace(header=header, path=value)
    x, y, z, qx, qy, qz, qw = np.asarray(value, float)
    position = SimpleNamespace(x=x, y=y, z=z)
    orientation = SimpleNamespace(x=qx, y=qy, z=qz, w=qw)
    return SimpleNamespace(header=header, pose=SimpleNamespace(position=position, orientation=orientation))


def _shots(matches: list[Match]) -> list[Shot]:
    return [Shot(m.stamp_ns, m.color.path, m.depth.path, m.world_from_camera) for m in matches]
