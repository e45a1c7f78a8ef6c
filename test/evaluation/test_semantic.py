"""Names of points against values worked out on paper."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from small_scene import CATEGORIES

from moss_ros.evaluation.ground_truth import load_folder
from moss_ros.evaluation.report import write_report
from moss_ros.evaluation.scannet import MaskClasses
from moss_ros.evaluation.semantic import point_classes, score_semantic, true_classes

NAMES = {1: "book", 2: "cup", 4: "table"}


def test_points_take_the_class_of_the_surest_mask_over_them() -> None:
    masks = csr_matrix(np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]], np.int32))
    named = MaskClasses(np.array([0, 1, 2]), np.array([4, 2, 1]), np.array([0.5, 0.9, 0.0]))
    # The third mask has a class with score 0: it says nothing.
    found = point_classes(masks, named, np.array([0, 1, 2, 3, 4, -1]))
    assert found.tolist() == [4, 4, 2, 2, 0, 0]


def test_a_mask_may_have_several_classes_of_which_the_surest_counts() -> None:
    masks = csr_matrix(np.ones((1, 2), np.int32))
    named = MaskClasses(np.array([0, 0]), np.array([1, 2]), np.array([0.6, 0.3]))
    assert point_classes(masks, named, np.array([0, 1])).tolist() == [1, 1]


def test_scores_by_hand() -> None:
    true = np.array([1, 1, 1, 1, 2, 2, 0, 0, -1, -1])
    found = np.array([1, 1, 2, 0, 2, 2, 2, 0, 1, 2])
    result = score_semantic(true, found, NAMES)
    # book: 2 of 4 points, nothing else is called a book: 2/4. cup: both points, and two more (book, floor): 2/4.
    # The last two points are void; the table is not in the truth.
    assert result.per_class == {"book": (0.5, 0.5), "cup": (0.5, 1.0)}
    assert (result.miou, result.mean_accuracy) == (0.5, 0.75)
    assert result.accuracy == pytest.approx(4 / 6)


def test_nothing_to_name_is_not_a_number() -> None:
    result = score_semantic(np.array([0, -1]), np.array([1, 1]), NAMES)
    assert np.isnan([result.miou, result.mean_accuracy, result.accuracy]).all() and not result.per_class


def test_structure_is_no_thing_and_unscored_things_are_void(scene: Path) -> None:
    truth = load_folder(scene)
    classes = true_classes(truth)
    values, counts = np.unique(classes, return_counts=True)
    # void 64 and the sliver 10; floor 2400; book 120, cup 100, table 800
    assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == {-1: 74, 0: 2400, 1: 120, 2: 100, 4: 800}
    assert CATEGORIES["table"] == 4


def test_metrics_of_a_run(run: Path, scene: Path) -> None:
    metrics = write_report(run, scene)
    semantic = metrics["semantic"]
    # Half of the book has no mask; the mask on the floor has no name.
    assert semantic["per_class"]["book"] == {"iou": 0.5, "accuracy": 0.5}
    assert semantic["per_class"]["cup"]["iou"] == semantic["per_class"]["table"]["iou"] == 1.0
    assert semantic["miou"] == pytest.approx(2.5 / 3, abs=1e-6)
    assert semantic["accuracy"] == pytest.approx(960 / 1020, abs=1e-6)
    assert "Named points" in (run / "report.html").read_text(encoding="utf-8")
