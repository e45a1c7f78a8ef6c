"""Carrying masks to the truth, and scores without names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_scenes import for_package, random_scene, truth_of
from scipy.sparse import csr_matrix
from small_scene import BOOK, CUP, FLOOR, SLIVER, TABLE

from moss_ros.evaluation.carry import (
    carry,
    instance_of_rows,
    masks_from_clouds,
    masks_from_labels,
    masks_from_voxels,
    nearest_rows,
)
from moss_ros.evaluation.class_agnostic import score_class_agnostic
from moss_ros.evaluation.ground_truth import GroundTruth, load_folder
from moss_ros.evaluation.overlaps import columns_by_class, count_overlaps


def rows_of(truth: GroundTruth, *ids: int) -> np.ndarray:
    return np.flatnonzero(np.isin(truth.instance, ids))


def test_nearest_within_reach() -> None:
    map_points = np.array([[0.0, 0, 0], [1.0, 0, 0]])
    points = np.array([[0.02, 0, 0], [0.98, 0, 0], [0.5, 0, 0], [0.04, 0, 0]])
    assert nearest_rows(points, map_points).tolist() == [0, 1, -1, -1]
    assert nearest_rows(points, np.zeros((0, 3))).tolist() == [-1] * 4


def test_masks_from_every_form() -> None:
    voxels = masks_from_voxels([np.array([2, 0, 2]), np.array([], int), np.array([1])], 3)
    assert voxels.toarray().tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]
    ids, labelled = masks_from_labels(np.array([5, 0, -1, 3, 5]))
    assert ids.tolist() == [3, 5]
    assert labelled.toarray().tolist() == [[0, 0, 0, 1, 0], [1, 0, 0, 0, 1]]
    a, b = np.zeros((2, 3)), np.array([[0.0, 0, 0], [1, 1, 1]])
    points, clouds = masks_from_clouds([a, b])
    assert len(points) == 2 and clouds.toarray().tolist() == [[1, 0], [1, 1]]
    assert masks_from_voxels([], 3).shape == (0, 3)
    with pytest.raises(ValueError, match="the map has 3"):
        masks_from_voxels([np.array([3])], 3)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_counting_on_the_map_equals_carrying_first(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, guesses = random_scene(rng)
    truth = truth_of(labels)
    nearest = rng.integers(-1, 12, len(labels))
    masks = csr_matrix((rng.random((len(guesses), 12)) < 0.3).astype(np.int32))
    columns = columns_by_class(truth, np.array([2, 5, 7]))
    short, long = count_overlaps(masks, columns, nearest), count_overlaps(carry(masks, nearest), columns)
    assert (short.counts != long.counts).nnz == 0
    np.testing.assert_array_equal(short.mask_points, long.mask_points)
    np.testing.assert_array_equal(short.void_points, long.void_points)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_overlaps_add_up(seed: int) -> None:
    overlaps, _ = for_package(random_scene(np.random.default_rng(seed)))
    in_truth = np.asarray(overlaps.counts.sum(axis=1)).ravel()
    np.testing.assert_array_equal(in_truth + overlaps.void_points, overlaps.mask_points)
    assert (overlaps.counts.toarray() <= overlaps.truth.points).all()


def test_perfect_masks(scene: Path) -> None:
    truth = load_folder(scene)
    masks = [rows_of(truth, i) for i in (CUP, BOOK, TABLE)]
    result = score_class_agnostic(truth, masks, truth.points_m, np.array([0.3, 0.2, 0.1]))
    assert (result.ap, result.ap50, result.ap25) == pytest.approx((1, 1, 1))
    assert (result.recall50, result.precision50, result.recall25, result.precision25) == (1, 1, 1, 1)
    assert result.best_iou == {CUP: 1.0, BOOK: 1.0, TABLE: 1.0}


def test_structure_unseen_things_and_void_do_not_count(scene: Path) -> None:
    truth = load_folder(scene)
    things = [rows_of(truth, i) for i in (CUP, BOOK, TABLE)]
    beside = [rows_of(truth, FLOOR), rows_of(truth, FLOOR, SLIVER), rows_of(truth, 0)]
    scores = np.array([0.1, 0.1, 0.1, 0.9, 0.9, 0.9])
    assert score_class_agnostic(truth, things + beside, truth.points_m, scores).ap == pytest.approx(1)


def test_worked_example(scene: Path) -> None:
    # Table and cup are found; book and cup lie in one more mask with 120 of 220 points: IoU 0.545 with the book.
    truth = load_folder(scene)
    masks = [rows_of(truth, TABLE), rows_of(truth, CUP), rows_of(truth, CUP, BOOK)]
    result = score_class_agnostic(truth, masks, truth.points_m, np.array([0.9, 0.8, 0.7]))
    assert result.best_iou[BOOK] == pytest.approx(120 / 220)
    assert (result.recall50, result.precision50) == (1.0, 1.0)
    assert result.ap50 == pytest.approx(1)
    # At 0.25 the last mask also fits the cup (100/220), where it is a duplicate, before the book takes it: 3 right,
    # 1 false at 0.7. (p, r) = (3/4, 1), (1, 2/3), (1, 1/3), (1, 0): 1/8 + 1/3 + 1/3 + 1/6 = 23/24.
    assert result.ap25 == pytest.approx(23 / 24)
    assert result.precision25 == 0.75
    # From 0.55 on two of three are right and the third, last in rank, is false: (p, r) = (2/3, 2/3), (1, 2/3),
    # (1, 1/3), (1, 0): 0 + 1/6 + 1/3 + 1/6 = 2/3.
    assert result.ap == pytest.approx((1 + 8 * 2 / 3) / 9)


def test_order_of_points_and_map_does_not_matter(scene: Path) -> None:
    truth = load_folder(scene)
    rng = np.random.default_rng(0)
    masks = [rng.permutation(rows_of(truth, i))[20:] for i in (CUP, BOOK, TABLE)]
    order = rng.permutation(len(truth.points_m))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    scores = np.array([0.5, 0.6, 0.7])
    first = score_class_agnostic(truth, masks, truth.points_m, scores)
    second = score_class_agnostic(truth, [place[m] for m in masks], truth.points_m[order], scores)
    assert first == second


def test_a_thing_without_points_cannot_be_missed(scene: Path) -> None:
    truth = load_folder(scene)
    kept = truth.instance != BOOK
    rest = replace(
        truth,
        points_m=truth.points_m[kept],
        instance=truth.instance[kept],
        category_id=truth.category_id[kept],
    )
    result = score_class_agnostic(rest, [rows_of(rest, CUP), rows_of(rest, TABLE)], rest.points_m, np.ones(2))
    assert result.best_iou == {CUP: 1.0, TABLE: 1.0} and result.recall50 == 1.0


def test_no_masks_and_wrong_counts(scene: Path) -> None:
    truth = load_folder(scene)
    empty = score_class_agnostic(truth, [], truth.points_m, np.zeros(0))
    assert empty.ap == 0.0 and empty.recall25 == 0.0 and np.isnan(empty.precision50)
    with pytest.raises(ValueError, match="1 masks, but 2 scores"):
        score_class_agnostic(truth, [np.array([1])], truth.points_m, np.zeros(2))


def test_true_masks_on_a_2cm_map_score_well(shared_data) -> None:
    truth = load_folder(shared_data("sim_living_kitchen"))
    _, rows = np.unique(np.floor(truth.points_m / 0.02).astype(int), axis=0, return_index=True)
    labels = truth.instance[rows]
    masks = [np.flatnonzero(labels == i) for i in truth.evaluated_ids]
    result = score_class_agnostic(truth, masks, truth.points_m[rows], np.ones(len(masks)))
    assert result.ap50 == 1.0 and result.ap > 0.95


def test_each_row_belongs_to_the_instance_of_most_points() -> None:
    nearest = np.array([0, 0, 0, 1, 1, -1, 3])
    instance = np.array([7, 7, 2, 9, 4, 5, 0])
    assert instance_of_rows(nearest, instance, 5).tolist() == [7, 4, -1, 0, -1]  # of equally many the lowest
    assert instance_of_rows(np.full(2, -1), np.array([1, 2]), 2).tolist() == [-1, -1]
