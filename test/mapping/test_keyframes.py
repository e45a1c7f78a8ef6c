"""The gate lets motion and new surface through and makes blurred frames wait; storage is nearly lossless."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from scenes import CAMERA, MAPPING, orbit, render, room

from moss_ros.mapping.keyframes import KeyframeGate, make_keyframe, sharpness
from moss_ros.records import Frame

BLANK = np.zeros((CAMERA.height, CAMERA.width, 3), np.uint8)
ZERO = np.zeros((CAMERA.height, CAMERA.width), np.float32)


def at(x=0.0, degrees=0.0):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    pose = np.array([[c, 0, s, x], [0, 1, 0, 0], [-s, 0, c, 0], [0, 0, 0, 1]])
    return Frame(0, BLANK, CAMERA, ZERO, CAMERA, pose)


def verdicts(*steps, config=MAPPING):
    """What a gate says to (frame, sharpness, new surface), one after the other."""
    gate = KeyframeGate(config)
    return [gate.accepts(*step) for step in steps]


def test_first_frame_is_always_a_keyframe():
    assert verdicts((at(), 0.0, 0.0)) == [True]


@pytest.mark.parametrize(
    ("frame", "accepted"),
    [
        (at(0.09), False),
        (at(0.11), True),
        (at(degrees=7.5), False),
        (at(degrees=8.5), True),
        (at(-0.11), True),
    ],
)
def test_motion_makes_a_keyframe(frame, accepted):
    assert verdicts((at(), 10.0, 0.0), (frame, 10.0, 0.0)) == [True, accepted]


@pytest.mark.parametrize(("share", "accepted"), [(0.29, False), (0.3, True), (1.0, True)])
def test_new_surface_makes_a_keyframe_without_motion(share, accepted):
    assert verdicts((at(), 10.0, 0.0), (at(), 10.0, share)) == [True, accepted]


def test_motion_counts_from_the_last_keyframe():
    steps = [(at(x), 10.0, 0.0) for x in (0.0, 0.06, 0.12, 0.18, 0.23)]
    assert verdicts(*steps) == [True, False, True, False, True]


def test_blurred_frame_waits_for_a_sharp_one():
    assert verdicts((at(), 10.0, 0.0), (at(0.11), 2.0, 0.0), (at(0.12), 10.0, 0.0)) == [True, False, True]


def test_blur_does_not_wait_for_twice_the_motion():
    assert verdicts((at(), 10.0, 0.0), (at(0.11), 2.0, 0.0), (at(0.21), 2.0, 0.0)) == [True, False, True]


def test_always_soft_camera_still_gives_keyframes():
    assert verdicts(*[(at(0.11 * i), 1.0, 0.0) for i in range(5)]) == [True] * 5


def test_blur_lowers_sharpness():
    checker = np.kron(np.indices((12, 16)).sum(0) % 2, np.ones((10, 10))).astype(np.uint8) * 255
    image = np.repeat(checker[..., None], 3, 2)
    values = [sharpness(cv2.blur(image, (n, 1))) for n in (1, 9, 17)]
    assert values[0] > values[1] > values[2] > 0


def test_uniform_image_has_no_sharpness():
    assert sharpness(np.full((120, 160, 3), 77, np.uint8)) == 0.0


def test_stored_keyframe_gives_depth_and_color_back():
    frame = render(room(), orbit()[0], stamp_ns=5, noise_m=0.01)
    keyframe = make_keyframe(frame, 3, 42.0)
    assert (keyframe.slot, keyframe.stamp_ns, keyframe.sharpness) == (3, 5, 42.0)
    assert keyframe.depth_m.dtype == np.float32
    assert np.abs(keyframe.depth_m - frame.depth_m).max() < 0.6e-4
    color = keyframe.color_rgb
    assert color.shape == frame.color_rgb.shape and color.dtype == np.uint8
    assert np.abs(color.astype(int) - frame.color_rgb).mean() < 3
    assert np.array_equal(keyframe.world_from_camera, frame.world_from_camera)
    assert keyframe.camera == keyframe.color_camera == CAMERA


@pytest.mark.parametrize(
    ("depth", "stored"),
    [(6.49, 6.49), (6.6, 0.0), (100.0, 0.0), (np.nan, 0.0), (np.inf, 0.0)],
)
def test_depth_beyond_the_storage_is_no_measurement(depth, stored):
    keyframe = make_keyframe(replace(at(), depth_m=np.full_like(ZERO, depth)), 0, 0.0)
    assert np.allclose(keyframe.depth_m, stored, atol=1e-4)
