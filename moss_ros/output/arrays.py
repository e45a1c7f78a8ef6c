"""Arrays of a run folder, read without pickle."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def read_arrays(path: Path, names: tuple[str, ...], error: type[ValueError]) -> dict[str, np.ndarray]:
    """The named arrays of an .npz file; raises `error`, naming the file, when it or one of them is missing."""
    if not path.exists():
        raise error(f"{path}: missing")
    with np.load(path, allow_pickle=False) as stored:
        lacking = set(names) - set(stored)
        if lacking:
            raise error(f"{path}: has no {', '.join(sorted(lacking))}")
        return {name: stored[name] for name in names}
