"""A Replica room as NICE-SLAM rendered it.

results/frameNNNNNN.jpg, results/depthNNNNNN.png (16 bit), traj.txt (one 4x4 world_from_camera a line, row by row),
cam_params.json in the folder or the one above: w, h, fx, fy, cx, cy, scale (depth units per metre).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from moss_ros.config import InputConfig
from moss_ros.replay.folders.by_number import join, stamp_of_number
from moss_ros.replay.folders.poses import MATRIX_LINE, rigid
from moss_ros.replay.folders.recording import FolderError, Optics, Recording
from moss_ros.replay.folders.text_files import numbers, read_rows
from moss_ros.source.drops import DropLog

FILES = "results/frameN.jpg, results/depthN.png, traj.txt, cam_params.json (here or one folder up)"
_KEYS = ("w", "h", "fx", "fy", "cx", "cy", "scale")
_EXAMPLE = '{"camera": {"w": 1200, "h": 680, "fx": 600.0, "fy": 600.0, "cx": 599.5, "cy": 339.5, "scale": 6553.5}}'


def fits(folder: Path) -> bool:
    """Whether the folder looks like this layout."""
    results = folder / "results"
    return results.is_dir() and ((folder / "traj.txt").exists() or any(results.glob("frame*")))


def read(folder: Path, config: InputConfig) -> Recording:
    """The room's shots. Raises FolderError."""
    optics, depth_scale = _camera(folder)
    color = _numbered(folder / "results", "frame")
    poses = _poses(folder / "traj.txt", max(color, default=-1) + 1)
    drops = DropLog()
    shots = join(color, _numbered(folder / "results", "depth"), poses, stamp_of_number, drops)
    return Recording(folder, shots, len(color), optics, None, depth_scale, drops)


def _camera(folder: Path) -> tuple[Optics, float]:
    """Optics and depth units per metre."""
    places = (folder / "cam_params.json", folder.resolve().parent / "cam_params.json")
    path = next((p for p in places if p.is_file()), None)
    if path is None:
        raise FolderError(f"{places[0]} is missing, also one folder up: write {_EXAMPLE}")
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError as error:  # also bytes that are no text
        raise FolderError(f"{path}: {error}: write {_EXAMPLE}") from None
    values = _values(path, content)
    w, h, fx, fy, cx, cy, scale = values
    return Optics(fx, fy, cx, cy, int(w), int(h)), scale


def _values(path: Path, content: Any) -> list[float]:
    camera = content.get("camera", content) if isinstance(content, dict) else {}
    for key in _KEYS:
        value = camera.get(key) if isinstance(camera, dict) else None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < np.inf:
            raise FolderError(f"{path}: {key} is {value!r}, not a positive number: write {_EXAMPLE}")
    return [float(camera[key]) for key in _KEYS]


def _numbered(folder: Path, prefix: str) -> dict[int, Path]:
    """{N: file} of prefixN.jpg and prefixN.png."""
    pattern = re.compile(rf"{prefix}(\d+)\.(?:jpe?g|png)", re.IGNORECASE)
    return {int(found[1]): p for p in folder.iterdir() if (found := pattern.fullmatch(p.name))}


def _poses(path: Path, count: int) -> dict[int, np.ndarray | None]:
    """{N: world_from_camera}: line N + 1 belongs to frame N."""
    rows = read_rows(path, "write one pose a line")
    if len(rows) != count:
        raise FolderError(
            f"{path}: {len(rows)} poses for frames 0 to {count - 1} of results/: line N + 1 is the pose of "
            f"frame N, keep exactly {count}"
        )
    return {
        n: rigid(numbers(path, row, (16,), MATRIX_LINE).reshape(4, 4), f"{path}:{row[0]}") for n, row in enumerate(rows)
    }
