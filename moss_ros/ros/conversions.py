"""Records of the core -> messages. Pure functions; positions stay in the map frame, metres."""

from __future__ import annotations

import math

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from moss_msgs.msg import Instance as InstanceMsg
from moss_msgs.msg import InstanceArray
from moss_msgs.msg import InstanceEvent as InstanceEventMsg
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from moss_ros.instances.instance_map import LoggedEvent
from moss_ros.messages.stamps import split_ns
from moss_ros.records import Instance, OrientedBox, Snapshot


def time_msg(stamp_ns: int) -> Time:
    """Time message of nanoseconds."""
    sec, nanosec = split_ns(stamp_ns)
    return Time(sec=sec, nanosec=nanosec)


def header_msg(stamp_ns: int, frame: str) -> Header:
    """Header of a stamp in nanoseconds and a frame."""
    return Header(stamp=time_msg(stamp_ns), frame_id=frame)


def box_pose(box: OrientedBox) -> Pose:
    """Centre and yaw of a box."""
    half = box.yaw_rad / 2
    return Pose(position=_point(box.center_m), orientation=Quaternion(z=math.sin(half), w=math.cos(half)))


def box_size(box: OrientedBox) -> Vector3:
    """Full extents of a box."""
    x, y, z = (float(v) for v in box.size_m)
    return Vector3(x=x, y=y, z=z)


def instance_msg(instance: Instance, evidence_jpeg: bytes | None = None, frame: str = "") -> InstanceMsg:
    """One instance; the evidence picture only where it is given."""
    out = InstanceMsg(
        id=instance.id,
        state=int(instance.state),
        box_pose=box_pose(instance.box),
        box_size=box_size(instance.box),
        centroid=_point(instance.centroid_m),
        point_count=len(instance.points_m),
        label=instance.label,
        label_score=float(instance.label_score),
        score=float(instance.score),
        first_seen=time_msg(instance.first_seen_ns),
        last_seen=time_msg(instance.last_seen_ns),
        observations=instance.observations,
        source=instance.source,
    )
    if evidence_jpeg is not None:
        header = header_msg(instance.last_seen_ns, frame)
        out.evidence = CompressedImage(header=header, format="jpeg", data=evidence_jpeg)
    return out


def instance_array(snapshot: Snapshot, frame: str) -> InstanceArray:
    """All instances of a snapshot."""
    return InstanceArray(
        header=header_msg(snapshot.stamp_ns, frame),
        instances=[instance_msg(i) for i in snapshot.instances],
        changed_ids=sorted(snapshot.changed_ids),
        removed_ids=sorted(snapshot.removed_ids),
    )


def event_msg(event: LoggedEvent) -> InstanceEventMsg:
    """One line of the log of identities; its kinds are the constants of the message, in small letters."""
    return InstanceEventMsg(
        stamp=time_msg(event.stamp_ns),
        number=event.number,
        segmentation=event.segmentation,
        kind=getattr(InstanceEventMsg, event.kind.upper()),
        id=event.id,
        others=list(event.others),
    )


def _point(xyz: np.ndarray) -> Point:
    x, y, z = (float(v) for v in xyz)
    return Point(x=x, y=y, z=z)
