"""2D masks from a network that was trained on simulated rooms; no map is needed, only gravity.

Colour helps with flat things but may be missing. The network sees about 320 pixels of width whatever the camera has.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from moss_ros.config import ConfigError, MasksConfig
from moss_ros.geometry.camera import Camera
from moss_ros.mapping.keyframes import Keyframe
from moss_ros.masks2d.gravity_input import drop_color, gravity_input, reduced_depth, stride_for
from moss_ros.masks2d.pixel_pairs import PixelPairs, bytes_of
from moss_ros.masks2d.regions import OFFSETS, RegionRules, Regions, find_regions
from moss_ros.masks2d.segmenter import MapView

WEIGHTS = "masks.safetensors"
CARRIED_M = (0.2, 2.2)  # how high above the floor cameras are
FLOOR_SLACK_M = 0.15
# Colour helps with flat things but misleads where real surfaces hold more edges than simulated ones: what depth alone
# says counts twice.
COLOR_SHARE = np.float32(1 / 3)
MOST_RANGE_M = 6.0  # farther depth says little about things


class Predict(Protocol):
    """(11, H, W) input -> (13, H, W) probabilities."""

    def __call__(self, channels: np.ndarray) -> np.ndarray: ...


class LearnedSegmenter:
    """Network and agglomeration for single images. Not thread-safe."""

    def __init__(self, config: MasksConfig, predict: Predict | None = None) -> None:
        """predict: another network than the one of config.weights. Raises WeightsError when that cannot be used."""
        self._predict = predict or predictor(config.weights)
        self.rules = rules_of(config)

    def regions(
        self,
        depth_m: np.ndarray,
        camera: Camera,
        world_from_camera: np.ndarray,
        floor_m: float | None = None,
        color_rgb: np.ndarray | None = None,
    ) -> Regions:
        """Regions on the reduced image (blocks of stride_for(W) pixels).

        depth_m (H, W) float32, 0 = none; colour of any size; floor_m: height of the floor in the world, None: seen.
        """
        channels, measured = network_input(depth_m, camera, world_from_camera, floor_m, color_rgb)
        return self._regions(self._probabilities(channels), measured)

    def regions_and_pairs(
        self,
        depth_m: np.ndarray,
        camera: Camera,
        world_from_camera: np.ndarray,
        floor_m: float | None = None,
        color_rgb: np.ndarray | None = None,
    ) -> tuple[Regions, PixelPairs]:
        """As regions, with what they were made from."""
        channels, measured = network_input(depth_m, camera, world_from_camera, floor_m, color_rgb)
        out = self._probabilities(channels)
        return self._regions(out, measured), PixelPairs(bytes_of(out[0]), bytes_of(out[1:]), measured)

    def _regions(self, probability: np.ndarray, measured: np.ndarray) -> Regions:
        return find_regions(probability[0], probability[1:], OFFSETS, measured, self.rules)

    def _probabilities(self, channels: np.ndarray) -> np.ndarray:
        """(1 + K, h, w) of thing and of each offset; with colour both ways of looking are averaged."""
        depth_alone = drop_color(channels)
        out = self._predict(depth_alone)
        if np.array_equal(channels, depth_alone):
            return out
        return (1 - COLOR_SHARE) * out + COLOR_SHARE * self._predict(channels)

    def labels(
        self,
        depth_m: np.ndarray,
        camera: Camera,
        world_from_camera: np.ndarray,
        floor_m: float | None = None,
        color_rgb: np.ndarray | None = None,
    ) -> np.ndarray:
        """(H, W) int32 label image of the size of depth: 0 = none, else 1..n; see regions."""
        found = self.regions(depth_m, camera, world_from_camera, floor_m, color_rgb)
        return enlarged(found.labels, depth_m.shape)


class LearnedMasks:
    """The segmenter of the pipeline: the map only tells where the floor is."""

    needs_map = False

    def __init__(self, config: MasksConfig) -> None:
        """Raises ConfigError when the weights cannot be used."""
        self._config = config
        self._segmenter = LearnedSegmenter(config)

    def labels(self, keyframe: Keyframe, floor_m: float | None, view: MapView | None) -> np.ndarray:
        """See Segmenter."""
        color = keyframe.color_rgb if self._config.use_color else None
        return self._segmenter.labels(keyframe.depth_m, keyframe.camera, keyframe.world_from_camera, floor_m, color)

    def masks(self, keyframe: Keyframe, floor_m: float | None) -> tuple[np.ndarray, PixelPairs]:
        """See PairSegmenter."""
        color = keyframe.color_rgb if self._config.use_color else None
        depth_m = keyframe.depth_m
        found, pairs = self._segmenter.regions_and_pairs(
            depth_m, keyframe.camera, keyframe.world_from_camera, floor_m, color
        )
        return enlarged(found.labels, depth_m.shape), pairs


def network_input(
    depth_m: np.ndarray,
    camera: Camera,
    world_from_camera: np.ndarray,
    floor_m: float | None,
    color_rgb: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """(11, h, w) channels of the reduced image, and where depth was measured (h, w) bool; for the arguments see
    LearnedSegmenter.regions."""
    stride = stride_for(depth_m.shape[1])
    depth = reduced_depth(depth_m, stride)
    depth = np.where(depth < MOST_RANGE_M, depth, 0)
    height, width = depth.shape
    small = _cropped(camera, stride, height, width)
    if floor_m is None:
        floor_m = floor_in_view(depth, small, world_from_camera)
    color = None if color_rgb is None else _color_like(color_rgb, depth_m.shape, stride, height, width)
    return gravity_input(depth, small, world_from_camera, floor_m, color), depth > 0


def rules_of(config: MasksConfig) -> RegionRules:
    """The configured thresholds."""
    return replace(RegionRules(), level=config.merge_level)


@cache
def predictor(path: str) -> Predict:
    """The network of a weight file, loaded once a process; an empty path means the one of the package.

    Raises ConfigError, with what to do, when the weights or the libraries are not there.
    """
    try:
        from moss_ros.masks2d.network import Predictor
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"masks.segmenter = learned needs {error.name}: pip install torch safetensors, or take geometric"
        ) from error
    return Predictor(Path(path) if path else packaged_weights())


def packaged_weights() -> Path:
    """Where the package keeps its weights."""
    return Path(str(resources.files("moss_ros.masks2d") / "weights" / WEIGHTS))


def floor_in_view(depth_m: np.ndarray, camera: Camera, world_from_camera: np.ndarray) -> float:
    """Height of the floor as one image lets us guess it.

    Most maps have their floor at z = 0. Where the camera could stand on that and nothing is seen below it, it is
    taken; else the lowest large level surface, or the lowest point where there is none.
    """
    v, u = np.nonzero(depth_m > 0)
    if not len(v):
        return 0.0
    z = depth_m[v, u].astype(np.float64)
    rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(len(u))], 1)
    height = (rays * z[:, None]) @ world_from_camera[2, :3] + world_from_camera[2, 3]
    lowest = float(np.percentile(height, 1))
    if CARRIED_M[0] < world_from_camera[2, 3] < CARRIED_M[1] and lowest > -FLOOR_SLACK_M:
        return 0.0
    level = gravity_input(depth_m, camera, world_from_camera, 0.0)[2][v, u] > 0.9
    found = _lowest_level(height[level])
    return lowest if found is None else found


def _lowest_level(height_m: np.ndarray, bin_m: float = 0.04, share: float = 0.25) -> float | None:
    """Lowest peak of a histogram that has at least a share of its highest one."""
    if len(height_m) < 50:
        return None
    low = float(height_m.min())
    row = ((height_m - low) / bin_m).astype(np.int64)
    histogram = np.bincount(row)
    peak = int(np.flatnonzero(histogram >= share * histogram.max())[0])
    return float(np.median(height_m[np.abs(row - peak) <= 1]))


def enlarged(labels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Label image (h, w) repeated to (H, W); rows and columns beyond whole blocks have no label."""
    stride = shape[1] // labels.shape[1] if labels.shape[1] else 1
    out = np.zeros(shape, np.int32)
    big = labels.repeat(stride, 0).repeat(stride, 1)
    out[: big.shape[0], : big.shape[1]] = big[: shape[0], : shape[1]]
    return out


def _cropped(camera: Camera, stride: int, height: int, width: int) -> Camera:
    """Camera of the reduced image: whole blocks from the upper left corner."""
    return Camera(
        camera.fx / stride,
        camera.fy / stride,
        (camera.cx + 0.5) / stride - 0.5,
        (camera.cy + 0.5) / stride - 0.5,
        width,
        height,
    )


def _color_like(color_rgb: np.ndarray, shape: tuple[int, ...], stride: int, height: int, width: int) -> np.ndarray:
    """Colour of the reduced depth image; both cameras see the same field."""
    if color_rgb.shape[:2] != shape:
        color_rgb = np.asarray(cv2.resize(color_rgb, (shape[1], shape[0]), interpolation=cv2.INTER_AREA))
    whole = color_rgb[: height * stride, : width * stride]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA))
