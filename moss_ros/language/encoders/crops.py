"""The usual way to read a mask, as a baseline: crops of its box at three sizes, each through the whole model, averaged.

Three sizes, each a tenth of the box larger on every side, as in OpenMask3D (Takmaz et al., NeurIPS 2023). The shape of
the mask is not used, only its box. N masks are 3 N forwards.
"""

from __future__ import annotations

import numpy as np
import torch

from moss_ros.language.encoders.clip import half_precision, unit_rows, window_images
from moss_ros.language.encoders.model_files import LoadedModel
from moss_ros.language.encoders.windows import whole_frame

LEVELS = 3
GROWTH = 0.1  # of the box, on each side, from level to level
_AT_ONCE = 8


class CropReader:
    """Works with every model of open_clip."""

    def __init__(self, loaded: LoadedModel) -> None:
        self._loaded = loaded

    def read(self, color_rgb: np.ndarray, masks: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """See MaskReader."""
        height, width = color_rgb.shape[:2]
        crops = [crop_box(box, level, height, width) for box in boxes for level in range(LEVELS)]
        found = []
        for first in range(0, len(crops), _AT_ONCE):
            some = crops[first : first + _AT_ONCE]
            pictures = [self._picture(color_rgb[top:bottom, left:right]) for top, left, bottom, right in some]
            with torch.inference_mode(), half_precision(self._loaded.device):
                found.append(self._loaded.model.encode_image(torch.cat(pictures)).float().cpu().numpy())
        return unit_rows(np.concatenate(found)).reshape(len(boxes), LEVELS, -1).mean(1)

    def _picture(self, crop_rgb: np.ndarray) -> torch.Tensor:
        """A crop padded to a square: nothing of a long thing is lost."""
        return window_images(crop_rgb, [whole_frame(crop_rgb.shape[0], crop_rgb.shape[1], (0,))], self._loaded)


def crop_box(box: np.ndarray, level: int, height: int, width: int) -> tuple[int, int, int, int]:
    """Top, left, bottom, right of a box grown for a level, inside of the image."""
    top, left, bottom, right = (int(v) for v in box)
    down, across = int(GROWTH * level * (bottom - top)), int(GROWTH * level * (right - left))
    return max(top - down, 0), max(left - across, 0), min(bottom + down, height), min(right + across, width)
