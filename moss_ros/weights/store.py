"""Where weights are kept: one folder for all of them, so that it can be carried to a robot without network."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from moss_ros.weights.table import MissingWeightsError, Weights, find

FOLDER_VARIABLE = "MOSS_WEIGHTS"


def weights_folder() -> Path:
    """The folder named by MOSS_WEIGHTS, else ~/.cache/moss_ros/weights; it need not exist."""
    named = os.environ.get(FOLDER_VARIABLE, "")
    return Path(named).expanduser() if named else Path.home() / ".cache" / "moss_ros" / "weights"


def weights_path(name: str, given: str = "") -> Path:
    """Path of the weights of a row of the table (a file, or a folder for transformers).

    given: where the user put them instead. A .safetensors file beside the listed one is preferred. The content is
    not checked here (moss weights verify). Raises MissingWeightsError with the command that fetches them.
    """
    if given:
        path = Path(given).expanduser()
        if not path.exists():
            raise MissingWeightsError(f"no weights at {path}: correct the path, or leave it empty for those of {name}")
        return path
    weights = find(name)
    if not weights.file_name:
        raise MissingWeightsError(f"{name} is kept by open_clip: use its name {weights.source} there")
    path = weights_folder() / weights.file_name
    for candidate in (path.with_suffix(".safetensors"), path) if weights.kind == "file" else (path,):
        if candidate.exists():
            return candidate
    raise MissingWeightsError(
        f"the weights {name} are not at {path}: run `moss weights fetch {name}`, or copy them there from a machine "
        f"with network (source: {weights.source}; {FOLDER_VARIABLE} names another folder)"
    )


def verified(weights: Weights) -> str:
    """One line that says what was checked. Raises MissingWeightsError when something is missing or wrong."""
    if weights.kind == "open_clip":
        return "kept and checked by open_clip"
    path = weights_folder() / weights.file_name
    if weights.kind == "huggingface":
        return _verified_folder(weights, path)
    if not path.is_file():
        weights_path(weights.name)  # raises, unless only a converted file is there
        return "converted to safetensors; its sum is not known"
    return check_sum(weights, path)


def check_sum(weights: Weights, path: Path) -> str:
    """Compare the SHA-256 of a file with the table. Raises MissingWeightsError when it differs."""
    found = sha256_of(path)
    if not weights.sha256:
        return f"no sum is known for it; SHA-256 of this file: {found}"
    if not found.startswith(weights.sha256):
        raise MissingWeightsError(
            f"{path} is not {weights.name}: SHA-256 is {found}, should be {weights.sha256}; delete it and run "
            f"`moss weights fetch {weights.name}`"
        )
    length = len(weights.sha256)
    return "SHA-256 is right" if length == 64 else f"the first {length} digits of the SHA-256 are right, {found}"


def _verified_folder(weights: Weights, path: Path) -> str:
    if not path.is_dir():
        weights_path(weights.name)  # raises
    missing = [f for f in ("config.json", "model.safetensors") if not (path / f).is_file()]
    if missing:
        raise MissingWeightsError(
            f"{path} lacks {' and '.join(missing)}: run `moss weights fetch {weights.name}` again"
        )
    return f"complete; SHA-256 of model.safetensors: {sha256_of(path / 'model.safetensors')}"


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
