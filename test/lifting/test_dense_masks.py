"""Masks from an id buffer, by hand and against the obvious loop."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from moss_ros.lifting.dense_masks import dense_masks

BUFFER = np.array([[0, 1, -1], [2, 2, 7]], np.int32)


def test_masks_may_overlap():
    masks = dense_masks(BUFFER, [np.array([0, 2]), np.array([2, 7]), np.array([5])])
    assert masks.tolist() == [
        [[True, False, False], [True, True, False]],
        [[False, False, False], [True, True, True]],
        [[False] * 3] * 2,
    ]


def test_nothing_in_nothing_out():
    assert dense_masks(BUFFER, []).shape == (0, 2, 3)
    assert not dense_masks(np.full((2, 3), -1, np.int32), [np.array([0, 1])]).any()
    assert not dense_masks(BUFFER, [np.zeros(0, np.int32)]).any()


@given(
    st.lists(st.integers(-1, 12), min_size=12, max_size=12),
    st.lists(st.sets(st.integers(0, 15)), max_size=5),
)
def test_equals_the_loop(ids, members):
    buffer = np.array(ids, np.int32).reshape(3, 4)
    masks = dense_masks(buffer, [np.array(sorted(m), np.int32) for m in members])
    for mask, wanted in zip(masks, members, strict=True):
        assert mask.tolist() == [[i in wanted for i in row] for row in buffer.tolist()]
