"""Small Segment Anything networks with random weights, and a model without a network."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch

from moss_ros.masks2d.sam.sam_logits import MaskLogits
from moss_ros.masks2d.sam.sam_prompts import ON, Prompts
from moss_ros.torchvision_ops import ensure_torchvision

SIDE = 128  # of the input
torch.set_num_threads(1)  # threads cost more than they gain at this size


def loud(network: torch.nn.Module) -> Any:
    """Random weights answer almost zero everywhere; with larger last layers there are masks with borders."""
    with torch.no_grad():
        for head in network.mask_decoder.output_hypernetworks_mlps:  # type: ignore[union-attr]
            for p in head.parameters():
                p.mul_(6.0)
        network.mask_decoder.iou_prediction_head.layers[-1].bias.add_(0.5)  # type: ignore[union-attr,index,operator]
    return network.eval()


def tiny_sam(seed: int = 0) -> Any:
    """The architecture of segment_anything: two blocks, one of them with windows."""
    ensure_torchvision()
    from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer

    torch.manual_seed(seed)
    encoder = ImageEncoderViT(
        img_size=SIDE,
        embed_dim=32,
        depth=2,
        num_heads=2,
        out_chans=32,
        norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
        window_size=4,
        global_attn_indexes=(1,),
    )
    decoder = MaskDecoder(
        transformer_dim=32,
        transformer=TwoWayTransformer(depth=2, embedding_dim=32, num_heads=2, mlp_dim=32),
        num_multimask_outputs=3,
        iou_head_hidden_dim=32,
    )
    prompts = PromptEncoder(32, (SIDE // 16, SIDE // 16), (SIDE, SIDE), 4)
    return loud(Sam(encoder, prompts, decoder, [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]))


_DECODER = {"hidden_size": 32, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 32}
_LEVELS = [[32, 32], [16, 16], [8, 8]]


def tiny_sam2() -> Any:
    """The architecture of SAM 2.1 in transformers."""
    ensure_torchvision()
    from transformers import Sam2Config, Sam2Model

    backbone = {
        "model_type": "sam2_hiera_det_model",
        "hidden_size": 16,
        "image_size": [SIDE, SIDE],
        "blocks_per_stage": [1, 1, 2, 1],
        "embed_dim_per_stage": [16, 32, 64, 128],
        "num_attention_heads_per_stage": [1, 1, 2, 2],
        "window_size_per_stage": [4, 4, 4, 4],
        "global_attention_blocks": [3],
    }
    vision = {
        "backbone_config": backbone,
        "backbone_channel_list": [128, 64, 32, 16],
        "backbone_feature_sizes": _LEVELS,
        "fpn_hidden_size": 32,
    }
    torch.manual_seed(0)
    asked = {"hidden_size": 32, "image_size": SIDE}
    return _heard(
        Sam2Model(Sam2Config(vision_config=vision, prompt_encoder_config=asked, mask_decoder_config=_DECODER))
    )


def tiny_sam3() -> Any:
    """The architecture of SAM 3 in transformers, the part that answers points and boxes."""
    ensure_torchvision()
    from transformers import Sam3TrackerConfig, Sam3TrackerModel

    backbone = {
        "model_type": "sam3_vit_model",
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": 112,
        "pretrain_image_size": 56,
        "window_size": 4,
        "global_attn_indexes": [1],
    }
    vision = {
        "model_type": "sam3_vision_model",
        "backbone_config": backbone,
        "fpn_hidden_size": 32,
        "backbone_feature_sizes": _LEVELS,
    }
    torch.manual_seed(0)
    asked = {"hidden_size": 32, "image_size": 112}
    return _heard(
        Sam3TrackerModel(
            Sam3TrackerConfig(vision_config=vision, prompt_encoder_config=asked, mask_decoder_config=_DECODER)
        )
    )


def _heard(network: Any) -> Any:
    """transformers starts with weights so small that prompts would not matter."""
    with torch.no_grad():
        for p in network.parameters():
            if p.ndim > 1:
                p.normal_(0, 0.3)
    return network.eval()


class ColorModel:
    """Answers with the pixels that have about the colour of the first point; of several answers the second, and
    surest, is everything.

    Small masks are half as large as the image. It counts what it is asked.
    """

    def __init__(self) -> None:
        self.embedded = 0
        self.batches: list[int] = []

    def embed(self, color_rgb: np.ndarray) -> np.ndarray:
        self.embedded += 1
        return color_rgb

    def answer(self, embedding: np.ndarray, prompts: Prompts, several: bool) -> MaskLogits:
        self.batches.append(len(prompts))
        assert (prompts.labels[:, 0] == ON).all()
        small = embedding[::2, ::2].astype(int)
        at = prompts.points[:, 0].astype(int)
        near = [(np.abs(small - embedding[y, x]) < 24).all(-1) for x, y in at]
        values = np.where(near, 8.0, -8.0).astype(np.float32)
        scores = np.full(len(values), 0.95, np.float32)
        if several:
            values = np.stack([values, np.full_like(values, 8.0)], 1).reshape(-1, *values.shape[1:])
            scores = np.tile(np.float32([0.95, 0.99]), len(scores))
        return MaskLogits(values, scores, (float(small.shape[0]), float(small.shape[1])))
