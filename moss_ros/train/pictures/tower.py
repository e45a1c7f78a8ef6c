"""The bundled image tower with mask tokens that gradients flow through, and its state for open_clip."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from moss_ros.language.encoders.bundled_tower import IMAGE_SIZE_PX, NAME, register_bundled_tower
from moss_ros.language.encoders.mask_tokens import log_relative
from moss_ros.language.encoders.towers import NO_WAY, tower_of
from moss_ros.train.words.tower import DIMENSIONS

MEAN_RGB = (0.48145466, 0.4578275, 0.40821073)  # of the images that CLIP was trained with; open_clip's defaults
STD_RGB = (0.26862954, 0.26130258, 0.27577711)
VISION_CONFIG = {"timm_model_name": NAME, "timm_pool": "token", "timm_proj": "linear", "image_size": IMAGE_SIZE_PX}


def make_tower() -> nn.Module:
    """open_clip's image tower of the bundled model, untrained."""
    register_bundled_tower()
    from open_clip.timm_model import TimmModel

    return TimmModel(NAME, DIMENSIONS, image_size=IMAGE_SIZE_PX, pool="token", proj="linear")


def embed_masks(visual: nn.Module, images: torch.Tensor, shares: torch.Tensor, outside: torch.Tensor) -> torch.Tensor:
    """(B, K, D) unit vectors of masks, as moss_ros/language/encoders/mask_tokens.py has them from the first block on.

    images: (B, 3, S, S) normalised; shares: (B, K, G, G) of the patches; outside: (B, G, G) bool, padding.
    """
    return embed_and_pool(visual, images, shares, outside)[0]


def embed_and_pool(
    visual: nn.Module, images: torch.Tensor, shares: torch.Tensor, outside: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """embed_masks, and (B, K, D) unit vectors from the mean of each mask's patches as they leave the stem.

    The latter teach the stem at once what it learns only slowly through the blocks above it.
    """
    tower = tower_of(visual)
    tokens, _ = tower.embed(images)
    log_shares = log_relative(shares.flatten(2))
    batch, masks, patches = log_shares.shape
    length = tower.prefix + patches
    bias = log_shares.new_zeros(batch, length + masks, length + masks)
    bias[:, :, tower.prefix : length] = outside.flatten(1)[:, None] * NO_WAY
    bias[:, :, length:] = NO_WAY
    bias[:, length:, 0] = NO_WAY
    bias[:, length:, tower.prefix : length] = log_shares
    own = torch.arange(length, length + masks, device=bias.device)
    bias[:, own, own] = 0
    weight = log_shares.softmax(-1)
    pooled = tower.finish(weight @ tokens[:, tower.prefix :])
    tokens = torch.cat([tokens, tokens[:, :1].expand(-1, masks, -1)], 1)
    for block in tower.blocks:
        tokens = tower.run(block, tokens, bias)
    found = tower.finish(tokens[:, length:])
    return nn.functional.normalize(found, dim=-1), nn.functional.normalize(pooled, dim=-1)


def normalised(color_rgb: np.ndarray, device: str = "cpu") -> torch.Tensor:
    """(B, 3, S, S) float32 of (B, S, S, 3) uint8."""
    x = torch.from_numpy(color_rgb).to(device).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (MEAN_RGB, STD_RGB))
    return ((x - mean) / std).contiguous(memory_format=torch.channels_last)
