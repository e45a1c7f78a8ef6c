"""Which topics of a bag are colour, depth, camera_info and pose, judged by type and name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from rosbags.highlevel import AnyReader

from moss_ros.messages.bag_file import BagError
from moss_ros.messages.stamps import frame_name

_NOT_COLOR = re.compile(r"depth|infra|/ir(?:\d|/|$)|mask|label|semantic|theora|debug|overlay", re.IGNORECASE)
_COLOR = re.compile(r"color|rgb", re.IGNORECASE)
_TRANSPORT = re.compile(r"/(compressed|compressedDepth)$")


def guess(reader: AnyReader, path: Path) -> dict[str, Any]:
    """{"input.NAME": value} for MossConfig. Raises BagError when there is no colour or depth."""
    types = {c.topic: c.msgtype.rsplit("/", 1)[-1] for c in reader.connections if reader.topics[c.topic].msgcount}
    color = _best([t for t in types if _is_image(types[t]) and not _NOT_COLOR.search(t)], _color_rank)
    depth = _best([t for t in types if _is_image(types[t]) and _is_depth(t)], _depth_rank)
    infos = [t for t in types if types[t] == "CameraInfo"]
    if color is None or depth is None or not infos:
        missing = "colour image" if color is None else "depth image" if depth is None else "camera_info"
        raise BagError(
            f"no topic of {path} looks like a {missing}; name the topics with --set input.color_topic=... "
            f"(topics there: {', '.join(f'{t} ({n})' for t, n in sorted(types.items())) or 'none'})"
        )
    out = {
        "input.color_topic": color,
        "input.depth_topic": depth,
        "input.color_info_topic": _nearest(color, infos),
    }
    if _sibling_info(depth) in infos and _sibling_info(depth) != out["input.color_info_topic"]:
        out["input.depth_info_topic"] = _sibling_info(depth)
    return {**out, **_pose(reader, types)}


def _is_image(kind: str) -> bool:
    return kind in ("Image", "CompressedImage")


def _is_depth(topic: str) -> bool:
    # A depth image behind the plain "compressed" transport is often lossy JPEG: not a depth any more.
    return "depth" in topic.lower() and not topic.endswith("/compressed")


def _color_rank(topic: str) -> tuple:
    return (
        not _COLOR.search(topic),
        "image_rect" not in topic,
        bool(_TRANSPORT.search(topic)),
        len(topic),
        topic,
    )


def _depth_rank(topic: str) -> tuple:
    registered = re.search(r"aligned|registered|to_color|to_rgb", topic)
    return (not registered, bool(_TRANSPORT.search(topic)), len(topic), topic)


def _best(topics: list[str], rank: Any) -> str | None:
    return min(topics, key=rank, default=None)


def _sibling_info(topic: str) -> str:
    """camera_info beside an image topic, as image_transport names it."""
    return _TRANSPORT.sub("", topic).rsplit("/", 1)[0] + "/camera_info"


def _nearest(topic: str, infos: list[str]) -> str:
    def shared(info: str) -> int:
        return next(
            (i for i, (a, b) in enumerate(zip(topic, info, strict=False)) if a != b),
            min(len(topic), len(info)),
        )

    return _sibling_info(topic) if _sibling_info(topic) in infos else max(sorted(infos), key=shared)


def _pose(reader: AnyReader, types: dict[str, str]) -> dict[str, Any]:
    """A PoseStamped of the camera, else TF, else any PoseStamped, else Odometry."""
    stamped = sorted((t for t in types if types[t] == "PoseStamped"), key=lambda t: (t != "/camera/pose", len(t), t))
    camera = [t for t in stamped if "camera" in t]
    odometry = sorted((t for t in types if types[t] == "Odometry"), key=lambda t: (len(t), t))
    if camera:
        return _topic_pose(reader, "pose", camera[0])
    if "/tf" in types:
        return {"input.pose_source": "tf", "input.map_frame": _root(reader)}
    if stamped or odometry:
        kind = "pose" if stamped else "odometry"
        return _topic_pose(reader, kind, (stamped or odometry)[0])
    return {}


def _topic_pose(reader: AnyReader, kind: str, topic: str) -> dict[str, Any]:
    header = _first(reader, topic, 1)[0].header
    return {
        "input.pose_source": kind,
        "input.pose_topic": topic,
        "input.map_frame": frame_name(header.frame_id) or "map",
    }


def _root(reader: AnyReader) -> str:
    """The fixed frame of the tree: map, else world, else odom, else a frame without a parent."""
    edges = [t for topic in ("/tf", "/tf_static") for m in _first(reader, topic, 200) for t in m.transforms]
    parents = {frame_name(t.header.frame_id) for t in edges}
    children = {frame_name(t.child_frame_id) for t in edges}
    for name in ("map", "world", "odom"):
        if name in parents:
            return name
    return min(parents - children, default="map")


def _first(reader: AnyReader, topic: str, count: int) -> list[Any]:
    connections = [c for c in reader.connections if c.topic == topic]
    out: list[Any] = []
    if connections:
        for connection, _, raw in reader.messages(connections=connections):
            out.append(reader.deserialize(raw, connection.msgtype))
            if len(out) == count:
                break
    return out
