"""Views by hand: one camera a metre away, one far, one behind, one that sees the other side."""

import numpy as np
import pytest

from moss_ros.geometry.bits import pack_rows
from moss_ros.geometry.camera import Camera
from moss_ros.language.view_choice import Views
from moss_ros.mapping.keyframes import Keyframe

CAMERA = Camera(fx=500.0, fy=500.0, cx=319.5, cy=239.5, width=640, height=480)
VOXEL_M = 0.02


def keyframe(slot: int, z_m: float = 0.0, x_m: float = 0.0, sharpness: float = 1.0) -> Keyframe:
    """Looks along world z from (x, 0, z)."""
    pose = np.eye(4)
    pose[:3, 3] = (x_m, 0.0, z_m)
    return Keyframe(slot, 1000 + slot, pose, CAMERA, CAMERA, np.zeros((1, 1), np.uint16), b"", sharpness)


def things(count: int = 100) -> np.ndarray:
    """(count, 3) points within 10 cm of (0, 0, 2)."""
    return np.random.default_rng(0).uniform(-0.1, 0.1, (count, 3)) + (0, 0, 2)


def choose(keyframes: list[Keyframe], shown: np.ndarray, limit: int = 3) -> list[int]:
    table = np.zeros((len(shown), 1 + max(k.slot for k in keyframes)), bool)
    for column, k in enumerate(keyframes):
        table[:, k.slot] = shown[:, column]
    views = Views(keyframes, pack_rows(table))
    return [v.slot for v in views.choose(np.arange(len(shown)), things(len(shown)), VOXEL_M, limit)]


def test_nearer_view_of_the_same_surface_comes_first() -> None:
    shown = np.ones((100, 2), bool)
    assert choose([keyframe(3, z_m=0.0), keyframe(70, z_m=1.2)], shown, 1) == [70]


def test_blurred_view_comes_after_sharp_ones() -> None:
    shown = np.ones((100, 3), bool)
    assert choose([keyframe(0, sharpness=0.1), keyframe(1), keyframe(2)], shown, 3)[-1] == 0


def test_second_view_shows_the_other_side() -> None:
    shown = np.zeros((100, 3), bool)
    shown[:60, 0] = shown[:58, 1] = True  # two views of one side
    shown[60:, 2] = True  # the other side
    assert choose([keyframe(0), keyframe(1), keyframe(2)], shown, 2) == [0, 2]


def test_view_that_shows_too_little_or_lies_behind_the_camera_is_not_chosen() -> None:
    shown = np.ones((100, 3), bool)
    shown[14:, 1] = False
    assert choose([keyframe(0), keyframe(1), keyframe(2, z_m=4.0)], shown) == [0]


def test_object_at_the_border_weighs_less() -> None:
    shown = np.ones((100, 2), bool)
    # 500 px focal length, 2 m away: 1.2 m to the side is 300 px from the centre, 20 px from the border
    assert choose([keyframe(0, x_m=1.2), keyframe(1, x_m=0.2)], shown, 2) == [1, 0]


def test_weight_is_that_of_the_formula() -> None:
    views = Views([keyframe(0)], pack_rows(np.ones((100, 1), bool)))
    points = np.zeros((100, 3)) + (0, 0, 2)
    (view,) = views.choose(np.arange(100), points, VOXEL_M, 1)
    assert view.stamp_ns == 1000
    assert view.weight == pytest.approx(10 * 500 * VOXEL_M / 2 / 96)  # 10 x 10 voxels, 50 px wide, of 96


def test_no_keyframe_or_no_voxel_gives_no_view() -> None:
    assert Views([], np.zeros((5, 1), np.uint64)).choose(np.arange(5), things(5), VOXEL_M, 3) == []
    assert Views([keyframe(0)], np.zeros((5, 1), np.uint64)).choose(np.arange(0), things(5), VOXEL_M, 3) == []
