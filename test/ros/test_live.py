"""Player and mapper as two processes over DDS, with the real pipeline."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import rclpy
from bag_writer import COLOR, COLOR_INFO, DEPTH, drive, write_bag
from diagnostic_msgs.msg import DiagnosticArray
from moss_msgs.msg import InstanceArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosgraph_msgs.msg import Clock
from scenes import orbit, render, room
from small_home import FRAMES, record_small
from std_srvs.srv import Trigger

from moss_ros.evaluation.ground_truth import load_folder
from moss_ros.replay.bag import guess_topics
from moss_ros.sim.run import CAMERA

ROOT = Path(__file__).resolve().parents[2]
INPUT = {
    "input.color_topic": COLOR,
    "input.depth_topic": DEPTH,
    "input.color_info_topic": COLOR_INFO,
    "input.pose_source": "tf",
    "input.reliability": "reliable",
    "mapping.pixel_stride": 1,
    "node.segment_period_s": 0.3,
    "node.diagnostics_period_s": 0.2,
}
COUNT = 20


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    frames = [render(room(), pose) for pose in orbit()[:COUNT]]
    return write_bag(tmp_path_factory.mktemp("live") / "room", drive(frames))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("live") / "home"
    record_small(folder, camera=CAMERA.resized(320, 240))
    return folder


@pytest.fixture
def start(tmp_path):
    """start(module, name=value...): a node process; all are ended with the test."""
    processes = []

    def run(module, parameters):
        command = [sys.executable, "-m", f"moss_ros.ros.{module}", "--ros-args"]
        for name, value in parameters.items():
            command += ["-p", f"{name}:={str(value).lower() if isinstance(value, bool) else value}"]
        log = (tmp_path / f"{module}.log").open("w+")
        processes.append(subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT))
        return processes[-1]

    yield run
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait()
    for log in sorted(tmp_path.glob("*.log")):
        print(f"--- {log.name}\n{log.read_text()}")


class Listener(Node):
    def __init__(self, context):
        super().__init__("listener", context=context)
        self.arrays: list[InstanceArray] = []
        self.health: dict[str, str] = {}
        self.clock = 0
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.create_subscription(InstanceArray, "/mapper/instances", self.arrays.append, latched)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._diagnose, 10)
        self.create_subscription(Clock, "/clock", lambda m: setattr(self, "clock", m.clock.sec), 10)
        self.segment = self.create_client(Trigger, "/mapper/segment")
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self)

    def _diagnose(self, message):
        self.health = {v.key: v.value for v in message.status[0].values}

    def accounted(self):
        """Frames used or dropped."""
        dropped = (int(v) for k, v in self.health.items() if k.startswith("dropped "))
        return int(self.health["used"]) + sum(dropped)

    def middles(self):
        """Box centres of the instances, m."""
        return [[getattr(i.box_pose.position, a) for a in "xyz"] for i in self.arrays[-1].instances]

    def until(self, condition, seconds):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"timeout; health {self.health}"
            self._executor.spin_once(timeout_sec=0.1)


@pytest.fixture
def listener(context):
    node = Listener(context)
    yield node
    node._executor.shutdown()
    node.destroy_node()


@pytest.mark.timeout(180)
def test_a_bag_becomes_instances(bag, start, listener):
    mapper = start("mapper_node", INPUT)
    player = start("player_node", {"bag": bag, "wait_for_subscribers": 120})
    listener.until(lambda: any(a.instances for a in listener.arrays), 150)
    assert player.wait(30) == 0
    listener.until(lambda: listener.health.get("received") == str(COUNT) and listener.accounted() == COUNT, 20)
    assert int(listener.health["used"]) >= COUNT - 3 and listener.clock >= 1_700_000_000
    future = listener.segment.call_async(Trigger.Request())
    listener.until(future.done, 30)
    assert future.result().success
    found = listener.arrays[-1].instances
    assert found and all(i.id > 0 and i.point_count > 0 and 0 <= i.score <= 1 for i in found)
    mapper.send_signal(signal.SIGINT)
    assert mapper.wait(30) == 0


@pytest.mark.timeout(240)
def test_a_simulated_home_becomes_its_things(home, start, listener):
    bag = home / "bag"
    start("mapper_node", guess_topics(bag) | {"input.reliability": "reliable", "node.diagnostics_period_s": 0.2})
    player = start("player_node", {"bag": bag, "wait_for_subscribers": 120})
    listener.until(lambda: player.poll() is not None, 150)
    listener.until(lambda: listener.health.get("received") == str(FRAMES) and listener.accounted() == FRAMES, 20)
    assert listener.health["used"] == str(FRAMES)
    future = listener.segment.call_async(Trigger.Request())
    listener.until(future.done, 30)
    truth = load_folder(home)
    for name in ("mug", "bowl"):
        (thing,) = [i for i in truth.instances.values() if i.category == name]
        points = truth.points_m[truth.instance == thing.id]
        middle = (points.min(0) + points.max(0)) / 2
        listener.until(lambda where=middle: min(math.dist(m, where) for m in listener.middles()) < 0.04, 20)


@pytest.mark.timeout(120)
def test_sigterm_while_images_come(bag, start, listener):
    mapper = start("mapper_node", INPUT)
    player = start("player_node", {"bag": bag, "loop": True, "rate": 2, "wait_for_subscribers": 60})
    listener.until(lambda: int(listener.health.get("used", 0)) > COUNT, 90)  # also after time went back
    mapper.send_signal(signal.SIGTERM)
    player.send_signal(signal.SIGTERM)
    assert mapper.wait(30) == 0 and player.wait(30) == 0
    assert int(listener.health["dropped time_jump"]) >= 1


def test_sigint_of_a_player_that_waits(bag, start, listener):
    player = start("player_node", {"bag": bag, "wait_for_subscribers": 60})
    listener.until(lambda: listener.count_publishers(COLOR) > 0, 30)
    player.send_signal(signal.SIGINT)
    assert player.wait(20) == 0


@pytest.mark.parametrize(
    ("module", "parameters", "fix"),
    [
        ("mapper_node", {"mapping.voxel_sise_m": 0.1}, "did you mean mapping.voxel_size_m"),
        ("player_node", {"bag": "/nowhere"}, "does not exist"),
        ("player_node", {}, "bag:=FOLDER"),
    ],
)
def test_mistakes_end_with_2_and_name_the_fix(start, tmp_path, module, parameters, fix):
    assert start(module, parameters).wait(30) == 2
    assert fix in (tmp_path / f"{module}.log").read_text()


def test_context_is_per_test(context):
    assert rclpy.ok(context=context)
