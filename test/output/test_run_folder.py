import json

import numpy as np
import pytest

from moss_ros.output.run_folder import instance_as_dict, new_folder, table, write_instances
from moss_ros.records import Instance, InstanceState, OrientedBox


def an_instance(number: int = 7) -> Instance:
    return Instance(
        id=number, state=InstanceState.CONFIRMED,
        box=OrientedBox(np.array([1.0, 2.0, 0.5]), np.array([0.4, 0.2, 0.1]), np.pi / 6),
        centroid_m=np.array([1.01, 2.0, 0.5]), points_m=np.zeros((3, 3), np.float32),
        colors_rgb=np.zeros((3, 3), np.uint8), score=0.9, label="object", label_score=0.0, first_seen_ns=1,
        last_seen_ns=2, observations=4, source="object",
    )  # fmt: skip


def test_an_old_run_is_never_overwritten(tmp_path):
    first = new_folder(tmp_path / "run")
    (first / "file").write_text("kept")
    second = new_folder(tmp_path / "run")
    assert (first.name, second.name) == ("run", "run-2")
    assert (first / "file").read_text() == "kept"


def test_an_empty_folder_is_used(tmp_path):
    (tmp_path / "run").mkdir()
    assert new_folder(tmp_path / "run") == tmp_path / "run"


def test_quaternion_of_a_yaw_of_30_degrees():
    quaternion = instance_as_dict(an_instance())["box"]["quaternion_xyzw"]
    assert quaternion == pytest.approx([0, 0, 0.258819, 0.965926], abs=1e-6)


def test_instances_file_reads_back(tmp_path):
    write_instances(tmp_path, (an_instance(3),))
    (row,) = json.loads((tmp_path / "instances.json").read_text())["instances"]
    assert (row["id"], row["state"], row["points"], row["box"]["size_m"]) == (
        3,
        "CONFIRMED",
        3,
        [0.4, 0.2, 0.1],
    )


def test_table_has_a_line_per_instance():
    lines = table((an_instance(3), an_instance(12))).splitlines()
    assert len(lines) == 3
    assert lines[2].split()[:5] == ["12", "object", "0.40", "0.20", "0.10"]
