"""Prompted masks: remembered images, batches, and masks that are refined."""

from __future__ import annotations

import numpy as np
import pytest
from sam_models import ColorModel

from moss_ros.masks2d.sam.sam_prompted import PromptedSegmenter
from moss_ros.masks2d.sam.sam_prompts import Prompts

RED, BLUE = (200, 0, 0), (0, 0, 200)


def picture() -> np.ndarray:
    """A red and a blue rectangle on black; sides at even pixels, as small masks are half as large."""
    out = np.zeros((40, 60, 3), np.uint8)
    out[10:30, 6:20], out[10:30, 30:54] = RED, BLUE
    return out


def rectangle(rows: slice, columns: slice) -> np.ndarray:
    mask = np.zeros((40, 60), bool)
    mask[rows, columns] = True
    return mask


def test_an_image_is_looked_at_once() -> None:
    model = ColorModel()
    segmenter = PromptedSegmenter(model, keep=2)
    for stamp in (1, 1, 2, 1, 3, 1):
        segmenter.embedding(picture(), stamp)
    assert model.embedded == 3
    segmenter.embedding(picture(), 2)  # 3 and 1 were used since
    assert model.embedded == 4


def test_another_image_with_the_same_stamp_is_looked_at() -> None:
    model = ColorModel()
    segmenter = PromptedSegmenter(model)
    segmenter.embedding(picture(), 1)
    other = picture()
    other[0, 0] = 1
    assert (segmenter.embedding(other, 1) == other).all() and model.embedded == 2


def test_prompts_are_answered_in_order_and_in_batches() -> None:
    model = ColorModel()
    segmenter = PromptedSegmenter(model, batch=2)
    points = np.array([[[10, 20]], [[40, 20]], [[0, 0]]], np.float32)
    found = segmenter.masks(picture(), Prompts(points, np.ones((3, 1), np.int32)), 7)
    assert model.batches == [2, 1] and model.embedded == 1
    assert found.masks.shape == (3, 40, 60) and found.masks.dtype == bool
    for mask, color in zip(found.masks, (RED, BLUE, (0, 0, 0)), strict=True):
        wrong = mask != (picture() == color).all(-1)
        assert wrong.mean() < 0.05
    assert found.scores.tolist() == pytest.approx([0.95] * 3) and (found.stability > 0.95).all()


def test_masks_that_are_nearly_right_are_refined() -> None:
    rough = np.stack([rectangle(slice(12, 33), slice(4, 18)), rectangle(slice(8, 27), slice(33, 57))])
    found = PromptedSegmenter(ColorModel()).refined(picture(), rough, 0)
    for mask, before, color in zip(found, rough, (RED, BLUE), strict=True):
        truth = (picture() == color).all(-1)
        iou = [(m & truth).sum() / (m | truth).sum() for m in (before, mask)]
        assert iou[0] < 0.8 and iou[1] > 0.9


def test_an_answer_that_is_something_else_is_not_taken() -> None:
    small = rectangle(slice(16, 20), slice(38, 42))[None]  # a part of the blue rectangle
    assert (PromptedSegmenter(ColorModel()).refined(picture(), small, 0) == small).all()


def test_an_unstable_answer_is_not_taken() -> None:
    class Unsure(ColorModel):
        def answer(self, embedding, prompts, several):  # type: ignore[no-untyped-def]
            sure = super().answer(embedding, prompts, several)
            return type(sure)(sure.values / 100, sure.scores, sure.extent)

    rough = rectangle(slice(12, 33), slice(4, 18))[None]
    assert (PromptedSegmenter(Unsure()).refined(picture(), rough, 0) == rough).all()


def test_nothing_asked_nothing_answered() -> None:
    segmenter = PromptedSegmenter(ColorModel())
    assert segmenter.refined(picture(), np.zeros((0, 40, 60), bool), 0).shape == (0, 40, 60)
    found = segmenter.masks(picture(), Prompts(np.zeros((0, 1, 2)), np.zeros((0, 1)), np.zeros((0, 4))), 0)
    assert found.masks.shape == (0, 40, 60) and len(found.scores) == 0


def test_images_of_another_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="uint8"):
        PromptedSegmenter(ColorModel()).embedding(picture().astype(np.float32), 0)
    with pytest.raises(ValueError, match=r"\(40, 60\)"):
        PromptedSegmenter(ColorModel()).embedding(picture()[..., 0], 0)
