"""The image towers of open_clip taken apart: patches in, blocks one by one, an embedding of any token out.

Two kinds: open_clip's own vision transformer, and vision transformers of timm (also with a convolutional stem).
"""

from __future__ import annotations

from typing import Any, Protocol

import torch

NO_WAY = -1e4  # attention bias that closes a way; finite, because rows of -inf alone give NaN


class UnsupportedTowerError(ValueError):
    """The image tower cannot be used this way; the message names another backend."""


class Tower(Protocol):
    """What reading masks needs of an image tower."""

    pool: str  # token: class token; avg: mean of the patches; map: attention pooling of the patches
    prefix: int  # tokens before the patches: the class token first, then registers
    blocks: list[Any]

    def embed(self, images: torch.Tensor) -> tuple[torch.Tensor, tuple[int, int]]:
        """Tokens (B, prefix + h * w, C) of (B, 3, S, S) images before the first block, and the grid (h, w)."""
        ...

    def run(self, block: Any, tokens: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """One block; bias: (B, L, L), added to the attention logits of all heads."""
        ...

    def finish(self, tokens: torch.Tensor) -> torch.Tensor:
        """(B, M, D) embeddings of (B, M, C) class tokens."""
        ...

    def mean_pool(self, patches: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """(B, M, D) embeddings of means of the patches (B, P, C) with weights (B, M, P)."""
        ...

    def map_pool(self, tokens: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """(B, M, D) attention pooling of (B, h * w, C) patches, M times with a bias (B, M, h * w)."""
        ...


def tower_of(visual: Any) -> Tower:
    """Raises UnsupportedTowerError for towers without patch tokens."""
    if hasattr(visual, "conv1") and hasattr(visual, "class_embedding"):
        return NativeTower(visual)
    trunk = getattr(visual, "trunk", None)
    if trunk is not None and hasattr(trunk, "blocks") and hasattr(trunk, "_pos_embed"):
        return TimmTower(visual)
    raise UnsupportedTowerError(
        f"the image tower {type(trunk if trunk is not None else visual).__name__} has no patch tokens: "
        "set language.backend to crops, or take a ViT model"
    )


def resize_input(visual: Any, side_px: int) -> None:
    """Make an image tower take squares of another size; its positions are interpolated.

    Raises ValueError when the size does not fit its patches, UnsupportedTowerError when the tower has one size only.
    """
    if hasattr(visual, "conv1") and hasattr(visual, "class_embedding"):
        patch = int(visual.patch_size[0])
        if side_px % patch:
            raise ValueError(f"language.image_size = {side_px} must be a multiple of {patch}")
        old, new = visual.positional_embedding.data.float(), side_px // patch
        grid = old[1:].T.reshape(1, -1, *visual.grid_size)
        grid = torch.nn.functional.interpolate(grid, (new, new), mode="bicubic", antialias=True)
        positions = torch.cat([old[:1], grid[0].flatten(1).T])
        visual.positional_embedding = torch.nn.Parameter(positions, requires_grad=False)
        visual.grid_size, visual.image_size = (new, new), (side_px, side_px)
    elif hasattr(visual, "set_input_size"):
        visual.set_input_size((side_px, side_px))
    else:
        raise UnsupportedTowerError(f"{type(visual).__name__} takes images of one size: set language.image_size to 0")


class NativeTower:
    """open_clip.transformer.VisionTransformer."""

    def __init__(self, visual: Any) -> None:
        if getattr(visual, "attn_pool", None) is not None:
            raise UnsupportedTowerError("open_clip's attentional pooling (CoCa) is not supported: use backend crops")
        if visual.pool_type not in ("tok", "avg"):
            raise UnsupportedTowerError(f"the pooling {visual.pool_type} gives no embedding: use another model")
        self._visual = visual
        self.pool = "token" if visual.pool_type == "tok" else "avg"
        self.prefix = 1
        self.blocks = list(visual.transformer.resblocks)
        first = self.blocks[0].attn
        self._one_bias = isinstance(first, torch.nn.MultiheadAttention)  # takes (L, L) for a single image
        if self._one_bias and not first.batch_first:
            raise UnsupportedTowerError("this open_clip is too old: pip install -U 'open_clip_torch>=3'")
        self._heads = first.num_heads

    def embed(self, images: torch.Tensor) -> tuple[torch.Tensor, tuple[int, int]]:
        """See Tower."""
        return self.embed_patches(self._visual.conv1(images))

    def embed_patches(self, patches: torch.Tensor) -> tuple[torch.Tensor, tuple[int, int]]:
        """Tokens of (B, C, h, w) patches as the convolution gives them."""
        visual = self._visual
        grid = (patches.shape[2], patches.shape[3])
        if grid[0] * grid[1] + 1 != len(visual.positional_embedding):
            raise ValueError(f"the image gives {grid} patches, the model has positions for {visual.grid_size}")
        tokens = patches.flatten(2).transpose(1, 2)
        first = visual.class_embedding.to(tokens.dtype).expand(len(tokens), 1, -1)
        tokens = torch.cat([first, tokens], 1) + visual.positional_embedding.to(tokens.dtype)
        return visual.ln_pre(tokens), grid

    def run(self, block: Any, tokens: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """See Tower."""
        if bias is None:
            return block(tokens)
        if self._one_bias and len(bias) == 1:
            return block(tokens, attn_mask=bias[0])
        return block(tokens, attn_mask=bias.repeat_interleave(self._heads, 0))

    def finish(self, tokens: torch.Tensor) -> torch.Tensor:
        """See Tower."""
        return self._projected(self._visual.ln_post(tokens))

    def mean_pool(self, patches: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """See Tower."""
        if self._visual.final_ln_after_pool:
            return self.finish(weight @ patches.float())
        return self._projected(weight @ self._visual.ln_post(patches).float())

    def _projected(self, tokens: torch.Tensor) -> torch.Tensor:
        return tokens if self._visual.proj is None else tokens @ self._visual.proj

    def map_pool(self, tokens: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """See Tower; this one's pool is never "map"."""
        raise UnsupportedTowerError(f"the pooling {self.pool} of this tower is no attention pooling")


class TimmTower:
    """open_clip.timm_model.TimmModel around timm's VisionTransformer, with patches or a convolutional stem."""

    def __init__(self, visual: Any) -> None:
        trunk = visual.trunk
        self._visual, self._trunk = visual, trunk
        self.pool = "map" if getattr(trunk, "attn_pool", None) is not None else trunk.global_pool
        self.prefix = trunk.num_prefix_tokens
        self.blocks = list(trunk.blocks)
        if self.pool not in ("token", "avg", "map") or (self.pool == "token" and trunk.cls_token is None):
            raise UnsupportedTowerError(f"the pooling {self.pool!r} of this timm model is not supported: use crops")
        if self.pool != "token" and self.prefix and getattr(trunk, "pool_include_prefix", False):
            raise UnsupportedTowerError("this timm model pools class tokens with the patches: use backend crops")
        if self.pool == "map" and (trunk.attn_pool.latent_len != 1 or trunk.attn_pool.pos_embed is not None):
            raise UnsupportedTowerError("this attention pooling is not supported: use backend crops")

    def embed(self, images: torch.Tensor) -> tuple[torch.Tensor, tuple[int, int]]:
        """See Tower."""
        trunk = self._trunk
        patches = trunk.patch_embed(images)
        # (B, h, w, C) where the trunk takes images of any size, else (B, h * w, C) on its own grid
        grid = tuple(patches.shape[1:3]) if patches.ndim == 4 else tuple(trunk.patch_embed.grid_size)
        return trunk.norm_pre(trunk._pos_embed(patches)), (int(grid[0]), int(grid[1]))

    def run(self, block: Any, tokens: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """See Tower."""
        return block(tokens) if bias is None else block(tokens, attn_mask=bias[:, None])

    def finish(self, tokens: torch.Tensor) -> torch.Tensor:
        """See Tower."""
        return self._head(self._trunk.norm(tokens))

    def mean_pool(self, patches: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """See Tower."""
        return self._head(weight @ self._trunk.norm(patches).float())

    def map_pool(self, tokens: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """See Tower; timm's AttentionPoolLatent with one latent for each mask."""
        pool = self._trunk.attn_pool
        tokens = self._trunk.norm(tokens)
        batch, masks = bias.shape[:2]
        query = pool.q(pool.latent).reshape(1, 1, pool.num_heads, pool.head_dim).transpose(1, 2)
        query = pool.q_norm(query).expand(batch, -1, masks, -1)
        keys = pool.kv(tokens).reshape(batch, -1, 2, pool.num_heads, pool.head_dim).permute(2, 0, 3, 1, 4)
        key, value = pool.k_norm(keys[0]), keys[1]
        found = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=bias[:, None])
        found = pool.proj(found.transpose(1, 2).reshape(batch, masks, -1))
        if pool.mlp is not None:
            found = found + pool.mlp(pool.norm(found))
        return self._head(found)

    def _head(self, tokens: torch.Tensor) -> torch.Tensor:
        return self._visual.head(self._trunk.head(self._trunk.fc_norm(tokens)))
