"""Seen space by hand."""

import numpy as np
import pytest

from moss_ros.geometry.camera import Camera
from moss_ros.mapping.observed import ObservedSpace
from moss_ros.questions.region import box, polygon, sphere

CAMERA = Camera(fx=100.0, fy=100.0, cx=79.5, cy=59.5, width=160, height=120)
DOWN = np.array([[1.0, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, 2], [0, 0, 0, 1]])  # from 2 m height


def looked_down(x=0.0, depth=2.0, **more):
    space = ObservedSpace(cell_m=0.1, **more)
    pose = DOWN.copy()
    pose[0, 3] = x
    space.add(np.full((120, 160), depth, np.float32), pose, CAMERA)
    return space


def test_cone_of_one_view():
    """The floor is seen over 3.2 x 2.4 m, nothing beside the cone."""
    space = looked_down()
    assert space.share(box((0, 0, 0.1), (2.8, 2.0, 0.15))) == pytest.approx(1, abs=0.02)
    assert space.share(box((0, 0, 1.0), (1.0, 0.8, 0.5))) == pytest.approx(1, abs=0.02)  # free space
    assert space.share(box((1.2, 0, 1.5), (0.4, 0.4, 0.4))) == 0  # beside the cone
    assert space.share(sphere((5, 5, 0), 0.5)) == 0
    half = space.share(box((1.6, 0, 0.1), (2.0, 1.0, 0.15)))
    assert half == pytest.approx(0.5, abs=0.08)


def test_polygon_is_of_any_height():
    space = looked_down()
    assert space.share(polygon([(-1, -1), (1, -1), (1, 1), (-1, 1)])) == pytest.approx(1, abs=0.02)
    assert space.share(polygon([(0, -1), (3.2, -1), (3.2, 1), (0, 1)])) == pytest.approx(0.5, abs=0.06)


def test_behind_a_surface_nothing_was_seen():
    space = looked_down(depth=1.0)
    assert space.share(box((0, 0, 1.3), (0.3, 0.3, 0.3))) == 1
    space.add(np.full((120, 10), 2.0, np.float32), DOWN, CAMERA)  # the floor, at the left edge alone
    assert space.share(box((0.2, 0, 0.5), (0.4, 0.4, 0.4))) == 0


def test_everywhere_tells_of_holes():
    assert ObservedSpace().share() == 0
    assert looked_down().share() == pytest.approx(1, abs=0.01)
    space = ObservedSpace(cell_m=0.1)
    depth = np.full((120, 160), 2.0, np.float32)
    depth[20:100, 30:130] = 0  # not measured: 2.0 x 1.6 of 3.2 x 2.4 m; rays to the rim pass outside it
    space.add(depth, DOWN, CAMERA)
    assert space.share() == pytest.approx(1 - 2.0 * 1.6 / (3.2 * 2.4), abs=0.12)


def test_no_measurement_no_knowledge():
    space = ObservedSpace()
    assert space.add(np.zeros((120, 160), np.float32), DOWN, CAMERA) == 0
    assert len(space) == 0


def test_same_view_again_adds_nothing():
    space = looked_down()
    assert space.add(np.full((120, 160), 2.0, np.float32), DOWN, CAMERA) == 0


def test_full_table_stops_growing():
    space = looked_down(max_cells=3000)
    for x in range(1, 10):
        pose = DOWN.copy()
        pose[0, 3] = 5.0 * x
        space.add(np.full((120, 160), 2.0, np.float32), pose, CAMERA)
    assert len(space) == 3000


def test_growing_keeps_every_cell():
    space = ObservedSpace(cell_m=0.05)
    apart = set()
    for x in (0, 3, 6, 9):
        pose = DOWN.copy()
        pose[0, 3] = x
        space.add(np.full((120, 160), 2.0, np.float32), pose, CAMERA)
        one = ObservedSpace(cell_m=0.05)
        one.add(np.full((120, 160), 2.0, np.float32), pose, CAMERA)
        apart |= set(map(tuple, one.cells().tolist()))
    assert set(map(tuple, space.cells().tolist())) == apart
    assert len(space) == len(apart) > 4096


def test_stored_cells_come_back():
    space = looked_down(x=-3.0)
    again = ObservedSpace.of_cells(space.cells(), 0.1)
    np.testing.assert_array_equal(again.cells(), space.cells())
    assert again.share(sphere((-3, 0, 1), 0.4)) == space.share(sphere((-3, 0, 1), 0.4)) > 0
    assert again.add(np.full((120, 160), 2.0, np.float32), DOWN, CAMERA) > 0
    assert len(ObservedSpace.of_cells(np.zeros((0, 3)), 0.1)) == 0
