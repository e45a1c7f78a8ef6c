"""Boxes and labels for rviz; only what changed since the last message is sent."""

from __future__ import annotations

from collections.abc import Sequence

from geometry_msgs.msg import Vector3
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from moss_ros.instances.colors import color_of
from moss_ros.records import Instance, InstanceState, Snapshot
from moss_ros.ros.conversions import box_pose, box_size, header_msg

_TEXT_HEIGHT_M = 0.06
_GLOW_M = 0.03  # a found box is so much larger than that of the instance
_ALPHA = {InstanceState.TENTATIVE: 0.2, InstanceState.CONFIRMED: 0.45, InstanceState.MISSING: 0.1}


class MarkerBoard:
    """What is on the screen of whoever listens, and what must still be told."""

    def __init__(self, frame: str) -> None:
        self._frame = frame
        self._shown: dict[int, Instance] = {}
        self._changed: set[int] = set()
        self._removed: set[int] = set()
        self._stamp_ns = 0

    def update(self, snapshot: Snapshot) -> None:
        """Take over a snapshot."""
        new = {i.id: i for i in snapshot.instances if i.state is not InstanceState.REMOVED}
        self._removed |= self._shown.keys() - new.keys()
        self._removed -= new.keys()
        self._changed |= {i for i in new if i in snapshot.changed_ids or i not in self._shown}
        self._changed &= new.keys()
        self._shown = new
        self._stamp_ns = snapshot.stamp_ns

    def take(self, everything: bool = False) -> MarkerArray | None:
        """Changes since the last call, or everything for a new listener; None when there is nothing to say."""
        ids = sorted(self._shown if everything else self._changed)
        header = header_msg(self._stamp_ns, self._frame)
        out: list[Marker] = []
        if everything:
            out.append(Marker(header=header, action=Marker.DELETEALL))
        else:
            for instance_id in sorted(self._removed):
                out += [Marker(header=header, ns=ns, id=instance_id, action=Marker.DELETE) for ns in ("box", "label")]
        for instance_id in ids:
            out += instance_markers(self._shown[instance_id], header)
        self._changed, self._removed = set(), set()
        return MarkerArray(markers=out) if out else None


def query_markers(found: Sequence[Instance], stamp_ns: int, frame: str) -> MarkerArray:
    """The answers to a question, best first: glowing boxes with their rank; what glowed before goes out."""
    header = header_msg(stamp_ns, frame)
    out = [Marker(header=header, action=Marker.DELETEALL)]
    for rank, instance in enumerate(found, 1):
        box, text = instance_markers(instance, header)
        box.ns, text.ns = "found", "rank"
        box.color = ColorRGBA(r=1.0, g=0.85, b=0.1, a=0.75 if rank == 1 else 0.4)
        margin = _GLOW_M
        box.scale = Vector3(x=box.scale.x + margin, y=box.scale.y + margin, z=box.scale.z + margin)
        text.text = f"#{rank} {instance.label} {instance.id}"
        out += [box, text]
    return MarkerArray(markers=out)


def instance_markers(instance: Instance, header: Header) -> list[Marker]:
    """A box and a text of one instance, in the colour of its id."""
    r, g, b = (channel / 255.0 for channel in color_of(instance.id))
    box = Marker(header=header, ns="box", id=instance.id, type=Marker.CUBE, action=Marker.ADD)
    box.pose, box.scale = box_pose(instance.box), box_size(instance.box)
    box.color = ColorRGBA(r=r, g=g, b=b, a=_ALPHA.get(instance.state, 0.0))
    text = Marker(header=header, ns="label", id=instance.id, type=Marker.TEXT_VIEW_FACING, action=Marker.ADD)
    text.pose = box_pose(instance.box)
    text.pose.position.z += float(instance.box.size_m[2]) / 2 + _TEXT_HEIGHT_M
    text.scale.z = _TEXT_HEIGHT_M
    text.color = ColorRGBA(r=1.0, g=1.0, b=1.0, a=0.9)
    text.text = f"{instance.id} {instance.label}"
    return [box, text]
