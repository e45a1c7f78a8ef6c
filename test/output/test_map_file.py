"""A map that was saved answers as the live one: everything comes back, and a broken folder says what is wrong."""

import json

import numpy as np
import pytest
from fake_pipeline import instance

from moss_ros.geometry.camera import Camera
from moss_ros.mapping.observed import ObservedSpace
from moss_ros.output.map_file import MapFileError, load_map, write_map
from moss_ros.output.run_folder import write_instances
from moss_ros.records import Embeddings

POINTS = np.arange(12, dtype=np.float32).reshape(4, 3)
COLORS = np.arange(12, dtype=np.uint8).reshape(4, 3)
EMBEDDINGS = Embeddings(
    "model",
    np.array([2, 5], np.int32),
    np.eye(2, dtype=np.float32),
    np.ones((2, 2), np.float32),
    np.array([1, 3]),
    np.ones((2, 3), np.float32),
)


def test_map_masks_are_rows_of_its_points(tmp_path):
    points = np.arange(12, dtype=np.float32).reshape(4, 3)
    write_map(
        tmp_path,
        points,
        np.zeros((4, 3), np.uint8),
        {5: np.array([1, 3]), 2: np.array([0])},
        {5: 0.5, 2: 1.0},
    )
    masks = np.load(tmp_path / "map" / "masks.npz")
    assert masks["ids"].tolist() == [2, 5]
    assert masks["offsets"].tolist() == [0, 1, 3]
    assert masks["voxels"].tolist() == [0, 1, 3]
    assert masks["scores"].tolist() == [1.0, 0.5]
    assert np.array_equal(np.load(tmp_path / "map" / "points.npz")["xyz"], points)


def saved(folder, **more):
    write_instances(folder, (instance(2), instance(5, label="bowl")))
    rows = {5: np.array([1, 3]), 2: np.array([0])}
    write_map(folder, POINTS, COLORS, rows, {5: 0.5, 2: 1.0}, **more)
    return folder


def test_instances_come_back_with_their_points(tmp_path):
    first, second = load_map(saved(tmp_path)).snapshot.instances
    assert (first.id, second.id, second.label) == (2, 5, "bowl")
    np.testing.assert_array_equal(second.points_m, POINTS[[1, 3]])
    np.testing.assert_array_equal(second.colors_rgb, COLORS[[1, 3]])
    assert second.box.yaw_rad == pytest.approx(0.5, abs=1e-5)
    assert second.state == instance().state
    assert (second.first_seen_ns, second.last_seen_ns) == (1_500_000_001, 2_500_000_002)


def test_embeddings_and_seen_space_come_back(tmp_path):
    observed = ObservedSpace(cell_m=0.2)
    camera_looks = np.eye(4)
    observed.add(np.full((48, 64), 2.0, np.float32), camera_looks, Camera(50.0, 50.0, 31.5, 23.5, 64, 48))
    stored = load_map(saved(tmp_path, embeddings=EMBEDDINGS, observed=observed))
    assert stored.embeddings is not None and stored.observed is not None
    assert stored.embeddings.model == "model"
    np.testing.assert_array_equal(stored.embeddings.mean, EMBEDDINGS.mean)
    np.testing.assert_array_equal(stored.embeddings.best, EMBEDDINGS.best)
    assert len(stored.observed) == len(observed) > 0
    assert stored.observed.share() == observed.share()


def test_map_without_words_has_none(tmp_path):
    stored = load_map(saved(tmp_path))
    assert stored.embeddings is None
    assert stored.observed is None


def test_missing_folder_says_who_writes_it(tmp_path):
    with pytest.raises(MapFileError, match="moss replay"):
        load_map(tmp_path / "nothing")


def test_other_version_is_refused(tmp_path):
    manifest = saved(tmp_path) / "map" / "manifest.json"
    manifest.write_text(json.dumps({"format": "moss_map", "version": 99}))
    with pytest.raises(MapFileError, match="version"):
        load_map(tmp_path)


def test_instance_without_a_field_names_it(tmp_path):
    path = saved(tmp_path) / "instances.json"
    listed = json.loads(path.read_text())
    del listed["instances"][0]["centroid_m"]
    path.write_text(json.dumps(listed))
    with pytest.raises(MapFileError, match="centroid_m"):
        load_map(tmp_path)
