"""What the Segment Anything models have in common, and the one that the configuration names."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from moss_ros.config import ConfigError, MasksConfig
from moss_ros.masks2d.sam.sam_logits import MaskLogits
from moss_ros.masks2d.sam.sam_prompts import Prompts
from moss_ros.weights.store import weights_path
from moss_ros.weights.table import find


class PromptModel(Protocol):
    """Looks at an image once and answers many prompts. Not thread-safe."""

    def embed(self, color_rgb: np.ndarray) -> Any:
        """What the model needs to know of an image (H, W, 3) uint8; only the same model understands it."""
        ...

    def answer(self, embedding: Any, prompts: Prompts, several: bool) -> MaskLogits:
        """One mask for each prompt, or several (whole, part, part of the part), those of a prompt in a row."""
        ...


def configured_model(config: MasksConfig) -> PromptModel:
    """The model of masks.sam_model with its weights, loaded once a process.

    Raises ConfigError, with what to do, when weights or libraries are missing.
    """
    path = weights_path(config.sam_model, config.sam_weights)
    return _loaded(config.sam_model, path, config.sam_device, config.sam_half)


@cache
def _loaded(name: str, path: Path, device: str, half: bool) -> PromptModel:
    try:
        if find(name).kind == "file":
            from moss_ros.masks2d.sam.sam import load_sam

            return load_sam(name, path, device, half)
        from moss_ros.masks2d.sam.sam_transformers import load_sam_transformers

        return load_sam_transformers(name, path, device, half)
    except ImportError as error:
        raise ConfigError(
            f"masks.sam_model = {name} needs {error.name or error}: pip install 'moss_ros[sam]', "
            "or take masks.segmenter = learned"
        ) from error
