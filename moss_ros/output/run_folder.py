"""The files that a run leaves: run.json, instances.json, events.json, map/, map.png, evidence/ID.jpg."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from moss_ros.instances.instance_map import LoggedEvent
from moss_ros.records import Instance, InstanceState


def new_folder(path: Path) -> Path:
    """Create path, or path-2, path-3, ... when it exists: an old run is never overwritten."""
    path = Path(path)
    candidate = path
    number = 2
    while candidate.exists() and any(candidate.iterdir()):
        candidate = path.with_name(f"{path.name}-{number}")
        number += 1
    candidate.mkdir(parents=True, exist_ok=True)
    return candidate


def write_json(path: Path, data: Any) -> None:
    """Readable JSON, keys in the given order."""
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def write_instances(folder: Path, instances: tuple[Instance, ...]) -> None:
    """instances.json, by id."""
    write_json(folder / "instances.json", {"instances": [instance_as_dict(i) for i in instances]})


def write_events(folder: Path, events: Iterable[LoggedEvent]) -> None:
    """events.json: one line for each new, merged, split, confirmed or lost instance, in the order of the log."""
    lines = [json.dumps(event_as_dict(event)) for event in events]
    text = '{"events": [\n' + ",\n".join(lines) + "\n]}\n"
    (folder / "events.json").write_text(text, encoding="utf-8")


def instance_as_dict(instance: Instance) -> dict[str, Any]:
    """An instance without its points; metres rounded to 0.1 mm."""
    box = instance.box
    half = box.yaw_rad / 2
    return {
        "id": instance.id,
        "label": instance.label,
        "label_score": round(instance.label_score, 4),
        "score": round(instance.score, 4),
        "state": InstanceState(instance.state).name,
        "box": {
            "center_m": _rounded(box.center_m),
            "size_m": _rounded(box.size_m),
            "quaternion_xyzw": [0.0, 0.0, round(float(np.sin(half)), 6), round(float(np.cos(half)), 6)],
        },
        "centroid_m": _rounded(instance.centroid_m),
        "points": len(instance.points_m),
        "first_seen_ns": instance.first_seen_ns,
        "last_seen_ns": instance.last_seen_ns,
        "observations": instance.observations,
        "source": instance.source,
    }


def event_as_dict(event: LoggedEvent) -> dict[str, Any]:
    """A line of the log of identities."""
    return {
        "number": event.number,
        "segmentation": event.segmentation,
        "stamp_ns": event.stamp_ns,
        "kind": event.kind,
        "id": event.id,
        "others": list(event.others),
    }


def table(instances: tuple[Instance, ...]) -> str:
    """Instances as text lines: id, label, size, position, observations."""
    lines = ["   id  label         size m (x y z)        position m (x y z)     observations  state"]
    for i in instances:
        size = " ".join(f"{v:5.2f}" for v in i.box.size_m)
        position = " ".join(f"{v:6.2f}" for v in i.centroid_m)
        lines.append(
            f"{i.id:5d}  {i.label:12s}  {size}     {position}   {i.observations:12d}  {InstanceState(i.state).name}"
        )
    return "\n".join(lines)


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(v), 4) for v in values]
