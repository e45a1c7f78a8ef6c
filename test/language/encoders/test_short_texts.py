"""Texts without their padding mean what they mean with it."""

from __future__ import annotations

import numpy as np
import pytest
from small_clip import clip_model, loaded, torch

from moss_ros.language.encoders.short_texts import encode_text

TEXTS = ["mug", "the red mug on the small table", "a"]


class _Watched:
    """Remembers how long the texts were that the transformer got."""

    def __init__(self, model) -> None:
        self.lengths: list[int] = []
        model.transformer.register_forward_hook(lambda module, given, out: self.lengths.append(out.shape[1]))


@pytest.mark.parametrize("projection", [True, False])
def test_short_texts_equal_padded_ones(projection: bool) -> None:
    model = clip_model() if projection else clip_model(text={"proj_type": "none", "width": 16})
    tokens = loaded(model).tokenizer(TEXTS, context_length=24)
    watched = _Watched(model)
    with torch.inference_mode():
        expected, found = model.encode_text(tokens), encode_text(model, tokens)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), atol=1e-6)
    assert watched.lengths == [24, 9]  # two marks and seven words


def test_a_tower_that_sees_behind_the_end_reads_all() -> None:
    model = clip_model(text={"no_causal_mask": True})
    tokens = loaded(model).tokenizer(TEXTS, context_length=24)
    watched = _Watched(model)
    with torch.inference_mode():
        np.testing.assert_array_equal(encode_text(model, tokens).numpy(), model.encode_text(tokens).numpy())
    assert watched.lengths == [24, 24]
