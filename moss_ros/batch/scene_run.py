"""What is done for one scene: replay, score, and move the finished folder into place."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from moss_ros.batch.fingerprint import fingerprint
from moss_ros.batch.jobs import SceneJob
from moss_ros.config import from_flat
from moss_ros.evaluation.ground_truth import load_folder, read_json
from moss_ros.evaluation.report import write_report
from moss_ros.output.run_folder import write_json
from moss_ros.replay.bag import BagSource, guess_topics
from moss_ros.replay.run import replay

SCORES = "scores.json"
UNFINISHED, REPLACED = ".unfinished", ".replaced"  # folders beside the results
_LISTS = {"best_iou", "per_class", "queries"}  # metrics.json of the scene has them


def score_scene(job: SceneJob) -> dict[str, Any]:
    """Replay and score as `moss replay --gt` does; returns what it wrote to scores.json.

    out/name appears with all its files or not at all. Raises ValueError (BagError, TruthError) for broken input.
    """
    if not job.scene.is_dir():
        raise FileNotFoundError(f"{job.scene} does not exist: no such scene in the data set")
    _check_replaceable(job)
    done_with = fingerprint(job)
    load_folder(job.scene)  # before the long part
    config = from_flat(guess_topics(job.bag) | job.values)
    folder = job.out / UNFINISHED / job.name
    shutil.rmtree(folder, ignore_errors=True)  # of an attempt that was killed
    replay(BagSource(job.bag, config), config, folder, progress=False)
    scores = {"scene": job.name, "fingerprint": done_with, "numbers": _numbers(folder, write_report(folder, job.scene))}
    write_json(folder / SCORES, scores)
    _move_into_place(folder, job)
    return scores


def finished(job: SceneJob) -> dict[str, Any] | None:
    """Scores of an earlier call with the same parameters, scene and code; None when it has to be done."""
    try:
        scores = json.loads((job.result / SCORES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = isinstance(scores, dict) and scores.get("fingerprint") == fingerprint(job)
    return scores if same else None


def clean_up(out: Path) -> None:
    """Remove what killed and failed attempts left."""
    for name in (UNFINISHED, REPLACED):
        shutil.rmtree(out / name, ignore_errors=True)


def _check_replaceable(job: SceneJob) -> None:
    """An older result gives way; anything else in its place is somebody's data."""
    if job.result.exists() and not (job.result / SCORES).is_file():
        raise ValueError(f"{job.result} exists and is no result of this command: choose another --out or move it away")


def _move_into_place(folder: Path, job: SceneJob) -> None:
    old = job.out / REPLACED / job.name
    if job.result.exists():
        old.parent.mkdir(exist_ok=True)
        shutil.rmtree(old, ignore_errors=True)
        os.rename(job.result, old)
    os.rename(folder, job.result)
    shutil.rmtree(old, ignore_errors=True)


def _numbers(folder: Path, metrics: dict[str, Any]) -> dict[str, float | None]:
    """All single numbers of the metrics by dotted name, and what the run took; None where nothing was to measure."""
    facts = read_json(folder / "run.json")
    took = {name: facts[name] for name in ("seconds", "bag_seconds", "peak_rss_mb")}
    return dict(_flat("", metrics)) | took | {"frames_used": facts["frames"]["used"]}


def _flat(name: str, value: Any) -> Iterator[tuple[str, float | None]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in _LISTS:
                yield from _flat(f"{name}.{key}" if name else key, inner)
    elif value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        yield name, value
