"""Texts through the text tower of an open_clip model, without the padding behind them.

A causal tower that reads a text at its end token never looks at what follows; names of things have a few tokens, the
tower has room for dozens.
"""

from __future__ import annotations

from typing import Any

import torch


def encode_text(model: Any, tokens: torch.Tensor) -> torch.Tensor:
    """(T, D) embeddings of tokens (T, L), not normalised; equal to those of model.encode_text()."""
    if not _ends_count_alone(model):
        return model.encode_text(tokens)
    end = tokens.argmax(dim=-1)  # the end token has the largest number
    length = int(end.max()) + 1
    dtype = model.transformer.get_cast_dtype()
    found = model.token_embedding(tokens[:, :length]).to(dtype) + model.positional_embedding[:length].to(dtype)
    found = model.transformer(found, attn_mask=model.attn_mask[:length, :length])
    found = model.ln_final(found[torch.arange(len(tokens), device=tokens.device), end])
    if model.text_projection is None:
        return found
    is_layer = isinstance(model.text_projection, torch.nn.Linear)
    return model.text_projection(found) if is_layer else found @ model.text_projection


def _ends_count_alone(model: Any) -> bool:
    """Whether this is a model of open_clip's class CLIP with a causal text tower that is read at the end token."""
    return (
        getattr(model, "text_pool_type", "") == "argmax"
        and getattr(model, "attn_mask", None) is not None
        and all(hasattr(model, part) for part in ("token_embedding", "positional_embedding", "ln_final"))
    )
