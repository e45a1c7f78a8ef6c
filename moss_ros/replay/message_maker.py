"""ROS messages of a recording, made without ROS (the classes of rosbags)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rosbags.typesys import Stores, get_typestore

from moss_ros.geometry.camera import Camera
from moss_ros.geometry.transforms import quaternion_xyzw
from moss_ros.messages.stamps import split_ns

NO_DISTORTION = (0.0, 0.0, 0.0, 0.0, 0.0)  # five numbers, as plumb_bob has them


class MessageMaker:
    """Makes messages of the Jazzy types; ``store`` serialises them."""

    def __init__(self) -> None:
        self.store = get_typestore(Stores.ROS2_JAZZY)

    def serialize(self, message: Any) -> bytes | memoryview:
        """CDR bytes of a message."""
        return self.store.serialize_cdr(message, message.__msgtype__)

    def header(self, stamp_ns: int, frame_id: str) -> Any:
        """std_msgs/Header."""
        sec, nanosec = split_ns(stamp_ns)
        return self._new("std_msgs/msg/Header", stamp=self._time(sec, nanosec), frame_id=frame_id)

    def image(self, stamp_ns: int, frame_id: str, encoding: str, pixels: np.ndarray) -> Any:
        """Image of an array (H, W[, C]) of the type that the encoding says."""
        rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(len(pixels), -1)
        return self._new(
            "sensor_msgs/msg/Image",
            header=self.header(stamp_ns, frame_id),
            height=pixels.shape[0],
            width=pixels.shape[1],
            encoding=encoding,
            is_bigendian=0,
            step=rows.shape[1],
            data=rows.ravel(),
        )

    def compressed_image(self, stamp_ns: int, frame_id: str, form: str, data: bytes) -> Any:
        """CompressedImage of an encoded image; form is its field ``format``."""
        return self._new(
            "sensor_msgs/msg/CompressedImage",
            header=self.header(stamp_ns, frame_id),
            format=form,
            data=np.frombuffer(data, np.uint8),
        )

    def camera_info(
        self,
        stamp_ns: int,
        frame_id: str,
        camera: Camera,
        distortion: Sequence[float] = NO_DISTORTION,
        model: str = "plumb_bob",
    ) -> Any:
        """CameraInfo; P is K, so the rectified image has the same pinhole camera."""
        region = self._new(
            "sensor_msgs/msg/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
        )
        return self._new(
            "sensor_msgs/msg/CameraInfo",
            header=self.header(stamp_ns, frame_id),
            height=camera.height,
            width=camera.width,
            distortion_model=model,
            d=np.array(distortion, np.float64),
            k=camera.matrix.ravel(),
            r=np.eye(3).ravel(),
            p=np.column_stack([camera.matrix, np.zeros(3)]).ravel(),
            binning_x=0,
            binning_y=0,
            roi=region,
        )

    def pose(self, stamp_ns: int, frame_id: str, frame_from_camera: np.ndarray) -> Any:
        """PoseStamped of a 4x4 transform."""
        pose = self._new(
            "geometry_msgs/msg/Pose",
            position=self._vector("Point", frame_from_camera[:3, 3]),
            orientation=self._rotation(frame_from_camera[:3, :3]),
        )
        return self._new("geometry_msgs/msg/PoseStamped", header=self.header(stamp_ns, frame_id), pose=pose)

    def transform(self, stamp_ns: int, parent: str, child: str, parent_from_child: np.ndarray) -> Any:
        """TransformStamped of a 4x4 transform."""
        transform = self._new(
            "geometry_msgs/msg/Transform",
            translation=self._vector("Vector3", parent_from_child[:3, 3]),
            rotation=self._rotation(parent_from_child[:3, :3]),
        )
        return self._new(
            "geometry_msgs/msg/TransformStamped",
            header=self.header(stamp_ns, parent),
            child_frame_id=child,
            transform=transform,
        )

    def transforms(self, transforms: list[Any]) -> Any:
        """TFMessage of TransformStamped messages."""
        return self._new("tf2_msgs/msg/TFMessage", transforms=transforms)

    def _new(self, kind: str, **fields: Any) -> Any:
        return self.store.types[kind](**fields)

    def _time(self, sec: int, nanosec: int) -> Any:
        return self._new("builtin_interfaces/msg/Time", sec=sec, nanosec=nanosec)

    def _vector(self, kind: str, xyz: np.ndarray) -> Any:
        return self._new(f"geometry_msgs/msg/{kind}", x=float(xyz[0]), y=float(xyz[1]), z=float(xyz[2]))

    def _rotation(self, matrix: np.ndarray) -> Any:
        x, y, z, w = (float(v) for v in quaternion_xyzw(matrix))
        return self._new("geometry_msgs/msg/Quaternion", x=x, y=y, z=z, w=w)
