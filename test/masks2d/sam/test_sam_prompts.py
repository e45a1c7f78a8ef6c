"""Prompts from masks: values by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moss_ros.masks2d.sam.sam_prompts import (
    OFF,
    ON,
    PADDING,
    PromptRules,
    Prompts,
    grid_prompts,
    inmost_points,
    mask_boxes,
    prompts_from_masks,
)

SHAPE = (40, 60)


def rectangle(x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    """Pixels x0..x1, y0..y1, both ends included."""
    mask = np.zeros(SHAPE, bool)
    mask[y0 : y1 + 1, x0 : x1 + 1] = True
    return mask


def test_grid_points_are_the_middles_of_even_cells() -> None:
    grid = grid_prompts(2, (40, 60))
    assert grid.points[:, 0].tolist() == [[15, 10], [45, 10], [15, 30], [45, 30]]
    assert grid.labels.tolist() == [[ON]] * 4 and grid.boxes is None


def test_boxes_hold_the_outermost_pixels() -> None:
    assert mask_boxes(np.stack([rectangle(3, 5, 10, 7), rectangle(59, 39, 59, 39)])).tolist() == [
        [3, 5, 10, 7],
        [59, 39, 59, 39],
    ]
    with pytest.raises(ValueError, match="mask 1 is empty"):
        mask_boxes(np.stack([rectangle(0, 0, 1, 1), np.zeros(SHAPE, bool)]))


def test_the_inmost_point_of_a_square_is_its_middle() -> None:
    assert inmost_points(rectangle(10, 10, 20, 20), np.array([10, 10, 20, 20]), 1).tolist() == [[15, 15]]


def test_the_image_edge_is_a_border() -> None:
    assert inmost_points(rectangle(0, 0, 10, 10), np.array([0, 0, 10, 10]), 1).tolist() == [[5, 5]]


def test_two_points_lie_in_both_halves_of_a_dumbbell() -> None:
    mask = rectangle(5, 10, 15, 20) | rectangle(35, 11, 43, 19) | rectangle(15, 15, 35, 15)
    assert inmost_points(mask, mask_boxes(mask[None])[0], 2).tolist() == [[10, 15], [39, 15]]


def test_a_single_pixel_has_one_point() -> None:
    mask = rectangle(7, 8, 7, 8)
    assert inmost_points(mask, np.array([7, 8, 7, 8]), 3).tolist() == [[7, 8]]
    prompts = prompts_from_masks(mask[None], PromptRules(on=3, off=1))
    assert prompts.labels.tolist() == [[ON, PADDING, PADDING, PADDING]]


def test_neighbours_give_the_points_beside() -> None:
    masks = np.stack([rectangle(10, 10, 19, 19), rectangle(20, 10, 29, 19), rectangle(45, 30, 50, 35)])
    prompts = prompts_from_masks(masks, PromptRules(on=1, off=2, margin=0.0, margin_px=5))
    assert prompts.labels.tolist() == [[ON, OFF, PADDING], [ON, OFF, PADDING], [ON, PADDING, PADDING]]
    x, y = prompts.points[0, 1]  # of the part of its neighbour that lies within 5 px: x 20..24
    assert 20 <= x <= 24 and 12 <= y <= 17
    assert masks[1][int(y), int(x)]
    x, y = prompts.points[1, 1]
    assert masks[0][int(y), int(x)] and x >= 15


def test_the_nearest_neighbours_are_those_with_most_of_the_box() -> None:
    small, large = rectangle(16, 18, 17, 19), rectangle(20, 10, 30, 20)
    masks = np.stack([rectangle(10, 10, 15, 20), small, large])
    prompts = prompts_from_masks(masks, PromptRules(on=1, off=1, margin=0.0, margin_px=8))
    x, y = prompts.points[0, 1].astype(int)
    assert large[y, x]


def test_a_point_beside_never_lies_on_the_thing_itself() -> None:
    outer, inner = rectangle(5, 5, 40, 30), rectangle(15, 12, 25, 20)
    prompts = prompts_from_masks(np.stack([outer, inner]), PromptRules(on=1, off=1))
    assert prompts.labels[0].tolist() == [ON, PADDING]  # nothing of the inner one is outside
    x, y = prompts.points[1, 1].astype(int)
    assert outer[y, x] and not inner[y, x]


@settings(deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 4))
def test_points_lie_where_their_labels_say(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    corners = [
        (rng.integers(0, 50), rng.integers(0, 30), rng.integers(1, 10), rng.integers(1, 10)) for _ in range(count)
    ]
    masks = np.stack([rectangle(x, y, x + w, y + h) for x, y, w, h in corners])
    prompts = prompts_from_masks(masks)
    for mask, points, labels in zip(masks, prompts.points.astype(int), prompts.labels, strict=True):
        on = [mask[y, x] for (x, y), label in zip(points, labels, strict=True) if label == ON]
        off = [mask[y, x] for (x, y), label in zip(points, labels, strict=True) if label == OFF]
        assert on and all(on) and not any(off)


def test_no_masks_no_prompts() -> None:
    assert len(prompts_from_masks(np.zeros((0, *SHAPE), bool))) == 0


@pytest.mark.parametrize(
    ("points", "labels", "boxes"),
    [((2, 1, 2), (2, 2), None), ((2, 1, 2), (1, 1), None), ((2, 1, 2), (2, 1), (1, 4)), ((2, 1, 3), (2, 1), None)],
)
def test_shapes_that_do_not_fit_are_refused(points, labels, boxes) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="must be"):
        Prompts(np.zeros(points, np.float32), np.ones(labels, np.int32), None if boxes is None else np.zeros(boxes))


def test_unknown_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="-1"):
        Prompts(np.zeros((1, 1, 2), np.float32), np.full((1, 1), 2, np.int32))
