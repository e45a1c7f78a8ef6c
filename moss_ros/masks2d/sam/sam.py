"""Segment Anything (Kirillov et al. 2023) by the package segment_anything: the only file that knows it.

Networks and preprocessing are the package's own, so that published weights fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from moss_ros.masks2d.sam.sam_logits import MaskLogits
from moss_ros.masks2d.sam.sam_prompts import Prompts
from moss_ros.masks2d.sam.sam_torch import chosen_device, load_state, mixed_precision
from moss_ros.torchvision_ops import ensure_torchvision
from moss_ros.weights.table import MissingWeightsError

ensure_torchvision()

from segment_anything import sam_model_registry  # noqa: E402
from segment_anything.modeling import Sam  # noqa: E402
from segment_anything.utils.transforms import ResizeLongestSide  # noqa: E402

SMALL_SHARE = 4  # four pixels of the network's input are one of its masks


@dataclass(frozen=True, slots=True)
class SamEmbedding:
    """An image as the network knows it."""

    features: Tensor  # (1, C, h, w) float32
    shape: tuple[int, int]  # (H, W) of the image
    input_shape: tuple[int, int]  # (H, W) of the image scaled to the network's input; the rest of it is padding


class SamModel:
    """See PromptModel."""

    def __init__(self, network: Sam, device: str = "auto", half: bool = True) -> None:
        """half: the image encoder computes in 16 bit where there is CUDA."""
        self._device = chosen_device(device)
        self._half = half
        self._network = network.eval().requires_grad_(False).to(self._device)
        self._scale = ResizeLongestSide(network.image_encoder.img_size)

    @torch.inference_mode()
    def embed(self, color_rgb: np.ndarray) -> SamEmbedding:
        """See PromptModel."""
        scaled = self._scale.apply_image(color_rgb)
        x = torch.from_numpy(np.array(scaled)).to(self._device).permute(2, 0, 1)[None]
        with mixed_precision(self._device, self._half):
            features = self._network.image_encoder(self._network.preprocess(x))
        return SamEmbedding(features.float(), color_rgb.shape[:2], scaled.shape[:2])

    @torch.inference_mode()
    def answer(self, embedding: SamEmbedding, prompts: Prompts, several: bool) -> MaskLogits:
        """See PromptModel."""
        network = self._network
        sparse, dense = network.prompt_encoder(*self._in_input(embedding, prompts), masks=None)
        values, scores = network.mask_decoder(
            image_embeddings=embedding.features,
            image_pe=network.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=several,
        )
        rows, columns = (side / SMALL_SHARE for side in embedding.input_shape)
        values = values.flatten(0, 1)[:, : int(np.ceil(rows)), : int(np.ceil(columns))]
        return MaskLogits(values.float().cpu().numpy(), scores.flatten().float().cpu().numpy(), (rows, columns))

    def _in_input(self, embedding: SamEmbedding, prompts: Prompts) -> tuple[tuple[Tensor, Tensor], Tensor | None]:
        """Points with labels, and boxes, in pixels of the network's input."""
        points = self._scale.apply_coords(prompts.points, embedding.shape)
        labels = torch.from_numpy(prompts.labels).to(self._device)
        boxes = None if prompts.boxes is None else self._tensor(self._scale.apply_boxes(prompts.boxes, embedding.shape))
        return (self._tensor(points), labels), boxes

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(self._device)


def load_sam(name: str, path: Path, device: str = "auto", half: bool = True) -> SamModel:
    """Model of a row of the weights table (sam_vit_b, sam_vit_l, sam_vit_h). Raises MissingWeightsError."""
    network = sam_model_registry[name.removeprefix("sam_")]()
    put_weights(network, load_state(path), path)
    return SamModel(network, device, half)


def put_weights(network: torch.nn.Module, state: Mapping[str, Any], path: Path) -> None:
    """Load weights strictly. Raises MissingWeightsError when they are those of another network."""
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise MissingWeightsError(
            f"{path} does not fit the network: does masks.sam_model name the right one? {str(error)[:300]}"
        ) from error
