"""What is drawn, and that only changes travel."""

import pytest
from fake_pipeline import instance, snapshot
from visualization_msgs.msg import Marker

from moss_ros.instances.colors import color_of
from moss_ros.records import InstanceState
from moss_ros.ros.markers import MarkerBoard


def told(message):
    """{(namespace, id, action)} of a MarkerArray."""
    return {(m.ns, m.id, m.action) for m in message.markers} if message else None


def both(instance_id, action):
    return {("box", instance_id, action), ("label", instance_id, action)}


def test_box_and_label_in_the_colour_of_the_id():
    board = MarkerBoard("map")
    board.update(snapshot(instance(7)))
    box, text = board.take().markers
    assert (box.type, box.scale.x, box.scale.z, box.pose.position.y) == (Marker.CUBE, 0.1, 0.3, 2.0)
    assert [box.color.r, box.color.g, box.color.b] == pytest.approx([c / 255 for c in color_of(7)])
    assert text.text == "7 mug" and text.pose.position.z > 3.15 and box.header.frame_id == "map"


def test_only_changes():
    board = MarkerBoard("map")
    board.update(snapshot(instance(1), instance(2)))
    assert told(board.take()) == both(1, Marker.ADD) | both(2, Marker.ADD)
    assert board.take() is None
    board.update(snapshot(instance(1), instance(2), changed=set()))
    assert board.take() is None
    board.update(snapshot(instance(1), instance(2), changed={2}))
    assert told(board.take()) == both(2, Marker.ADD)


def test_changes_of_several_snapshots_add_up():
    board = MarkerBoard("map")
    board.update(snapshot(instance(1), instance(2), instance(3)))
    board.take()
    board.update(snapshot(instance(1), instance(2), instance(3), changed={1}))
    board.update(snapshot(instance(1), instance(2), changed={2}, removed={3}))
    assert told(board.take()) == both(1, Marker.ADD) | both(2, Marker.ADD) | both(3, Marker.DELETE)


def test_removed_and_come_back():
    board = MarkerBoard("map")
    board.update(snapshot(instance(1)))
    board.take()
    board.update(snapshot(removed={1}))
    board.update(snapshot(instance(1)))
    assert told(board.take()) == both(1, Marker.ADD)
    board.update(snapshot(instance(1, InstanceState.REMOVED)))
    assert told(board.take()) == both(1, Marker.DELETE)


def test_new_listener_gets_everything():
    board = MarkerBoard("map")
    board.update(snapshot(instance(1), instance(2)))
    board.take()
    message = board.take(everything=True)
    assert message.markers[0].action == Marker.DELETEALL and len(message.markers) == 5
