"""Rigid transforms: group rules and turns worked out on paper."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moss_ros.geometry.transforms import (
    from_translation_quaternion,
    interpolate,
    inverse,
    quaternion_xyzw,
    rotation_angle_rad,
)

PROPERTY = settings(max_examples=80, deadline=None, derandomize=True)
HALF = np.sqrt(0.5)


@st.composite
def poses(draw):
    q = np.array([draw(st.floats(-1, 1)) for _ in range(4)])
    if np.linalg.norm(q) < 1e-3:
        q[3] = 1.0
    return from_translation_quaternion([draw(st.floats(-100, 100)) for _ in range(3)], q)


def about_z(degrees, translation=(0.0, 0.0, 0.0)):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    pose = np.eye(4)
    pose[:2, :2] = [[c, -s], [s, c]]
    pose[:3, 3] = translation
    return pose


def test_quarter_turn_about_z_by_hand():
    pose = from_translation_quaternion([1, 2, 3], [0, 0, HALF, HALF])
    expected = [[0, -1, 0, 1], [1, 0, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]]
    assert np.allclose(pose, expected)


def test_quarter_turn_about_x_by_hand():
    pose = from_translation_quaternion([0, 0, 0], [HALF, 0, 0, HALF])
    assert np.allclose(pose[:3, :3], [[1, 0, 0], [0, 0, -1], [0, 1, 0]])


def test_quaternion_length_does_not_matter():
    assert np.allclose(from_translation_quaternion([0, 0, 0], [0, 0, 7, 7]), about_z(90))


@PROPERTY
@given(pose=poses())
def test_rotation_is_orthonormal_and_right_handed(pose):
    assert np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1.0)


@PROPERTY
@given(pose=poses())
def test_inverse_undoes_from_both_sides(pose):
    assert np.allclose(inverse(pose) @ pose, np.eye(4), atol=1e-9)
    assert np.allclose(pose @ inverse(pose), np.eye(4), atol=1e-9)


@PROPERTY
@given(pose=poses())
def test_quaternion_round_trip(pose):
    q = quaternion_xyzw(pose[:3, :3])
    assert np.linalg.norm(q) == pytest.approx(1.0)
    assert q[3] >= 0
    assert np.allclose(from_translation_quaternion(pose[:3, 3], q), pose, atol=1e-9)


@pytest.mark.parametrize(
    ("diagonal", "expected"),
    [
        ((1, 1, 1), (0, 0, 0, 1)),
        ((1, -1, -1), (1, 0, 0, 0)),
        ((-1, 1, -1), (0, 1, 0, 0)),
        ((-1, -1, 1), (0, 0, 1, 0)),
    ],
)
def test_half_turns_where_w_is_zero(diagonal, expected):
    assert np.abs(quaternion_xyzw(np.diag(diagonal))).tolist() == list(expected)


def test_slerp_by_hand():
    first, second = about_z(10, (0, 0, 0)), about_z(70, (4, 8, -2))
    assert np.allclose(interpolate(first, second, 0.25), about_z(25, (1, 2, -0.5)))


def test_slerp_takes_the_short_way():
    assert np.allclose(interpolate(about_z(170), about_z(-170), 0.5), about_z(180))


def test_slerp_between_equal_poses():
    pose = about_z(33, (1, 1, 1))
    assert np.allclose(interpolate(pose, pose, 0.7), pose)


@PROPERTY
@given(first=poses(), second=poses())
def test_interpolation_ends_at_its_neighbours(first, second):
    assert np.allclose(interpolate(first, second, 0.0), first, atol=1e-7)
    assert np.allclose(interpolate(first, second, 1.0), second, atol=1e-7)


@PROPERTY
@given(first=poses(), second=poses(), fraction=st.floats(0, 1))
def test_interpolation_shares_out_the_angle(first, second, fraction):
    whole = rotation_angle_rad(first, second)
    part = rotation_angle_rad(first, interpolate(first, second, fraction))
    assert part == pytest.approx(fraction * whole, abs=1e-5)


def test_angle_by_hand():
    assert np.degrees(rotation_angle_rad(about_z(10), about_z(52))) == pytest.approx(42)
    assert rotation_angle_rad(about_z(10), about_z(10, (5, 5, 5))) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("quaternion", [[0, 0, 0, 0], [0, 0, 0, 1e-9]])
def test_quaternion_without_direction_is_refused(quaternion):
    with pytest.raises(ValueError, match="quaternion is zero"):
        from_translation_quaternion([0, 0, 0], quaternion)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_pose_that_is_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match="not finite"):
        from_translation_quaternion([0, bad, 0], [0, 0, 0, 1])
    with pytest.raises(ValueError, match="not finite"):
        from_translation_quaternion([0, 0, 0], [0, bad, 0, 1])
