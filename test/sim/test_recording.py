"""A whole recording: bag, truth and id images agree with each other and with the scene."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from rosbags.interfaces import QosDurability
from small_home import FRAMES, SMALL_CAMERA, record_small

from moss_ros.evaluation.ground_truth import load_folder
from moss_ros.sim.bag_writer import DEPTH, START_NS, TOPICS
from moss_ros.sim.rays import RayScene
from moss_ros.sim.render import pixel_rays
from moss_ros.sim.run import Plan, generate
from moss_ros.sim.triangles import build

Recording = tuple[Path, Plan]


def decoded(data: np.ndarray) -> np.ndarray:
    image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    assert image is not None
    return image


def masks(folder: Path) -> list[np.ndarray]:
    with zipfile.ZipFile(folder / "instance_masks.zip") as z:
        assert z.namelist() == [f"{i:04d}.png" for i in range(FRAMES)]
        return [decoded(np.frombuffer(z.read(n), np.uint8)) for n in z.namelist()]


def depth_images(folder: Path) -> list[np.ndarray]:
    with AnyReader([folder / "bag"]) as reader:
        return [
            decoded(reader.deserialize(raw, c.msgtype).data[12:])  # type: ignore[attr-defined]
            for c, _, raw in reader.messages()
            if c.topic == DEPTH
        ]


def test_bag_has_all_topics_and_stamps(small_recording: Recording) -> None:
    folder, plan = small_recording
    with AnyReader([folder / "bag"]) as reader:
        counts = {c.topic: c.msgcount for c in reader.connections}
        assert counts == {t: 1 if t == "/tf_static" else FRAMES for t in TOPICS}
        static = next(c for c in reader.connections if c.topic == "/tf_static")
        assert static.ext.offered_qos_profiles[0].durability is QosDurability.TRANSIENT_LOCAL  # type: ignore[union-attr]
        poses = [
            (t, reader.deserialize(raw, c.msgtype)) for c, t, raw in reader.messages() if c.topic == "/camera/pose"
        ]
    assert [t for t, _ in poses] == [START_NS + i * 10**8 for i in range(FRAMES)]
    for (_, message), pose in zip(poses, plan.poses, strict=True):
        p = message.pose.position  # type: ignore[attr-defined]
        assert [p.x, p.y, p.z] == pytest.approx(pose[:3, 3])
        assert message.header.frame_id == "map"  # type: ignore[attr-defined]


def test_depth_decodes_and_agrees_with_the_scene(small_recording: Recording) -> None:
    folder, plan = small_recording
    rays = RayScene(build(plan.scene).corners_m)
    for image, pose in zip(depth_images(folder), plan.poses, strict=True):
        assert image.dtype == np.uint16 and image.shape == (SMALL_CAMERA.height, SMALL_CAMERA.width)
        directions = pixel_rays(SMALL_CAMERA, pose)
        true = rays.cast(np.broadcast_to(pose[:3, 3], directions.shape), directions).distance.reshape(image.shape)
        valid = image > 0
        assert valid.mean() > 0.6
        # The small camera's focal length makes coarse disparity steps.
        assert np.median(np.abs(image[valid] / 1000 - true[valid])) < 0.02


def test_mask_ids_are_listed_instances(small_recording: Recording) -> None:
    folder, plan = small_recording
    listed = {i["id"]: i for i in json.loads((folder / "instances.json").read_text())["instances"]}
    images = masks(folder)
    assert {int(v) for m in images for v in np.unique(m)} - {0} <= set(listed)
    assert {p.id for p in plan.scene.placed} <= set(listed)
    for i, row in listed.items():
        counts = [int((m == i).sum()) for m in images]
        assert row["max_pixels"] == max(counts)
        assert row["frames_visible"] == sum(c >= 150 for c in counts)


def test_points_lie_on_the_meshes(small_recording: Recording) -> None:
    folder, plan = small_recording
    truth = load_folder(folder)
    triangles = build(plan.scene)
    rays = RayScene(triangles.corners_m)
    with np.load(folder / "gt_points.npz") as arrays:
        assert arrays["xyz_mm"].dtype == np.int16 and arrays["rgb"].dtype == np.uint8
        assert arrays["instance"].dtype == np.uint8 and arrays["category"].dtype == np.uint8
        assert arrays["poses"].shape == (FRAMES, 4, 4) and arrays["stamps_ns"].dtype == np.int64
        assert arrays["K"] == pytest.approx(SMALL_CAMERA.matrix)
    # From some camera, each point is the first thing on the ray to it (1 mm rounding moves a few over an edge).
    nearest = np.full(len(truth.points_m), np.inf)
    for pose in plan.poses:
        offset = truth.points_m - pose[:3, 3]
        hits = rays.cast(np.broadcast_to(pose[:3, 3], offset.shape), offset)
        miss = np.abs(hits.distance - 1) * np.linalg.norm(offset, axis=1)
        same = triangles.instance[hits.triangle] == truth.instance
        nearest = np.minimum(nearest, np.where(same, miss, np.inf))
    assert np.quantile(nearest, 0.97) < 0.003
    cells = np.column_stack([np.floor(truth.points_m * 100).astype(int), truth.instance])
    assert len(np.unique(cells, axis=0)) > 0.85 * len(cells)  # one for each voxel, up to rounding


def test_seen_boxes_lie_in_whole_boxes(small_recording: Recording) -> None:
    folder, _ = small_recording
    rows = json.loads((folder / "instances.json").read_text())["instances"]
    assert any(r["evaluate"] for r in rows)
    for r in rows:
        if "visible_aabb_min" in r:
            assert (np.array(r["visible_aabb_min"]) >= np.array(r["aabb_min"]) - 0.002).all()
            assert (np.array(r["visible_aabb_max"]) <= np.array(r["aabb_max"]) + 0.002).all()


@pytest.mark.parametrize("workers", [1, 2])
def test_same_content_again_with_any_number_of_workers(
    small_recording: Recording, tmp_path: Path, workers: int
) -> None:
    folder, _ = small_recording
    again = tmp_path / "again"
    record_small(again, workers)
    for name in ("instances.json", "queries.json", "instance_masks.zip"):
        assert (folder / name).read_bytes() == (again / name).read_bytes()
    with np.load(folder / "gt_points.npz") as a, np.load(again / "gt_points.npz") as b:
        assert set(a) == set(b)
        assert all(np.array_equal(a[k], b[k]) for k in a)
    with AnyReader([folder / "bag"]) as a, AnyReader([again / "bag"]) as b:
        first, second = ([(c.topic, t, bytes(raw)) for c, t, raw in r.messages()] for r in (a, b))
    assert first == second


def test_a_recording_is_not_overwritten(small_recording: Recording) -> None:
    with pytest.raises(ValueError, match="already"):
        generate(small_recording[0], progress=False)
    with pytest.raises(ValueError, match="at least 2 frames"):
        generate(small_recording[0] / "new", frames=1, progress=False)
