"""Judging and enlarging small masks: values by hand, and torch's own interpolation as the reference."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from moss_ros.masks2d.sam.sam_logits import MaskLogits, boxes, enlarged, joined, keep_apart, stability
from moss_ros.torchvision_ops import nms


def test_stability_is_the_overlap_of_two_cuts() -> None:
    values = np.full((3, 50, 60), -5.0, np.float32)
    values[0, :30, :40], values[0, 30:40, :40] = 2, 0.5  # above +1: 1200, above -1: 1600
    values[1, :40, :40] = 3
    assert stability(values).tolist() == pytest.approx([0.75, 1.0, 0.0])
    assert stability(values, offset=0.6)[0] == pytest.approx(0.75)
    assert stability(values, offset=0.4)[0] == pytest.approx(1.0)


@pytest.mark.parametrize("radius", [1.5, 2.5, 6.0, 15.0, 25.0])
def test_stability_of_small_masks_is_that_of_the_enlarged_ones(radius: float) -> None:
    y, x = np.mgrid[0:64, 0:64]
    values = (4 * (radius - np.hypot(x - 30.3, y - 33.6))).astype(np.float32)  # from -1 to 1 in half a pixel
    big = F.interpolate(torch.from_numpy(values)[None, None], (256, 256), mode="bilinear")[0, 0].numpy()
    assert stability(values[None])[0] == pytest.approx((big > 1).sum() / (big > -1).sum(), abs=0.02)


def test_boxes_are_borders() -> None:
    values = np.full((2, 6, 8), -1.0, np.float32)
    values[0, 1:4, 2] = 1
    values[0, 2, 5] = 1
    assert boxes(values).tolist() == [[2, 1, 6, 4], [0, 0, 0, 0]]


def test_of_boxes_that_overlap_the_better_stays() -> None:
    box = np.array([[0, 0, 10, 10], [0, 0, 10, 8], [20, 0, 30, 10], [0, 0, 10, 9]], np.float32)
    assert keep_apart(box, np.array([0.5, 0.9, 0.7, 0.6]), 0.7).tolist() == [1, 2]
    assert keep_apart(box, np.array([0.5, 0.9, 0.7, 0.6]), 0.85).tolist() == [1, 2, 0]
    assert keep_apart(box[:0], np.zeros(0), 0.5).tolist() == []


def test_boxes_are_kept_as_torchvision_keeps_them() -> None:
    rng = np.random.default_rng(1)
    low = rng.uniform(0, 50, (200, 2))
    box = np.concatenate([low, low + rng.uniform(1, 40, (200, 2))], 1).astype(np.float32)
    scores = rng.random(200).astype(np.float32)
    want = nms(torch.from_numpy(box), torch.from_numpy(scores), 0.5)
    assert keep_apart(box, scores, 0.5).tolist() == want.tolist()


@pytest.mark.parametrize("shape", [(48, 64), (37, 91), (8, 10)])
def test_enlarging_agrees_with_torch(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(0).normal(size=(3, 12, 16)).astype(np.float32)
    logits = MaskLogits(values, np.zeros(3, np.float32), (12.0, 16.0))
    want = F.interpolate(torch.from_numpy(values)[None], shape, mode="bilinear", align_corners=False)[0].numpy()
    clear = np.abs(want) > 0.1  # positions are rounded to 1/32 px
    assert (enlarged(logits, shape) == (want > 0))[clear].all()
    assert clear.mean() > 0.7


def test_padding_of_the_small_mask_is_left_out() -> None:
    values = np.full((1, 4, 4), -1.0, np.float32)
    values[0, 1:, :] = 1  # the image fills two rows: the upper off, the lower on
    found = enlarged(MaskLogits(values, np.zeros(1, np.float32), (2.0, 4.0)), (20, 40))
    assert not found[0, :10].any() and found[0, 10:].all()


def test_answers_are_taken_and_joined_in_order() -> None:
    a = MaskLogits(np.zeros((2, 3, 3), np.float32), np.float32([0.1, 0.2]), (3.0, 2.0))
    b = MaskLogits(np.ones((1, 3, 3), np.float32), np.float32([0.3]), (3.0, 2.0))
    both = joined([a, b]).take(np.array([2, 0]))
    assert both.scores.tolist() == pytest.approx([0.3, 0.1]) and both.values[:, 0, 0].tolist() == [1, 0]
    assert both.extent == (3.0, 2.0)
