"""Things scored by what the truth says of them: quality and size, worked out on the small scene."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from small_scene import BOOK, CUP, FLOOR, SLIVER, TABLE

from moss_ros.evaluation.class_agnostic import numbers, only
from moss_ros.evaluation.overlaps import Overlaps, TruthColumns
from moss_ros.evaluation.report import write_report

QUALITY = {FLOOR: "structure", TABLE: "good", CUP: "good", BOOK: "fair", SLIVER: "poor"}
SIZE = {FLOOR: "structure", TABLE: "large", CUP: "small", BOOK: "flat", SLIVER: "small"}


@pytest.fixture
def graded(scene: Path) -> Path:
    """The small scene with a quality and a size class for everything."""
    path = scene / "instances.json"
    listed = json.loads(path.read_text())
    for entry in listed["instances"]:
        entry["quality"], entry["size_class"] = QUALITY[entry["id"]], SIZE[entry["id"]]
    path.write_text(json.dumps(listed))
    return scene


def test_good_things_alone(run: Path, graded: Path) -> None:
    metrics = write_report(run, graded)
    quality = metrics["groups"]["quality"]
    assert set(quality) == {"good", "fair"}  # structure and what is not evaluated have no row
    # Table and cup are found exactly; the half book lies on a thing of another kind and counts as nothing.
    good = quality["good"]
    assert good["things"] == 2 and good["ap"] == good["ap50"] == good["ap50_constant"] == 1.0
    assert good["recall50"] == good["precision50"] == 1.0
    # The half book has IoU 0.5 exactly: wrong at 0.5, right at 0.25. Table and cup count as nothing here.
    fair = quality["fair"]
    assert fair["things"] == 1 and fair["ap50"] == 0.0 and fair["recall50"] == 0.0
    assert fair["ap25"] == fair["ap25_constant"] == fair["recall25"] == fair["precision25"] == 1.0


def test_sizes_apart(run: Path, graded: Path) -> None:
    sizes = write_report(run, graded)["groups"]["size_class"]
    assert {name: s["things"] for name, s in sizes.items()} == {"flat": 1, "large": 1, "small": 1}
    assert {name: s["recall50"] for name, s in sizes.items()} == {"flat": 0.0, "large": 1.0, "small": 1.0}


def test_report_lists_the_kinds(run: Path, graded: Path) -> None:
    write_report(run, graded)
    html = (run / "report.html").read_text(encoding="utf-8")
    assert "Kinds of things" in html and "quality: good" in html and "size class: flat" in html


def test_truth_without_grades_has_no_groups(run: Path, scene: Path) -> None:
    assert "groups" not in write_report(run, scene)
    assert "Kinds of things" not in (run / "report.html").read_text(encoding="utf-8")


def test_other_things_become_void() -> None:
    # Points: 3 of thing 4, 2 of thing 7, 5 of thing 9, 1 void. Masks: all of 4 and 7; one point of each.
    column = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 2, 3])
    truth = TruthColumns(column, np.array([4, 7, 9]), np.array([1, 1, 2]), np.array([3, 2, 5]))
    whole = Overlaps(truth, csr_matrix([[3, 2, 0], [1, 1, 1]]), np.array([5, 4]), np.array([0, 1]))
    part = only(whole, [9, 4])
    assert part.truth.ids.tolist() == [4, 9] and part.truth.class_ids.tolist() == [1, 2]
    assert part.truth.points.tolist() == [3, 5]
    assert part.truth.column.tolist() == [0, 0, 0, 2, 2, 1, 1, 1, 1, 1, 2]
    assert part.counts.toarray().tolist() == [[3, 0], [1, 1]]
    assert part.void_points.tolist() == [2, 2] and part.mask_points.tolist() == [5, 4]
    assert only(whole, [4, 7, 9]).void_points.tolist() == [0, 1]


def test_numbers_without_things_are_nan() -> None:
    truth = TruthColumns(np.zeros(3, np.int64), np.zeros(0, int), np.zeros(0, int), np.zeros(0, int))
    nothing = Overlaps(truth, csr_matrix((1, 0), dtype=np.int64), np.array([3]), np.array([3]))
    result = numbers(nothing, np.ones(1), min_points=1)
    assert np.isnan(result["ap"]) and np.isnan(result["recall50"])
