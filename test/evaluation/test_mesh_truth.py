"""ScanNet and Replica files, binary and text."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from moss_ros.evaluation.ground_truth import TruthError
from moss_ros.evaluation.label_sets import Label, LabelSet
from moss_ros.evaluation.mesh_truth import load_replica, load_scannet
from moss_ros.evaluation.ply import read_ply

LABELS = LabelSet("test", (Label(1, "wall", stuff=True), Label(2, "chair"), Label(20, "cup")))
VERTICES = [(0.0, 0.0, 0.0), (1.0, 0.0, 0.5), (0.0, 2.0, 0.0), (1.0, 2.0, 0.25), (3.0, 2.0, 0.25)]
FACES = [(0, 1, 2, 2, 7), (2, 3, 4, 4, 9)]  # four corners and an object


def write_ply(path: Path, form: str) -> None:
    header = (
        f"ply\nformat {form} 1.0\ncomment made by a test\nelement vertex {len(VERTICES)}\n"
        "property float x\nproperty float y\nproperty float z\nproperty uchar red\n"
        f"element face {len(FACES)}\nproperty list uchar int vertex_indices\nproperty int object_id\nend_header\n"
    )
    if form == "ascii":
        rows = [f"{x} {y} {z} 200" for x, y, z in VERTICES]
        rows += [f"4 {a} {b} {c} {d} {o}" for a, b, c, d, o in FACES]
        path.write_text(header + "\n".join(rows) + "\n")
        return
    order = "<" if "little" in form else ">"
    vertex = np.dtype([("p", order + "f4", 3), ("red", "u1")])
    face = np.dtype([("n", "u1"), ("i", order + "i4", 4), ("o", order + "i4")])
    body = np.array([(v, 200) for v in VERTICES], vertex).tobytes()
    body += np.array([(4, f[:4], f[4]) for f in FACES], face).tobytes()
    path.write_bytes(header.encode() + body)


@pytest.mark.parametrize("form", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_ply_forms_agree(tmp_path: Path, form: str) -> None:
    write_ply(tmp_path / "m.ply", form)
    mesh = read_ply(tmp_path / "m.ply")
    np.testing.assert_array_equal(np.stack([mesh["vertex"][a] for a in "xyz"], 1), VERTICES)
    np.testing.assert_array_equal(mesh["face"]["vertex_indices"], [f[:4] for f in FACES])
    np.testing.assert_array_equal(mesh["face"]["object_id"], [7, 9])


def test_scannet(tmp_path: Path) -> None:
    write_ply(tmp_path / "m.ply", "binary_little_endian")
    (tmp_path / "m.txt").write_text("1000\n2001\n20003\n5004\n12\n")
    truth = load_scannet(tmp_path / "m.ply", tmp_path / "m.txt", LABELS)
    assert truth.instance.tolist() == [1000, 2001, 20003, 0, 0]
    assert truth.category_id.tolist() == [1, 2, 20, 0, 0]
    assert truth.evaluated_ids.tolist() == [2001, 20003]  # walls are stuff
    assert truth.instances[20003].category == "cup"


def test_scannet_errors_name_the_line(tmp_path: Path) -> None:
    write_ply(tmp_path / "m.ply", "ascii")
    (tmp_path / "m.txt").write_text("1000\n2001\nchair\n5004\n12\n")
    with pytest.raises(TruthError, match=r"m\.txt:3: .*chair"):
        load_scannet(tmp_path / "m.ply", tmp_path / "m.txt", LABELS)
    (tmp_path / "m.txt").write_text("1000\n")
    with pytest.raises(TruthError, match="1 lines, but .* 5 vertices"):
        load_scannet(tmp_path / "m.ply", tmp_path / "m.txt", LABELS)


def test_replica(tmp_path: Path) -> None:
    (tmp_path / "habitat").mkdir()
    write_ply(tmp_path / "habitat" / "mesh_semantic.ply", "binary_little_endian")
    info = {"objects": [{"id": 7, "class_id": 20}, {"id": 9, "class_id": 2}, {"id": 3, "class_id": 55}]}
    (tmp_path / "habitat" / "info_semantic.json").write_text(json.dumps(info))
    truth = load_replica(tmp_path, LABELS)
    assert truth.instance.tolist() == [7, 7, 9, 9, 9]
    assert truth.category_id.tolist() == [20, 20, 2, 2, 2]
    assert sorted(truth.instances) == [7, 9]


def test_broken_ply(tmp_path: Path) -> None:
    path = tmp_path / "m.ply"
    path.write_text("solid")
    with pytest.raises(TruthError, match="not a PLY"):
        read_ply(path)
    write_ply(path, "ascii")
    path.write_text(path.read_text().replace("property float y", "property real y"))
    with pytest.raises(TruthError, match=r"m\.ply:6: "):
        read_ply(path)
    write_ply(path, "binary_little_endian")
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(TruthError, match="ends within element face"):
        read_ply(path)
    write_ply(path, "ascii")
    path.write_text(path.read_text().replace("1.0 2.0 0.25 200", "1.0 x 0.25 200"))
    with pytest.raises(TruthError, match=r"m\.ply:16: "):
        read_ply(path)
