"""Depth pixels at the pixels of another image."""

import numpy as np
import pytest
from scenes import CAMERA

from moss_ros.geometry.camera import Camera
from moss_ros.lifting.target_view import TargetView


def test_twice_the_resolution_repeats_pixels():
    depth = np.arange(CAMERA.height * CAMERA.width, dtype=np.float32).reshape(CAMERA.height, CAMERA.width)
    view = TargetView(CAMERA.resized(320, 240), np.eye(4), depth, CAMERA)
    assert np.array_equal(view.at_target(depth, 0), depth.repeat(2, 0).repeat(2, 1))


def test_same_camera_gives_the_same_image():
    depth = np.ones((CAMERA.height, CAMERA.width), np.float32)
    assert np.array_equal(TargetView(CAMERA, np.eye(4), depth).at_target(depth, 0), depth)


def test_target_that_sees_more_has_no_depth_there():
    narrow = Camera(fx=2.0, fy=2.0, cx=1.0, cy=1.0, width=3, height=3)
    wide = Camera(fx=2.0, fy=2.0, cx=2.0, cy=3.0, width=5, height=6)
    view = TargetView(wide, np.eye(4), np.ones((3, 3), np.float32), narrow)
    expected = np.zeros((6, 5))
    expected[2:5, 1:4] = 1
    assert np.array_equal(view.at_target(np.ones((3, 3)), 0), expected)


def test_depth_must_fit_its_camera():
    with pytest.raises(ValueError, match="its camera is 120 x 160"):
        TargetView(CAMERA, np.eye(4), np.zeros((3, 4), np.float32))
