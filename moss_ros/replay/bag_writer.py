"""Writes RGB-D recordings as rosbag2 folders (MCAP) with the same topics for all of them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from moss_ros.geometry.transforms import inverse
from moss_ros.replay.message_maker import MessageMaker

START_NS = 1_700_000_000 * 10**9  # where recordings without a clock start: ROS reads 0 as "not stamped"
MAP_FRAME, LINK_FRAME = "map", "camera_link"
OPTICAL_FRAME, DEPTH_OPTICAL_FRAME = "camera_color_optical_frame", "camera_depth_optical_frame"
LINK_FROM_OPTICAL = np.array([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])

COLOR, COLOR_INFO = "/camera/color/image_raw/compressed", "/camera/color/camera_info"
DEPTH, DEPTH_INFO = "/camera/depth/image_raw/compressedDepth", "/camera/depth/camera_info"
DEPTH_RAW = "/camera/depth/image_raw"  # instead of DEPTH where millimetres are too coarse
POSE = "/camera/pose"

TOPICS = {
    "/tf_static": "tf2_msgs/msg/TFMessage",
    COLOR: "sensor_msgs/msg/CompressedImage",
    COLOR_INFO: "sensor_msgs/msg/CameraInfo",
    DEPTH: "sensor_msgs/msg/CompressedImage",
    DEPTH_INFO: "sensor_msgs/msg/CameraInfo",
    POSE: "geometry_msgs/msg/PoseStamped",
    "/tf": "tf2_msgs/msg/TFMessage",
}


_Writer = TypeVar("_Writer", bound="RgbdBagWriter")


class RgbdBagWriter:
    """Open bag; use as a context manager. ``messages`` makes what is written.

    zstd: compress the file, for images that are not compressed themselves.
    """

    def __init__(self, folder: Path, start_ns: int, topics: Mapping[str, str] = TOPICS, zstd: bool = False) -> None:
        self.messages = MessageMaker()
        self._topics = topics
        self._start_ns = start_ns
        self._writer = Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP)
        if zstd:
            self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        self._connections: dict[str, Any] = {}

    def __enter__(self: _Writer) -> _Writer:
        self._writer.open()
        for topic, kind in self._topics.items():
            profiles = [_latched()] if topic == "/tf_static" else []
            self._connections[topic] = self._writer.add_connection(
                topic, kind, typestore=self.messages.store, offered_qos_profiles=profiles
            )
        mounts = [
            self.messages.transform(self._start_ns, LINK_FRAME, child, LINK_FROM_OPTICAL)
            for child in (OPTICAL_FRAME, DEPTH_OPTICAL_FRAME)
        ]
        self.write("/tf_static", self._start_ns, self.messages.transforms(mounts))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def write(self, topic: str, stamp_ns: int, message: Any) -> None:
        """Any message of one of the topics."""
        self._writer.write(self._connections[topic], stamp_ns, self.messages.serialize(message))

    def write_pose(self, stamp_ns: int, world_from_camera: np.ndarray) -> None:
        """The camera's pose, as a topic and as /tf."""
        link = world_from_camera @ inverse(LINK_FROM_OPTICAL)
        transform = self.messages.transform(stamp_ns, MAP_FRAME, LINK_FRAME, link)
        self.write("/tf", stamp_ns, self.messages.transforms([transform]))
        self.write(POSE, stamp_ns, self.messages.pose(stamp_ns, MAP_FRAME, world_from_camera))

    def write_color(self, stamp_ns: int, form: str, data: bytes) -> None:
        """Colour image; form is jpeg or png."""
        message = self.messages.compressed_image(stamp_ns, OPTICAL_FRAME, f"rgb8; {form} compressed bgr8", data)
        self.write(COLOR, stamp_ns, message)

    def write_depth_png(self, stamp_ns: int, depth_png: bytes) -> None:
        """Depth image, 16 bit in millimetres."""
        # compressed_depth_image_transport puts a format number and two quantisation parameters before a PNG.
        payload = struct.pack("<iff", 0, 0.0, 0.0) + depth_png
        message = self.messages.compressed_image(stamp_ns, OPTICAL_FRAME, "16UC1; compressedDepth png", payload)
        self.write(DEPTH, stamp_ns, message)


def _latched() -> Qos:
    never = QosTime(0, 0)
    return Qos(
        history=QosHistory.KEEP_LAST,
        depth=1,
        reliability=QosReliability.RELIABLE,
        durability=QosDurability.TRANSIENT_LOCAL,
        deadline=never,
        lifespan=never,
        liveliness=QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=never,
        avoid_ros_namespace_conventions=False,
    )
