"""Pinhole intrinsics and what a change of resolution does to them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moss_ros.geometry.camera import Camera

CAMERA = Camera(fx=500.0, fy=400.0, cx=319.5, cy=239.5, width=640, height=480)
PROPERTY = settings(max_examples=60, deadline=None, derandomize=True)
sizes = st.integers(1, 2000)


def test_matrix_by_hand():
    assert CAMERA.matrix.tolist() == [[500.0, 0.0, 319.5], [0.0, 400.0, 239.5], [0.0, 0.0, 1.0]]


def test_half_size_by_hand():
    # The image spans u in [-0.5, 639.5]; at half size the same border is [-0.5, 319.5].
    half = CAMERA.resized(320, 240)
    assert half == Camera(fx=250.0, fy=200.0, cx=159.5, cy=119.5, width=320, height=240)


@PROPERTY
@given(width=sizes, height=sizes, cx=st.floats(-50, 700), share=st.floats(0, 1))
def test_resize_keeps_the_ray_through_the_same_place(width, height, cx, share):
    camera = Camera(fx=500.0, fy=400.0, cx=cx, cy=200.0, width=640, height=480)
    resized = camera.resized(width, height)
    # The place at a share of the image width, from border to border.
    ray = (share * 640 - 0.5 - camera.cx) / camera.fx
    resized_ray = (share * width - 0.5 - resized.cx) / resized.fx
    assert resized_ray == pytest.approx(ray, abs=1e-9)
    down = (share * 480 - 0.5 - camera.cy) / camera.fy
    assert (share * height - 0.5 - resized.cy) / resized.fy == pytest.approx(down, abs=1e-9)


@PROPERTY
@given(width=sizes, height=sizes)
def test_resize_and_back_is_the_same_camera(width, height):
    back = CAMERA.resized(width, height).resized(640, 480)
    assert np.allclose(back.matrix, CAMERA.matrix)
    assert (back.width, back.height) == (640, 480)


@pytest.mark.parametrize("wrong", [{"fx": 0.0}, {"fy": -1.0}, {"fx": float("nan")}])
def test_uncalibrated_camera_is_refused(wrong):
    with pytest.raises(ValueError, match="camera_info"):
        Camera(**{"fx": 1.0, "fy": 1.0, "cx": 0.0, "cy": 0.0, "width": 2, "height": 2} | wrong)


@pytest.mark.parametrize("wrong", [{"width": 0}, {"height": -3}])
def test_empty_image_is_refused(wrong):
    with pytest.raises(ValueError, match="image size"):
        Camera(**{"fx": 1.0, "fy": 1.0, "cx": 0.0, "cy": 0.0, "width": 2, "height": 2} | wrong)
