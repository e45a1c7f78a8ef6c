"""The node in this process, with a pipeline without maths: topics in, topics and answers out."""

from __future__ import annotations

import threading
import time

import pytest
from fake_messages import camera_info, compressed, compressed_depth
from fake_pipeline import FakePipeline
from geometry_msgs.msg import PoseStamped
from moss_msgs.msg import InstanceArray
from moss_msgs.srv import GetInstance
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CameraInfo, CompressedImage, PointCloud2
from std_srvs.srv import Trigger
from visualization_msgs.msg import MarkerArray

from moss_ros.ros.conversions import time_msg
from moss_ros.ros.mapper_node import MapperNode

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
    """Publishes one frame at a time and remembers what it hears."""

    def __init__(self, context):
        super().__init__("robot", context=context)
        self.heard: dict[str, list] = {"instances": [], "markers": [], "cloud": []}
        self.create_subscription(InstanceArray, "/mapper/instances", self.heard["instances"].append, LATCHED)
        self.create_subscription(MarkerArray, "/mapper/markers", self.heard["markers"].append, 10)
        self.create_subscription(PointCloud2, "/mapper/cloud", self.heard["cloud"].append, 10)
        self.out = {
            "color": self.create_publisher(CompressedImage, "/c/compressed", 10),
            "depth": self.create_publisher(CompressedImage, "/d/compressedDepth", 10),
            "info": self.create_publisher(CameraInfo, "/info", 10),
            "pose": self.create_publisher(PoseStamped, "/camera/pose", 10),
        }

    def send(self, stamp_ns: int) -> None:
        import numpy as np

        color = compressed(np.zeros((24, 32, 3), np.uint8), "rgb8; jpeg compressed bgr8", ".jpg")
        depth = compressed_depth(np.full((24, 32), 1500, np.uint16))
        plain = camera_info(32, 24)
        info = CameraInfo(width=32, height=24, distortion_model="plumb_bob", k=plain.k, p=plain.p)
        pose = PoseStamped()
        pose.header.frame_id, pose.pose.orientation.w = "map", 1.0
        messages = {"info": info, "pose": pose}
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

    def call(self, kind, name, request):
        client = self.create_client(kind, f"/mapper/{name}")
        assert client.wait_for_service(10.0)
        return client.call(request)


@pytest.fixture
def graph(context):
    overrides = [Parameter(name, value=value) for name, value in PARAMETERS.items()]
    mapper = MapperNode(pipeline=FakePipeline(), context=context, parameter_overrides=overrides)
    robot = Robot(context)
    executor = MultiThreadedExecutor(num_threads=4, context=context)
    executor.add_node(mapper)
    executor.add_node(robot)
    thread = threading.Thread(target=executor.spin)
    thread.start()
    end = time.monotonic() + 10
    while not all(p.get_subscription_count() for p in robot.out.values()) and time.monotonic() < end:
        time.sleep(0.02)
    yield robot, mapper
    mapper.stop()
    executor.shutdown()
    thread.join(10)
    robot.destroy_node()
    mapper.destroy_node()


def test_frames_become_topics_and_answers(graph):
    robot, mapper = graph
    for i in range(3):
        robot.send(10**9 + i * 10**8)
    array = robot.hears("instances", lambda m: m.instances and m.instances[0].observations == 3)
    assert array.header.frame_id == "map"
    assert {m.ns for m in robot.hears("markers", lambda m: len(m.markers) >= 2).markers} >= {"box", "label"}
    assert robot.hears("cloud", lambda m: m.width == 4).point_step == 20

    answer = robot.call(GetInstance, "get_instance", GetInstance.Request(id=1))
    assert answer.success and answer.points.width == 4 and bytes(answer.instance.evidence.data) == b"\xff\xd8picture"
    answer = robot.call(GetInstance, "get_instance", GetInstance.Request(id=77))
    assert not answer.success and "no instance 77" in answer.message

    answer = robot.call(Trigger, "segment", Trigger.Request())
    assert (answer.success, answer.message) == (True, "1 instances")
    assert mapper._worker.pipeline.segmented[-1] is True

    assert robot.call(Trigger, "reset", Trigger.Request()).success
    assert list(robot.hears("instances", lambda m: not m.instances).removed_ids) == [1]
    robot.hears("markers", lambda m: any(marker.action == marker.DELETE for marker in m.markers))

    robot.send(10**9 + 3 * 10**8)  # mapping goes on
    robot.hears("instances", lambda m: bool(m.instances))


def test_failing_service_answers_with_the_reason(graph):
    robot, mapper = graph

    def fail(full=False):
        raise RuntimeError("no structure")

    mapper._worker.pipeline.segment = fail
    answer = robot.call(Trigger, "segment", Trigger.Request())
    assert not answer.success and "no structure" in answer.message
