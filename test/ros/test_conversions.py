"""Records -> messages, field by field, and through the wire."""

import math

import numpy as np
import pytest
from fake_pipeline import instance, snapshot
from moss_msgs.msg import Instance as InstanceMsg
from moss_msgs.msg import InstanceArray, InstanceEvent
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import PointCloud2

from moss_ros.instances.instance_map import LoggedEvent
from moss_ros.records import InstanceState
from moss_ros.ros.clouds import cloud_msg
from moss_ros.ros.conversions import event_msg, header_msg, instance_array, instance_msg
from moss_ros.ros.readback import cloud_from_message, event_from_message, instance_from_message


def test_every_field():
    m = instance_msg(instance(12, InstanceState.MISSING))
    assert (m.id, m.state, m.label, m.source, m.observations, m.point_count) == (12, 2, "mug", "object", 7, 4)
    assert (m.label_score, m.score) == (0.5, 0.75)
    assert (m.box_pose.position.x, m.box_pose.position.y, m.box_pose.position.z) == (1.0, 2.0, 3.0)
    assert (m.box_pose.orientation.z, m.box_pose.orientation.w) == pytest.approx((math.sin(0.25), math.cos(0.25)))
    assert (m.box_size.x, m.box_size.y, m.box_size.z) == (0.1, 0.2, 0.3)
    assert (m.centroid.x, m.centroid.y, m.centroid.z) == (1.1, 2.1, 3.1)
    assert (m.first_seen.sec, m.first_seen.nanosec, m.last_seen.sec, m.last_seen.nanosec) == (
        1,
        500000001,
        2,
        500000002,
    )
    assert len(m.evidence.data) == 0


def test_states_are_the_constants_of_the_message():
    for state in InstanceState:
        assert getattr(InstanceMsg, state.name) == state


def test_array_through_the_wire():
    sent = instance_array(snapshot(instance(3), instance(9), changed={9, 3}, removed={4, 2}), "map")
    got = deserialize_message(serialize_message(sent), InstanceArray)
    assert got == sent
    assert got.header.frame_id == "map" and (got.header.stamp.sec, got.header.stamp.nanosec) == (3, 4)
    assert [i.id for i in got.instances] == [3, 9]
    assert list(got.changed_ids) == [3, 9] and list(got.removed_ids) == [2, 4]


def test_round_trip_of_an_instance():
    before = instance(5, yaw_rad=-1.2)
    points = cloud_msg(header_msg(1, "map"), before.points_m, before.colors_rgb)
    after = instance_from_message(instance_msg(before, b"jpeg", "map"), points)
    assert after.box.yaw_rad == pytest.approx(-1.2)
    for name in ("id", "state", "label", "label_score", "score", "first_seen_ns", "last_seen_ns", "observations"):
        assert getattr(after, name) == getattr(before, name)
    for name in ("points_m", "colors_rgb", "centroid_m"):
        assert np.array_equal(getattr(after, name), getattr(before, name))


def test_evidence_is_a_jpeg_with_a_stamp():
    m = instance_msg(instance(), b"\xff\xd8", "map")
    assert bytes(m.evidence.data) == b"\xff\xd8" and m.evidence.format == "jpeg"
    assert m.evidence.header.frame_id == "map" and m.evidence.header.stamp == m.last_seen


@pytest.mark.parametrize("count", [0, 1, 1000])
def test_labelled_cloud_through_the_wire(count):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(count, 3)).astype(np.float32)
    colors = rng.integers(0, 256, (count, 3)).astype(np.uint8)
    ids = rng.integers(0, 2**20, count).astype(np.int32)
    sent = cloud_msg(header_msg(1, "map"), points, colors, ids)
    got = deserialize_message(serialize_message(sent), PointCloud2)
    assert [f.name for f in got.fields] == ["x", "y", "z", "rgb", "instance"]
    assert (got.width, got.height, got.point_step, got.row_step) == (count, 1, 20, 20 * count)
    for back, original in zip(cloud_from_message(got), (points, colors, ids), strict=True):
        assert np.array_equal(back, original)


@pytest.mark.parametrize("kind", ["new", "confirmed", "merge", "split", "lost"])
def test_event_through_the_wire(kind):
    event = LoggedEvent(1_500_000_001, kind, 7, (2, 3), segmentation=4, number=9)
    got = deserialize_message(serialize_message(event_msg(event)), InstanceEvent)
    assert got.kind == getattr(InstanceEvent, kind.upper()) and (got.stamp.sec, got.stamp.nanosec) == (1, 500000001)
    assert event_from_message(got) == event
