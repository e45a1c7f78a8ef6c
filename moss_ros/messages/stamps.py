"""Stamps as integer nanoseconds; works on any message class with the ROS 2 fields."""

from __future__ import annotations

from typing import Any

from moss_ros.messages.errors import MessageError

NANOSECONDS = 1_000_000_000


def stamp_ns(header: Any) -> int:
    """Nanoseconds of ``header.stamp``. Raises MessageError("no_stamp") when the publisher left it zero."""
    value = header.stamp.sec * NANOSECONDS + header.stamp.nanosec
    if value <= 0:
        raise MessageError(
            "no_stamp",
            "the stamp is zero: the publisher must stamp its messages with the time of the exposure",
        )
    return int(value)


def split_ns(value_ns: int) -> tuple[int, int]:
    """(sec, nanosec) of a ROS Time message."""
    return divmod(int(value_ns), NANOSECONDS)


def frame_name(frame_id: str) -> str:
    """Frame id without the leading slash that old bags still carry."""
    return frame_id.lstrip("/")
