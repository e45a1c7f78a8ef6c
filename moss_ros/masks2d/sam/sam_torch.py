"""What the wrappers of Segment Anything models share: device, precision, reading of weight files."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch

from moss_ros.config import ConfigError
from moss_ros.weights.table import MissingWeightsError


def chosen_device(name: str) -> torch.device:
    """auto: CUDA where there is one. Raises ConfigError when CUDA is asked for and missing."""
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("masks.sam_device is cuda, but torch sees no GPU: take auto or cpu, or mend the driver")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def mixed_precision(device: torch.device, wanted: bool) -> AbstractContextManager[Any]:
    """16 bit where CUDA computes in it. Meant for image encoders: positions of prompts need all their digits."""
    if not wanted or device.type != "cuda":
        return nullcontext()
    return torch.autocast("cuda", torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16)


def load_state(path: Path) -> dict[str, Any]:
    """Tensors of a .safetensors or .pth file. Raises MissingWeightsError when it cannot be read."""
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(str(path))
        return dict(torch.load(path, map_location="cpu", weights_only=True))  # weights_only: runs no code of the file
    except Exception as error:  # pickle, zip and safetensors have errors of many kinds
        raise MissingWeightsError(
            f"{path} is damaged or not a weight file ({error}): check it with `moss weights verify`"
        ) from error
