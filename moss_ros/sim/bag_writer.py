"""Writes a simulated drive as a bag: the usual topics and a pose that drifts like odometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from moss_ros.geometry.camera import Camera
from moss_ros.replay import bag_writer
from moss_ros.replay.bag_writer import COLOR_INFO, DEPTH, DEPTH_INFO, MAP_FRAME, OPTICAL_FRAME, RgbdBagWriter

__all__ = ["DEPTH", "PERIOD_NS", "START_NS", "TOPICS", "BagWriter", "stamp_ns"]

START_NS = bag_writer.START_NS
PERIOD_NS = 100_000_000
NOISY_POSE = "/camera/pose_noisy"
TOPICS = {**bag_writer.TOPICS, NOISY_POSE: "geometry_msgs/msg/PoseStamped"}


def stamp_ns(frame: int) -> int:
    """Time of a frame."""
    return START_NS + frame * PERIOD_NS


class BagWriter(RgbdBagWriter):
    """Open bag; use as a context manager."""

    def __init__(self, folder: Path, camera: Camera) -> None:
        super().__init__(folder, START_NS, TOPICS)
        self._camera = camera

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
        self.write_pose(t, world_from_camera)
        self.write(NOISY_POSE, t, self.messages.pose(t, MAP_FRAME, noisy_world_from_camera))
        for topic in (COLOR_INFO, DEPTH_INFO):
            self.write(topic, t, self.messages.camera_info(t, OPTICAL_FRAME, self._camera))
        self.write_color(t, "jpeg", jpeg)
        self.write_depth_png(t, depth_png)
