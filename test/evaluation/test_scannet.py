"""Instance AP: against the slow loop, against stored cases, and against values worked out on paper."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loop_oracle import Guess, loop_table
from random_scenes import CLASSES, MIN_POINTS, for_package, random_scene

from moss_ros.evaluation.scannet import THRESHOLDS, ApTable, average_precision

GOLDEN = Path(__file__).parent / "golden" / "scannet_cases.json"


def table_of(labels: list[int], guesses: list[tuple[list[int], int, float]], min_points: int = 1) -> ApTable:
    """Score masks given as point lists."""
    masks = [Guess(np.isin(np.arange(len(labels)), points), c, s) for points, c, s in guesses]
    return average_precision([for_package((np.array(labels), masks))], CLASSES, min_points)


def test_thresholds_end_at_point_nine() -> None:
    assert len(THRESHOLDS) == 10
    assert THRESHOLDS[-2] == pytest.approx(0.9) and THRESHOLDS[-1] == 0.25


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    scenes=st.integers(1, 3),
    things=st.integers(1, 10),
    guesses=st.integers(0, 16),
    ties=st.booleans(),
    min_points=st.sampled_from([1, 8, 15]),
)
def test_equals_the_loop(seed: int, scenes: int, things: int, guesses: int, ties: bool, min_points: int) -> None:
    rng = np.random.default_rng(seed)
    data = [random_scene(rng, things, guesses, ties) for _ in range(scenes)]
    # Low thresholds let one mask fit several things, so that the order of the greedy matching shows.
    thresholds = np.append(THRESHOLDS, [0.05, 0.1])
    mine = average_precision([for_package(s) for s in data], CLASSES, min_points, thresholds)
    np.testing.assert_allclose(mine.ap, loop_table(data, CLASSES, thresholds, min_points), rtol=0, atol=1e-12)


@pytest.mark.parametrize("number", range(6))
def test_stored_cases(number: int) -> None:
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    case = golden["cases"][number]
    scenes = []
    for scene in case["scenes"]:
        count = np.arange(len(scene["labels"]))
        guesses = [Guess(np.isin(count, g["points"]), g["class_id"], g["score"]) for g in scene["guesses"]]
        scenes.append(for_package((np.array(scene["labels"]), guesses)))
    table = average_precision(scenes, golden["classes"], golden["min_points"])
    expected = [[math.nan if v is None else v for v in row] for row in case["ap"]]
    np.testing.assert_allclose(table.thresholds, golden["thresholds"])
    np.testing.assert_allclose(table.ap, expected, rtol=0, atol=1e-12)
    assert not np.isnan(table.ap).all()


def test_all_right_is_one_and_other_classes_do_not_count() -> None:
    table = table_of([2000] * 4 + [5001] * 4, [([0, 1, 2, 3], 2, 0.3), ([4, 5, 6, 7], 5, 0.9)])
    assert table.mean() == 1.0 and table.mean(0.25) == 1.0
    assert np.isnan(table.ap[CLASSES.index(7)]).all()


def test_iou_must_be_greater_not_equal() -> None:
    # Mask of 2 of 4 points: IoU exactly 0.5.
    table = table_of([2000] * 4, [([0, 1], 2, 1.0)])
    assert table.mean(0.5) == 0.0
    assert table.mean(0.25) == 1.0


def test_constant_scores_give_recall_times_mean_of_one_and_precision() -> None:
    # Four things, two found, one mask wrong: r = 2/4, p = 2/3, AP = r (1 + p) / 2 = 5/12.
    labels = [2000] * 3 + [2001] * 3 + [2002] * 3 + [2003] * 3 + [5000] * 3
    right = [([0, 1, 2], 2, 1.0), ([3, 4, 5], 2, 1.0)]
    wrong = [([12, 13, 14], 2, 1.0)]
    table = table_of(labels, right + wrong)
    assert table.mean(0.5, [2]) == pytest.approx(5 / 12, abs=1e-15)
    assert table.recall(0.5) == 0.4  # two of five things of any class
    assert table.precision(0.5) == pytest.approx(2 / 3)


def test_a_duplicate_is_false_with_the_lower_score() -> None:
    # Both masks fit the thing; in file order the weak one comes first, yet 0.9 is right and 0.1 false.
    # Curve: (p, r) = (1/2, 1) at 0.1, (1, 1) at 0.9, (1, 0): 1/2 * 0 + 1 * 1/2 + 1 * 1/2 = 1.
    table = table_of([2000] * 4, [([0, 1, 2], 2, 0.1), ([0, 1, 2, 3], 2, 0.9)])
    assert table.mean(0.5) == 1.0
    assert table.wrong[0, 0] == 1
    # Equal scores are one point of the curve: r (1 + p) / 2 = 3/4.
    tied = table_of([2000] * 4, [([0, 1, 2], 2, 0.5), ([0, 1, 2, 3], 2, 0.5)])
    assert tied.mean(0.5) == 0.75


def test_a_false_mask_above_a_right_one_costs_more_than_below() -> None:
    labels = [2000] * 4 + [5000] * 4
    above = table_of(labels, [([0, 1, 2, 3], 2, 0.5), ([4, 5, 6, 7], 2, 0.9)])
    below = table_of(labels, [([0, 1, 2, 3], 2, 0.9), ([4, 5, 6, 7], 2, 0.5)])
    # Above: points (1/2, 1), (0, 0), (1, 0) -> 1/2 * (1 - 0) / 2 = 1/4. Below: (1/2, 1), (1, 1), (1, 0) -> 1.
    assert above.mean(0.5, [2]) == 0.25
    assert below.mean(0.5, [2]) == 1.0


def test_masks_on_void_are_neither_right_nor_wrong() -> None:
    # 3 of 5 points of the mask are void: ignored at 0.5 (0.6 > 0.5), false at 0.6 (0.6 <= 0.6000...01).
    labels = [2000] * 4 + [0] * 3 + [5000] * 2
    table = table_of(labels, [([0, 1, 2, 3], 2, 0.9), ([4, 5, 6, 7, 8], 2, 0.9)])
    row = CLASSES.index(2)
    assert table.wrong[row, 0] == 0
    assert table.wrong[row, 2] == 1
    assert table.wrong[row, -1] == 0


def test_small_things_are_ignored_not_missed() -> None:
    labels = [2000] * 6 + [2001] * 2
    table = table_of(labels, [([0, 1, 2, 3, 4, 5], 2, 0.9)], min_points=3)
    assert table.truths[0] == 1 and table.mean() == 1.0
    # A mask mostly on the small thing does not count either.
    table = table_of(labels, [([0, 1, 2, 3, 4, 5], 2, 0.9), ([5, 6, 7], 2, 0.95)], min_points=3)
    assert table.wrong[0, 0] == 0
    # A mask below the limit is dropped before anything else.
    assert table_of(labels, [([0, 1], 2, 1.0)], min_points=3).mean() == 0.0


def test_one_mask_serves_one_thing_only() -> None:
    # The mask covers two equal things: IoU 1/2 with each; at 0.25 it fits both and the first one takes it.
    table = table_of([2000] * 4 + [2001] * 4, [(list(range(8)), 2, 1.0)])
    assert table.right[0, -1] == 1 and table.wrong[0, -1] == 0
    assert table.mean(0.25) == 0.5  # r = 1/2, p = 1: r (1 + p) / 2


def test_scenes_are_ranked_together() -> None:
    right = for_package((np.full(4, 2000), [Guess(np.ones(4, bool), 2, 0.2)]))
    wrong = for_package((np.full(4, 5000), [Guess(np.ones(4, bool), 2, 0.8)]))
    # One thing of class 2 found at 0.2, one false at 0.8: points (1/2, 1), (0, 0), (1, 0) -> 1/4.
    assert average_precision([right, wrong], CLASSES, 1).mean(0.5, [2]) == 0.25


def test_no_prediction_is_zero_and_no_truth_is_nan() -> None:
    assert table_of([2000] * 4, []).mean() == 0.0
    assert math.isnan(table_of([0] * 4, [([0, 1], 2, 1.0)]).mean())


def test_bad_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        table_of([2000] * 4, [([0, 1], 2, float("nan"))])


def test_default_size_limit_is_used() -> None:
    rng = np.random.default_rng(1)
    scene = random_scene(rng)
    assert np.isnan(average_precision([for_package(scene)], CLASSES).ap).all()
    assert not np.isnan(average_precision([for_package(scene)], CLASSES, MIN_POINTS).ap).all()
