"""Read what a run left: facts, instances, map points and masks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from moss_ros.evaluation.carry import masks_from_offsets
from moss_ros.evaluation.ground_truth import TruthError, read_json
from moss_ros.evaluation.retrieval import Answer, Hit
from moss_ros.output.arrays import read_arrays

_GONE = ("MISSING", "REMOVED")  # the map does not claim that these are there


@dataclass(frozen=True, slots=True)
class RunFiles:
    """One run; K instances that the map says are there, N map points."""

    folder: Path
    facts: dict[str, Any]  # run.json
    points_m: np.ndarray  # (N, 3) float32, map
    masks: csr_matrix  # (K, N) of ones
    ids: np.ndarray  # (K,) int64
    scores: np.ndarray  # (K,) float64
    labels: tuple[str, ...]  # K names; "object" where language gave none
    label_scores: np.ndarray  # (K,) float64

    def points_of(self, instance_id: int) -> np.ndarray:
        """(n, 3) points of an instance."""
        row = int(np.flatnonzero(self.ids == instance_id)[0])
        return self.points_m[self.masks[row].indices]


def load_run(folder: Path) -> RunFiles:
    """Read run.json, instances.json, map/points.npz and map/masks.npz."""
    folder = Path(folder)
    listed = read_json(folder / "instances.json")
    if isinstance(listed, dict):
        listed = listed.get("instances", [])
    by_id = {int(entry["id"]): entry for entry in listed}
    points_m = read_arrays(folder / "map" / "points.npz", ("xyz",), TruthError)["xyz"]
    stored = read_arrays(folder / "map" / "masks.npz", ("offsets", "voxels", "ids", "scores"), TruthError)
    unknown = set(stored["ids"].tolist()) - set(by_id)
    if unknown:
        raise TruthError(f"{folder}/map/masks.npz: ids {sorted(unknown)} are not in instances.json")
    there = np.array([by_id[i].get("state", "") not in _GONE for i in stored["ids"].tolist()], bool)
    ids = stored["ids"][there].astype(np.int64)
    masks = masks_from_offsets(stored["offsets"], stored["voxels"], len(points_m))
    return RunFiles(
        folder=folder,
        facts=read_json(folder / "run.json"),
        points_m=points_m,
        masks=masks[np.flatnonzero(there)],
        ids=ids,
        scores=stored["scores"][there].astype(np.float64),
        labels=tuple(str(by_id[i].get("label", "object")) for i in ids.tolist()),
        label_scores=np.array([float(by_id[i].get("label_score", 0.0)) for i in ids.tolist()]),
    )


def load_answers(run: RunFiles) -> tuple[Answer, ...] | None:
    """answers.json: a list `answers` of {query, status, hits of {id, centroid_m}}; None without the file."""
    path = run.folder / "answers.json"
    if not path.exists():
        return None
    known = set(run.ids.tolist())
    answers = []
    for number, entry in enumerate(read_json(path)["answers"]):
        try:
            hits = tuple(
                Hit(
                    id=int(hit["id"]),
                    centroid_m=np.array(hit["centroid_m"], float),
                    points_m=run.points_of(int(hit["id"])) if int(hit["id"]) in known else None,
                )
                for hit in entry.get("hits", [])
            )
            answers.append(Answer(str(entry["query"]), str(entry["status"]), hits))
        except (KeyError, TypeError, ValueError) as error:
            raise TruthError(f"{path}: answers[{number}]: {error}") from None
    return tuple(answers)


def load_class_scores(run: RunFiles) -> tuple[tuple[str, ...], np.ndarray] | None:
    """Class names (C) and scores (K, C) of map/class_scores.npz (names, ids, scores); None without it."""
    path = run.folder / "map" / "class_scores.npz"
    if not path.exists():
        return None
    stored = read_arrays(path, ("names", "ids", "scores"), TruthError)
    row = {int(i): number for number, i in enumerate(stored["ids"])}
    missing = [i for i in run.ids.tolist() if i not in row]
    if missing:
        raise TruthError(f"{path}: no scores for instances {missing}")
    return tuple(map(str, stored["names"])), stored["scores"][[row[i] for i in run.ids.tolist()]]
