"""Small models with random weights of the architectures that image-text models have."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

from moss_ros.language.encoders.model_files import LoadedModel
from moss_ros.language.encoders.prompts import TEMPLATES
from moss_ros.torchvision_ops import ensure_torchvision

torch = pytest.importorskip("torch")
if importlib.util.find_spec("open_clip") is None or importlib.util.find_spec("timm") is None:
    pytest.skip("open_clip or timm is not installed", allow_module_level=True)

ensure_torchvision()
WIDTH, DIMENSIONS, SIZE, PATCH = 32, 16, 64, 16
VISION = {"image_size": SIZE, "patch_size": PATCH, "width": WIDTH, "layers": 4, "head_width": 16}
TEXT = {"context_length": 24, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2}


def clip_model(text: dict[str, Any] | None = None, **vision: Any) -> Any:
    """open_clip's CLIP with its own vision transformer."""
    import open_clip

    torch.manual_seed(0)
    model = open_clip.model.CLIP(DIMENSIONS, {**VISION, **vision}, {**TEXT, **(text or {})})
    return shaken(model)


def timm_visual(pool: str = "token", **trunk: Any) -> Any:
    """open_clip's wrapper of a timm vision transformer, as it would be made from a model name."""
    from open_clip.timm_model import TimmModel
    from timm.models.vision_transformer import VisionTransformer

    torch.manual_seed(0)
    visual = TimmModel("vit_tiny_patch16_224", DIMENSIONS, SIZE, pool="token")
    settings = {"img_size": SIZE, "patch_size": PATCH, "embed_dim": WIDTH, "depth": 4, "num_heads": 2, **trunk}
    visual.trunk = VisionTransformer(**{"num_classes": 0, "global_pool": pool, **settings})
    visual.head = torch.nn.Sequential(torch.nn.Linear(WIDTH, DIMENSIONS, bias=False))
    return shaken(visual)


def stem_visual(pool: str = "token") -> Any:
    """Two strided convolutions, then patches of 2 x 2 of what they give: a hybrid of timm."""
    from timm.layers import HybridEmbed

    stem = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, 4, 1), torch.nn.BatchNorm2d(8), torch.nn.GELU(), torch.nn.Conv2d(8, 12, 3, 2, 1)
    )

    def embed(img_size: int, in_chans: int, embed_dim: int, **rest: Any) -> Any:
        return HybridEmbed(stem, img_size=img_size, in_chans=in_chans, embed_dim=embed_dim, patch_size=2)

    return timm_visual(pool, embed_layer=embed)


def shaken(model: Any) -> Any:
    """In evaluation mode; class tokens and the like, often zero at first, get values."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 1 or "token" in name or "pos" in name:
                weight.add_(0.2 * torch.randn(weight.shape))
    return model.eval().requires_grad_(False)


def loaded(model: Any) -> LoadedModel:
    """What load_model gives, around a model with a text tower."""
    from open_clip.tokenizer import SimpleTokenizer

    return LoadedModel(
        name="small/random",
        model=model,
        tokenizer=SimpleTokenizer(context_length=TEXT["context_length"]),
        dimensions=DIMENSIONS,
        image_size=SIZE,
        mean=np.array([0.5, 0.4, 0.3], np.float32),
        std=np.array([0.25, 0.25, 0.3], np.float32),
        bilinear=False,
        templates=TEMPLATES[:2],
        device="cpu",
    )
