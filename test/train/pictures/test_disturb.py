"""Disturbed pictures keep their form; disturbed masks stay masks of about the same place."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from moss_ros.train.pictures.disturb import disturbed_image, disturbed_mask, mirrored
from moss_ros.train.pictures.windows import SIZE_PX, Picture, Shown

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_image_keeps_its_form(seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (SIZE_PX, SIZE_PX, 3), dtype=np.uint8)
    out = disturbed_image(image, rng)
    assert out.shape == image.shape and out.dtype == np.uint8


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(6, 40))
def test_mask_stays_near_and_is_never_empty(seed: int, half: int) -> None:
    rng = np.random.default_rng(seed)
    mask = np.zeros((SIZE_PX, SIZE_PX), bool)
    mask[64 - half : 64 + half, 64 - half : 64 + half] = True
    out = disturbed_mask(mask, rng)
    assert out.shape == mask.shape and out.dtype == bool
    assert out.sum() >= 12
    assert (out & mask).sum() >= 0.3 * min(out.sum(), mask.sum())


def test_some_masks_change() -> None:
    mask = np.zeros((SIZE_PX, SIZE_PX), bool)
    mask[30:90, 30:90] = True
    changed = [not np.array_equal(disturbed_mask(mask, np.random.default_rng(s)), mask) for s in range(40)]
    assert 15 <= sum(changed) <= 36  # a third is left alone on purpose


def test_mirror_turns_everything() -> None:
    color = np.arange(SIZE_PX * SIZE_PX * 3, dtype=np.int64).reshape(SIZE_PX, SIZE_PX, 3).astype(np.uint8)
    ids = np.arange(SIZE_PX * SIZE_PX, dtype=np.int16).reshape(SIZE_PX, SIZE_PX)
    outside = np.zeros((SIZE_PX, SIZE_PX), bool)
    outside[:, 0] = True
    out = mirrored(Picture(color, ids, {3: Shown("ball")}, outside))
    assert np.array_equal(out.color_rgb[:, 0], color[:, -1])
    assert np.array_equal(out.ids[:, 0], ids[:, -1])
    assert out.outside[:, -1].all() and not out.outside[:, 0].any()
