"""Other ways to read a mask with the same tower, to see what mask tokens are worth."""

from __future__ import annotations

import numpy as np
import torch

from moss_ros.language.encoders.clip import MaskReader, MaskTokenReader, window_images
from moss_ros.language.encoders.crops import CropReader
from moss_ros.language.encoders.model_files import LoadedModel
from moss_ros.language.encoders.windows import whole_frame


class TightCrops:
    """The box of a mask as a picture of its own; masked: with grey around the mask."""

    def __init__(self, loaded: LoadedModel, masked: bool) -> None:
        self._loaded = loaded
        self._masked = masked

    @torch.inference_mode()
    def read(self, color_rgb: np.ndarray, masks: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """See MaskReader."""
        pictures = []
        for mask, (top, left, bottom, right) in zip(masks, boxes, strict=True):
            crop = color_rgb[top:bottom, left:right]
            if self._masked:
                inside = mask[top:bottom, left:right] > 0.5
                crop = np.where(inside[..., None], crop, np.round(self._loaded.mean * 255).astype(np.uint8))
            frame = whole_frame(crop.shape[0], crop.shape[1], (0,))
            pictures.append(window_images(crop, [frame], self._loaded))
        return np.asarray(self._loaded.model.encode_image(torch.cat(pictures)).float().numpy())


class WholeImage:
    """The whole image for every mask."""

    def __init__(self, loaded: LoadedModel) -> None:
        self._loaded = loaded

    @torch.inference_mode()
    def read(self, color_rgb: np.ndarray, masks: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """See MaskReader."""
        frame = whole_frame(color_rgb.shape[0], color_rgb.shape[1], (0,))
        row = self._loaded.model.encode_image(window_images(color_rgb, [frame], self._loaded)).float().numpy()
        return np.repeat(row, len(masks), 0)


def readers(loaded: LoadedModel) -> dict[str, MaskReader]:
    """Every way by name."""
    return {
        "mask tokens, windows": MaskTokenReader(loaded, 0.0),
        "mask tokens from the middle block, windows": MaskTokenReader(loaded, 0.5),
        "mask tokens, whole image": MaskTokenReader(loaded, 0.0, windows=False),
        "tight crops": TightCrops(loaded, False),
        "masked crops": TightCrops(loaded, True),
        "three crops": CropReader(loaded),
        "whole image": WholeImage(loaded),
    }
