"""The image tower of the bundled model, registered with timm: a convolutional stem before a small vision transformer.

Convolutions learn far more from little data than a plain patch embedding. Windows of 128 px, patches of 16.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from moss_ros.torchvision_ops import ensure_torchvision

NAME = "moss_small_tower"  # timm_model_name in the model configuration
IMAGE_SIZE_PX = 128
PATCH_PX = 16
WIDTH = 256
DEPTH = 6
HEADS = 4
MLP_RATIO = 2.0


class _Convolution(nn.Sequential):
    """3 x 3 convolution, norm, activation."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__(
            nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False), nn.BatchNorm2d(channels_out), nn.GELU()
        )


class _Residual(nn.Module):
    """A convolution beside a way around it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = _Convolution(channels, channels, 1)
        norm = self.body[1]
        assert isinstance(norm, nn.BatchNorm2d)
        nn.init.zeros_(norm.weight)  # nothing but the way around at first

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x)


class ConvolutionalStem(nn.Sequential):
    """(B, 3, 128, 128) -> (B, 256, 8, 8)."""

    def __init__(self) -> None:
        super().__init__(
            _Convolution(3, 32, 2),
            _Convolution(32, 64, 2),
            _Convolution(64, 128, 2),
            _Residual(128),
            _Convolution(128, WIDTH, 2),
            _Residual(WIDTH),
            _Residual(WIDTH),
        )


def register_bundled_tower() -> None:
    """Make timm.create_model, and with it open_clip, know the tower by its name. Does nothing the second time."""
    ensure_torchvision()
    from timm.models import is_model, register_model

    if not is_model(NAME):
        register_model(moss_small_tower)


def moss_small_tower(pretrained: bool = False, **settings: Any) -> nn.Module:
    """timm's VisionTransformer on the stem. Raises ValueError for pretrained=True: the weights come with moss_ros."""
    from timm.layers import HybridEmbed
    from timm.models.vision_transformer import VisionTransformer

    if pretrained:
        raise ValueError(
            "timm has no weights for this tower: load moss_ros/language/encoders/weights/moss_small.safetensors"
        )
    known = {k: v for k, v in settings.items() if k in ("drop_path_rate", "global_pool", "num_classes")}
    model = VisionTransformer(
        img_size=IMAGE_SIZE_PX,
        patch_size=1,
        embed_dim=WIDTH,
        depth=DEPTH,
        num_heads=HEADS,
        mlp_ratio=MLP_RATIO,
        embed_layer=_embed(HybridEmbed),
        **known,
    )
    facts: Any = {"input_size": (3, IMAGE_SIZE_PX, IMAGE_SIZE_PX), "pool_size": None, "num_classes": 0}
    model.default_cfg = facts
    return model


def _embed(hybrid: Any) -> Any:
    def build(**settings: Any) -> nn.Module:
        return hybrid(ConvolutionalStem(), **settings)

    return build


__all__ = ["moss_small_tower"]  # timm's registry reads it
