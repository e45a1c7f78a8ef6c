"""The learned segmenter: floor estimates, sizes, and the packaged weights on a small picture."""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import pytest

from moss_ros.config import ConfigError, InputConfig, MappingConfig, MasksConfig, MossConfig
from moss_ros.geometry.camera import Camera
from moss_ros.mapping.voxel_map import VoxelMap
from moss_ros.masks2d import choose
from moss_ros.masks2d.choose import configured_segmenter
from moss_ros.masks2d.geometric import GeometricSegmenter
from moss_ros.masks2d.keyframe_masks import KeyframeMasks
from moss_ros.masks2d.learned import (
    LearnedMasks,
    LearnedSegmenter,
    enlarged,
    floor_in_view,
    packaged_weights,
    predictor,
)
from moss_ros.masks2d.network import OUTPUTS, WeightsError
from moss_ros.records import Frame

# 1.5 m up, looking along world x and 35 degrees down.
_DOWN = np.radians(35)
POSE = np.eye(4)
POSE[:3, 0], POSE[:3, 1] = (0, -1, 0), (-np.sin(_DOWN), 0, -np.cos(_DOWN))
POSE[:3, 2], POSE[:3, 3] = (np.cos(_DOWN), 0, -np.sin(_DOWN)), (0, 0, 1.5)
CAMERA = Camera(280.0, 280.0, 159.5, 119.5, 320, 240)
TABLE = ((1.0, -0.6, 0.0), (1.9, 0.6, 0.75))
BOXES = (((1.2, -0.3, 0.75), (1.45, -0.05, 0.97)), ((1.2, 0.1, 0.75), (1.4, 0.32, 0.9)))


def ray_boxes(camera: Camera, boxes) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[no-untyped-def]
    """Depth (H, W) and which box each pixel shows (0 = floor)."""
    v, u = np.mgrid[0 : camera.height, 0 : camera.width]
    rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(u.shape)], -1)
    rays = rays @ POSE[:3, :3].T
    depth = np.where(rays[..., 2] < -1e-6, -POSE[2, 3] / np.minimum(rays[..., 2], -1e-6), 6.0)
    shown = np.zeros(u.shape, int)
    for k, (lo, hi) in enumerate(boxes, 1):
        with np.errstate(divide="ignore"):
            a, b = (np.array(lo) - POSE[:3, 3]) / rays, (np.array(hi) - POSE[:3, 3]) / rays
        near, far = np.minimum(a, b).max(-1), np.maximum(a, b).min(-1)
        hit = (near < far) & (near > 0) & (near < depth)
        depth[hit], shown[hit] = near[hit], k
    return np.where(depth < 5, depth, 0).astype(np.float32), shown


def everything_is_one_thing(channels: np.ndarray) -> np.ndarray:
    return np.full((OUTPUTS, *channels.shape[1:]), 0.97, np.float32)


@pytest.fixture(scope="module")
def segmenter() -> LearnedSegmenter:
    return LearnedSegmenter(MasksConfig())


@pytest.mark.parametrize("camera", [CAMERA, CAMERA.resized(640, 480)])
def test_two_boxes_on_a_table(segmenter: LearnedSegmenter, camera: Camera) -> None:
    """The real weights, depth alone: each box gets a mask of its own, and so does the table."""
    depth, shown = ray_boxes(camera, (TABLE, *BOXES))
    labels = segmenter.labels(depth, camera, POSE, 0.0)
    assert labels.shape == depth.shape and labels.dtype == np.int32
    owners = [int(np.bincount(labels[shown == k]).argmax()) for k in (1, 2, 3)]
    assert 0 not in owners and len(set(owners)) == 3
    for k, owner in enumerate(owners, 1):
        mask = labels == owner
        assert (mask & (shown == k)).sum() / (mask | (shown == k)).sum() > 0.6
    assert (labels[shown == 0] > 0).mean() < 0.1


def test_packaged_weights_are_small() -> None:
    assert packaged_weights().stat().st_size < 10e6


def test_any_size_is_answered_in_that_size() -> None:
    segmenter = LearnedSegmenter(MasksConfig(), everything_is_one_thing)
    for width, height in ((320, 240), (641, 481), (848, 480), (97, 61)):
        camera = CAMERA.resized(width, height)
        depth = np.full((height, width), 2.0, np.float32)
        color = np.zeros((height // 2, width // 2, 3), np.uint8)
        labels = segmenter.labels(depth, camera, POSE, None, color)
        assert labels.shape == (height, width)
        assert (labels == 1).mean() > 0.9


def test_no_depth_no_masks() -> None:
    segmenter = LearnedSegmenter(MasksConfig(), everything_is_one_thing)
    assert segmenter.labels(np.zeros((60, 80), np.float32), CAMERA.resized(80, 60), POSE).max() == 0


def test_labels_are_repeated_over_their_blocks() -> None:
    out = enlarged(np.array([[1, 2]], np.int32), (3, 5))
    assert out.tolist() == [[1, 1, 2, 2, 0], [1, 1, 2, 2, 0], [0, 0, 0, 0, 0]]


@pytest.mark.parametrize("shift_m", [-3.0, -0.5, 0.0, 1.0])
def test_floor_is_found_in_the_image(shift_m: float) -> None:
    depth, _ = ray_boxes(CAMERA, (TABLE,))
    pose = POSE.copy()
    pose[2, 3] += shift_m
    assert floor_in_view(depth, CAMERA, pose) == pytest.approx(shift_m, abs=0.03)
    assert floor_in_view(0 * depth, CAMERA, POSE) == 0.0


def test_a_table_that_fills_the_image_is_not_the_floor() -> None:
    depth, shown = ray_boxes(CAMERA, (TABLE,))
    depth[shown == 0] = 0
    assert floor_in_view(depth, CAMERA, POSE) == 0.0


def test_weights_that_are_not_there_say_so() -> None:
    with pytest.raises(WeightsError, match="/nowhere"):
        LearnedSegmenter(MasksConfig(weights="/nowhere/w.safetensors"))


def test_missing_libraries_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "moss_ros.masks2d.network", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ConfigError, match="torch"):
        predictor("a file that no other test asks for")


def test_configuration_names_the_segmenter() -> None:
    for name, kind in (("geometric", GeometricSegmenter), ("learned", LearnedMasks), ("auto", LearnedMasks)):
        assert isinstance(configured_segmenter(MasksConfig(segmenter=name)), kind)


def test_depth_steps_serve_where_torch_is_missing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(choose, "find_spec", lambda name: None if name == "torch" else object())
    assert isinstance(configured_segmenter(MasksConfig(segmenter="auto")), GeometricSegmenter)
    assert "pip install torch for the mask network" in caplog.text


def test_masks_are_made_once_when_the_keyframe_comes() -> None:
    config = MossConfig()
    voxels = VoxelMap(dataclasses.replace(MappingConfig(), min_hits=1), InputConfig())
    depth, shown = ray_boxes(CAMERA, (TABLE, *BOXES))
    frame = Frame(0, np.full((240, 320, 3), 128, np.uint8), CAMERA, depth, CAMERA, POSE)
    voxels.integrate(frame)
    masks = KeyframeMasks(config.masks, 4, LearnedMasks(config.masks))
    masks.add(frame, 1.0)
    normal = np.tile(np.array([0, 0, 1], np.float32), (voxels.count, 1))
    nothing = np.zeros(voxels.count, bool)
    assert masks.refresh(voxels, normal, nothing, everything=False) == 1
    assert masks.evidence.views[0].count >= 3
    assert masks.refresh(voxels, normal, ~nothing, everything=True) == 0
