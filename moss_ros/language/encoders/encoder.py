"""What every model that compares words and pictures can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np


class ImageTextEncoder(Protocol):
    """Texts and masked parts of images as unit vectors of one space. A model owns its preprocessing and prompts."""

    name: str  # model and weights, e.g. "ViT-B-16/openai"; every answer carries it
    dimensions: int  # D

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        """(T, D) float32 unit vectors; the model's prompt templates are applied and averaged."""
        ...

    def encode_masks(self, color_rgb: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """(N, D) float32 unit vectors of N masks of one image.

        color_rgb: (H, W, 3) uint8. masks: (N, H, W) bool, or float in [0, 1] for soft masks; they may be coarser than
        the image, by a whole factor; a mask without pixels gives a row of zeros.
        """
        ...
