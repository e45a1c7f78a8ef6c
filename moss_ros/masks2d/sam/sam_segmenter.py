"""2D masks of keyframes from a Segment Anything model: colour tells the things, depth only where the floor is."""

from __future__ import annotations

import cv2
import numpy as np

from moss_ros.config import MasksConfig
from moss_ros.mapping.keyframes import Keyframe
from moss_ros.masks2d.learned import floor_in_view
from moss_ros.masks2d.sam.sam_automatic import AutomaticMasks, AutomaticRules
from moss_ros.masks2d.sam.sam_layers import layers, painted
from moss_ros.masks2d.sam.sam_model import PromptModel, configured_model
from moss_ros.masks2d.sam.sam_prompted import PromptedSegmenter
from moss_ros.masks2d.segmenter import MapView

FLOOR_M = 0.03  # pixels so near the floor belong to it
FLOOR_SHARE = 0.7  # a mask with this share of its measured pixels on the floor is the floor


class SamMasks:
    """The segmenter of the pipeline; `prompted` answers questions about the same keyframes. Not thread-safe."""

    needs_map = False

    def __init__(self, config: MasksConfig, model: PromptModel | None = None) -> None:
        """model: another than the configured one. Raises ConfigError, with what to do, when that cannot be used."""
        self._config = config
        model = model or configured_model(config)
        self.prompted = PromptedSegmenter(model, config.sam_batch, config.sam_embeddings)
        self._automatic = AutomaticMasks(model, self.prompted, AutomaticRules.of(config))

    def labels(self, keyframe: Keyframe, floor_m: float | None, view: MapView | None) -> np.ndarray:
        """See Segmenter."""
        masks = self.thing_masks(keyframe, floor_m)
        return painted(masks, self._config.min_pixels, self._config.sam_detail == "parts")

    def label_images(self, keyframe: Keyframe, floor_m: float | None) -> np.ndarray:
        """(L, H, W) int32: the same masks with nothing hidden, one label image for each level of nesting."""
        return layers(self.thing_masks(keyframe, floor_m), self._config.min_pixels)

    def thing_masks(self, keyframe: Keyframe, floor_m: float | None) -> np.ndarray:
        """(K, H, W) bool of the size of the depth image, without what is too large for a thing and the floor."""
        depth_m = keyframe.depth_m
        masks = _resized(self._automatic.masks(keyframe.color_rgb, keyframe.stamp_ns), depth_m.shape)
        sizes = np.count_nonzero(masks, axis=(1, 2))
        floor = _floor_pixels(keyframe, depth_m, floor_m)
        on_floor = np.count_nonzero(masks & floor, axis=(1, 2))
        measured = np.count_nonzero(masks & (depth_m > 0), axis=(1, 2))
        is_floor = (measured > 0) & (on_floor >= FLOOR_SHARE * measured)
        fits = (sizes >= self._config.min_pixels) & (sizes <= self._config.sam_max_share * depth_m.size)
        return masks[fits & ~is_floor]


def _floor_pixels(keyframe: Keyframe, depth_m: np.ndarray, floor_m: float | None) -> np.ndarray:
    """(H, W) bool: pixels at the height of the floor; floor_m None: as this image alone shows it."""
    camera, pose = keyframe.camera, keyframe.world_from_camera
    if floor_m is None:
        floor_m = floor_in_view(depth_m, camera, pose)
    v, u = np.mgrid[0 : camera.height, 0 : camera.width]
    along = (u - camera.cx) / camera.fx * pose[2, 0] + (v - camera.cy) / camera.fy * pose[2, 1] + pose[2, 2]
    height = along * depth_m + pose[2, 3] - floor_m
    return (depth_m > 0) & (height < FLOOR_M)


def _resized(masks: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Masks of the colour image at the size of depth (H, W); both cameras see the same field."""
    if masks.shape[1:] == shape:
        return masks
    size = (shape[1], shape[0])
    out = np.empty((len(masks), *shape), bool)
    for k, mask in enumerate(masks):
        out[k] = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT) > 0
    return out
