"""Loading truth: what holds when, and errors that name the place."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from moss_ros.evaluation.ground_truth import AFTER, BEFORE, TruthError, load_folder


def test_folder(scene: Path) -> None:
    truth = load_folder(scene)
    assert truth.points_m.dtype == np.float64 and truth.instance.dtype == np.int32
    assert truth.points_m.max() == pytest.approx(0.8)
    assert truth.evaluated_ids.tolist() == [2, 3, 4]
    assert truth.instances[1].kind == "structure" and truth.instances[2].name == "the cup"
    assert truth.categories[4] == "table"


def test_changed_scene_has_two_times(scene: Path) -> None:
    with np.load(scene / "gt_points.npz") as arrays:
        data = dict(arrays)
    valid = np.full(len(data["instance"]), BEFORE | AFTER, np.uint8)
    valid[data["instance"] == 2] = BEFORE
    np.savez(scene / "gt_points.npz", **data, valid=valid)
    listed = json.loads((scene / "instances.json").read_text())
    for entry in listed["instances"]:
        entry["evaluate_before"] = entry["evaluate"]
        entry["evaluate_after"] = entry["evaluate"] and entry["id"] != 2
    (scene / "instances.json").write_text(json.dumps(listed))
    after, before = load_folder(scene), load_folder(scene, BEFORE)
    assert after.evaluated_ids.tolist() == [3, 4] and not (after.instance == 2).any()
    assert before.evaluated_ids.tolist() == [2, 3, 4] and (before.instance == 2).sum() == 100


def test_errors_name_file_and_line(scene: Path) -> None:
    path = scene / "instances.json"
    good = path.read_text()
    path.write_text('{\n "instances": [\n}')
    with pytest.raises(TruthError, match=r"instances\.json:3: "):
        load_folder(scene)
    path.write_text(good.replace('"category_id": 2', '"no": 2', 1))
    with pytest.raises(TruthError, match=r"instances\[2\].*category_id"):
        load_folder(scene)
    listed = json.loads(good)
    listed["instances"] = listed["instances"][:2]
    path.write_text(json.dumps(listed))
    with pytest.raises(TruthError, match=r"not listed: \[2, 3, 5\]"):
        load_folder(scene)
    path.write_text(good)
    np.savez(scene / "gt_points.npz", xyz_mm=np.zeros((1, 3)))
    with pytest.raises(TruthError, match="has no category, instance"):
        load_folder(scene)
    (scene / "gt_points.npz").unlink()
    with pytest.raises(TruthError, match="missing"):
        load_folder(scene)


@pytest.mark.parametrize("name", ["sim_living_kitchen", "real_redkitchen"])
def test_shared_scenes(shared_data, name: str) -> None:
    truth = load_folder(shared_data(name))
    assert len(truth.evaluated_ids) == {"sim_living_kitchen": 52, "real_redkitchen": 53}[name]
    sizes = np.bincount(truth.instance)
    assert all(sizes[i] >= 60 for i in truth.evaluated_ids)
