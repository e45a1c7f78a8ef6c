"""Mask tokens on small models of all architectures: what a mask of everything must be, and what masks must not do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from small_clip import PATCH, SIZE, clip_model, stem_visual, timm_visual, torch

from moss_ros.language.encoders.mask_tokens import MaskTokens, log_relative
from moss_ros.language.encoders.towers import UnsupportedTowerError, resize_input, tower_of

CELLS = SIZE // PATCH
TOWERS: dict[str, Callable[[], Any]] = {
    "open_clip": lambda: clip_model().visual,
    "open_clip quick": lambda: clip_model(ls_init_value=0.5).visual,
    "open_clip custom block": lambda: clip_model(block_type="custom", qk_norm=True).visual,
    "open_clip mean": lambda: clip_model(pool_type="avg").visual,
    "open_clip mean, norm after": lambda: clip_model(pool_type="avg", final_ln_after_pool=True).visual,
    "timm": timm_visual,
    "timm registers": lambda: timm_visual(reg_tokens=3),
    "timm mean": lambda: timm_visual("avg", class_token=False),
    "timm mean beside class token": lambda: timm_visual("avg"),
    "timm map (SigLIP)": lambda: timm_visual("map", class_token=False),
    "timm stem": stem_visual,
}
KINDS = pytest.mark.parametrize("kind", list(TOWERS))
TOKEN_KINDS = pytest.mark.parametrize("kind", ["open_clip", "open_clip custom block", "timm registers", "timm stem"])


def images(count: int = 1) -> torch.Tensor:
    return torch.randn(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


def random_masks(batch: int, masks: int, seed: int = 2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.random((batch, masks, CELLS, CELLS)) * (rng.random((batch, masks, CELLS, CELLS)) > 0.4)).astype("f4")


@KINDS
def test_mask_of_everything_is_the_embedding_of_the_image(kind: str) -> None:
    visual = TOWERS[kind]()
    found = MaskTokens(visual, 0.0).forward(images(2), np.ones((2, 3, CELLS, CELLS), np.float32))
    with torch.inference_mode():
        plain = visual(images(2)).numpy()
    assert found.shape == (2, 3, plain.shape[1])
    np.testing.assert_allclose(found, np.repeat(plain[:, None], 3, 1), atol=1e-6 * np.abs(plain).max())


@KINDS
def test_masks_differ_and_do_not_see_each_other(kind: str) -> None:
    tokens = MaskTokens(TOWERS[kind](), 0.5)
    masks = random_masks(1, 5)
    together = tokens.forward(images(), masks)
    alone = np.concatenate([tokens.forward(images(), masks[:, [i]]) for i in range(5)], 1)
    np.testing.assert_allclose(together, alone, atol=2e-6 * np.abs(alone).max())
    assert np.abs(together[0, 0] - together[0, 1]).max() > 1e-3 * np.abs(alone).max()


@KINDS
def test_images_of_a_batch_do_not_see_each_other(kind: str) -> None:
    tokens = MaskTokens(TOWERS[kind](), 0.5)
    masks = random_masks(3, 4)
    masks[1, 2:] = 0  # filled up
    hidden = np.zeros((3, CELLS, CELLS), bool)
    hidden[0, 0] = True
    masks[0, :, 0] = 0
    together = tokens.forward(images(3), masks, hidden)
    for i in range(3):
        alone = tokens.forward(images(3)[[i]], masks[[i]], hidden[[i]])
        np.testing.assert_allclose(together[i], alone[0], atol=2e-6 * np.abs(alone).max())
    assert (together[1, 2:] == 0).all()
    assert np.abs(together[1, :2]).max() > 0


@TOKEN_KINDS
def test_tokens_of_the_image_stay_what_they_are(kind: str) -> None:
    visual = TOWERS[kind]()
    tower, tokens = tower_of(visual), MaskTokens(visual, 0.0)
    with torch.inference_mode():
        plain = first = tower.embed(images())[0]
        for block in tower.blocks:
            plain = tower.run(block, plain, None)
        bias = log_relative(torch.from_numpy(random_masks(1, 7)).flatten(2))
        beside, _ = tokens._through(first, bias, None)
    torch.testing.assert_close(beside, plain, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", ["open_clip", "timm", "timm map (SigLIP)"])
def test_patches_of_padding_are_seen_by_nobody(kind: str) -> None:
    """What is in the padding changes nothing, where patches know only their own pixels."""
    tokens = MaskTokens(TOWERS[kind](), 0.5)
    hidden = np.zeros((1, CELLS, CELLS), bool)
    hidden[0, -1] = True
    masks = random_masks(1, 3)
    masks[:, :, -1] = 0
    other = images()
    other[:, :, -PATCH:] = 3.0
    seen = tokens.forward(images(), masks, hidden)
    np.testing.assert_allclose(tokens.forward(other, masks, hidden), seen, atol=1e-6)
    assert np.abs(tokens.forward(other, masks) - seen).max() > 2e-5, "without being told, it would matter"


@KINDS
def test_a_thing_smaller_than_a_patch_sees_its_patch(kind: str) -> None:
    tokens = MaskTokens(TOWERS[kind](), 0.5)
    tiny, whole = np.zeros((2, 1, 1, CELLS, CELLS), np.float32)
    tiny[0, 0, 1, 2], whole[0, 0, 1, 2] = 1e-3, 1
    np.testing.assert_allclose(tokens.forward(images(), tiny), tokens.forward(images(), whole), atol=1e-6)


def test_bias_of_a_soft_mask_is_the_logarithm_of_its_share() -> None:
    bias = log_relative(torch.tensor([[[0.5, 0.25, 0.0]]]))
    np.testing.assert_allclose(bias.numpy()[0, 0], [0, np.log(0.5), -1e4], atol=1e-6)


@KINDS
def test_a_soft_mask_lies_between_its_patches(kind: str) -> None:
    """A faint second patch changes the answer less than a full one."""
    tokens = MaskTokens(TOWERS[kind](), 0.5)
    masks = np.zeros((1, 3, CELLS, CELLS), np.float32)
    masks[0, :, 0, 0] = 1
    masks[0, 1, 3, 3], masks[0, 2, 3, 3] = 0.05, 1
    alone, faint, both = tokens.forward(images(), masks)[0]
    assert 0 < np.linalg.norm(faint - alone) < 0.5 * np.linalg.norm(both - alone)


@TOKEN_KINDS
def test_start_changes_the_answer_and_one_block_is_left(kind: str) -> None:
    visual = TOWERS[kind]()
    masks = random_masks(1, 2)
    early, late = (MaskTokens(visual, share) for share in (0.0, 1.0))
    assert (early.start, late.start) == (0, 3)
    assert np.abs(early.forward(images(), masks) - late.forward(images(), masks)).max() > 1e-4
    answers = late.forward(images(), masks)[0]
    assert np.abs(answers[0] - answers[1]).max() > 1e-5, "even the last block alone must tell masks apart"


def test_coverage_of_another_grid_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(1, M, 4, 4\)"):
        MaskTokens(TOWERS["open_clip"]()).forward(images(), np.ones((1, 2, 7, 7), np.float32))


def test_towers_without_patches_are_refused() -> None:
    resnet = clip_model(layers=[1, 1, 1, 1], width=16).visual
    with pytest.raises(UnsupportedTowerError, match="crops"):
        tower_of(resnet)
    with pytest.raises(UnsupportedTowerError, match="CoCa"):
        tower_of(clip_model(attentional_pool=True, attn_pooler_heads=2).visual)


@pytest.mark.parametrize("kind", ["open_clip", "timm", "timm map (SigLIP)"])
def test_half_precision_is_near(kind: str) -> None:
    tokens = MaskTokens(TOWERS[kind](), 0.5)
    masks = random_masks(1, 4)
    exact = tokens.forward(images(), masks)
    with torch.autocast("cpu", torch.bfloat16):
        near = tokens.forward(images(), masks)
    assert near.dtype == np.float32
    cosine = (exact * near).sum(-1) / np.linalg.norm(exact, axis=-1) / np.linalg.norm(near, axis=-1)
    assert cosine.min() > 0.995


@pytest.mark.parametrize("kind", ["open_clip", "timm", "timm registers", "timm map (SigLIP)", "timm stem"])
def test_larger_images_have_more_patches(kind: str) -> None:
    visual = TOWERS[kind]()
    resize_input(visual, 2 * SIZE)
    large = torch.randn(1, 3, 2 * SIZE, 2 * SIZE, generator=torch.Generator().manual_seed(3))
    tokens = MaskTokens(visual, 0.0)
    assert tokens.grid(2 * SIZE) == (2 * CELLS, 2 * CELLS)
    found = tokens.forward(large, np.ones((1, 1, 2 * CELLS, 2 * CELLS), np.float32))
    with torch.inference_mode():
        plain = visual(large).numpy()
    np.testing.assert_allclose(found[0], plain, atol=1e-6 * np.abs(plain).max())


def test_positions_keep_their_place_in_larger_images() -> None:
    """Positions that rise along the rows still do, and the class token keeps its own."""
    visual = clip_model().visual
    rows = torch.arange(CELLS).repeat_interleave(CELLS).float()
    visual.positional_embedding.data[1:] = rows[:, None]
    first = visual.positional_embedding[0].clone()
    resize_input(visual, 2 * SIZE)
    assert (visual.positional_embedding[0] == first).all()
    grid = visual.positional_embedding[1:, 5].reshape(2 * CELLS, 2 * CELLS)
    assert (grid.diff(dim=0) >= -0.05).all() and grid[-1].mean() - grid[0].mean() > CELLS - 1.5
    torch.testing.assert_close(grid, grid[:, :1].expand(-1, 2 * CELLS))


def test_images_that_are_not_whole_patches_are_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 16"):
        resize_input(clip_model().visual, 100)
