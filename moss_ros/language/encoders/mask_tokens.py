"""Embeddings of many masks of an image in one forward of the image tower, without training.

From a chosen block on, each mask has a copy of the class token that sees itself and the patches, each patch with a
bias of the logarithm of the share that the mask covers. The image's own tokens never see these copies and are what
they always were, and so each mask token knows its surroundings but speaks for its mask. With a mask of the whole image
and the first block it is the class token, and the embedding that of the image.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from moss_ros.language.encoders.towers import NO_WAY, tower_of


class MaskTokens:
    """Reads masks through one image tower (towers.py). Towers that pool their patches instead of reading a class
    token (SigLIP among them) pool with the same bias; the first block then does not matter."""

    def __init__(self, visual: Any, start_layer_share: float = 0.5) -> None:
        """start_layer_share: share of the blocks after which the mask tokens begin, [0, 1]; at least one is left.

        Raises UnsupportedTowerError when the tower cannot be used this way.
        """
        self._tower = tower_of(visual)
        layers = len(self._tower.blocks)
        self.start = min(int(start_layer_share * layers), layers - 1)

    @torch.inference_mode()
    def grid(self, image_size: int, device: torch.device | str = "cpu") -> tuple[int, int]:
        """Patches of a square image, rows and columns."""
        return self._tower.embed(torch.zeros(1, 3, image_size, image_size, device=device))[1]

    @torch.inference_mode()
    def forward(self, images: torch.Tensor, coverage: np.ndarray, outside: np.ndarray | None = None) -> np.ndarray:
        """(B, M, D) float32 embeddings, not normalised; zeros for masks that cover nothing.

        images: (B, 3, S, S), normalised. coverage: (B, M, h, w) share of each patch that is inside each mask, zeros
        for rows that fill up. outside: (B, h, w) bool, patches of padding, which no token sees.
        """
        tower = self._tower
        tokens, grid = tower.embed(images)
        if coverage.shape[2:] != grid or len(coverage) != len(images):
            raise ValueError(f"coverage must be ({len(images)}, M, {grid[0]}, {grid[1]}), got {coverage.shape}")
        device = tokens.device
        shares = torch.from_numpy(np.ascontiguousarray(coverage, np.float32)).to(device).flatten(2)
        log_shares = log_relative(shares)
        image_bias = _image_bias(outside, tower.prefix, device)
        tokens, copies = self._through(tokens, log_shares, image_bias)
        if tower.pool == "token":
            found = tower.finish(copies)
        elif tower.pool == "avg":
            weight = log_shares.exp() * (shares.amax(-1, keepdim=True) > 0)
            weight = weight / weight.sum(-1, keepdim=True).clamp(min=1e-12)
            found = tower.mean_pool(tokens[:, tower.prefix :], weight)
        else:
            found = tower.map_pool(tokens[:, tower.prefix :], log_shares)
        found = found.float() * (shares.amax(-1, keepdim=True) > 0)
        return found.cpu().numpy()

    def _through(
        self, tokens: torch.Tensor, log_shares: torch.Tensor, image_bias: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens of the image and of the masks after the last block."""
        tower, length = self._tower, tokens.shape[1]
        bias = image_bias
        for index, block in enumerate(tower.blocks):
            if tower.pool == "token" and index == self.start:
                copies = tokens[:, :1].expand(-1, log_shares.shape[1], -1)
                tokens = torch.cat([tokens, copies], 1)
                bias = _joint_bias(log_shares, image_bias, tower.prefix)
            tokens = tower.run(block, tokens, bias)
        return tokens[:, :length], tokens[:, length:]


def log_relative(shares: torch.Tensor) -> torch.Tensor:
    """Bias (B, M, P) of shares (B, M, P): logarithm of the share relative to the largest of the mask.

    Relative, so that a thing smaller than a patch still sees the patch that it lies in.
    """
    relative = shares / shares.amax(-1, keepdim=True).clamp(min=1e-12)
    return torch.where(relative > 0, relative.clamp(min=1e-12).log(), NO_WAY)


def _image_bias(outside: np.ndarray | None, prefix: int, device: torch.device) -> torch.Tensor | None:
    """(B, L, L): nobody looks at padding; None where there is none."""
    if outside is None or not outside.any():
        return None
    hidden = torch.from_numpy(outside.reshape(len(outside), -1)).to(device)
    column = torch.nn.functional.pad(hidden.float() * NO_WAY, (prefix, 0))
    return column[:, None].expand(-1, column.shape[1], -1)


def _joint_bias(log_shares: torch.Tensor, image_bias: torch.Tensor | None, prefix: int) -> torch.Tensor:
    """(B, L + M, L + M) bias of the image's L tokens and M mask tokens."""
    batch, masks, patches = log_shares.shape
    length = prefix + patches
    bias = log_shares.new_zeros(batch, length + masks, length + masks)
    if image_bias is not None:
        bias[:, :length, :length] = image_bias
    bias[:, :, length:] = NO_WAY
    bias[:, length:, 0] = NO_WAY  # the copy stands for the class token; registers stay visible
    bias[:, length:, prefix:length] = log_shares
    bias[:, range(length, length + masks), range(length, length + masks)] = 0
    return bias
