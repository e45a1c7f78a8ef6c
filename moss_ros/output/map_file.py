"""The map of a run in its folder: points, masks, what the instances look like, which space was seen.

map/manifest.json, points.npz, masks.npz, and where words and pictures were compared embeddings.npz and observed.npz.
Plain arrays, no pickle. With instances.json beside it the folder answers questions like the live map.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from moss_ros.mapping.observed import ObservedSpace
from moss_ros.output.arrays import read_arrays
from moss_ros.output.run_folder import write_json
from moss_ros.records import Embeddings, Instance, InstanceState, OrientedBox, Snapshot

VERSION = 1


class MapFileError(ValueError):
    """A map cannot be read; the message names the file and the fix."""


@dataclass(frozen=True, slots=True)
class StoredMap:
    """A map as it was saved."""

    snapshot: Snapshot
    embeddings: Embeddings | None  # None: the run compared no words and pictures
    observed: ObservedSpace | None


def write_map(
    folder: Path,
    points_m: np.ndarray,
    colors_rgb: np.ndarray,
    instances: Mapping[int, np.ndarray],
    scores: Mapping[int, float],
    embeddings: Embeddings | None = None,
    observed: ObservedSpace | None = None,
) -> None:
    """Write map/: points (N, 3) float32 with colours, and the masks as rows into them.

    instances: id -> rows of its points.
    """
    out = folder / "map"
    out.mkdir(exist_ok=True)
    ids = sorted(instances)
    offsets = np.cumsum([0] + [len(instances[i]) for i in ids]).astype(np.int64)
    voxels = np.concatenate([instances[i] for i in ids]) if ids else np.zeros(0, np.int64)
    np.savez_compressed(out / "points.npz", xyz=points_m.astype(np.float32), rgb=colors_rgb)
    np.savez_compressed(
        out / "masks.npz",
        offsets=offsets,
        voxels=voxels.astype(np.int32),
        ids=np.array(ids, np.int32),
        scores=np.array([scores[i] for i in ids], np.float32),
    )
    if embeddings is not None:
        e = embeddings
        np.savez_compressed(
            out / "embeddings.npz",
            model=np.array(e.model),
            ids=e.ids,
            mean=e.mean,
            best=e.best,
            views=e.views,
            looks_from_m=e.looks_from_m,
        )
    if observed is not None:
        np.savez_compressed(out / "observed.npz", cells=observed.cells(), cell_m=np.array(observed.cell_m))
    write_json(
        out / "manifest.json",
        {"format": "moss_map", "version": VERSION, "points": len(points_m), "masks": len(ids)},
    )


def load_map(folder: Path) -> StoredMap:
    """Read instances.json and map/ of a run. Raises MapFileError."""
    folder = Path(folder)
    manifest = _json(folder / "map" / "manifest.json")
    if manifest.get("format") != "moss_map" or manifest.get("version") != VERSION:
        raise MapFileError(
            f"{folder}/map/manifest.json: not a map of version {VERSION}; write it again with moss replay"
        )
    points = read_arrays(folder / "map" / "points.npz", ("xyz", "rgb"), MapFileError)
    masks = read_arrays(folder / "map" / "masks.npz", ("offsets", "voxels", "ids"), MapFileError)
    parts = np.split(masks["voxels"], masks["offsets"][1:-1]) if len(masks["ids"]) else []
    rows = dict(zip(masks["ids"].tolist(), parts, strict=True))
    listed = _json(folder / "instances.json").get("instances", [])
    try:
        instances = tuple(_instance(entry, points, rows) for entry in listed)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise MapFileError(f"{folder}/instances.json: bad or missing field {error}") from None
    stamp_ns = max((i.last_seen_ns for i in instances), default=0)
    snapshot = Snapshot(stamp_ns, instances, frozenset(), frozenset())
    return StoredMap(
        snapshot, _embeddings(folder / "map" / "embeddings.npz"), _observed(folder / "map" / "observed.npz")
    )


def _instance(entry: Mapping[str, Any], points: Mapping[str, np.ndarray], rows: Mapping[int, np.ndarray]) -> Instance:
    mine = rows.get(int(entry["id"]), np.zeros(0, np.int64))
    box = entry["box"]
    turn = box["quaternion_xyzw"]
    return Instance(
        id=int(entry["id"]),
        state=InstanceState[entry["state"]],
        box=OrientedBox(np.array(box["center_m"]), np.array(box["size_m"]), 2 * float(np.arctan2(turn[2], turn[3]))),
        centroid_m=np.array(entry["centroid_m"]),
        points_m=points["xyz"][mine],
        colors_rgb=points["rgb"][mine],
        score=float(entry["score"]),
        label=str(entry["label"]),
        label_score=float(entry["label_score"]),
        first_seen_ns=int(entry["first_seen_ns"]),
        last_seen_ns=int(entry["last_seen_ns"]),
        observations=int(entry["observations"]),
        source=str(entry["source"]),
    )


def _embeddings(path: Path) -> Embeddings | None:
    if not path.exists():
        return None
    names = ("ids", "mean", "best", "views", "looks_from_m")
    stored = read_arrays(path, ("model", *names), MapFileError)
    return Embeddings(str(stored["model"]), *(stored[name] for name in names))


def _observed(path: Path) -> ObservedSpace | None:
    if not path.exists():
        return None
    stored = read_arrays(path, ("cells", "cell_m"), MapFileError)
    return ObservedSpace.of_cells(stored["cells"], float(stored["cell_m"]))


def _json(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise MapFileError(f"{path}: missing; give a folder that moss replay or moss demo wrote")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise MapFileError(f"{path}: {error}") from None
    if not isinstance(data, dict):
        raise MapFileError(f"{path}: needs an object")
    return data
