"""Many scenes in one call: scheduling with made-up scenes, the rest with a small recorded room."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bag_writer import drive, write_bag
from scenes import CAMERA, CHAIR, TABLE, THINGS, cast, orbit, render, room

from moss_ros.batch.fingerprint import fingerprint
from moss_ros.batch.jobs import SceneJob
from moss_ros.batch.run import evaluate_scenes, workers_for
from moss_ros.batch.scene_run import SCORES, finished, score_scene
from moss_ros.batch.scenes import scene_names
from moss_ros.batch.schedule import Outcome
from moss_ros.batch.summary import html, spread, summarize, text
from moss_ros.cli import main

AP50 = "class_agnostic.ap50"


def made_up(job: SceneJob) -> dict[str, Any]:
    """Scores from the name of a scene; some names kill the worker, once or always, or are broken."""
    with (job.out / f"{job.name}.tries").open("a") as tries:
        tries.write("x")
    first = (job.out / f"{job.name}.tries").stat().st_size == 1
    if job.name == "doomed" or (job.name == "killed" and first):
        os.kill(os.getpid(), signal.SIGKILL)
    if job.name == "broken":
        raise ValueError("no topic /color")
    if job.name == "bug":
        raise KeyError("x")
    scores = {"fingerprint": fingerprint(job), "numbers": {AP50: len(job.name) / 10, "seconds": 1.0}}
    job.result.mkdir()
    (job.result / SCORES).write_text(json.dumps(scores))
    return scores


def tries(out: Path) -> dict[str, int]:
    """How often each made-up scene was begun."""
    return {p.stem: p.stat().st_size for p in sorted(out.glob("*.tries"))}


def never(count: int) -> Any:
    raise AssertionError(f"{count} scenes were to be done again")


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Scenes as empty folders."""
    for name in ("fine", "killed", "doomed", "broken", "bug", "good"):
        (tmp_path / "data" / name / "bag").mkdir(parents=True)
    return tmp_path / "data"


def evaluate(dataset: Path, names: list[str], workers: Any = None, **more: Any) -> dict[str, Any]:
    return evaluate_scenes(
        dataset, names, dataset.parent / "out", more.pop("values", {}), workers or workers_for(None, 2, made_up), **more
    )


def test_killed_scene_is_redone_and_the_others_go_on(dataset: Path) -> None:
    names = ["killed", "doomed", "broken", "bug", "fine", "good"]
    summary = evaluate(dataset, names, retries=1)
    assert tries(dataset.parent / "out") == {"killed": 2, "doomed": 2, "broken": 1, "bug": 1, "fine": 1, "good": 1}
    assert list(summary["scenes"]) == names and summary["failed"] == ["doomed", "broken", "bug"]
    scenes = summary["scenes"]
    assert scenes["killed"] == {"attempts": 2, "numbers": {AP50: 0.6, "seconds": 1.0}}
    assert "killed by SIGKILL" in scenes["doomed"]["error"] and "(2 times)" in scenes["doomed"]["error"]
    assert scenes["broken"]["error"] == "no topic /color" and scenes["bug"]["error"] == "KeyError: 'x'"
    assert "test_batch.py" in scenes["bug"]["trace"]
    assert summary["over_scenes"][AP50]["n"] == 3
    assert json.loads((dataset.parent / "out" / "summary.json").read_text()) == summary


def test_finished_scenes_are_not_done_again(dataset: Path) -> None:
    out = dataset.parent / "out"
    first = evaluate(dataset, ["fine", "good"])
    again = evaluate(dataset, ["good", "fine"], never)
    assert again["over_scenes"] == first["over_scenes"] and again["scenes"]["fine"]["attempts"] == 0
    evaluate(dataset, ["fine", "good", "killed"], retries=1)
    assert tries(out) == {"fine": 1, "good": 1, "killed": 2}


def test_no_retries(dataset: Path) -> None:
    assert evaluate(dataset, ["killed"], retries=0)["failed"] == ["killed"]


