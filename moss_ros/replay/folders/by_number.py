"""Shots of images and poses that belong together by their number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from moss_ros.replay.bag_writer import START_NS
from moss_ros.replay.folders.recording import Shot
from moss_ros.source.drops import DropLog

FRAME_RATE_HZ = 30.0  # of the cameras behind the layouts that store no time


def stamp_of_number(number: int, rate_hz: float = FRAME_RATE_HZ) -> int:
    """Stamp of an image that only has a number."""
    return START_NS + round(number * 1e9 / rate_hz)


def join(
    color: Mapping[int, Path],
    depth: Mapping[int, Path],
    poses: Mapping[int, np.ndarray | None],
    stamp_ns: Callable[[int], int],
    drops: DropLog,
) -> tuple[Shot, ...]:
    """Shots in the order of numbers. What lacks a part is counted; a pose of None is one that is not finite."""
    shots = []
    for number in sorted(color):
        reason, why = _missing(number, depth, poses)
        if reason:
            drops.add(reason, f"{color[number]}: {why}")
            continue
        pose = poses[number]
        assert pose is not None
        shots.append(Shot(stamp_ns(number), color[number], depth[number], pose))
    for number in sorted(set(depth) - set(color)):
        drops.add("no_color", f"{depth[number]}: there is no colour image {number}; copy it, or remove this one")
    return tuple(shots)


def _missing(number: int, depth: Mapping[int, Path], poses: Mapping[int, np.ndarray | None]) -> tuple[str, str]:
    if number not in depth:
        return "no_depth", f"there is no depth image {number}; copy it, or remove this one"
    if number not in poses:
        return "no_pose", f"there is no pose {number}; copy it, or remove this image"
    if poses[number] is None:
        return "pose_invalid", f"pose {number} is not finite: tracking was lost there, nothing to do"
    return "", ""
