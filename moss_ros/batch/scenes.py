"""Which scenes of a data set are meant."""

from __future__ import annotations

from pathlib import Path


def scene_names(dataset: Path, listed: str) -> list[str]:
    """Names for ``all``, for ``a,b,c``, or for a text file with one name a line (# starts a comment).

    Names that are not in the data set are kept: such a scene fails by itself. Raises ValueError for an empty list,
    and for a name that is no plain folder name.
    """
    if not dataset.is_dir():
        raise FileNotFoundError(f"{dataset} is not a folder: --dataset takes a folder with one folder per scene")
    names = _all(dataset) if listed == "all" else _listed(listed)
    if not names:
        raise ValueError(f"no scenes: {listed!r} names none (all: the folders of {dataset} that hold a bag/)")
    for name in names:
        # A name becomes a folder of the results; those that start with a dot are used for unfinished work.
        if name != Path(name).name or name.startswith("."):
            raise ValueError(f"scene {name!r} is not the name of a folder in {dataset}")
    return list(dict.fromkeys(names))


def _all(dataset: Path) -> list[str]:
    return sorted(p.name for p in dataset.iterdir() if (p / "bag").is_dir() and not p.name.startswith("."))


def _listed(listed: str) -> list[str]:
    file = Path(listed)
    parts = file.read_text(encoding="utf-8").splitlines() if file.is_file() else listed.split(",")
    return [name for part in parts if (name := part.partition("#")[0].strip())]
