"""Windows: every mask in exactly one, large enough, in few; and the shares that masks cover in them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moss_ros.language.encoders.window_pixels import cell_overlap, checked, coverage, cut, outside, step_of
from moss_ros.language.encoders.windows import (
    LEAST_FILL,
    MOST_FILL,
    SMALLEST_SIDE_PX,
    Window,
    choose_windows,
    mask_boxes,
    whole_frame,
    window_sides,
)

WHOLE = whole_frame(480, 640, ())


def box(top: int, left: int, height: int, width: int) -> tuple[int, int, int, int]:
    return top, left, top + height, left + width


def served(windows: list[Window]) -> list[int]:
    return sorted(row for window in windows for row in window.rows)


def test_sides_fall_from_the_frame_by_the_root_of_two() -> None:
    assert window_sides(480, 640) == [640, 480, 339, 240, 170, 120]
    assert window_sides(480, 480) == [480, 339, 240, 170, 120]
    assert window_sides(50, 80) == [80]


def test_nothing_to_read() -> None:
    assert choose_windows(np.zeros((0, 4)), 480, 640) == []
    assert choose_windows(np.array([[0, 0, 0, 0]]), 480, 640) == []


def test_a_large_thing_is_read_on_the_whole_frame() -> None:
    windows = choose_windows(np.array([box(10, 20, 400, 600)]), 480, 640)
    assert windows == [Window(-80, 0, 640, (0,))] == [whole_frame(480, 640, (0,))]


def test_a_thing_is_in_the_middle_of_its_window() -> None:
    (window,) = choose_windows(np.array([box(200, 300, 60, 40)]), 480, 640)
    assert window == Window(230 - 85, 320 - 85, 170, (0,))


def test_windows_are_shifted_into_the_image() -> None:
    (window,) = choose_windows(np.array([box(0, 610, 30, 30)]), 480, 640)
    assert (window.top, window.left + window.side, window.side) == (0, 640, 120)


def test_neighbours_share_a_window_and_far_ones_do_not() -> None:
    near = choose_windows(np.array([box(100, 100, 30, 30), box(110, 145, 30, 30)]), 480, 640)
    assert [w.rows for w in near] == [(0, 1)]
    far = choose_windows(np.array([box(10, 10, 30, 30), box(440, 600, 30, 30)]), 480, 640)
    assert sorted(w.rows for w in far) == [(0,), (1,)]


def test_few_windows_for_a_row_of_things() -> None:
    """Eight cups of 40 px, 75 px apart: a window of at most 5 x 40 px has room for two."""
    cups = np.array([box(220, 5 + 75 * i, 40, 40) for i in range(8)])
    windows = choose_windows(cups, 480, 640)
    assert [len(w.rows) for w in windows] == [2, 2, 2, 2]
    assert {w.side for w in windows} == {170}


def test_a_table_and_what_lies_on_it_are_read_apart() -> None:
    """The table needs the frame, the cups on it a closer look together."""
    boxes = np.array([box(100, 50, 350, 550), box(200, 200, 30, 30), box(205, 240, 30, 30)])
    assert sorted(w.rows for w in choose_windows(boxes, 480, 640)) == [(0,), (1, 2)]


def test_a_long_thing_in_a_long_image_still_gets_a_window() -> None:
    assert choose_windows(np.array([box(0, 0, 150, 150)]), 200, 4000)[0].side == 4000


@st.composite
def scenes(draw: st.DrawFn) -> tuple[int, int, np.ndarray]:
    height, width = draw(st.integers(40, 700)), draw(st.integers(40, 700))
    boxes = []
    for _ in range(draw(st.integers(1, 12))):
        tall, wide = draw(st.integers(1, height)), draw(st.integers(1, width))
        boxes.append(box(draw(st.integers(0, height - tall)), draw(st.integers(0, width - wide)), tall, wide))
    return height, width, np.array(boxes)


@settings(max_examples=150, deadline=None)
@given(scenes())
def test_every_mask_is_served_once_and_well(scene: tuple[int, int, np.ndarray]) -> None:
    height, width, boxes = scene
    windows = choose_windows(boxes, height, width)
    assert served(windows) == list(range(len(boxes)))
    longest = max(height, width)
    for window in windows:
        if window.side < longest:
            assert 0 <= window.top <= height - window.side
            assert 0 <= window.left <= width - window.side
        for row in window.rows:
            top, left, bottom, right = boxes[row]
            assert window.top <= top < bottom <= window.top + window.side
            assert window.left <= left < right <= window.left + window.side
            extent = max(bottom - top, right - left)
            assert extent <= MOST_FILL * window.side or window.side == longest
            small = window.side < 2 * SMALLEST_SIDE_PX or window.side == longest
            assert extent >= LEAST_FILL * window.side or small
    assert len(windows) <= len(boxes)


@settings(max_examples=50, deadline=None)
@given(scenes())
def test_an_empty_mask_changes_nothing(scene: tuple[int, int, np.ndarray]) -> None:
    height, width, boxes = scene
    with_empty = np.concatenate([boxes, np.zeros((1, 4), np.int64)])
    assert choose_windows(with_empty, height, width) == choose_windows(boxes, height, width)


def test_boxes_of_hard_soft_and_empty_masks() -> None:
    masks = np.zeros((3, 6, 8), np.float32)
    masks[0, 1:3, 2:7] = 1
    masks[1, 2, 3], masks[1, 4, 5], masks[1, 5, 7] = 0.4, 0.2, 0.19
    assert mask_boxes(masks).tolist() == [[1, 2, 3, 7], [2, 3, 5, 6], [0, 0, 0, 0]]
    assert mask_boxes(masks > 0)[0].tolist() == [1, 2, 3, 7]


def test_overlap_of_cells_by_hand() -> None:
    """Two cells of 1.5 px that begin at 1: pixels 1 and half of 2, half of 2 and 3."""
    expected = np.array([[0, 1, 0.5, 0], [0, 0, 0.5, 1]]) / 1.5
    np.testing.assert_allclose(cell_overlap(2, 1.0, 1.5, 4), expected, atol=1e-6)


def test_a_full_mask_covers_the_image_and_not_the_padding() -> None:
    window = whole_frame(48, 64, (0,))
    shares = coverage(np.ones((1, 48, 64), bool), window, (8, 8), (8, 8))
    assert (shares[0, 1:7] == 1).all()
    assert (shares[0, [0, 7]] == 0).all()
    hidden = outside(window, 48, 64, (8, 8), (8, 8))
    assert hidden.sum() == 16
    assert hidden[[0, 7]].all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(-20, 20), st.integers(-20, 20), st.integers(5, 60), st.integers(1, 9))
def test_coverage_keeps_the_area_of_the_mask(seed: int, top: int, left: int, side: int, cells: int) -> None:
    rng = np.random.default_rng(seed)
    masks = rng.random((2, 23, 31)).astype(np.float32)
    shares = coverage(masks, Window(top, left, side, (0, 1)), (cells, cells), (side / cells, side / cells))
    inside = masks[:, max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)]
    area = shares.sum((1, 2)) * (side / cells) ** 2
    np.testing.assert_allclose(area, inside.sum((1, 2)), rtol=1e-4, atol=1e-3)


def test_a_single_pixel_covers_its_share() -> None:
    masks = np.zeros((1, 32, 32), bool)
    masks[0, 9, 17] = True
    shares = coverage(masks, Window(0, 0, 32, (0,)), (4, 4), (8, 8))
    assert shares[0, 1, 2] == pytest.approx(1 / 64)
    assert (shares > 0).sum() == 1


def test_a_cut_shows_the_window_and_fills_the_rest() -> None:
    color = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    whole = cut(color, whole_frame(48, 64, ()), 64, np.array([10.0, 20.0, 30.4]))
    assert (whole[8:56] == color).all()
    assert (whole[:8] == (10, 20, 30)).all() and (whole[56:] == (10, 20, 30)).all()
    assert (cut(color, Window(5, 7, 16, ()), 16, np.zeros(3)) == color[5:21, 7:23]).all()
    plain = np.full((48, 64, 3), 77, np.uint8)
    assert (cut(plain, Window(5, 7, 16, ()), 50, np.zeros(3)) == 77).all()


@pytest.mark.parametrize(
    ("color", "masks", "message"),
    [
        (np.zeros((4, 5), np.uint8), np.ones((1, 4, 5), bool), "RGB"),
        (np.zeros((4, 5, 3), np.float32), np.ones((1, 4, 5), bool), "uint8"),
        (np.zeros((4, 5, 3), np.uint8), np.ones((4, 5), bool), "masks must be"),
        (np.zeros((4, 5, 3), np.uint8), np.ones((1, 5, 4), bool), "masks must be"),
        (np.zeros((4, 6, 3), np.uint8), np.ones((1, 2, 2), bool), "masks must be"),
        (np.zeros((4, 6, 3), np.uint8), np.ones((1, 0, 0), bool), "masks must be"),
        (np.zeros((4, 5, 3), np.uint8), np.full((1, 4, 5), 255, np.uint8), "divide"),
        (np.zeros((4, 5, 3), np.uint8), np.full((1, 4, 5), np.nan), "divide"),
    ],
)
def test_what_does_not_fit_is_refused(color: np.ndarray, masks: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked(color, masks)


def test_coarse_masks_cover_what_their_enlargements_cover() -> None:
    rng = np.random.default_rng(3)
    coarse = rng.random((3, 16, 20)) < 0.3
    fine = coarse.repeat(3, 1).repeat(3, 2)
    for window in (Window(5, 7, 25, ()), whole_frame(48, 60, ())):
        cell = (window.side / 7, window.side / 7)
        expected = coverage(fine, window, (7, 7), cell)
        np.testing.assert_allclose(coverage(coarse, window, (7, 7), cell, 3), expected, atol=1e-5)
    color = np.zeros((48, 60, 3), np.uint8)
    assert step_of(color, checked(color, coarse)) == 3
