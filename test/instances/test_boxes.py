"""Oriented boxes by hand, and what must hold for any cloud."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moss_ros.instances.boxes import oriented_box

PROPERTY = settings(max_examples=80, deadline=None, derandomize=True)


def cuboid(size, yaw_deg, center, steps=9):
    """Points all through a box turned about z."""
    axes = [np.linspace(-s / 2, s / 2, steps) for s in size]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    return turned(points, yaw_deg) + center


def turned(points, yaw_deg):
    c, s = np.cos(np.radians(yaw_deg)), np.sin(np.radians(yaw_deg))
    return points @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])


def in_box(box, points):
    """Coordinates of the points along the box axes, from its centre."""
    return turned(np.asarray(points, float) - box.center_m, -np.degrees(box.yaw_rad))


@pytest.mark.parametrize(
    ("yaw_deg", "expected_deg", "swapped"),
    [
        (0, 0, False),
        (30, 30, False),
        (-30, -30, False),
        (44, 44, False),
        (60, -30, True),
        (100, 10, True),
        (170, -10, False),
    ],
)
def test_turned_cuboid_by_hand(yaw_deg, expected_deg, swapped):
    box = oriented_box(cuboid((0.6, 0.2, 0.4), yaw_deg, (1.0, -2.0, 0.7)))
    assert np.degrees(box.yaw_rad) == pytest.approx(expected_deg, abs=0.05)
    assert np.allclose(box.size_m, (0.2, 0.6, 0.4) if swapped else (0.6, 0.2, 0.4), atol=1e-4)
    assert np.allclose(box.center_m, (1.0, -2.0, 0.7), atol=1e-4)


def test_box_far_from_the_origin_is_as_exact():
    box = oriented_box(cuboid((0.3, 0.1, 0.2), 20, (5000.0, -7000.0, 3.0)))
    assert np.allclose(box.size_m, (0.3, 0.1, 0.2), atol=1e-4)
    assert np.allclose(box.center_m, (5000.0, -7000.0, 3.0), atol=1e-4)


@PROPERTY
@given(seed=st.integers(0, 10**6), count=st.integers(1, 40))
def test_box_holds_every_point(seed, count):
    rng = np.random.default_rng(seed)
    spread, center = rng.uniform(0.01, 2, 3), rng.uniform(-20, 20, 3)
    points = (rng.normal(size=(count, 3)) * spread + center).astype(np.float32)
    box = oriented_box(points)
    assert (np.abs(in_box(box, points)) <= box.size_m / 2 + 1e-4).all()
    assert -np.pi / 4 <= box.yaw_rad < np.pi / 4 + 1e-9
    assert (box.size_m >= 0.005).all()


@PROPERTY
@given(seed=st.integers(0, 10**6), count=st.integers(3, 30))
def test_no_turned_rectangle_is_smaller(seed, count):
    points = np.random.default_rng(seed).uniform(-1, 1, (count, 3))
    box = oriented_box(points)
    areas = [np.prod(np.ptp(turned(points, -a)[:, :2], axis=0)) for a in np.arange(0, 90, 0.5)]
    assert box.size_m[0] * box.size_m[1] <= min(areas) * (1 + 1e-4)


@PROPERTY
@given(seed=st.integers(0, 10**6))
def test_order_of_points_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    points = cuboid((0.5, 0.2, 0.1), rng.uniform(-40, 40), rng.uniform(-3, 3, 3), 4)
    a, b = oriented_box(points), oriented_box(rng.permutation(points))
    assert np.allclose(a.center_m, b.center_m, atol=1e-4)
    assert np.allclose(a.size_m, b.size_m, atol=1e-3)
    assert a.yaw_rad == pytest.approx(b.yaw_rad, abs=1e-2)


def test_single_point_has_a_box_that_can_be_drawn():
    box = oriented_box(np.array([[1.0, 2.0, 3.0]], np.float32))
    assert box.center_m.tolist() == [1.0, 2.0, 3.0]
    assert box.size_m.tolist() == [0.005, 0.005, 0.005]
    assert np.isfinite(box.yaw_rad)


def test_equal_points_are_one_point():
    box = oriented_box(np.full((7, 3), 0.5, np.float32))
    assert box.size_m.tolist() == [0.005, 0.005, 0.005]


def test_upright_pole():
    box = oriented_box(np.array([[0.0, 0.0, z] for z in (0.0, 0.4, 1.0)]))
    assert np.allclose(box.center_m, (0, 0, 0.5))
    assert np.allclose(box.size_m, (0.005, 0.005, 1.0))


def test_points_on_a_slanted_line():
    box = oriented_box(np.array([[t, t, 0.0] for t in np.linspace(0, 1, 11)]))
    assert np.sort(box.size_m) == pytest.approx([0.005, 0.005, np.sqrt(2)], abs=1e-3)
    assert abs(np.degrees(box.yaw_rad)) == pytest.approx(45, abs=0.1)
