"""Oriented boxes of instances: upright, turned to the smallest footprint."""

from __future__ import annotations

import cv2
import numpy as np

from moss_ros.records import OrientedBox

_LEAST_SIZE_M = 0.005  # a flat thing still has a box that can be drawn


def oriented_box(points_m: np.ndarray) -> OrientedBox:
    """Box of points (N, 3), N >= 1: vertical axis along world z, least-area rectangle in plan.

    Yaw lies in [-45, 45) degrees, so equal footprints give equal boxes.
    """
    p = np.asarray(points_m, np.float64)
    origin = p[:, :2].mean(0)  # float32 rectangles lose millimetres far from the origin
    (x, y), (width, length), degrees = cv2.minAreaRect((p[:, :2] - origin).astype(np.float32))
    quarter_turns = int(np.floor((degrees + 45) / 90))
    yaw = np.radians(degrees - 90 * quarter_turns)
    if quarter_turns % 2:
        width, length = length, width
    low, high = p[:, 2].min(), p[:, 2].max()
    center = np.array([origin[0] + x, origin[1] + y, (low + high) / 2])
    size = np.maximum([width, length, high - low], _LEAST_SIZE_M)
    return OrientedBox(center, size, float(yaw))
