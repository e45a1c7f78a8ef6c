"""What the result of a scene depends on, as one short text: equal means that it need not be done again."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from moss_ros.batch.jobs import SceneJob
from moss_ros.replay.run import versions

_PACKAGE = Path(__file__).resolve().parent.parent
_NO_INFLUENCE = {"ros", "sim", "train", "batch", "cli.py"}  # parts of the package that change no number
_KINDS = (".py", ".json", ".safetensors")
_LENGTH = 16  # hex digits


def fingerprint(job: SceneJob) -> str:
    """Of the parameters, the files of the scene, and the code.

    Recordings are told by name, size and time of change: reading hundreds of them would take longer than it saves.
    """
    files = [(p.relative_to(job.scene).as_posix(), *_size_and_time(p)) for p in _inputs(job)]
    known = {"values": job.values, "files": files, "code": code_fingerprint()}
    return _digest(json.dumps(known, sort_keys=True).encode())


@cache
def code_fingerprint() -> str:
    """Of the sources and trained models that map and score, and of the libraries that they compute with."""
    everything = hashlib.sha256(json.dumps(versions(), sort_keys=True).encode())
    for path in sorted(_PACKAGE.rglob("*")):
        inside = path.relative_to(_PACKAGE)
        if path.suffix in _KINDS and inside.parts[0] not in _NO_INFLUENCE:
            everything.update(inside.as_posix().encode() + path.read_bytes())
    return everything.hexdigest()[:_LENGTH]


def _inputs(job: SceneJob) -> list[Path]:
    truth = [p for p in job.scene.iterdir() if p.suffix in (".json", ".npz")] if job.scene.is_dir() else []
    return sorted(truth) + sorted(p for p in job.bag.rglob("*") if p.is_file())


def _size_and_time(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_LENGTH]
