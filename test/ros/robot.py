"""A robot in the graph of a test: publishes one frame at a time and remembers what the mapper says."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from fake_log import LoggedPipeline
from fake_messages import camera_info, compressed, compressed_depth
from geometry_msgs.msg import PoseStamped
from lifecycle_msgs.srv import ChangeState, GetState
from moss_msgs.msg import InstanceArray, InstanceEvent
from rclpy.client import Client
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo, CompressedImage, PointCloud2
from visualization_msgs.msg import MarkerArray

from moss_ros.ros.conversions import time_msg
from moss_ros.ros.mapper_node import MapperNode
from moss_ros.ros.outputs import EVENTS_QOS
from moss_ros.ros.run_node import spin

PARAMETERS = {
    "input.color_topic": "/c/compressed",
    "input.depth_topic": "/d/compressedDepth",
    "input.color_info_topic": "/info",
    "input.pose_source": "pose",
    "node.segment_period_s": 0.1,
    "node.marker_period_s": 0.1,
    "node.cloud_period_s": 0.1,
}
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Robot(Node):
    """One frame at a time."""

    def __init__(self, context):
        super().__init__("robot", context=context)
        self._asks: dict[str, Client] = {}
        self.heard: dict[str, list] = {"instances": [], "markers": [], "cloud": [], "events": []}
        self.create_subscription(InstanceArray, "/mapper/instances", self.heard["instances"].append, LATCHED)
        self.create_subscription(InstanceEvent, "/mapper/events", self.heard["events"].append, EVENTS_QOS)
        self.create_subscription(MarkerArray, "/mapper/markers", self.heard["markers"].append, 10)
        self.create_subscription(PointCloud2, "/mapper/cloud", self.heard["cloud"].append, 10)
        self.out = {
            "color": self.create_publisher(CompressedImage, "/c/compressed", 10),
            "depth": self.create_publisher(CompressedImage, "/d/compressedDepth", 10),
            "info": self.create_publisher(CameraInfo, "/info", 10),
            "pose": self.create_publisher(PoseStamped, "/camera/pose", 10),
        }

    def send(self, stamp_ns: int) -> None:
        """Images and the pose at their stamp."""
        pose = PoseStamped()
        pose.header.frame_id, pose.pose.orientation.w = "map", 1.0
        pose.header.stamp = time_msg(stamp_ns)
        self.out["pose"].publish(pose)
        self.send_images(stamp_ns)

    def send_images(self, stamp_ns: int) -> None:
        """Colour, depth and camera_info."""
        color = compressed(np.zeros((24, 32, 3), np.uint8), "rgb8; jpeg compressed bgr8", ".jpg")
        depth = compressed_depth(np.full((24, 32), 1500, np.uint16))
        plain = camera_info(32, 24)
        info = CameraInfo(width=32, height=24, distortion_model="plumb_bob", k=plain.k, p=plain.p)
        messages = {"info": info}
        for name, image in (("color", color), ("depth", depth)):
            messages[name] = CompressedImage(format=image.format, data=image.data)
        for name, message in messages.items():
            message.header.stamp = time_msg(stamp_ns)
            self.out[name].publish(message)

    def hears(self, what, condition, seconds=10.0):
        """Waits until the newest message of a kind fits."""
        end = time.monotonic() + seconds
        while not (self.heard[what] and condition(self.heard[what][-1])):
            assert time.monotonic() < end, f"no fitting {what}, got {len(self.heard[what])}"
            time.sleep(0.01)
        return self.heard[what][-1]

    def client(self, kind, name):
        """The client of a service of the mapper, ready; one for each name, as discovery may miss one of many."""
        if name not in self._asks:
            self._asks[name] = self.create_client(kind, f"/mapper/{name}")
        assert self._asks[name].wait_for_service(10.0), name
        return self._asks[name]

    def call(self, kind, name, request):
        return self.client(kind, name).call(request)

    def change(self, label: str) -> bool:
        """Ask for a transition as a lifecycle manager does."""
        request = ChangeState.Request()
        request.transition.label = label
        return self.call(ChangeState, "change_state", request).success

    @property
    def state(self) -> str:
        return self.call(GetState, "get_state", GetState.Request()).current_state.label

    def until_heard_by_mapper(self, seconds: float = 10.0) -> None:
        """Until the mapper subscribes to everything."""
        end = time.monotonic() + seconds
        while not all(p.get_subscription_count() for p in self.out.values()):
            assert time.monotonic() < end, "the mapper does not subscribe"
            time.sleep(0.02)


@contextmanager
def running(context, **changes) -> Iterator[tuple[Robot, MapperNode]]:
    """A robot and a mapper that spin; changes: parameters, "__" is a dot."""
    values = PARAMETERS | {name.replace("__", "."): value for name, value in changes.items()}
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    mapper = MapperNode(pipeline=LoggedPipeline(), context=context, parameter_overrides=overrides)
    robot = Robot(context)
    executor = MultiThreadedExecutor(num_threads=4, context=context)
    executor.add_node(mapper)
    executor.add_node(robot)
    thread = threading.Thread(target=spin, args=(executor,))
    thread.start()
    try:
        yield robot, mapper
        assert thread.is_alive(), "the executor ended"
    finally:
        mapper.stop()
        executor.shutdown()
        thread.join(10)
        robot.destroy_node()
        mapper.destroy_node()
