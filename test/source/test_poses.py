"""Interpolation and chains with numbers worked out on paper."""

import numpy as np
import pytest

from moss_ros.geometry.transforms import from_translation_quaternion, inverse
from moss_ros.source.poses import PoseBuffer, PoseUnavailable, Wait
from moss_ros.source.tf_buffer import TfBuffer

MS = 1_000_000
HALF = np.sqrt(0.5)
QUARTER_TURN = (0.0, 0.0, HALF, HALF)  # 90 degrees about z


def at(x, y=0.0, z=0.0, q=(0.0, 0.0, 0.0, 1.0)):
    return from_translation_quaternion(np.array([x, y, z]), np.array(q))


def poses(*entries, gap_ms=250, jump_ms=500):
    out = PoseBuffer(gap_ms * MS, jump_ms * MS)
    for ms, pose in entries:
        out.add(ms * MS, pose)
    return out


def why(call):
    with pytest.raises(PoseUnavailable) as error:
        call()
    return error.value.wait, str(error.value)


def test_between_two_poses():
    buffer = poses((0, at(0.0)), (100, at(1.0, q=QUARTER_TURN)))
    out = buffer.at(25 * MS)
    angle = np.deg2rad(22.5)
    assert np.allclose(out[:3, 3], [0.25, 0, 0])
    assert np.allclose(out[:2, :2], [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def test_exact_stamp_needs_no_neighbour():
    assert np.allclose(poses((7, at(3.0))).at(7 * MS), at(3.0))


def test_opposite_quaternions_are_the_same_turn():
    turned = tuple(-v for v in QUARTER_TURN)
    buffer = poses((0, at(0.0, q=QUARTER_TURN)), (10, at(0.0, q=turned)))
    assert np.allclose(buffer.at(5 * MS), at(0.0, q=QUARTER_TURN))


def test_too_early_in_a_gap_and_too_late():
    buffer = poses((0, at(0.0)), (400, at(1.0)))
    assert why(lambda: buffer.at(-1))[0] is Wait.NEVER
    wait, text = why(lambda: buffer.at(200 * MS))
    assert wait is Wait.NEVER and "pose_gap_s" in text
    assert why(lambda: buffer.at(401 * MS))[0] is Wait.LATER
    assert why(lambda: poses().at(0))[0] is Wait.LATER


def test_late_pose_is_sorted_in_and_a_repeated_one_replaces():
    buffer = poses((0, at(0.0)), (200, at(2.0)), (100, at(5.0)), (100, at(1.0)))
    assert np.allclose(buffer.at(150 * MS)[0, 3], 1.5)


def test_jump_back_forgets_the_other_time():
    buffer = poses((10_000, at(9.0)))
    assert buffer.add(0, at(0.0)) is True and buffer.add(10 * MS, at(1.0)) is False
    assert np.allclose(buffer.at(5 * MS)[0, 3], 0.5)


def test_memory_is_bounded():
    buffer = PoseBuffer(250 * MS, 500 * MS)
    for i in range(20_000):
        buffer.add(i * 10 * MS, at(float(i)))
    assert len(buffer._stamps) <= 4002  # 40 s at 100 Hz


def tree(gap_ms=250):
    """map -> odom -> base (moving), base -> camera (static, 1 m up, turned)."""
    out = TfBuffer(gap_ms * MS, 500 * MS)
    out.add_static("base", "camera", at(0.0, 0.0, 1.0, QUARTER_TURN))
    for ms in (0, 100):
        out.add("map", "odom", ms * MS, at(10.0))
        out.add("odom", "base", ms * MS, at(ms / 100.0))
    return out


def test_chain_is_interpolated_at_the_stamp():
    assert np.allclose(tree().at("map", "camera", 50 * MS), at(10.5, 0.0, 1.0, QUARTER_TURN))


def test_chain_downwards_and_across():
    buffer = tree()
    buffer.add_static("base", "lidar", at(0.0, 2.0))
    assert np.allclose(buffer.at("camera", "map", 50 * MS), inverse(buffer.at("map", "camera", 50 * MS)))
    across = inverse(at(0.0, 2.0)) @ at(0.0, 0.0, 1.0, QUARTER_TURN)
    assert np.allclose(buffer.at("lidar", "camera", 0), across)
    assert np.allclose(buffer.at("map", "map", 0), np.eye(4))


def test_unknown_frame_lists_the_known_ones():
    wait, text = why(lambda: tree().at("world", "camera", 0))
    assert wait is Wait.LATER and "base, camera, map, odom" in text


def test_missing_time_names_the_edge():
    wait, text = why(lambda: tree().at("map", "camera", 200 * MS))
    assert wait is Wait.LATER and "odom -> base" in text


def test_ring_does_not_hang():
    buffer = TfBuffer(MS, MS)
    buffer.add_static("a", "b", at(0.0))
    buffer.add_static("b", "a", at(0.0))
    assert why(lambda: buffer.at("map", "a", 0))[0] is Wait.LATER


def test_jump_back_of_one_edge_leaves_the_others():
    buffer = tree()
    assert buffer.add("odom", "arm", 9_000 * MS, at(0.0)) is False
    assert buffer.add("odom", "arm", 0, at(0.0)) is True
    assert np.allclose(buffer.at("map", "base", 100 * MS), at(11.0))


def test_static_edges_survive_a_jump_of_the_images():
    buffer = tree()
    buffer.forget_time_after(50 * MS)
    assert why(lambda: buffer.at("map", "camera", 0))[0] is Wait.LATER
    assert np.allclose(buffer.at("base", "camera", 0), at(0.0, 0.0, 1.0, QUARTER_TURN))
