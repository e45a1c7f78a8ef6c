"""The network's input, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from moss_ros.geometry.camera import Camera
from moss_ros.masks2d.gravity_input import (
    CHANNELS,
    SIDE,
    drop_color,
    gravity_from_camera,
    gravity_input,
    mirrored,
    reduced_depth,
    stride_for,
)

CAMERA = Camera(40.0, 40.0, 19.5, 14.5, 40, 30)
# One metre up, looking along world x: right is -y, down is -z.
LEVEL = np.array([[0, 0, 1, 5], [-1, 0, 0, 2], [0, -1, 0, 1.0], [0, 0, 0, 1]])


def turned(pose: np.ndarray, yaw_rad: float) -> np.ndarray:
    c, s = np.cos(yaw_rad), np.sin(yaw_rad)
    out = pose.copy()
    out[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ pose[:3, :3]
    return out


def test_wall_straight_ahead() -> None:
    depth = np.full((30, 40), 2.0, np.float32)
    out = gravity_input(depth, CAMERA, LEVEL, 0.0)
    assert out.shape == (CHANNELS, 30, 40) and out.dtype == np.float32
    assert (out[0] == 0.5).all() and (out[5] == 1).all()
    # Row 4 looks up: 1 m + (14.5 - 4) / 40 * 2 m.
    assert out[1, 4, 20] == pytest.approx(1.525)
    assert out[2:5, 15, 20] == pytest.approx([0, -1, 0], abs=1e-5)  # towards the camera
    assert (out[6, 1:-1, 1:-1] == 0).all() and (out[7:] == 0).all()


def test_floor_below_has_its_normal_up_and_height_zero() -> None:
    v = np.arange(30)[:, None] - 14.5
    depth = np.where(v > 2, 40 / np.maximum(v, 1e-3), 0).repeat(40, 1).astype(np.float32)
    out = gravity_input(depth, CAMERA, LEVEL, 0.0)
    assert np.abs(out[1, 20:28]).max() < 1e-4
    assert out[2, 24, 20] == pytest.approx(1, abs=1e-4)
    assert gravity_input(depth, CAMERA, LEVEL, -0.3)[1, 25, 20] == pytest.approx(0.3, abs=1e-4)


def test_yaw_and_place_do_not_matter() -> None:
    depth = np.random.default_rng(0).uniform(1, 3, (30, 40)).astype(np.float32)
    moved = turned(LEVEL, 1.1)
    moved[:2, 3] += 7
    assert np.allclose(gravity_input(depth, CAMERA, LEVEL, 0.0), gravity_input(depth, CAMERA, moved, 0.0), atol=1e-5)


@pytest.mark.parametrize("pitch_rad", [-1.5707, -0.6, 0.0, 0.9, 1.5707])
def test_gravity_frame_is_a_rotation_with_up_last(pitch_rad: float) -> None:
    c, s = np.cos(pitch_rad), np.sin(pitch_rad)
    pose = LEVEL.copy()
    pose[:3, :3] = LEVEL[:3, :3] @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    turn = gravity_from_camera(pose)
    assert np.allclose(turn @ turn.T, np.eye(3), atol=1e-9) and np.linalg.det(turn) == pytest.approx(1)
    assert np.allclose(turn[2], pose[2, :3])


def test_mirrored_input_is_the_input_of_the_mirrored_image() -> None:
    rng = np.random.default_rng(0)
    depth = rng.uniform(1, 3, (30, 40)).astype(np.float32)
    depth[rng.random(depth.shape) < 0.1] = 0
    color = rng.integers(0, 255, (30, 40, 3)).astype(np.uint8)
    once = mirrored(gravity_input(depth, CAMERA, LEVEL, 0.0, color))
    other = gravity_input(
        np.ascontiguousarray(depth[:, ::-1]), CAMERA, LEVEL, 0.0, np.ascontiguousarray(color[:, ::-1])
    )
    assert np.allclose(once, other, atol=1e-4)
    assert np.abs(once[SIDE]).max() > 0


def test_a_hole_of_one_pixel_is_closed_a_larger_one_stays() -> None:
    depth = np.full((30, 40), 2.0, np.float32)
    depth[10, 10] = 0
    depth[20:25, 20:25] = 0
    valid = gravity_input(depth, CAMERA, LEVEL, 0.0)[5]
    assert valid[10, 10] == 1 and valid[22, 22] == 0


def test_bend_shows_steps_only() -> None:
    depth = np.full((30, 40), 2.0, np.float32)
    depth[:, 20:] = 2.05
    bend = gravity_input(depth, CAMERA, LEVEL, 0.0)[6]
    assert bend[15, 19] == pytest.approx(0.5, abs=1e-4) and bend[15, 10] == 0


def test_color_can_be_dropped_and_must_fit() -> None:
    depth = np.full((30, 40), 2.0, np.float32)
    color = np.full((30, 40, 3), (200, 50, 50), np.uint8)
    out = gravity_input(depth, CAMERA, LEVEL, 0.0, color)
    assert out[7, 0, 0] == pytest.approx(0.0) and out[8, 0, 0] > 0 > out[9, 0, 0] and out[10, 0, 0] == 1
    assert np.array_equal(drop_color(out), gravity_input(depth, CAMERA, LEVEL, 0.0))
    with pytest.raises(ValueError, match="resize"):
        gravity_input(depth, CAMERA, LEVEL, 0.0, color[:10])


def test_blocks_take_their_nearest_surface() -> None:
    depth = np.array([[1.0, 1.01, 0, 0], [3.0, 0, 0, 2.0]], np.float32)
    assert reduced_depth(depth, 2) == pytest.approx(np.array([[1.005, 2.0]]))
    assert reduced_depth(depth, 1) is depth
    assert [stride_for(w) for w in (160, 320, 424, 512, 640, 848, 1280)] == [1, 1, 1, 2, 2, 3, 4]