@pytest.mark.parametrize("change", ["parameter", "bag", "truth", "scores"])
def test_what_makes_a_scene_unfinished(dataset: Path, change: str) -> None:
    bag, out = dataset / "fine" / "bag" / "0.mcap", dataset.parent / "out"
    bag.write_bytes(b"1")
    evaluate(dataset, ["fine"])
    job = SceneJob("fine", dataset / "fine", out, {})
    assert finished(job)
    if change == "parameter":
        job = SceneJob("fine", dataset / "fine", out, {"mapping.voxel_size_m": 0.03})
    elif change == "bag":
        bag.write_bytes(b"12")
    elif change == "truth":
        (dataset / "fine" / "instances.json").write_text("{}")
    else:
        (job.result / SCORES).write_text('{"fingerpr')
    assert finished(job) is None


def test_names_of_scenes(dataset: Path, tmp_path: Path) -> None:
    (dataset / "no_recording").mkdir()
    assert scene_names(dataset, "all") == sorted(["fine", "killed", "doomed", "broken", "bug", "good"])
    assert scene_names(dataset, "fine, good,fine,") == ["fine", "good"]
    (tmp_path / "list.txt").write_text("# those that we like\ngood\n\nfine  # twice\nfine\n")
    assert scene_names(dataset, str(tmp_path / "list.txt")) == ["good", "fine"]
    for bad in ("../out", "a/b", ".hidden", "..", ","):
        with pytest.raises(ValueError, match=r"not the name|no scenes"):
            scene_names(dataset, bad)
    with pytest.raises(FileNotFoundError, match="one folder per scene"):
        scene_names(dataset / "nothing", "all")


def outcomes() -> list[Outcome]:
    values = {"a": (0.2, 10.0), "b": (0.4, None), "c": (0.9, 40.0)}
    scored = [
        Outcome(name, {"numbers": {"class_agnostic.ap": ap, "class_agnostic.ap25": None, "seconds": s}}, attempts=1)
        for name, (ap, s) in values.items()
    ]
    return [*scored, Outcome("<d>", error="no topic /color", attempts=1)]


def test_mean_and_spread_by_hand() -> None:
    over = summarize(outcomes())["over_scenes"]
    # Deviations from 0.5: -0.3, -0.1, 0.4; (0.09 + 0.01 + 0.16) / 2 = 0.13.
    assert over["class_agnostic.ap"] == {"n": 3, "mean": 0.5, "std": round(0.13**0.5, 6), "min": 0.2, "max": 0.9}
    assert over["seconds"] == {"n": 2, "mean": 25.0, "std": round(450**0.5, 6), "min": 10.0, "max": 40.0}
    assert "class_agnostic.ap25" not in over  # nothing to measure anywhere
    assert spread([0.3])["std"] is None


def test_table_and_page() -> None:
    summary = summarize(outcomes())
    lines = text(summary).splitlines()
    cells = {line.split()[0]: line.split()[1:] for line in lines}
    assert cells["a"][0] == "20.0" and cells["a"][-1] == "10.0" and cells["b"][-1] == "–"
    assert [cells[kind][0] for kind in ("mean", "std", "min", "max")] == ["50.0", "36.1", "20.0", "90.0"]
    assert "3 of 4 scenes" in text(summary) and lines[-1] == "<d> failed: no topic /color"
    page = html(summary, "four & more")
    assert '<a href="a/report.html">' in page and "<d>" not in page and "four &amp; more" in page
    assert "0 of 1 scenes" in text(summarize([Outcome("d", error="x")]))


