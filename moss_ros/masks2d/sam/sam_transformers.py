"""SAM 2.1 and SAM 3 by the transformers library: the only file here that knows it.

Of SAM 3 it takes the part that answers points and boxes. Input images are squares: both sides are scaled.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from moss_ros.config import ConfigError
from moss_ros.masks2d.sam.sam_logits import MaskLogits
from moss_ros.masks2d.sam.sam_prompts import PADDING, Prompts
from moss_ros.masks2d.sam.sam_torch import chosen_device, mixed_precision
from moss_ros.torchvision_ops import ensure_torchvision
from moss_ros.weights.table import MissingWeightsError

NO_POINT = -10  # what transformers calls a point that is only there to fill the row


@dataclass(frozen=True, slots=True)
class Kind:
    """What differs between the families."""

    model_class: str
    mean: tuple[float, float, float]  # of colours in [0, 1]
    deviation: tuple[float, float, float]


SAM2 = Kind("Sam2Model", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
SAM3 = Kind("Sam3TrackerModel", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@dataclass(frozen=True, slots=True)
class SquareEmbedding:
    """An image as the network knows it."""

    features: list[Tensor]  # from fine to coarse, (1, C, h, w) float32
    shape: tuple[int, int]  # (H, W) of the image


class SamTransformersModel:
    """See PromptModel."""

    def __init__(self, network: Any, kind: Kind, device: str = "auto", half: bool = True) -> None:
        """network: a Sam2Model or Sam3TrackerModel; half: its image encoder computes in 16 bit where there is CUDA."""
        self._device = chosen_device(device)
        self._half = half
        self._network = network.eval().requires_grad_(False).to(self._device)
        self._side = int(network.prompt_encoder.input_image_size)
        self._mean = torch.tensor(kind.mean, device=self._device).view(1, 3, 1, 1)
        self._deviation = torch.tensor(kind.deviation, device=self._device).view(1, 3, 1, 1)

    @torch.inference_mode()
    def embed(self, color_rgb: np.ndarray) -> SquareEmbedding:
        """See PromptModel."""
        x = torch.from_numpy(np.ascontiguousarray(color_rgb)).to(self._device).permute(2, 0, 1)[None].float() / 255
        x = F.interpolate(x, (self._side, self._side), mode="bilinear", antialias=True)
        with mixed_precision(self._device, self._half):
            features = self._network.get_image_embeddings((x - self._mean) / self._deviation)
        return SquareEmbedding([f.float() for f in features], color_rgb.shape[:2])

    @torch.inference_mode()
    def answer(self, embedding: SquareEmbedding, prompts: Prompts, several: bool) -> MaskLogits:
        """See PromptModel."""
        height, width = embedding.shape
        scale = np.array([self._side / width, self._side / height], np.float32)
        # One empty point is added where there is no box, by the network itself; rows without points need none.
        labels = np.where(prompts.labels == PADDING, NO_POINT, prompts.labels)
        boxes = None if prompts.boxes is None else self._tensor(prompts.boxes * np.tile(scale, 2))[None]
        found = self._network(
            input_points=self._tensor(prompts.points * scale)[None],
            input_labels=torch.from_numpy(labels).to(self._device)[None],
            input_boxes=boxes,
            image_embeddings=embedding.features,
            multimask_output=several,
        )
        values = found.pred_masks[0].flatten(0, 1).float().cpu().numpy()
        rows, columns = values.shape[1:]
        return MaskLogits(values, found.iou_scores[0].flatten().float().cpu().numpy(), (float(rows), float(columns)))

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(self._device)


def load_sam_transformers(name: str, path: Path, device: str = "auto", half: bool = True) -> SamTransformersModel:
    """Model of a folder with config.json and model.safetensors. Raises ConfigError with what to do."""
    ensure_torchvision()
    import transformers

    kind = SAM3 if name.startswith("sam3") else SAM2
    if not hasattr(transformers, kind.model_class):
        raise ConfigError(
            f"transformers {transformers.__version__} has no {kind.model_class}: pip install -U transformers"
        )
    try:
        network, report = getattr(transformers, kind.model_class).from_pretrained(
            path, local_files_only=True, output_loading_info=True
        )
    except Exception as error:  # the library has errors of many kinds
        raise MissingWeightsError(f"{path} cannot be read as {name} ({error}): `moss weights verify {name}`") from error
    if report["missing_keys"] or report["mismatched_keys"]:
        wrong = sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]]))
        raise MissingWeightsError(f"{path} lacks {len(wrong)} tensors of {name}, the first is {wrong[0]}")
    return SamTransformersModel(network, kind, device, half)
