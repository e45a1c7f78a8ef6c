"""Region messages -> regions of the map."""

from __future__ import annotations

import numpy as np
from moss_msgs.msg import Region as RegionMsg

from moss_ros.geometry.transforms import from_translation_quaternion
from moss_ros.questions.region import EVERYWHERE, Region, RegionError, box, polygon, sphere


def region_from_message(message: RegionMsg) -> Region:
    """Raises RegionError, with the fix, when the region holds nothing or its kind is unknown."""
    p, q, s = message.pose.position, message.pose.orientation, message.size
    center = np.array([p.x, p.y, p.z])
    if message.kind == RegionMsg.EVERYWHERE:
        return EVERYWHERE
    if message.kind == RegionMsg.SPHERE:
        return sphere(center, message.radius)
    if message.kind == RegionMsg.BOX:
        xyzw = np.array([q.x, q.y, q.z, q.w])
        turn = (
            from_translation_quaternion(np.zeros(3), xyzw)[:3, :3] if np.linalg.norm(xyzw) > 0.5 else np.zeros((3, 3))
        )
        return box(center, np.array([s.x, s.y, s.z]), turn)
    if message.kind == RegionMsg.POLYGON:
        return polygon(np.array([[c.x, c.y] for c in message.polygon.points]).reshape(-1, 2))
    raise RegionError(f"unknown kind of region {message.kind}; see moss_msgs/Region")
