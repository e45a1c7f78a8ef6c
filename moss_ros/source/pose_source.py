"""Where the camera was: one of PoseStamped, Odometry or TF, behind one look-up."""

from __future__ import annotations

from typing import Any

import numpy as np

from moss_ros.config import InputConfig
from moss_ros.geometry.transforms import from_translation_quaternion
from moss_ros.messages.errors import MessageError
from moss_ros.messages.stamps import frame_name, stamp_ns
from moss_ros.source.poses import PoseBuffer
from moss_ros.source.tf_buffer import TfBuffer, TransformTree

_DIRTY_QUATERNION = 0.1  # a norm this far from 1 is not rounding


class PoseSource:
    """World_from_camera at any stamp. The add methods raise MessageError for a message that cannot be used.

    They return True when the time of these poses jumped back (a bag that starts again).
    """

    def __init__(self, config: InputConfig) -> None:
        self._config = config
        gap_ns, jump_ns = int(config.pose_gap_s * 1e9), int(config.sync_wait_s * 1e9)
        self._poses = PoseBuffer(gap_ns, jump_ns)
        self._tf: TransformTree = TfBuffer(gap_ns, jump_ns)
        self._map_frame = frame_name(config.map_frame)
        self._body_from_camera = from_translation_quaternion(
            np.array(config.body_from_camera_xyz), np.array(config.body_from_camera_xyzw)
        )

    def use_transforms(self, tree: TransformTree) -> None:
        """Keep transforms in another tree than the own buffer; those that came so far are forgotten."""
        self._tf = tree

    def forget_time_after(self, limit_ns: int) -> None:
        """Images jumped back in time: forget the poses that have not jumped yet."""
        self._poses.forget_time_after(limit_ns)
        self._tf.forget_time_after(limit_ns)

    def at(self, stamp: int, image_frame: str) -> np.ndarray:
        """4x4 world_from_camera; image_frame is the frame id of the colour image. Raises PoseUnavailable."""
        if self._config.pose_source != "tf":
            return self._poses.at(stamp)
        return self._tf.at(self._map_frame, frame_name(self._config.camera_frame or image_frame), stamp)

    def add_pose(self, msg: Any) -> bool:
        """PoseStamped of the camera's optical frame in the map frame."""
        return self._add(msg.header, msg.pose, np.eye(4))

    def add_odometry(self, msg: Any) -> bool:
        """Odometry of the body; the camera sits on it at body_from_camera."""
        return self._add(msg.header, msg.pose.pose, self._body_from_camera)

    def add_transform(self, transform: Any, static: bool) -> bool:
        """One TransformStamped of /tf or /tf_static."""
        parent, child = frame_name(transform.header.frame_id), frame_name(transform.child_frame_id)
        if not parent or not child or parent == child:
            raise MessageError(
                "pose_frame",
                f"a transform goes from {parent!r} to {child!r}: its publisher must name two frames",
            )
        move = transform.transform
        matrix = _matrix(move.translation, move.rotation)
        if static:
            self._tf.add_static(parent, child, matrix)
            return False
        return self._tf.add(parent, child, stamp_ns(transform.header), matrix)

    def _add(self, header: Any, pose: Any, fixed: np.ndarray) -> bool:
        frame = frame_name(header.frame_id)
        if frame != self._map_frame:
            raise MessageError(
                "pose_frame",
                f"poses on {self._config.pose_topic} are in frame {frame!r}, the map is "
                f"{self._map_frame!r}: set input.map_frame to {frame!r}, or let the source publish in the map frame",
            )
        stamp = stamp_ns(header)
        matrix = _matrix(pose.position, pose.orientation)
        return self._poses.add(stamp, matrix @ fixed)


def _matrix(position: Any, orientation: Any) -> np.ndarray:
    """4x4 of a position and a quaternion message."""
    quaternion = np.array([orientation.x, orientation.y, orientation.z, orientation.w])
    try:
        out = from_translation_quaternion(np.array([position.x, position.y, position.z]), quaternion)
    except ValueError as error:
        raise MessageError("pose_invalid", f"{error}; the pose source must send finite, normalised poses") from None
    norm = float(np.linalg.norm(quaternion))
    if abs(norm - 1.0) > _DIRTY_QUATERNION:
        raise MessageError("pose_invalid", f"a quaternion has norm {norm:.3f}: the pose source must normalise it")
    return out
