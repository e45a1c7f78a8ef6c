"""vision_msgs for those who have it: standard consumers need no package of ours."""

from __future__ import annotations

from typing import Any

from moss_ros.records import Snapshot
from moss_ros.ros.conversions import box_pose, box_size, header_msg

try:
    from vision_msgs.msg import BoundingBox3D, Detection3D, Detection3DArray, ObjectHypothesisWithPose
except ImportError:  # not among the ROS wheels; on a robot it comes with ROS
    Detection3DArray = None


def detection_array(snapshot: Snapshot, frame: str) -> Any:
    """Detection3DArray of all instances; call only where Detection3DArray is not None."""
    header = header_msg(snapshot.stamp_ns, frame)
    out = Detection3DArray(header=header)
    for instance in snapshot.instances:
        hypothesis = ObjectHypothesisWithPose()
        hypothesis.hypothesis.class_id = instance.label
        hypothesis.hypothesis.score = float(instance.score)
        hypothesis.pose.pose = box_pose(instance.box)
        box = BoundingBox3D(center=box_pose(instance.box), size=box_size(instance.box))
        out.detections.append(Detection3D(header=header, id=str(instance.id), bbox=box, results=[hypothesis]))
    return out