def write_truth(folder: Path) -> None:
    """instances.json and gt_points.npz of the room, from what its frames see."""
    voxels: dict[tuple[int, int, int], int] = {}
    for pose in orbit():
        depth, ids, _ = cast(room(), pose)
        v, u = np.nonzero(depth > 0)
        z = depth[v, u]
        seen = np.stack([(u - CAMERA.cx) / CAMERA.fx * z, (v - CAMERA.cy) / CAMERA.fy * z, z], 1)
        cells = np.floor((seen @ pose[:3, :3].T + pose[:3, 3]) * 100).astype(int)
        voxels.update(zip(map(tuple, cells.tolist()), ids[v, u].tolist(), strict=True))
    numbers = np.array(list(voxels.values()), np.uint8)
    np.savez(
        folder / "gt_points.npz",
        xyz_mm=(np.array(list(voxels)) * 10 + 5).astype(np.int16),
        instance=numbers,
        category=numbers,
    )
    things = {*THINGS, TABLE, CHAIR}
    listed = [
        {
            "id": int(i),
            "category": f"kind {i}",
            "category_id": int(i),
            "kind": "thing" if i in things else "structure",
            "evaluate": i in things,
        }
        for i in np.unique(numbers)
    ]
    (folder / "instances.json").write_text(json.dumps({"categories": {}, "instances": listed}))


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set: two rooms that are equal, and one whose recording is cut off."""
    data = tmp_path_factory.mktemp("rooms")
    (data / "one").mkdir()
    write_bag(data / "one" / "bag", drive([render(room(), pose) for pose in orbit()]))
    write_truth(data / "one")
    shutil.copytree(data / "one", data / "two")
    shutil.copytree(data / "one", data / "cut")
    recording = next((data / "cut" / "bag").glob("*.mcap"))
    recording.write_bytes(recording.read_bytes()[:1000])
    return data


def test_same_numbers_as_a_single_replay(rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    arguments = ["evaluate", "--dataset", str(rooms), "--out", str(out), "--workers", "2"]
    setting = ["--set", "mapping.pixel_stride=1"]
    assert main([*arguments, *setting]) == 1  # one scene is broken
    printed = capsys.readouterr().out
    assert "2 of 3 scenes scored" in printed and "cut failed:" in printed and "mcap recover" in printed
    single = tmp_path / "single"
    bag = str(rooms / "one" / "bag")
    assert main(["replay", bag, "--out", str(single), "--gt", str(rooms / "one"), "--quiet", *setting]) == 0
    for name in ("metrics.json", "instances.json"):
        assert (out / "one" / name).read_bytes() == (single / name).read_bytes()
        assert (out / "two" / name).read_bytes() == (single / name).read_bytes()
    summary = json.loads((out / "summary.json").read_text())
    metrics = json.loads((single / "metrics.json").read_text())["class_agnostic"]
    assert summary["over_scenes"][AP50] == {"n": 2, "mean": metrics["ap50"], "std": 0.0} | dict.fromkeys(
        ("min", "max"), metrics["ap50"]
    )
    assert metrics["ap50"] > 0.2
    assert sorted(p.name for p in out.iterdir()) == ["one", "summary.html", "summary.json", "two"]
    assert (out / "one" / "report.html").exists()

    before = (out / "one" / SCORES).stat().st_mtime_ns
    assert main([*arguments, *setting, "--scenes", "one,two"]) == 0
    assert "2 of 2 scenes are done already" in capsys.readouterr().out
    assert (out / "one" / SCORES).stat().st_mtime_ns == before


def test_other_parameters_replace_the_result(rooms: Path, tmp_path: Path) -> None:
    for stride in (1, 2):
        score_scene(SceneJob("one", rooms / "one", tmp_path, {"mapping.pixel_stride": stride}))
        facts = json.loads((tmp_path / "one" / "run.json").read_text())
        assert facts["config"]["mapping.pixel_stride"] == stride
    assert not list(tmp_path.glob(".replaced/*"))


def test_what_is_no_result_stays(rooms: Path, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "diary.txt").write_text("mine")
    with pytest.raises(ValueError, match="another --out"):
        score_scene(SceneJob("one", rooms / "one", tmp_path, {}))
    assert (tmp_path / "one" / "diary.txt").exists()
    with pytest.raises(ValueError, match="data set itself"):
        evaluate_scenes(rooms, ["one"], rooms, {}, never)


def test_missing_parts_are_told_before_the_replay(rooms: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such scene"):
        score_scene(SceneJob("three", rooms / "three", tmp_path, {}))
    shutil.copytree(rooms / "one" / "bag", tmp_path / "data" / "four" / "bag")
    with pytest.raises(ValueError, match=r"instances\.json: missing"):
        score_scene(SceneJob("four", tmp_path / "data" / "four", tmp_path, {}))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--set", "mapping.voxel_sise_m=1"], "did you mean mapping.voxel_size_m"),
        (["--workers", "0"], "--workers"),
        (["--scenes", "../one"], "not the name of a folder"),
    ],
)
def test_wrong_use_is_told_before_anything_starts(
    rooms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], message: str
) -> None:
    assert main(["evaluate", "--dataset", str(rooms), "--out", str(tmp_path / "out"), *more]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_parameters_for_a_finished_run_are_refused(tmp_path, capsys):
    assert main(["evaluate", str(tmp_path), "--gt", str(tmp_path), "--set", "language.size_weight=0.0"]) == 2
    assert "a run is scored as it was made" in capsys.readouterr().err
