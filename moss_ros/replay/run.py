"""Run recorded frames through the pipeline as fast as it goes, and leave the files of a run."""

from __future__ import annotations

import platform
import resource
import time
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from moss_ros import __version__
from moss_ros.config import MossConfig, to_flat
from moss_ros.one_worker import read_ahead
from moss_ros.output.map_file import write_map
from moss_ros.output.map_picture import write_map_picture
from moss_ros.output.run_folder import new_folder, write_events, write_instances, write_json
from moss_ros.pipeline import Pipeline
from moss_ros.records import Frame, Snapshot
from moss_ros.warm_up import warm_up


class FrameSource(Protocol):
    """A bag or a folder of images."""

    @property
    def frame_count(self) -> int:
        """About how many frames will come (for the progress bar)."""
        ...

    @property
    def received(self) -> int:
        """Colour images read so far."""
        ...

    @property
    def drops(self) -> Mapping[str, int]:
        """Images that gave no frame, by reason."""
        ...

    def __iter__(self) -> Iterator[Frame]: ...


def replay(source: FrameSource, config: MossConfig, out: Path, progress: bool = True) -> Path:
    """Map all frames, write the run into a new folder at out, and return that folder."""
    folder = new_folder(out)
    warm_up(config.masks)  # compiling is not part of the timing
    pipeline = Pipeline(config)
    start = time.perf_counter()
    used, first_ns, last_ns = run_frames(pipeline, source, progress)
    pipeline.segment(full=True)
    snapshot = pipeline.describe()
    seconds = time.perf_counter() - start
    write_run(folder, pipeline, snapshot)
    frames = {"received": source.received, "used": used, "dropped": dict(sorted(source.drops.items()))}
    write_json(
        folder / "run.json",
        run_facts(config, frames, pipeline.timings.summary(), seconds, (last_ns - first_ns) / 1e9),
    )
    return folder


def run_frames(pipeline: Pipeline, source: FrameSource, progress: bool) -> tuple[int, int, int]:
    """Feed all frames; segments after a keyframe once the period has passed in image time, as the node does.

    Returns the number of frames and the first and last stamp.
    """
    period_ns = int(pipeline.config.node.segment_period_s * 1e9)
    used, first_ns, last_ns, segmented_ns = 0, 0, 0, 0
    pending = False
    for frame in tqdm(read_ahead(source), total=source.frame_count, unit="frame", disable=not progress):
        report = pipeline.step(frame)
        first_ns = first_ns or frame.stamp_ns
        last_ns = frame.stamp_ns
        used += 1
        pending |= report.is_keyframe
        if pending and not 0 <= frame.stamp_ns - segmented_ns < period_ns:
            pipeline.segment()
            if pipeline.keyframes.is_full:  # views are read at the end, but for those about to be forgotten
                pipeline.describe(pipeline.config.language.keyframes_per_pass)
            pending, segmented_ns = False, frame.stamp_ns
    return used, first_ns, last_ns


def write_run(folder: Path, pipeline: Pipeline, snapshot: Snapshot) -> None:
    """instances.json, events.json, map/, map.png and evidence/ of a pipeline that was just segmented."""
    write_instances(folder, snapshot.instances)
    write_events(folder, pipeline.instances.take_events())
    cloud = pipeline.cloud()
    rows = {i.id: np.flatnonzero(cloud.instance_ids == i.id) for i in snapshot.instances}
    scores = {i.id: i.score for i in snapshot.instances}
    embeddings = pipeline.words.embeddings if pipeline.words else None
    write_map(folder, cloud.points_m, cloud.colors_rgb, rows, scores, embeddings, pipeline.observed)
    write_map_picture(
        folder / "map.png",
        cloud.points_m,
        cloud.colors_rgb,
        cloud.instance_ids,
        snapshot.instances,
        f"{len(snapshot.instances)} instances from above",
    )
    evidence = folder / "evidence"
    evidence.mkdir(exist_ok=True)
    for instance_id, jpeg in pipeline.evidence_jpegs(i.id for i in snapshot.instances):
        (evidence / f"{instance_id}.jpg").write_bytes(jpeg)


def run_facts(
    config: MossConfig,
    frames: dict[str, Any],
    stages: dict[str, dict[str, float]],
    seconds: float,
    bag_seconds: float,
) -> dict[str, Any]:
    """The content of run.json."""
    rounded = {name: {k: round(v, 3) for k, v in stage.items()} for name, stage in stages.items()}
    return {
        "versions": versions(),
        "config": to_flat(config),
        "frames": frames,
        "stages": rounded,
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "seconds": round(seconds, 3),
        "bag_seconds": round(bag_seconds, 3),
    }


def versions() -> dict[str, str]:
    """Of this package and of what it computes with."""
    out = {"moss_ros": __version__, "python": platform.python_version()}
    for name in ("numpy", "scipy", "numba", "opencv-python-headless", "rosbags", "torch"):
        try:
            out[name] = version(name)
        except PackageNotFoundError:
            out[name] = "from the system, or missing"
    return out
