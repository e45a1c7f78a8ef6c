"""The same scheduling on a Ray cluster that lives for this file, and what is said without Ray."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from moss_ros.batch.fingerprint import fingerprint
from moss_ros.batch.jobs import SceneJob
from moss_ros.batch.ray_workers import LOCAL, RayWorkers
from moss_ros.batch.run import evaluate_scenes, workers_for
from moss_ros.batch.scene_run import SCORES
from moss_ros.cli import main


def made_up(job: SceneJob) -> dict[str, Any]:
    """Some names kill the worker, the first time or always; the others note their process."""
    with (job.out / f"{job.name}.tries").open("a") as tries:
        tries.write("x")
    first = (job.out / f"{job.name}.tries").stat().st_size == 1
    if job.name == "doomed" or (job.name == "killed" and first):
        os.kill(os.getpid(), signal.SIGKILL)
    if job.name == "broken":
        raise ValueError("no topic /color")
    job.result.mkdir()
    scores = {"fingerprint": fingerprint(job), "numbers": {"seconds": 2.0}, "process": os.getpid()}
    (job.result / SCORES).write_text(json.dumps(scores))
    return scores


def started(out: Path) -> dict[str, int]:
    return {p.stem: p.stat().st_size for p in sorted(out.glob("*.tries"))}


@pytest.mark.slow
def test_local_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))  # so that tasks find this file
    names, out = ["fine", "killed", "good", "broken"], tmp_path / "out"
    for name in [*names, "doomed"]:
        (tmp_path / "data" / name / "bag").mkdir(parents=True)
    on_ray = workers_for(LOCAL, 2, made_up)

    summary = evaluate_scenes(tmp_path / "data", names, out, {}, on_ray, retries=1)
    assert started(out) == {"fine": 1, "killed": 2, "good": 1, "broken": 1}
    assert summary["failed"] == ["broken"] and summary["scenes"]["broken"]["error"] == "no topic /color"
    assert summary["scenes"]["killed"]["attempts"] == 2 and summary["over_scenes"]["seconds"]["n"] == 3
    processes = {json.loads((out / name / SCORES).read_text())["process"] for name in ("fine", "killed", "good")}
    assert len(processes) == 3 and os.getpid() not in processes  # none sees the memory of another

    again = evaluate_scenes(tmp_path / "data", ["fine", "killed", "good", "doomed"], out, {}, on_ray, retries=1)
    assert started(out) == {"fine": 1, "killed": 2, "good": 1, "broken": 1, "doomed": 2}
    assert again["failed"] == ["doomed"] and "the worker was lost" in again["scenes"]["doomed"]["error"]
    assert not sys.modules["ray"].is_initialized()


def test_ray_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "data" / "fine" / "bag").mkdir(parents=True)
    monkeypatch.setitem(sys.modules, "ray", None)
    assert (
        main(["evaluate", "--dataset", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--ray", "local"]) == 2
    )
    assert "pip install moss_ros[ray]" in capsys.readouterr().err


def test_no_cluster_there(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    with socket.socket() as unused:  # bound, but it listens to nobody
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(ValueError, match=f"no Ray cluster at {address}: .*refused"):
            RayWorkers(made_up, address)

    def refuse(**_: Any) -> None:
        raise ConnectionError("could not find any running Ray instance")

    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(ValueError, match="no Ray cluster at auto: could not find"):
        RayWorkers(made_up, "auto")
