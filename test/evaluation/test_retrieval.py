"""Queries and changes, scored by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from small_scene import BOOK, CUP, TABLE

from moss_ros.evaluation.changes import Change, load_changes, score_changes
from moss_ros.evaluation.ground_truth import GroundTruth, TruthError, load_folder
from moss_ros.evaluation.retrieval import (
    ABSENT,
    FOUND,
    NOT_OBSERVED,
    Answer,
    Hit,
    Query,
    load_queries,
    score_retrieval,
)
from moss_ros.records import OrientedBox


def hit(truth: GroundTruth, *ids: int) -> Hit:
    points = truth.points_m[np.isin(truth.instance, ids)]
    return Hit(ids[0], points.mean(0), points)


CUPS = Query("cup", "synonym", True, (CUP,))
NO_PIANO = Query("piano", "absent", False)


def test_ranks_and_shares(scene: Path) -> None:
    truth = load_folder(scene)
    queries = [CUPS, Query("novel", "relation", True, (BOOK,)), Query("desk", "relation", True, (TABLE,)), NO_PIANO]
    answers = [
        Answer("cup", FOUND, (hit(truth, BOOK), hit(truth, CUP))),
        Answer("novel", FOUND, (hit(truth, BOOK),)),
        Answer("desk", ABSENT, (hit(truth, TABLE),)),
        Answer("piano", FOUND, (hit(truth, TABLE),)),
    ]
    result = score_retrieval(queries, answers, truth)
    assert [q.rank for q in result.queries] == [2, 1, None, None]
    assert result.success_at_1 == pytest.approx(1 / 3)
    assert result.success_at_5 == pytest.approx(2 / 3)
    assert (result.false_found, result.false_absent, result.relation_success_at_1) == (1.0, pytest.approx(1 / 3), 0.5)
    assert result.by_kind == {"absent": 0.0, "relation": 0.5, "synonym": 0.0}


def test_not_observed_is_neither_found_nor_absent(scene: Path) -> None:
    truth = load_folder(scene)
    result = score_retrieval([CUPS, NO_PIANO], [Answer("cup", NOT_OBSERVED), Answer("piano", NOT_OBSERVED)], truth)
    assert (result.success_at_1, result.false_absent, result.false_found) == (0.0, 0.0, 0.0)


def test_also_ok_and_void_take_no_rank(scene: Path) -> None:
    truth = load_folder(scene)
    query = Query("cup", "synonym", True, (CUP,), also_ok=(BOOK,))
    void = Hit(9, np.zeros(3), truth.points_m[truth.instance == 0])
    answer = Answer("cup", FOUND, (hit(truth, BOOK), void, hit(truth, CUP)))
    assert score_retrieval([query], [answer], truth).queries[0].rank == 1


def test_boxes_stand_for_points(scene: Path) -> None:
    truth = load_folder(scene)
    points = truth.points_m[truth.instance == CUP]
    box = OrientedBox(points.mean(0), np.ptp(points, axis=0) + 0.01, 0.0)
    answer = Answer("cup", FOUND, (Hit(1, points.mean(0), box=box),))
    assert score_retrieval([CUPS], [answer], truth).queries[0].rank == 1
    turned = OrientedBox(points.mean(0) + [0.3, 0.1, -0.05], np.array([0.1, 0.05, 0.02]), np.pi / 2)
    assert (
        score_retrieval([CUPS], [Answer("cup", FOUND, (Hit(1, points.mean(0), box=turned),))], truth).success_at_1 == 0
    )


def test_count_wants_all(scene: Path) -> None:
    truth = load_folder(scene)
    query = Query("things", "count", True, (CUP, BOOK))
    half = Answer("things", FOUND, (hit(truth, CUP), hit(truth, TABLE), hit(truth, BOOK)))
    assert score_retrieval([query], [half], truth).queries[0].recall == 0.5
    whole = Answer("things", FOUND, (hit(truth, BOOK), hit(truth, CUP)))
    assert score_retrieval([query], [whole], truth).queries[0].recall == 1.0


def test_clicked_and_centres_without_truth() -> None:
    clicked = Query("mug", "clicked", True, points_m=np.array([[0.0, 0, 0]]), radii_m=np.array([0.1]))
    far_center_near_point = Hit(1, np.array([0.5, 0, 0]), np.array([[0.09, 0, 0], [0.9, 0, 0]]))
    assert score_retrieval([clicked], [Answer("mug", FOUND, (far_center_near_point,))]).success_at_1 == 1.0
    listed = Query("mug", "synonym", True, (4,), points_m=np.array([[0.0, 0, 0]]), radii_m=np.array([0.2]))
    for x, right in ((0.149, 1.0), (0.151, 0.0)):  # half of 0.2 and 5 cm
        answer = Answer("mug", FOUND, (Hit(1, np.array([x, 0, 0])),))
        assert score_retrieval([listed], [answer]).success_at_1 == right


def test_query_files(tmp_path: Path, shared_data) -> None:
    queries = load_queries(shared_data("real_redkitchen/queries.json"))
    assert len(queries) == 40 and queries[0].instances == (3, 4) and queries[0].points_m.shape == (2, 3)
    assert len(load_queries(shared_data("real_redkitchen/queries_clicked.json"))) == 16


def test_perfect_answers_on_the_shared_scene(shared_data) -> None:
    folder = shared_data("sim_living_kitchen")
    truth, queries = load_folder(folder), load_queries(folder / "queries.json")
    answers = [
        Answer(q.text, FOUND if q.present else ABSENT, tuple(hit(truth, i) for i in q.instances)) for q in queries
    ]
    for result in (score_retrieval(queries, answers, truth), score_retrieval(queries, answers)):
        assert (result.success_at_1, result.false_found, result.false_absent) == (1.0, 0.0, 0.0)
        assert all(math.isnan(q.recall) or q.recall == 1.0 for q in result.queries)


def test_bad_files_and_answers(tmp_path: Path) -> None:
    path = tmp_path / "queries.json"
    path.write_text(json.dumps({"queries": [{"query": "cup", "kind": "synonym"}]}))
    with pytest.raises(TruthError, match=r"queries\[0\].*present"):
        load_queries(path)
    with pytest.raises(ValueError, match="no answer to 1 queries"):
        score_retrieval([CUPS], [])
    with pytest.raises(ValueError, match="status"):
        Answer("cup", "maybe")


def test_changes() -> None:
    a, b, c = np.zeros(3), np.array([1.0, 0, 0]), np.array([2.0, 0, 0])
    true = [Change("moved", 1, a, b), Change("removed", 2, c), Change("removed", 3, b)]
    near = np.array([0.1, 0, 0])
    reported = [
        Change("moved", 9, a + near, b - near),
        Change("moved", 8, a, c),  # moved, but not there
        Change("removed", 7, c + near),
        Change("added", 6, None, a),
    ]
    scores = score_changes(true, reported)
    assert (scores["moved"].precision, scores["moved"].recall) == (0.5, 1.0)
    assert scores["moved"].f1 == pytest.approx(2 / 3)
    assert (scores["removed"].precision, scores["removed"].recall) == (1.0, 0.5)
    assert scores["added"].precision == 0.0 and math.isnan(scores["added"].recall)


def test_each_true_change_takes_one_report() -> None:
    # The first true change could take either report, the second only the first one: both are matched.
    place = [np.array([x, 0.0, 0.0]) for x in (0.0, 0.25, 0.5)]
    true = [Change("removed", 1, place[1]), Change("removed", 2, place[0])]
    reported = [Change("removed", 1, place[1]), Change("removed", 2, place[2])]
    assert score_changes(true, reported)["removed"].right == 2
    assert score_changes(true[:1], reported)["removed"].right == 1


def test_change_files(tmp_path: Path) -> None:
    path = tmp_path / "changes.json"
    data = {
        "switch_frame": 3,
        "removed": [{"id": 4, "position": [0, 0, 1]}],
        "moved": [{"id": 5, "before": [0, 0, 0], "after": [1, 0, 0]}],
    }
    path.write_text(json.dumps(data))
    changes = load_changes(path)
    assert [c.kind for c in changes] == ["moved", "removed"] and changes[0].after_m[0] == 1.0
    path.write_text(json.dumps({"moved": [{"id": 5, "before": [0, 0, 0]}]}))
    with pytest.raises(TruthError, match=r"moved\[0\].*after"):
        load_changes(path)
