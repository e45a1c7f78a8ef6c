"""The walk stays clear of everything, is smooth, and looks at things; odometry drifts away from it."""

from __future__ import annotations

import numpy as np
import pytest

from moss_ros.sim.camera_path import look_at, walk, with_drift
from moss_ros.sim.layout import make_home
from moss_ros.sim.rays import RayScene
from moss_ros.sim.triangles import build


@pytest.mark.parametrize("seed", [0, 2])
def test_walk(seed: int) -> None:
    scene = make_home(seed)
    poses = walk(scene, 60, np.random.default_rng(seed))
    assert poses.shape == (60, 4, 4)
    step = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1)
    assert step.max() < 0.3
    turn = np.arccos(np.clip((poses[1:, :3, 2] * poses[:-1, :3, 2]).sum(1), -1, 1))
    assert np.degrees(turn).max() < 15
    assert (poses[:, 2, 3] > 1.0).all() and (poses[:, 2, 3] < 1.6).all()
    # Nothing is nearer than 9 cm to any camera, whichever way one looks.
    rays = RayScene(build(scene).corners_m)
    ways = np.random.default_rng(0).normal(size=(400, 3))
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    ahead = []
    for pose in poses:
        eye = np.broadcast_to(pose[:3, 3], ways.shape)
        assert rays.cast(eye, ways).distance.min() > 0.09
        ahead.append(float(rays.cast(pose[None, :3, 3], pose[None, :3, 2]).distance[0]))
    assert 0.5 < np.median(ahead) < 3.0


def test_look_at_is_an_upright_optical_frame() -> None:
    pose = look_at(np.array([1.0, 2.0, 1.5]), np.array([3.0, 2.0, 1.0]))
    assert pose[:3, :3] @ pose[:3, :3].T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)
    assert pose[2, 0] == pytest.approx(0) and pose[2, 1] < 0 < pose[0, 2]


def test_drift_starts_at_zero_and_grows() -> None:
    poses = np.stack([look_at(np.array([0.1 * i, 0.0, 1.3]), np.array([0.1 * i, 5.0, 1.0])) for i in range(150)])
    gaps = []
    for seed in range(20):
        noisy = with_drift(poses, np.random.default_rng(seed))
        assert noisy[0] == pytest.approx(poses[0])
        assert noisy[-1, :3, :3] @ noisy[-1, :3, :3].T == pytest.approx(np.eye(3), abs=1e-9)
        gaps.append(np.linalg.norm(noisy[:, :3, 3] - poses[:, :3, 3], axis=1))
    mean = np.mean(gaps, axis=0)
    assert 0.01 < mean[-1] < 0.5 and mean[20] < mean[-1]
