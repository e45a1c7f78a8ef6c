"""Sensor effects on depth made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from moss_ros.geometry.camera import Camera
from moss_ros.sim.training_views.sensor_profiles import (
    DEFAULT_MIX,
    PROFILES,
    disparity_steps,
    disturbed_color,
    disturbed_pose,
    flying_pixels,
    projector_shadow,
    random_profile,
    sense,
    wrapped_range,
)
from moss_ros.sim.training_views.views import TrainingView

H, W = 60, 80


def box_before_wall(gloss: int = 0) -> TrainingView:
    """A box at 1 m (id 1) in the middle of a wall at 2 m."""
    depth = np.full((H, W), 2000, np.uint16)
    depth[20:40, 30:50] = 1000
    ids = (depth == 1000).astype(np.uint8)
    color = np.full((H, W, 3), 128, np.uint8)
    mirror = np.where(ids > 0, gloss, 0).astype(np.uint8)
    facing = np.full((H, W), 255, np.uint8)
    pose = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1], [0, 0, 0, 1]], float)
    return TrainingView(
        depth, color, ids, facing, mirror, np.zeros(2, np.int32), Camera(80, 80, 39.5, 29.5, W, H), pose
    )


def test_shadow_falls_beside_the_near_thing() -> None:
    depth = np.full((1, 40), 2.0, np.float32)
    depth[0, 15:25] = 1.0
    # The box is shifted by 8 px in the projector, the wall by 4: four pixels of the wall are hidden.
    left, right = projector_shadow(depth, 8.0, -1)[0], projector_shadow(depth, 8.0, 1)[0]
    assert np.flatnonzero(left).tolist() in ([11, 12, 13, 14], [12, 13, 14])
    assert np.flatnonzero(right).tolist() in ([25, 26, 27, 28], [25, 26, 27])


def test_nothing_is_hidden_on_a_plane() -> None:
    slope = np.linspace(1, 3, 60, dtype=np.float32)[None].repeat(3, 0)
    assert not projector_shadow(slope, 20.0, -1).any()
    assert not projector_shadow(slope, 20.0, 1).any()


def test_disparity_comes_in_steps() -> None:
    depth = np.array([[1.0, 1.003, 2.0, 0.0]], np.float32)
    out = disparity_steps(depth, 40.0, 4.0)
    assert out[0, 3] == 0
    assert np.allclose((40.0 / out[0, :3] * 4) % 1, 0, atol=1e-3) or np.allclose(
        np.rint(160 / out[0, :3]), 160 / out[0, :3]
    )
    assert out[0, 0] == pytest.approx(1.0)


def test_far_ranges_wrap() -> None:
    out = wrapped_range(np.array([[1.0, 5.5, 0.0]], np.float32), 5.0)
    assert out.tolist() == [[1.0, 0.5, 0.0]]


def test_flying_pixels_lie_between_the_surfaces() -> None:
    depth = np.where(np.arange(20) < 10, 1.0, 1.4).astype(np.float32)[None].repeat(20, 0)
    out = flying_pixels(depth, 0.8, np.random.default_rng(0))
    between = (out > 1.02) & (out < 1.38)
    assert between[:, 8:12].any() and not between[:, :7].any() and not between[:, 13:].any()


@pytest.mark.parametrize("name", list(PROFILES))
def test_profile_keeps_most_depth_and_is_drawn_from_the_generator(name: str) -> None:
    view = box_before_wall()
    kept = []
    for seed in range(6):
        out = sense(view, name, np.random.default_rng(seed))
        again = sense(view, name, np.random.default_rng(seed))
        assert np.array_equal(out.depth_m, again.depth_m) and np.array_equal(out.color_rgb, again.color_rgb)
        ok = out.depth_m > 0
        kept.append(ok.mean())
        near = np.abs(out.depth_m - view.depth_mm / 1000) < 0.1
        assert near[ok].mean() > 0.9
        assert out.depth_m.dtype == np.float32 and out.instance.max() <= 1
    assert np.median(kept) > 0.6


def test_ids_follow_the_depth_at_ragged_edges() -> None:
    view = box_before_wall()
    out = sense(view, "structured_light", np.random.default_rng(3))
    ok = out.depth_m > 0
    assert ((out.depth_m < 1.5) == (out.instance == 1))[ok].mean() > 0.99


def test_mirrors_have_no_depth() -> None:
    shares = []
    for seed in range(10):
        out = sense(box_before_wall(gloss=255), "structured_light", np.random.default_rng(seed))
        shares.append(float((out.depth_m[22:38, 32:48] > 0).mean()))
    assert min(shares) == 0 and np.mean(shares) < 0.7


def test_unknown_profile_is_refused() -> None:
    with pytest.raises(ValueError, match="structured_light"):
        sense(box_before_wall(), "sonar", np.random.default_rng(0))
    assert sum(DEFAULT_MIX.values()) == pytest.approx(1)
    assert random_profile(np.random.default_rng(0)) in PROFILES


def test_color_and_pose_stay_near_the_truth() -> None:
    rng = np.random.default_rng(0)
    view = box_before_wall()
    assert disturbed_color(view.color_rgb, rng).shape == (H, W, 3)
    for _ in range(50):
        pose = disturbed_pose(view.world_from_camera, rng)
        assert np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-9)
        assert (
            np.degrees(np.arccos(np.clip((pose[:3, :3] * view.world_from_camera[:3, :3]).sum() / 2 - 0.5, -1, 1))) < 4
        )
