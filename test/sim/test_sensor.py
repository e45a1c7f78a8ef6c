"""Noise of the depth camera: its size grows with distance, it has steps, a range and losses."""

from __future__ import annotations

import numpy as np
import pytest

from moss_ros.sim.sensor import RANGE_M, DepthNoise, depth_sd_m, noisy_color, noisy_depth_mm

SHAPE = (120, 160)
FOCAL_PX = 570.0


def measured(depth_m: float, facing: float = 1.0, seed: int = 0) -> np.ndarray:
    depth = np.full(SHAPE, depth_m, np.float32)
    rng = np.random.default_rng(seed)
    return noisy_depth_mm(depth, np.full(SHAPE, facing, np.float32), np.zeros(SHAPE, bool), FOCAL_PX, rng)


@pytest.mark.parametrize("depth_m", [0.8, 1.5, 2.4])
def test_spread_and_bias(depth_m: float) -> None:
    mm = measured(depth_m)
    mm = mm[mm > 0].astype(float)
    step = depth_m**2 / (FOCAL_PX * DepthNoise().baseline_m) / 8 * 1000
    expected = np.hypot(depth_sd_m(np.array(depth_m), DepthNoise()) * 1000, step / np.sqrt(12))
    assert mm.std() == pytest.approx(expected, rel=0.3)
    assert mm.mean() == pytest.approx(depth_m * 1000, abs=0.4 * step + 1)


def test_noise_grows_with_distance() -> None:
    spread = [measured(z)[measured(z) > 0].astype(float).std() for z in (0.7, 1.5, 3.0)]
    assert spread[0] < spread[1] < spread[2]
    assert spread[2] > 4 * spread[1] * 0.5


def test_far_depth_comes_in_disparity_steps() -> None:
    mm = measured(3.0)
    disparity = FOCAL_PX * DepthNoise().baseline_m / (mm[mm > 0] / 1000.0) * 8
    assert np.abs(disparity - np.round(disparity)).max() < 0.05


def test_out_of_range_and_hidden_give_nothing() -> None:
    assert (measured(RANGE_M[0] - 0.1) == 0).all()
    assert (measured(RANGE_M[1] + 0.4) == 0).all()
    depth, facing = np.full(SHAPE, 1.0, np.float32), np.ones(SHAPE, np.float32)
    hidden = np.zeros(SHAPE, bool)
    hidden[:, :80] = True
    mm = noisy_depth_mm(depth, facing, hidden, FOCAL_PX, np.random.default_rng(0))
    assert (mm[:, :80] == 0).all() and (mm[:, 80:] > 0).mean() > 0.99


def test_grazing_rays_and_edges_are_often_lost() -> None:
    assert (measured(1.0, facing=0.1) == 0).mean() > 0.4
    depth = np.full(SHAPE, 1.0, np.float32)
    depth[:, 80:] = 2.0
    mm = noisy_depth_mm(depth, np.ones(SHAPE, np.float32), np.zeros(SHAPE, bool), FOCAL_PX, np.random.default_rng(0))
    assert 0.3 < (mm[:, 79:81] == 0).mean() < 0.6
    assert (mm[:, :70] == 0).mean() < 0.02


def test_color_keeps_its_level_and_darkens_to_the_corners() -> None:
    picture = noisy_color(np.full((*SHAPE, 3), 0.5, np.float32), np.random.default_rng(0), np.ones(3))
    assert picture.dtype == np.uint8 and picture.shape == (*SHAPE, 3)
    assert picture[55:65, 75:85].mean() == pytest.approx(127, abs=3)
    assert picture[:6, :6].mean() < 0.8 * 127
