"""tf2_ros and the own buffer give the same answers on the same transforms, alone and in the node."""

from __future__ import annotations

import sys
import time

import fake_tf2
import numpy as np
import pytest
from fake_messages import tf
from geometry_msgs.msg import TransformStamped
from rclpy.qos import DurabilityPolicy, QoSProfile
from robot import running
from scipy.spatial.transform import Rotation
from tf2_msgs.msg import TFMessage

from moss_ros.config import ConfigError, from_flat
from moss_ros.ros.conversions import time_msg
from moss_ros.ros.tf2_lookup import Tf2Lookup, find_tf2
from moss_ros.source.pose_source import PoseSource
from moss_ros.source.poses import PoseUnavailable, Wait

MS = 1_000_000
START = 1_700_000_000_000 * MS
GAP, JUMP = 250 * MS, 500 * MS
CONFIG = from_flat({"input.pose_source": "tf", "input.pose_gap_s": 0.25, "input.sync_wait_s": 0.5}).input


@pytest.fixture
def installed(monkeypatch):
    """tf2_ros as if it were installed."""
    module = fake_tf2.module()
    monkeypatch.setitem(sys.modules, "tf2_ros", module)
    return module


class Own:
    """The own buffer behind the pose source."""

    def __init__(self):
        self.poses = PoseSource(CONFIG)

    def add(self, message, static=False):
        return [self.poses.add_transform(t, static) for t in message.transforms]

    def at(self, ms, frame="camera"):
        return self.poses.at(START + int(ms * MS), frame)


class Tf2(Own):
    """tf2_ros behind the pose source; the messages come in as its listener puts them."""

    def __init__(self):
        super().__init__()
        self.lookup = Tf2Lookup(fake_tf2.module(), GAP, JUMP)
        self.poses.use_transforms(self.lookup)

    def add(self, message, static=False):
        for transform in message.transforms:
            put = self.lookup._buffer.set_transform_static if static else self.lookup._buffer.set_transform
            put(transform, "default_authority")
        return super().add(message, static)


@pytest.fixture(params=[Own, Tf2])
def tree(request):
    """map -> odom -> base (moving, 100 ms apart), base -> camera (static)."""
    out = request.param()
    out.add(tf(0, "base", "camera", (0.0, 0.0, 1.0)), static=True)
    add_drive(out)
    return out


def add_drive(out, start_ms=0, shift=0.0):
    for i in range(6):
        stamp, half = START + (start_ms + 100 * i) * MS, 0.2 * i
        out.add(tf(stamp, "map", "odom", (10.0 + shift, 0.1 * i, 0.0)))
        out.add(tf(stamp, "odom", "base", (float(i), 0.0, 0.0), (0.0, 0.0, np.sin(half), np.cos(half))))


def why(call):
    with pytest.raises(PoseUnavailable) as error:
        call()
    return error.value.wait, str(error.value)


def test_interpolated_at_the_stamp(tree):
    pose = tree.at(250)
    assert np.allclose(pose[:3, 3], [12.5, 0.25, 1.0])
    assert np.isclose(Rotation.from_matrix(pose[:3, :3]).as_euler("zyx")[0], 2 * 0.2 * 2.5)
    assert np.allclose(tree.at(500)[:3, 3], [15.0, 0.5, 1.0])


def test_neither_future_nor_past(tree):
    wait, text = why(lambda: tree.at(501))
    assert wait is Wait.LATER and "input.sync_wait_s" in text
    assert why(lambda: tree.at(-1))[0] is Wait.NEVER


def test_gap_is_not_bridged(tree):
    tree.add(tf(START + 900 * MS, "odom", "base", (9.0, 0.0, 0.0)))
    tree.add(tf(START + 900 * MS, "map", "odom", (10.0, 0.0, 0.0)))
    wait, text = why(lambda: tree.at(700))
    assert wait is Wait.NEVER and "input.pose_gap_s" in text


def test_unknown_frames_name_the_parameters(tree):
    wait, text = why(lambda: tree.at(100, "lidar"))
    assert wait is Wait.LATER and "base, camera, map, odom" in text and "input.camera_frame" in text


def test_jump_back_starts_again(tree):
    add_drive(tree, start_ms=60_000)
    jumped = [tree.add(tf(START + 50 * MS, "odom", "base", (5.0, 0.0, 0.0))), tree.add(tf(START, "map", "odom"))]
    assert jumped == [[True], [True]]
    assert why(lambda: tree.at(60_100))[0] is Wait.LATER
    add_drive(tree, shift=7.0)
    assert np.allclose(tree.at(400)[:3, 3], [21.0, 0.4, 1.0])  # the static edge is still there


