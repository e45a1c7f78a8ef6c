"""Masks that overlap as label images: values by hand."""

from __future__ import annotations

import numpy as np
import pytest

from moss_ros.masks2d.sam.sam_layers import layers, nesting, painted

W = 12


def strip(*spans: tuple[int, int]) -> np.ndarray:
    """(K, 1, 12) masks over columns first..last - 1."""
    out = np.zeros((len(spans), 1, W), bool)
    for k, (first, last) in enumerate(spans):
        out[k, 0, first:last] = True
    return out


# a cup with a handle on it, a book, and a mask that only touches the cup
MASKS = strip((0, 6), (4, 6), (8, 12), (5, 9))


def test_levels_follow_the_nesting() -> None:
    assert nesting(MASKS).tolist() == [0, 1, 0, 0]
    assert nesting(strip((0, 12), (0, 6), (0, 2), (8, 9))).tolist() == [0, 1, 2, 1]
    assert nesting(strip((0, 4), (0, 4))).tolist() == [0, 0]  # twins are not nested
    assert nesting(MASKS[:0]).tolist() == []


def test_a_mask_may_stick_out_a_little() -> None:
    assert nesting(strip((0, 10), (6, 11))).tolist() == [0, 1]  # 4 of 5
    assert nesting(strip((0, 10), (7, 11))).tolist() == [0, 0]  # 3 of 4


def test_one_label_image_for_each_level() -> None:
    images = layers(MASKS, 1)
    assert images.shape == (2, 1, W) and images.dtype == np.int32
    assert images[0, 0].tolist() == [1, 1, 1, 1, 1, 3, 3, 3, 3, 2, 2, 2]
    assert images[1, 0].tolist() == [0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0]
    assert layers(MASKS[:0], 1).shape == (0, 1, W)


def test_parts_lie_on_top() -> None:
    assert painted(strip((0, 8), (2, 4)), 1)[0].tolist() == [1, 1, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0]
    assert painted(strip((2, 4), (0, 8)), 1)[0].tolist() == [1, 1, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0]


def test_whole_things_hide_their_parts() -> None:
    assert painted(strip((2, 4), (0, 8), (9, 11)), 1, parts=False)[0].tolist() == [1] * 8 + [0, 2, 2, 0]


@pytest.mark.parametrize("parts", [True, False])
def test_what_shows_too_little_goes_and_numbers_have_no_gaps(parts: bool) -> None:
    labels = painted(strip((0, 6), (4, 9), (10, 11)), 2, parts)
    assert set(np.unique(labels)) == {0, 1, 2}
    assert labels[0, 10] == 0 and labels[0, 4] == labels[0, 8]  # the smaller of two that overlap
    assert painted(MASKS[:0], 1, parts).tolist() == [[0] * W]


def test_large_images_are_compared_coarsely_but_painted_finely() -> None:
    masks = np.zeros((2, 700, 1000), bool)
    masks[0, 100:600, 100:900] = True
    masks[1, 201:401, 301:502] = True
    labels = painted(masks, 50)
    assert labels[200, 301] == 1 and labels[201, 301] == 2 and labels[400, 501] == 2 and labels[400, 502] == 1
