"""Writes small bags with rosbags: the same topics as a robot, from frames of test/scenes.py."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from moss_ros.geometry.transforms import quaternion_xyzw
from moss_ros.records import Frame

STORE = get_typestore(Stores.ROS2_KILTED)
COLOR, DEPTH = "/camera/color/image_raw/compressed", "/camera/depth/image_raw/compressedDepth"
COLOR_INFO, DEPTH_INFO, POSE = "/camera/color/camera_info", "/camera/depth/camera_info", "/camera/pose"
OPTICAL = "camera_optical"
START = 1_700_000_000_000_000_000
_PACKAGES = ("sensor_msgs", "geometry_msgs", "tf2_msgs", "std_msgs", "builtin_interfaces", "nav_msgs")


def make(kind: str, **fields: Any) -> Any:
    """A message by its short name."""
    for package in _PACKAGES:
        name = f"{package}/msg/{kind}"
        if name in STORE.types:
            return STORE.types[name](**fields)
    raise KeyError(kind)


def header(stamp_ns: int, frame_id: str) -> Any:
    return make("Header", stamp=make("Time", sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9), frame_id=frame_id)


def color_message(frame: Frame, stamp_ns: int) -> Any:
    data = cv2.imencode(".png", np.ascontiguousarray(frame.color_rgb[..., ::-1]))[1].ravel()
    return make("CompressedImage", header=header(stamp_ns, OPTICAL), format="rgb8; png compressed bgr8", data=data)


def depth_message(frame: Frame, stamp_ns: int) -> Any:
    png = cv2.imencode(".png", np.rint(frame.depth_m * 1000).astype(np.uint16))[1].ravel()
    data = np.concatenate([np.zeros(12, np.uint8), png])
    return make("CompressedImage", header=header(stamp_ns, OPTICAL), format="16UC1; compressedDepth png", data=data)


def info_message(frame: Frame, stamp_ns: int) -> Any:
    camera = frame.color_camera
    region = make("RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)
    return make(
        "CameraInfo",
        header=header(stamp_ns, OPTICAL),
        height=camera.height,
        width=camera.width,
        distortion_model="plumb_bob",
        d=np.zeros(5),
        k=camera.matrix.ravel(),
        r=np.eye(3).ravel(),
        p=np.hstack([camera.matrix, np.zeros((3, 1))]).ravel(),
        binning_x=0,
        binning_y=0,
        roi=region,
    )


def _parts(pose: np.ndarray) -> tuple[dict[str, float], dict[str, float]]:
    xyz = dict(zip("xyz", pose[:3, 3].tolist(), strict=True))
    return xyz, dict(zip("xyzw", quaternion_xyzw(pose[:3, :3]).tolist(), strict=True))


def pose_message(frame: Frame, stamp_ns: int, frame_id: str = "map") -> Any:
    xyz, q = _parts(frame.world_from_camera)
    pose = make("Pose", position=make("Point", **xyz), orientation=make("Quaternion", **q))
    return make("PoseStamped", header=header(stamp_ns, frame_id), pose=pose)


def tf_message(pose: np.ndarray, stamp_ns: int, parent: str, child: str) -> Any:
    xyz, q = _parts(pose)
    move = make("Transform", translation=make("Vector3", **xyz), rotation=make("Quaternion", **q))
    one = make("TransformStamped", header=header(stamp_ns, parent), child_frame_id=child, transform=move)
    return make("TFMessage", transforms=[one])


def write_bag(path: Path, messages: Sequence[tuple[str, int, Any]], mcap: bool = True) -> Path:
    """A bag of (topic, stamp, message); bytes instead of a message are written as they are, as a PoseStamped."""
    plugin = StoragePlugin.MCAP if mcap else StoragePlugin.SQLITE3
    with Writer(path, version=9, storage_plugin=plugin) as writer:
        connections: dict[str, Any] = {}
        for topic, stamp_ns, message in messages:
            kind = "geometry_msgs/msg/PoseStamped" if isinstance(message, bytes) else message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=STORE)
            raw = message if isinstance(message, bytes) else STORE.serialize_cdr(message, kind)
            writer.write(connections[topic], stamp_ns, raw)
    return path


def drive(frames: Sequence[Frame], step_ns: int = 100_000_000) -> list[tuple[str, int, Any]]:
    """All topics of a drive: pose, /tf with a static camera, colour, depth and their camera_info."""
    out = [("/tf_static", START, tf_message(np.eye(4), START, "camera_link", OPTICAL))]
    for i, frame in enumerate(frames):
        t = START + i * step_ns
        out += [
            (COLOR, t, color_message(frame, t)),
            (DEPTH, t, depth_message(frame, t)),
            (COLOR_INFO, t, info_message(frame, t)),
            (DEPTH_INFO, t, info_message(frame, t)),
            (POSE, t, pose_message(frame, t)),
            ("/tf", t, tf_message(frame.world_from_camera, t, "map", "camera_link")),
        ]
    return out
