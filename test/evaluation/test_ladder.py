"""The ladder on the synthetic room, written to disk as a scene; its parts on numbers worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from scenes import (
    CAMERA,
    CONFIG,
    MAPPING,
    Patch,
    Plane,
    Scene,
    cast,
    look_at,
    render,
)
from tiny_scene import POSES, write_tiny_scene

from benchmarks import ladder as command
from moss_ros.evaluation import ladder
from moss_ros.evaluation.ground_truth import GroundTruth, TrueInstance
from moss_ros.evaluation.ladder_streams import AlteredFrames, keep_every, with_jitter
from moss_ros.evaluation.ladder_table import bars, markdown
from moss_ros.evaluation.ladder_truth import min_points_in_map, truth_in_map
from moss_ros.geometry.transforms import inverse
from moss_ros.mapping.voxel_map import VoxelMap
from moss_ros.pipeline import Pipeline


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """See write_tiny_scene."""
    return write_tiny_scene(tmp_path_factory.mktemp("ladder") / "tiny")


def test_rungs_of_the_tiny_scene(scene: Path) -> None:
    plain, true = ladder.as_it_is(scene), ladder.true_masks(scene)
    assert plain["voxel oracle"]["ap50"] == plain["voxel oracle"]["ap50_constant"] == 1.0
    assert plain["pipeline"]["recall50"] >= 0.75  # three things on a table, perhaps the table
    assert plain["true poses, truth on the map"]["recall50"] >= 0.75
    assert true["true masks, consensus"]["recall50"] == 1.0
    assert set(true) == {"true masks, consensus", "true masks, full recipe"}


def test_drift_is_scored_where_the_map_is(scene: Path) -> None:
    own = ladder.drifting(scene)["drifting odometry, truth on the map"]
    on_the_true_surface = ladder.drive(scene, values=ladder.ODOMETRY).instances()
    assert own["ap"] > 0.8 > 0.3 > on_the_true_surface["ap"]  # the last frames are 15 cm off


def test_command_keeps_what_it_measured(
    scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = []

    def rows(folder: Path, ap50: float) -> ladder.Rows:
        calls.append(folder)
        return {"pipeline": dict.fromkeys(all_names(), ap50)}

    variants = (
        ladder.Variant("draw_0", lambda folder: rows(folder, 0.2)),
        ladder.Variant("draw_1", lambda folder: rows(folder, 0.4)),
    )
    arguments = ["--scenes", f"{scene},nothing_there", "--out", str(tmp_path / "out")]
    monkeypatch.setattr(command, "warm_up", lambda: None)
    for _ in range(2):
        assert command.main(arguments, variants) == 0
    assert calls == [scene, scene]
    stored = json.loads((tmp_path / "out" / "ladder.json").read_text())
    assert stored["scenes"]["tiny"]["pipeline"]["ap50"] == pytest.approx(0.3)
    assert "| pipeline | 30.0 / 30.0 / 30.0 |" in (tmp_path / "out" / "ladder.md").read_text()
    out = capsys.readouterr().out
    assert "nothing_there: skipped: no bag nothing_there" in out and "not measured" in out
    monkeypatch.setattr(command, "code_fingerprint", lambda: "after a change")
    command.main(arguments, variants)
    assert len(calls) == 4


def test_default_scenes_and_homes(tmp_path: Path) -> None:
    assert command.default_scenes(2) == ["sim_living_kitchen", "seed1", "seed2"]
    prints = command.fingerprint((command._PACKAGE / "sim").rglob("*.py"))
    home = tmp_path / "homes" / f"seed7-30-{prints}"
    home.mkdir(parents=True)
    assert command.find_scene("seed7", tmp_path, 30, 1) == command.Scene("seed7", home)


def test_fingerprint_follows_the_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = command.fingerprint([tmp_path / "a"])
    (tmp_path / "a").write_text("2")
    assert command.fingerprint([tmp_path / "a"]) != first


def test_jitter_has_the_stated_size_and_no_memory() -> None:
    frame = render(Scene(), POSES[0], CAMERA.resized(4, 3))
    errors = [
        inverse(frame.world_from_camera) @ with_jitter(replace(frame, stamp_ns=t), seed=1).world_from_camera
        for t in range(4000)
    ]
    move = np.array([e[:3, 3] for e in errors])
    turn = np.degrees([cv2.Rodrigues(e[:3, :3])[0].ravel() for e in errors])
    assert np.allclose(move.std(0), 0.005, rtol=0.05) and np.allclose(turn.std(0), 0.2, rtol=0.05)
    assert np.abs(move.mean(0)).max() < 0.0005 and np.abs(turn.mean(0)).max() < 0.02
    for errors_of in (move, turn):
        for axis in range(3):
            assert abs(np.corrcoef(errors_of[:-1, axis], errors_of[1:, axis])[0, 1]) < 0.05
    assert np.allclose([np.linalg.det(e[:3, :3]) for e in errors], 1.0)


def test_jitter_is_decided_by_seed_and_stamp() -> None:
    frame = render(Scene(), POSES[0], CAMERA.resized(4, 3), stamp_ns=5)
    poses = [with_jitter(f, s).world_from_camera for f, s in ((frame, 1), (frame, 1), (frame, 2))]
    assert np.array_equal(poses[0], poses[1]) and not np.array_equal(poses[0], poses[2])
    assert with_jitter(frame, 1).depth_m is frame.depth_m


def test_altered_frames_can_be_read_again() -> None:
    class Source:
        frame_count, received, drops = 2, 2, {"no_pose": 1}

        def __iter__(self):
            return iter([1, 2])

    frames = AlteredFrames(Source(), lambda frame: 10 * frame)  # type: ignore[arg-type, operator, return-value]
    assert list(frames) == list(frames) == [10, 20]
    assert frames.frame_count == frames.received == 2 and frames.drops == {"no_pose": 1}


def test_every_third_keyframe_is_kept() -> None:
    pipeline = Pipeline(CONFIG)
    keep_every(pipeline, 3)
    for i in range(8):
        pipeline.keyframes.add(render(Scene(), POSES[0], stamp_ns=i), 1.0)
    assert sorted(pipeline.keyframes.stamps_ns().values()) == [0, 3, 6]


def test_voxels_take_the_id_of_most_of_their_pixels() -> None:
    """A painted floor from above; in one of three id images the paint is somewhere else."""
    floor = Scene((Plane(1, (0, 0, 1), 0.01),), patches=(Patch(7, (0, -1, 0), (1, 1, 0.1), (9, 9, 9)),))
    pose = look_at((0.0, 0.0, 1.0), (0.0, 0.0, 0.0))
    frames = [render(floor, pose, stamp_ns=i) for i in range(3)]
    right = cast(floor, pose)[1].astype(np.uint8)

    class Images:
        def ids(self, stamp_ns: int) -> np.ndarray:
            return right[:, ::-1] if stamp_ns == 1 else right

    voxels = VoxelMap(MAPPING)
    for frame in frames:
        voxels.integrate(frame)
    known = {
        1: TrueInstance(1, 3, "floor", "floor", "structure", False),
        7: TrueInstance(7, 4, "rug", "rug", "thing", True),
    }
    nothing = np.zeros(0, np.int32)
    truth = GroundTruth(np.zeros((0, 3)), nothing, nothing, known, {})
    own = truth_in_map(voxels, frames, Images(), truth)  # type: ignore[arg-type]
    assert len(own.points_m) == voxels.solid().sum()
    x = own.points_m[:, 0]
    assert (own.instance[x > 0.02] == 7).all() and (own.instance[x < -0.02] == 1).all()
    assert np.array_equal(own.category_id, np.where(own.instance == 7, 4, 3))
    assert own.evaluated_ids.tolist() == [7]


def test_least_thing_covers_the_same_area_on_coarser_voxels() -> None:
    assert min_points_in_map(0.01) == 60 and min_points_in_map(0.02) == 15 and min_points_in_map(1.0) == 1


def all_names() -> list[str]:
    return [n + s for n in ("ap", "ap50", "ap25") for s in ("", "_constant")]


def test_table_and_bars() -> None:
    def numbers(value: float) -> dict[str, float]:
        return dict.fromkeys(all_names(), value)

    results = {
        "sim_living_kitchen": {
            "pipeline": numbers(0.86),
            "noisy true masks, consensus": numbers(0.89),
            "pose jitter": numbers(0.78),
        },
        "seed1": {"pipeline": numbers(0.5), "pose jitter": numbers(0.41)},
        "seed2": {"pipeline": numbers(0.3)},
    }
    text = markdown(results)
    assert "| | sim_living_kitchen | seed1 | seed2 | mean of homes |" in text
    assert "| pipeline | 86.0 / 86.0 / 86.0 | 50.0 / 50.0 / 50.0 | 30.0 / 30.0 / 30.0 | 40.0 / 40.0 / 40.0 |" in text
    assert "| pose jitter | 78.0 / 78.0 / 78.0 | 41.0 / 41.0 / 41.0 | – | – |" in text
    assert "voxel oracle" not in text  # nobody measured it
    assert [bar.met for bar in bars(results)] == [True, True, False, True, False, None]
    assert str(bars(results)[4]) == "seed1: AP50 lost by pose jitter: 9.0 (bar <= 8): MISSED"
