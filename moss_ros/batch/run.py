"""`moss evaluate --dataset`: all scenes, those that are not done yet in parallel, and their summary."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from moss_ros.batch import summary
from moss_ros.batch.jobs import SceneFunction, SceneJob
from moss_ros.batch.ray_workers import RayWorkers
from moss_ros.batch.scene_run import clean_up, finished, score_scene
from moss_ros.batch.schedule import Outcome, Workers, run_jobs
from moss_ros.batch.workers import LocalWorkers, usable_cores
from moss_ros.replay.run import versions

Told = Callable[[str], None]


def evaluate_scenes(
    dataset: Path,
    names: Sequence[str],
    out: Path,
    values: dict[str, Any],
    start_workers: Callable[[int], Workers],
    retries: int = 2,
    tell: Told = print,
) -> dict[str, Any]:
    """Score the scenes, write out/summary.json and summary.html, and return the summary.

    values: parameters over those that each bag suggests. start_workers: gets the number of scenes to do; not called
    when all are done. retries: for scenes whose worker was killed. One call at a time may write to out.
    """
    dataset, out = Path(dataset).resolve(), Path(out).resolve()  # workers may stand in another folder
    if out == dataset:
        raise ValueError(f"--out must not be the data set itself ({out})")
    out.mkdir(parents=True, exist_ok=True)
    jobs = [SceneJob(name, dataset / name, out, values) for name in names]
    outcomes = {job.name: Outcome(job.name, scores) for job in jobs if (scores := finished(job))}
    if outcomes:
        tell(f"{len(outcomes)} of {len(jobs)} scenes are done already")
    todo = [job for job in jobs if job.name not in outcomes]
    for outcome in _run(todo, start_workers, retries) if todo else ():
        outcomes[outcome.name] = outcome
        tell(f"[{len(outcomes)}/{len(jobs)}] {_said(outcome)}")
    clean_up(out)
    found = {"dataset": str(dataset), "values": values, "versions": versions()}
    found |= summary.summarize([outcomes[name] for name in names])
    _write_whole(out / "summary.json", json.dumps(found, indent=1) + "\n")
    _write_whole(out / "summary.html", summary.html(found, f"{len(names)} scenes of {dataset.name}"))
    return found


def workers_for(
    ray_address: str | None, workers: int | None, function: SceneFunction = score_scene
) -> Callable[[int], Workers]:
    """Starts processes here, or tasks on a Ray cluster, for a number of scenes.

    workers: scenes at a time; None: one for each core, or all that the cluster has room for.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"--workers takes a number from 1, got {workers}")

    def start(scenes: int) -> Workers:
        if ray_address is not None:
            return RayWorkers(function, ray_address, workers)
        return LocalWorkers(function, min(workers or usable_cores(), scenes))

    return start


def _run(jobs: Sequence[SceneJob], start_workers: Callable[[int], Workers], retries: int) -> Iterator[Outcome]:
    workers = start_workers(len(jobs))
    try:
        yield from run_jobs(jobs, workers, retries)
    finally:
        workers.close()


def _said(outcome: Outcome) -> str:
    if not outcome.scores:
        return f"{outcome.name} failed: {outcome.error}"
    numbers = outcome.scores["numbers"]
    ap50 = numbers.get("class_agnostic.ap50")
    again = f", attempt {outcome.attempts}" if outcome.attempts > 1 else ""
    return f"{outcome.name}  AP50 {summary.percent(ap50)}  {numbers.get('seconds', 0.0):.1f} s{again}"


def _write_whole(path: Path, content: str) -> None:
    """Readers see the old file or the new one."""
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_text(content, encoding="utf-8")
    os.replace(unfinished, path)
