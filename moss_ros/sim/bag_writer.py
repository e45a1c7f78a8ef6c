"""Writes a recording as a rosbag2 folder (MCAP)."""

from __future__ import annotations

import struct
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from moss_ros.geometry.camera import Camera
from moss_ros.geometry.transforms import inverse, quaternion_xyzw

START_NS = 1_700_000_000 * 10**9
PERIOD_NS = 100_000_000
OPTICAL_FRAME = "camera_color_optical_frame"
LINK_FROM_OPTICAL = np.array([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
COLOR, DEPTH = "/camera/color/image_raw/compressed", "/camera/depth/image_raw/compressedDepth"
TOPICS = {
    "/tf_static": "tf2_msgs/msg/TFMessage",
    COLOR: "sensor_msgs/msg/CompressedImage",
    "/camera/color/camera_info": "sensor_msgs/msg/CameraInfo",
    DEPTH: "sensor_msgs/msg/CompressedImage",
    "/camera/depth/camera_info": "sensor_msgs/msg/CameraInfo",
    "/camera/pose": "geometry_msgs/msg/PoseStamped",
    "/tf": "tf2_msgs/msg/TFMessage",
    "/camera/pose_noisy": "geometry_msgs/msg/PoseStamped",
}


def stamp_ns(frame: int) -> int:
    """Time of a frame."""
    return START_NS + frame * PERIOD_NS


class BagWriter:
    """Open bag; use as a context manager."""

    def __init__(self, folder: Path, camera: Camera) -> None:
        self._store = get_typestore(Stores.ROS2_JAZZY)
        self._camera = camera
        self._writer = Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP)
        self._connections: dict[str, Any] = {}

    def __enter__(self) -> BagWriter:
        self._writer.open()
        for topic, kind in TOPICS.items():
            profiles = [_latched()] if topic == "/tf_static" else []
            self._connections[topic] = self._writer.add_connection(
                topic, kind, typestore=self._store, offered_qos_profiles=profiles
            )
        mounts = [
            self._transform(START_NS, "camera_link", child, LINK_FROM_OPTICAL)
            for child in (OPTICAL_FRAME, "camera_depth_optical_frame")
        ]
        self._write("/tf_static", START_NS, self._new("tf2_msgs/msg/TFMessage", transforms=mounts))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def add(
        self,
        frame: int,
        jpeg: bytes,
        depth_png: bytes,
        world_from_camera: np.ndarray,
        noisy_world_from_camera: np.ndarray,
    ) -> None:
        """All messages of one frame; depth_png is 16 bit in millimetres."""
        t = stamp_ns(frame)
        link = world_from_camera @ inverse(LINK_FROM_OPTICAL)
        transforms = [self._transform(t, "map", "camera_link", link)]
        self._write("/tf", t, self._new("tf2_msgs/msg/TFMessage", transforms=transforms))
        self._write("/camera/pose", t, self._pose(t, world_from_camera))
        self._write("/camera/pose_noisy", t, self._pose(t, noisy_world_from_camera))
        for topic in ("/camera/color/camera_info", "/camera/depth/camera_info"):
            self._write(topic, t, self._info(t))
        self._write(COLOR, t, self._image(t, "rgb8; jpeg compressed bgr8", jpeg))
        # compressed_depth_image_transport puts a format number and two quantisation parameters before a PNG.
        payload = struct.pack("<iff", 0, 0.0, 0.0) + depth_png
        self._write(DEPTH, t, self._image(t, "16UC1; compressedDepth png", payload))

    def _new(self, kind: str, **fields: Any) -> Any:
        return self._store.types[kind](**fields)

    def _write(self, topic: str, t: int, message: Any) -> None:
        self._writer.write(self._connections[topic], t, self._store.serialize_cdr(message, TOPICS[topic]))

    def _header(self, t: int, frame_id: str) -> Any:
        stamp = self._new("builtin_interfaces/msg/Time", sec=int(t // 10**9), nanosec=int(t % 10**9))
        return self._new("std_msgs/msg/Header", stamp=stamp, frame_id=frame_id)

    def _image(self, t: int, encoding: str, data: bytes) -> Any:
        return self._new(
            "sensor_msgs/msg/CompressedImage",
            header=self._header(t, OPTICAL_FRAME),
            format=encoding,
            data=np.frombuffer(data, np.uint8),
        )

    def _vector(self, kind: str, xyz: np.ndarray) -> Any:
        return self._new(f"geometry_msgs/msg/{kind}", x=float(xyz[0]), y=float(xyz[1]), z=float(xyz[2]))

    def _rotation(self, matrix: np.ndarray) -> Any:
        x, y, z, w = (float(v) for v in quaternion_xyzw(matrix))
        return self._new("geometry_msgs/msg/Quaternion", x=x, y=y, z=z, w=w)

    def _pose(self, t: int, world_from_camera: np.ndarray) -> Any:
        pose = self._new(
            "geometry_msgs/msg/Pose",
            position=self._vector("Point", world_from_camera[:3, 3]),
            orientation=self._rotation(world_from_camera[:3, :3]),
        )
        return self._new("geometry_msgs/msg/PoseStamped", header=self._header(t, "map"), pose=pose)

    def _transform(self, t: int, parent: str, child: str, parent_from_child: np.ndarray) -> Any:
        transform = self._new(
            "geometry_msgs/msg/Transform",
            translation=self._vector("Vector3", parent_from_child[:3, 3]),
            rotation=self._rotation(parent_from_child[:3, :3]),
        )
        return self._new(
            "geometry_msgs/msg/TransformStamped",
            header=self._header(t, parent),
            child_frame_id=child,
            transform=transform,
        )

    def _info(self, t: int) -> Any:
        c = self._camera
        region = self._new(
            "sensor_msgs/msg/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
        )
        projection = np.column_stack([c.matrix, np.zeros(3)])
        return self._new(
            "sensor_msgs/msg/CameraInfo",
            header=self._header(t, OPTICAL_FRAME),
            height=c.height,
            width=c.width,
            distortion_model="plumb_bob",
            d=np.zeros(5),
            k=c.matrix.ravel(),
            r=np.eye(3).ravel(),
            p=projection.ravel(),
            binning_x=0,
            binning_y=0,
            roi=region,
        )


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
