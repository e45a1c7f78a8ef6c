"""Lenses: what projects where, by OpenCV's own distortion of points."""

import cv2
import numpy as np
import pytest
from fake_messages import camera_info

from moss_ros.messages.camera_info import lens_of
from moss_ros.messages.errors import MessageError

PLUMB = (-0.25, 0.08, 0.001, -0.002, 0.0)
RATIONAL = (-0.2, 0.05, 0.001, 0.001, 0.01, 0.02, 0.01, 0.003)
FISHEYE = (0.05, -0.02, 0.004, -0.001)


def test_plain_camera_needs_no_maps():
    lens = lens_of(camera_info(64, 48, d=(0.0,) * 5), 64, 48)
    assert (lens.camera.fx, lens.camera.cx, lens.camera.cy) == (100.0, 31.5, 23.5)
    picture = np.zeros((48, 64, 3), np.uint8)
    assert lens.map_x is None and lens.rectify_color(picture) is picture and lens.rectify_depth(picture) is picture


def test_smaller_image_scales_the_optics():
    camera = lens_of(camera_info(640, 480, f=500.0), 320, 240).camera
    assert (camera.fx, camera.width, camera.cx) == (250.0, 320, 159.5)


@pytest.mark.parametrize(
    ("model", "d"), [("plumb_bob", PLUMB), ("rational_polynomial", RATIONAL), ("equidistant", FISHEYE)]
)
def test_rectified_pixel_comes_from_the_distorted_place(model, d):
    lens = lens_of(camera_info(200, 150, f=150.0, d=d, model=model), 200, 150)
    ray = np.array([[(40 - 99.5) / 150.0, (110 - 74.5) / 150.0, 1.0]])
    k, zero = lens.camera.matrix, np.zeros(3)
    if model == "equidistant":
        place, _ = cv2.fisheye.projectPoints(ray[:, None], zero, zero, k, np.array(d))
    else:
        place, _ = cv2.projectPoints(ray, zero, zero, k, np.array(d))
    assert np.allclose([lens.map_x[110, 40], lens.map_y[110, 40]], place.ravel(), atol=1e-2)


def test_depth_is_never_mixed():
    lens = lens_of(camera_info(64, 48, d=PLUMB), 64, 48)
    depth = np.where(np.arange(64) < 32, 1.0, 3.0).astype(np.float32)[None].repeat(48, 0)
    assert set(np.unique(lens.rectify_depth(depth))) <= {0.0, 1.0, 3.0}


def test_rectified_topic_uses_the_projection_matrix():
    lens = lens_of(camera_info(64, 48, d=PLUMB, p=90.0), 64, 48, rectified=True)
    assert lens.camera.fx == 90.0 and lens.map_x is None


@pytest.mark.parametrize(
    ("info", "reason", "fix"),
    [
        (camera_info(64, 48, f=0.0), "camera_info", "calibration"),
        (camera_info(64, 48, f=float("nan")), "camera_info", "calibration"),
        (camera_info(1280, 720), "info_size", "beside this image"),
        (camera_info(64, 48, d=PLUMB, model="magic"), "distortion_model", "plumb_bob"),
        (camera_info(64, 48, d=(0.1, 0.2)), "distortion_model", "2 numbers"),
        (camera_info(64, 48, d=(float("nan"),) * 5), "camera_info", "calibrate"),
    ],
)
def test_unfit_info_names_the_fix(info, reason, fix):
    with pytest.raises(MessageError, match=fix) as error:
        lens_of(info, 64, 48)
    assert error.value.reason == reason