def test_images_that_jump_first_do_not_take_old_transforms(tree):
    add_drive(tree, start_ms=1000)
    tree.poses.forget_time_after(START + 800 * MS)
    assert why(lambda: tree.at(100))[0] is Wait.LATER
    add_drive(tree, shift=7.0)
    assert np.allclose(tree.at(100)[:3, 3], [18.0, 0.1, 1.0])


def test_same_answers_on_random_transforms():
    rng = np.random.default_rng(2)
    both = (Own(), Tf2())
    for tree in both:
        tree.add(tf(0, "/base", "camera", (0.1, 0.2, 0.3), (0.5, -0.5, 0.5, -0.5)), static=True)
    stamps = np.sort(rng.integers(0, 5_000, 120))
    for ms in stamps:
        turn = Rotation.from_rotvec(rng.normal(size=3)).as_quat()
        message = tf(START + int(ms) * MS, "map", "base", rng.normal(size=3), tuple(turn))
        for tree in both:
            tree.add(message)
    answered = 0
    for ms in rng.uniform(-100, 5_200, 300):
        try:
            expected = both[0].at(ms)
        except PoseUnavailable as error:
            assert why(lambda ms=ms: both[1].at(ms)) == (error.wait, str(error))
            continue
        answered += 1
        assert np.allclose(both[1].at(ms), expected, atol=1e-9)
    assert 200 < answered < 300


def test_what_only_tf2_refuses_names_the_fix():
    tree = Tf2()
    add_drive(tree)
    tree.add(tf(0, "base", "camera"), static=True)
    tree.lookup._buffer.clear()
    wait, text = why(lambda: tree.at(100))
    assert wait is Wait.LATER and "extrapolation" in text and "input.tf_buffer to own" in text


@pytest.mark.parametrize(("choice", "found"), [("auto", True), ("tf2_ros", True), ("own", False)])
def test_choice_where_it_is_installed(installed, choice, found):
    assert (find_tf2(choice) is installed) is found


def test_choice_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2_ros", None)
    assert find_tf2("auto") is None
    with pytest.raises(ConfigError, match=r"input\.tf_buffer to auto or own"):
        find_tf2("tf2_ros")


@pytest.mark.parametrize("choice", ["tf2_ros", "own"])
def test_node_maps_with_poses_from_tf(context, installed, choice):
    values = {"input__pose_source": "tf", "input__tf_buffer": choice, "input__camera_frame": "camera"}
    with running(context, **values) as (robot, mapper):
        assert (mapper._parts._source._tf2 is not None) is (choice == "tf2_ros")
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        robot.create_publisher(TFMessage, "/tf_static", latched).publish(message("base", "camera", 0, 1.0))
        moving = robot.out["pose"] = robot.create_publisher(TFMessage, "/tf", 10)
        robot.until_heard_by_mapper()
        poses = []
        mapper._parts.worker._build = lambda match: poses.append(match.world_from_camera) or match
        moving.publish(message("map", "base", 1_000 * MS, 2.0))
        robot.send_images(1_050 * MS)
        time.sleep(0.3)
        assert not poses  # waits for the transform after it, and is resolved by that alone
        moving.publish(message("map", "base", 1_100 * MS, 4.0))
        robot.hears("instances", lambda m: bool(m.instances))
        assert np.allclose(poses[0][:3, 3], [3.0 + 1.0, 0.0, 0.0])

        assert robot.change("deactivate") and robot.change("activate")
        robot.until_heard_by_mapper()
        for ms, x in ((2_000, 5.0), (2_100, 7.0)):
            moving.publish(message("map", "base", ms * MS, x))
        robot.send_images(2_050 * MS)
        robot.hears("instances", lambda m: m.instances and m.instances[0].observations == 2)
        assert np.allclose(poses[1][:3, 3], [6.0 + 1.0, 0.0, 0.0])  # the static one was heard again


def message(parent: str, child: str, stamp_ns: int, x: float) -> TFMessage:
    out = TransformStamped(child_frame_id=child)
    out.header.frame_id, out.header.stamp = parent, time_msg(stamp_ns)
    out.transform.translation.x, out.transform.rotation.w = x, 1.0
    return TFMessage(transforms=[out])
