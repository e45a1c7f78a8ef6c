"""Does memory stay bounded: the same bag again and again through one pipeline, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np

from benchmarks.inputs import REAL_KITCHEN, configuration, recording
from benchmarks.table import Bar, Table
from moss_ros.pipeline import Pipeline
from moss_ros.warm_up import warm_up

_BASELINE = "the same process after its second pass"
_SEGMENT_EVERY = 30


def run(quick: bool = False) -> Table:
    """Resident memory after each pass; growth after the second."""
    passes, stride = (3, 6) if quick else (10, 1)
    command = [sys.executable, "-m", "benchmarks.memory", str(passes), str(stride)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"the process ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    measured = [json.loads(line) for line in done.stdout.splitlines()]
    label, rows = measured[0]["input"], measured[1:]
    table = Table(
        "memory",
        f"{label}; {passes} passes, segment() every {_SEGMENT_EVERY} frames and in full after each",
        _BASELINE,
    )
    for number, row in enumerate(rows, 1):
        parts = ", ".join(f"{name} {size:.0f}" for name, size in row["parts_mb"].items() if size >= 0.5)
        table.add(
            f"after pass {number}",
            row["rss_mb"],
            "MB",
            note=f"{row['voxels']} voxels, {row['keyframes']} keyframes; arrays: {parts}",
        )
    second, last = rows[1]["rss_mb"], rows[-1]["rss_mb"]
    table.add("growth after the second pass", 100 * (last - second) / second, "%", Bar(5))
    voxels = 100 * (rows[-1]["voxels"] - rows[1]["voxels"]) / rows[1]["voxels"]
    table.add("growth of the map after the second pass", voxels, "%", note="voxels")
    return table


def measure(passes: int, stride: int) -> None:
    """Print one JSON line with the input, then one per pass."""
    frames, config = recording(REAL_KITCHEN, stride=stride), configuration(REAL_KITCHEN)
    warm_up()
    print(json.dumps({"input": frames.label}), flush=True)
    pipeline = Pipeline(config)
    for _ in range(passes):
        for number, frame in enumerate(frames, 1):
            pipeline.step(frame)
            if number % _SEGMENT_EVERY == 0:
                pipeline.segment()
        pipeline.segment(full=True)
        facts = {
            "rss_mb": resident_mb(),
            "voxels": pipeline.voxels.count,
            "keyframes": len(pipeline.keyframes.keyframes),
            "parts_mb": {name: array_mb(getattr(pipeline, name)) for name in _PARTS},
        }
        print(json.dumps(facts), flush=True)


_PARTS = ("voxels", "normals", "superpoints", "keyframes", "proposals", "instances", "timings")


def resident_mb() -> float:
    """Resident memory of this process."""
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def array_mb(thing: Any) -> float:
    """Bytes of all arrays and byte strings that hang on an object, each counted once, in MB."""
    seen: set[int] = set()
    total = 0
    waiting = [thing]
    while waiting:
        item = waiting.pop()
        if id(item) in seen or isinstance(item, (str, int, float, type)) or item is None:
            continue
        seen.add(id(item))
        if isinstance(item, np.ndarray):
            total += item.nbytes if item.base is None else 0
            waiting.append(item.base)
        elif isinstance(item, bytes):
            total += len(item)
        elif isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, (list, tuple, set, frozenset)):
            waiting += item
        else:
            waiting += _attributes(item)
    return total / 2**20


def _attributes(item: Any) -> list[Any]:
    slots = [name for kind in type(item).__mro__ for name in getattr(kind, "__slots__", ())]
    return [*getattr(item, "__dict__", {}).values(), *(getattr(item, name, None) for name in slots)]


if __name__ == "__main__":
    measure(int(sys.argv[1]), int(sys.argv[2]))
