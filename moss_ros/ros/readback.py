"""Messages of the mapper -> records and arrays: what a client of its topics needs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from moss_msgs.msg import InstanceEvent
from sensor_msgs.msg import PointCloud2, PointField

from moss_ros.instances.instance_map import LoggedEvent
from moss_ros.records import Instance, InstanceState, OrientedBox

_KINDS = {PointField.FLOAT32: "<f4", PointField.INT32: "<i4"}
_EVENT_KINDS = {getattr(InstanceEvent, name.upper()): name for name in ("new", "confirmed", "merge", "split", "lost")}


def cloud_from_message(message: PointCloud2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (N, 3) float32, colours (N, 3) uint8, instance ids (N,) int32 (0 where the cloud has none)."""
    layout = np.dtype(
        {
            "names": [f.name for f in message.fields],
            "formats": [_KINDS[f.datatype] for f in message.fields],
            "offsets": [f.offset for f in message.fields],
            "itemsize": message.point_step,
        }
    )
    table = np.frombuffer(message.data, layout)
    points = np.stack([table["x"], table["y"], table["z"]], 1)
    bits = np.ascontiguousarray(table["rgb"]).view(np.uint32)
    colors = np.stack([(bits >> 16) & 255, (bits >> 8) & 255, bits & 255], 1).astype(np.uint8)
    ids = table["instance"].copy() if "instance" in (layout.names or ()) else np.zeros(len(table), np.int32)
    return points, colors, ids


def instance_from_message(message: Any, points: PointCloud2) -> Instance:
    """A moss_msgs/Instance with its points as a record."""
    xyz, colors, _ = cloud_from_message(points)
    center, turn, size = message.box_pose.position, message.box_pose.orientation, message.box_size
    return Instance(
        id=message.id,
        state=InstanceState(message.state),
        box=OrientedBox(
            np.array([center.x, center.y, center.z]),
            np.array([size.x, size.y, size.z]),
            2 * math.atan2(turn.z, turn.w),
        ),
        centroid_m=np.array([message.centroid.x, message.centroid.y, message.centroid.z]),
        points_m=xyz,
        colors_rgb=colors,
        score=message.score,
        label=message.label,
        label_score=message.label_score,
        first_seen_ns=_ns(message.first_seen),
        last_seen_ns=_ns(message.last_seen),
        observations=message.observations,
        source=message.source,
    )


def event_from_message(message: InstanceEvent) -> LoggedEvent:
    """A moss_msgs/InstanceEvent as a record."""
    return LoggedEvent(
        stamp_ns=_ns(message.stamp),
        kind=_EVENT_KINDS[message.kind],
        id=message.id,
        others=tuple(message.others),
        segmentation=message.segmentation,
        number=message.number,
    )


def _ns(time: Any) -> int:
    return time.sec * 1_000_000_000 + time.nanosec
