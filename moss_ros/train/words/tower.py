"""The text tower in training: open_clip's own transformer, computed for the end of each text alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional
from torch import nn

from moss_ros.torchvision_ops import ensure_torchvision
from moss_ros.train.words.tokens import CONTEXT, VOCABULARY, tokenize

WIDTH = 256
HEADS = 4
DIMENSIONS = 256
TEXT_CONFIG = {"context_length": CONTEXT, "vocab_size": VOCABULARY, "width": WIDTH, "heads": HEADS, "layers": 1}


class WordTower(nn.Module):
    """One layer of open_clip's TextTransformer. A piece's vector is its own plus that of its word family."""

    family: torch.Tensor  # (VOCABULARY,) number of the word family of each piece

    def __init__(self, family: np.ndarray, start: np.ndarray | None = None) -> None:
        """family: (VOCABULARY,) numbers of word families; start: (families, WIDTH) first vectors of them."""
        super().__init__()
        ensure_torchvision()
        from open_clip.transformer import TextTransformer

        self.register_buffer("family", torch.from_numpy(family), persistent=False)
        count = int(family.max()) + 1
        self.own = nn.Embedding(len(family), WIDTH, sparse=True)
        self.shared = nn.Embedding(count, WIDTH, sparse=True)
        nn.init.normal_(self.own.weight, std=0.015)
        nn.init.normal_(self.shared.weight, std=0.05)
        if start is not None:
            with torch.no_grad():
                self.shared.weight.copy_(torch.from_numpy(start))
        self.text = TextTransformer(CONTEXT, 1, WIDTH, HEADS, 1, output_dim=DIMENSIONS)
        del self.text.token_embedding
        with torch.no_grad():
            self.text.positional_embedding.copy_(_waves(CONTEXT, WIDTH) * 0.03)
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(N, L) int64 -> (N, DIMENSIONS) unit vectors; equal to open_clip's forward of the exported tower."""
        filled = tokens != 0
        count = filled.sum(1)
        ends = torch.cumsum(count, 0) - 1  # where each text's end stands among all filled places
        # Many texts share a piece at a place: its key and value are computed once.
        places = filled.nonzero()[:, 1]
        codes, inverse = torch.unique(tokens[filled] * CONTEXT + places, return_inverse=True)
        pieces = codes // CONTEXT
        vectors = self.own(pieces) + self.shared(self.family[pieces])
        vectors = vectors + self.text.positional_embedding[codes % CONTEXT]
        block: Any = self.text.transformer.resblocks[0]
        weight, bias = block.attn.in_proj_weight, block.attn.in_proj_bias
        normed = block.ln_1(vectors)
        pair = functional.linear(normed, weight[WIDTH:], bias[WIDTH:])
        padded = pair.new_zeros(*tokens.shape, 2 * WIDTH)
        padded[filled] = pair[inverse]
        query = functional.linear(normed[inverse[ends]], weight[:WIDTH], bias[:WIDTH])
        last = vectors[inverse[ends]] + block.attn.out_proj(_attend(query, padded, filled))
        last = last + block.mlp(block.ln_2(last))
        return functional.normalize(self.text.ln_final(last) @ self.text.text_projection, dim=-1)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """(N, DIMENSIONS) float32 unit vectors of texts."""
        with torch.no_grad():
            parts = [self(torch.from_numpy(tokenize(texts[i : i + 256]))) for i in range(0, len(texts), 256)]
        return np.concatenate([p.numpy() for p in parts]) if parts else np.zeros((0, DIMENSIONS), np.float32)

    def tables(self) -> list[torch.Tensor]:
        return [self.own.weight, self.shared.weight]

    def layers(self) -> list[nn.Parameter]:
        return [*self.text.parameters(), self.log_scale]

    def open_clip_state(self) -> dict[str, torch.Tensor]:
        """Weights under the names of open_clip's CLIP, half precision."""
        with torch.no_grad():
            table = self.own.weight + self.shared.weight[self.family]
            state = {"token_embedding.weight": table, **self.text.state_dict()}
        return {name: v.detach().to(torch.float16).contiguous() for name, v in state.items() if name != "attn_mask"}


def save(tower: WordTower, path: Path, note: dict[str, str]) -> None:
    """Write the weights in half precision as a safetensors file; the note goes into its header."""
    from safetensors.torch import save_file

    part = path.with_suffix(".part")
    save_file(tower.open_clip_state(), str(part), {"format": "pt", **note})
    part.replace(path)


def _attend(query: torch.Tensor, pairs: torch.Tensor, filled: torch.Tensor) -> torch.Tensor:
    """One query (N, WIDTH) a text over its keys and values (N, L, 2 WIDTH) -> (N, WIDTH)."""
    key, value = pairs.view(*filled.shape, 2, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
    score = query.view(len(query), HEADS, 1, -1) @ key.transpose(2, 3) / math.sqrt(WIDTH // HEADS)
    share = score.masked_fill(~filled[:, None, None], -math.inf).softmax(-1)
    return (share @ value).reshape(len(query), WIDTH)


def _waves(count: int, width: int) -> torch.Tensor:
    """(count, width) sines: a linear map can then look for "the word before the end"."""
    position = torch.arange(count)[:, None]
    rate = torch.exp(-math.log(1000.0) * torch.arange(0, width, 2) / width)
    return torch.stack([torch.sin(position * rate), torch.cos(position * rate)], -1).reshape(count, width)
