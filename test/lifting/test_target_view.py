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


def test_coarser_view_sees_every_second_pixel():
    depth = np.arange(CAMERA.height * CAMERA.width, dtype=np.float32).reshape(CAMERA.height, CAMERA.width)
    view = TargetView(CAMERA, np.eye(4), depth).coarser(2)
    assert (view.camera.width, view.camera.height) == (CAMERA.width // 2, CAMERA.height // 2)
    assert np.array_equal(view.at_target(view.depth_m, 0), depth[1::2, 1::2])
    source = view.depth_camera
    assert 2 * source.cx + 1 == CAMERA.cx and 2 * source.fx == CAMERA.fx  # the same rays as before


def test_coarser_view_of_small_depth_keeps_its_pixels():
    depth = np.ones((CAMERA.height, CAMERA.width), np.float32)
    view = TargetView(CAMERA.resized(CAMERA.width * 2, CAMERA.height * 2), np.eye(4), depth, CAMERA)
    assert view.coarser(2).depth_m is depth
    assert view.coarser(1).camera == view.camera
    assert TargetView(CAMERA, np.eye(4)).coarser(2).depth_m is None
    with pytest.raises(ValueError, match="do not divide by 7"):
        view.coarser(7)
