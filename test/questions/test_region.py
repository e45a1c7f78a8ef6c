"""Regions by hand."""

import numpy as np
import pytest

from moss_ros.questions.box_pairs import Boxes
from moss_ros.questions.region import EVERYWHERE, RegionError, box, polygon, sphere

L_SHAPE = [(0, 0), (4, 0), (4, 1), (1, 1), (1, 3), (0, 3)]


@pytest.mark.parametrize(
    ("region", "point", "expected"),
    [
        (EVERYWHERE, (1e6, 0, 0), True),
        (sphere((1, 0, 0), 0.5), (1.5, 0, 0), True),
        (sphere((1, 0, 0), 0.5), (1.51, 0, 0), False),
        (box((0, 0, 0), (2, 1, 1)), (0.9, 0.4, 0.4), True),
        (box((0, 0, 0), (2, 1, 1)), (0.4, 0.9, 0.4), False),
        (box((0, 0, 0), (2, 1, 1), np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])), (0.4, 0.9, 0.4), True),
        (polygon(L_SHAPE), (0.5, 2.5, 99), True),
        (polygon(L_SHAPE), (2, 2, 0), False),
        (polygon(L_SHAPE), (0, 0, 0), True),  # a corner
        (polygon(L_SHAPE), (2, 1, 0), True),  # an edge
        (polygon(L_SHAPE[::-1]), (3.9, 0.9, 0), True),
    ],
)
def test_contains(region, point, expected):
    assert region.contains(np.array([point]))[0] == expected


def test_holds_a_box_that_lies_half_inside():
    boxes = Boxes(np.array([[0.0, 0, 0], [1.1, 0, 0]]), np.ones((2, 3)), np.zeros(2))
    far_centroid = np.full((2, 3), 50.0)
    region = box((0, 0, 0), (1.6, 2, 2))
    assert region.holds(boxes, far_centroid).tolist() == [True, False]
    assert region.holds(boxes, np.zeros((2, 3))).tolist() == [True, True]  # the centroid is enough


def test_bounds_of_a_turned_box():
    low, high = box((1, 0, 0), (2, 1, 1), np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])).bounds_m()
    np.testing.assert_allclose([low, high], [[0.5, -1, -0.5], [1.5, 1, 0.5]])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: sphere((0, 0, 0), 0), "positive"),
        (lambda: sphere((0, 0, 0), float("nan")), "positive"),
        (lambda: sphere((0, 0, float("inf")), 1), "finite"),
        (lambda: box((0, 0, 0), (1, 0, 1)), "positive"),
        (lambda: box((0, 0, 0), (1, 1, 1), np.zeros((3, 3))), "quaternion"),
        (lambda: polygon([(0, 0), (1, 1)]), "three corners"),
        (lambda: polygon([(0, 0), (1, 1), (2, 2)]), "no area"),
        (lambda: polygon([(0, 0), (1, 0), (np.nan, 2)]), "finite"),
    ],
)
def test_bad_regions_name_the_fix(make, says):
    with pytest.raises(RegionError, match=says):
        make()
