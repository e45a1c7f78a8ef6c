"""The checked content of a manifest.yaml."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from moss_ros.replay.folders.recording import FolderError, Optics
from moss_ros.replay.folders.text_files import checked_optics

_REQUIRED = ("color", "depth", "depth_scale", "intrinsics", "poses")
_OPTIONAL = ("depth_intrinsics", "rate", "stamps")
_INTRINSICS = ("fx", "fy", "cx", "cy")
_LENS = ("width", "height", "distortion", "distortion_model")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What manifest.yaml says; one of stamps and rate_hz is set unless the images are list files with stamps."""

    path: Path
    color: list[Path]
    depth: list[Path]
    poses: list[Path]
    depth_scale: float  # units per metre
    intrinsics: Optics
    depth_intrinsics: Optics | None
    stamps: Path | None
    rate_hz: float | None


def load(path: Path) -> Manifest:
    """Reads and checks. Raises FolderError."""
    content = _parse(path)
    _check_keys(path, content, _REQUIRED, _OPTIONAL)
    depth_intrinsics = content.get("depth_intrinsics")
    manifest = Manifest(
        path=path,
        color=_files(path, "color", content["color"]),
        depth=_files(path, "depth", content["depth"]),
        poses=_files(path, "poses", content["poses"]),
        depth_scale=_positive(path, "depth_scale", content["depth_scale"]),
        intrinsics=_optics(path, "intrinsics", content["intrinsics"]),
        depth_intrinsics=None if depth_intrinsics is None else _optics(path, "depth_intrinsics", depth_intrinsics),
        stamps=_files(path, "stamps", content["stamps"])[0] if "stamps" in content else None,
        rate_hz=_positive(path, "rate", content["rate"]) if "rate" in content else None,
    )
    _check_times(manifest)
    return manifest


def _parse(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise FolderError(f"{path}{line}: {error.problem}: write YAML, one `name: value` a line") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise FolderError(f"{path} cannot be read ({error}): write a UTF-8 text file") from None
    if not isinstance(content, dict):
        raise FolderError(f"{path}: write `name: value` lines for {', '.join(_REQUIRED)}")
    return content


def _check_keys(path: Path, content: dict[str, Any], required: tuple[str, ...], optional: tuple[str, ...]) -> None:
    known = (*required, *optional)
    for key in content:
        if key not in known:
            near = get_close_matches(str(key), known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            raise FolderError(f"{path}: {key!r} is not known: {hint}")
    missing = [key for key in required if key not in content]
    if missing:
        raise FolderError(f"{path}: {', '.join(missing)} missing: the documentation of folders has an example")


def _check_times(manifest: Manifest) -> None:
    """There is one source of time."""
    given = [name for name, value in (("rate", manifest.rate_hz), ("stamps", manifest.stamps)) if value is not None]
    if is_list_file(manifest.color) and given:
        raise FolderError(f"{manifest.path}: color is a list file with stamps: remove {' and '.join(given)}")
    if not is_list_file(manifest.color) and len(given) != 1:
        raise FolderError(
            f"{manifest.path}: give either rate (images per second) or stamps (file, a time in seconds a line)"
        )


def is_list_file(paths: list[Path]) -> bool:
    """Whether this is one file with lines ``stamp path``."""
    return len(paths) == 1 and paths[0].suffix == ".txt"


def _files(path: Path, key: str, value: Any) -> list[Path]:
    """Files of a pattern or a list, relative to the manifest."""
    names = value if isinstance(value, list) else [value]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise FolderError(f"{path}: {key} is {value!r}: write a file, a pattern such as {key}/*, or a list of files")
    if isinstance(value, list) or not re.search(r"[*?\[]", value):
        return [path.parent / name for name in names]
    try:
        found = sorted(path.parent.glob(value), key=_natural)
    except (NotImplementedError, ValueError) as error:  # an absolute pattern, ** inside a name
        raise FolderError(f"{path}: {key}: {error}: write a pattern relative to the manifest") from None
    if not found:
        raise FolderError(f"{path}: {key}: no file fits {value!r}; patterns are relative to the manifest")
    return found


def _natural(path: Path) -> list[tuple[bool, int, str]]:
    """Order in which 2.png comes before 10.png."""
    parts = re.split(r"(\d+)", str(path))
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


def _positive(path: Path, key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise FolderError(f"{path}: {key} is {value!r}: write a positive number")
    return float(value)


def _optics(path: Path, key: str, value: Any) -> Optics:
    """Intrinsics of {fx, fy, cx, cy[, width, height, distortion, distortion_model]}."""
    if not isinstance(value, dict):
        raise FolderError(f"{path}: {key} is {value!r}: write {{fx: 525.0, fy: 525.0, cx: 319.5, cy: 239.5}}")
    _check_keys(path, value, _INTRINSICS, _LENS)
    fx, fy, cx, cy = (_positive(path, f"{key}.{name}", value[name]) for name in _INTRINSICS)
    distortion = value.get("distortion") or []
    if not isinstance(distortion, list) or not all(isinstance(d, (int, float)) for d in distortion):
        raise FolderError(f"{path}: {key}.distortion is {distortion!r}: write a list of numbers [k1, k2, p1, p2, k3]")
    model = str(value.get("distortion_model", "plumb_bob"))
    width, height = (int(_positive(path, f"{key}.{name}", value.get(name, 1))) for name in ("width", "height"))
    optics = replace(checked_optics(path, fx, fy, cx, cy, distortion), distortion_model=model)
    if ("width" in value) != ("height" in value):
        raise FolderError(f"{path}: {key} has a width or a height alone: write both or none")
    return optics.sized(width, height) if "width" in value else optics
