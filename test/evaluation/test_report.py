"""From folders to metrics.json, report.html and a comparison."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from moss_ros.evaluation.compare import compare
from moss_ros.evaluation.ground_truth import TruthError
from moss_ros.evaluation.report import table, write_report
from moss_ros.evaluation.run_files import load_run


def test_run_files_leave_out_what_is_gone(run: Path) -> None:
    files = load_run(run)
    assert files.ids.tolist() == [7, 9, 12, 20]
    assert files.labels == ("table", "cup", "book", "object")
    assert files.masks.shape == (4, len(files.points_m))
    assert len(files.points_of(9)) == 100


def test_run_files_must_fit_together(run: Path) -> None:
    (run / "instances.json").write_text(json.dumps({"instances": []}))
    with pytest.raises(TruthError, match=r"\[7, 9, 12, 20, 21\] are not in instances.json"):
        load_run(run)
    (run / "map" / "masks.npz").unlink()
    with pytest.raises(TruthError, match="masks.npz: missing"):
        load_run(run)


def test_metrics(run: Path, scene: Path) -> None:
    metrics = write_report(run, scene)
    assert metrics == json.loads((run / "metrics.json").read_text())
    agnostic = metrics["class_agnostic"]
    assert agnostic["best_iou"] == {"2": 1.0, "3": 0.5, "4": 1.0}
    # Table and cup are right, the half book has IoU 0.5 exactly, which is not above 0.5: 2 of 3, last one false.
    assert agnostic["ap50"] == pytest.approx(2 / 3, abs=1e-6)
    assert agnostic["ap50_constant"] == pytest.approx(2 / 3 * (1 + 2 / 3) / 2, abs=1e-6)
    assert agnostic["ap25"] == 1.0
    top1 = metrics["labelled"]["top1"]
    assert top1["ap50"] == pytest.approx(2 / 3, abs=1e-6) and top1["ap25_constant"] == 1.0
    assert top1["head"] is None
    assert "topk" not in metrics["labelled"] and "retrieval" not in metrics and "changes" not in metrics


def test_optional_files(run: Path, scene: Path) -> None:
    names = np.array(["cup", "book", "table", "spaceship"])
    scores = np.array([[0, 0, 0.9, 0], [0.9, 0, 0, 0], [0.8, 0.5, 0, 0.9], [0, 0, 0, 1], [1, 0, 0, 0]], np.float32)
    np.savez(run / "map" / "class_scores.npz", names=names, ids=np.array([7, 9, 12, 20, 21]), scores=scores)
    query = {"query": "a cup", "kind": "synonym", "present": True, "instances": [2], "points": [], "radii_m": []}
    (scene / "queries.json").write_text(json.dumps({"queries": [query]}))
    answer = {"query": "a cup", "status": "found", "hits": [{"id": 9, "centroid_m": [0, 0, 0.8]}]}
    (run / "answers.json").write_text(json.dumps({"answers": [answer]}))
    moved = {"moved": [{"id": 2, "before": [0, 0, 0], "after": [1, 0, 0]}]}
    (scene / "changes.json").write_text(json.dumps(moved))
    (run / "changes.json").write_text(json.dumps(moved))
    metrics = write_report(run, scene)
    assert metrics["labelled"]["topk"]["ap25"] == 1.0 and metrics["labelled"]["topk"]["k"] == 300
    assert metrics["labelled"]["top1"]["per_class"]["book"]["ap25"] == 0.0  # it was called a cup
    assert metrics["retrieval"]["success_at_1"] == 1.0 and metrics["retrieval"]["queries"][0]["rank"] == 1
    assert metrics["changes"]["moved"]["f1"] == 1.0 and metrics["changes"]["added"]["f1"] is None
    html = (run / "report.html").read_text()
    assert "Queries" in html and "Changes" in html and "topk" in html


def test_html_is_one_self_contained_page(run: Path, scene: Path) -> None:
    write_report(run, scene)
    html = (run / "report.html").read_text(encoding="utf-8")
    assert html.startswith("<!DOCTYPE html>") and html.rstrip().endswith("</html>")
    assert len(re.findall(r'src="data:image/png;base64,', html)) == 5
    assert not re.findall(r'(?:src|href)="(?!data:)', html)
    assert "512 MB" in html and "8, 1" in html and "the book" in html


def test_a_run_without_instances_still_reports(run: Path, scene: Path) -> None:
    (run / "instances.json").write_text(json.dumps({"instances": []}))
    none = np.zeros(0, np.int32)
    np.savez(run / "map" / "masks.npz", offsets=np.zeros(1, int), voxels=none, ids=none, scores=none.astype(np.float32))
    metrics = write_report(run, scene)
    assert metrics["class_agnostic"]["ap"] == 0.0 and metrics["class_agnostic"]["precision50"] is None


def test_names_are_escaped() -> None:
    assert "<script>" not in table(("<b>",), [("<script>",)])


def test_compare(run: Path, scene: Path, tmp_path: Path) -> None:
    write_report(run, scene)
    other = tmp_path / "other"
    other.mkdir()
    facts = json.loads((run / "run.json").read_text())
    facts["seconds"] = 5.0
    (other / "run.json").write_text(json.dumps(facts))
    comparison = compare(run, other)
    rows = {row.name: row for row in comparison.rows}
    assert rows["seconds"].difference == 3.0
    assert rows["class_agnostic.ap25"].a == 1.0 and rows["class_agnostic.ap25"].b is None
    text = str(comparison)
    assert "run" in text.splitlines()[0] and "+3.0" in text
