"""Ground truth on meshes: ScanNet label files and Replica's semantic meshes."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import numpy as np

from moss_ros.evaluation.ground_truth import GroundTruth, TrueInstance, TruthError, read_json
from moss_ros.evaluation.label_sets import LabelSet
from moss_ros.evaluation.ply import read_ply


def load_scannet(mesh: Path, label_file: Path, labels: LabelSet) -> GroundTruth:
    """Truth from a mesh and a text file with one number per vertex: class * 1000 + instance.

    Numbers below 1000 and classes that are not in the set are void; stuff is structure. Whether an exporter
    counts instances from 0 or 1 does not matter: the whole number is the instance id.
    """
    points_m = _vertices(mesh)
    numbers = read_label_file(label_file)
    if len(numbers) != len(points_m):
        raise TruthError(f"{label_file}: {len(numbers)} lines, but {mesh} has {len(points_m)} vertices")
    names = {label.id: label for label in labels.labels}
    instance = np.where(np.isin(numbers // 1000, list(names)), numbers, 0).astype(np.int32)
    instances = {}
    for number in np.unique(instance[instance > 0]).tolist():
        label = names[number // 1000]
        kind = "structure" if label.stuff else "thing"
        instances[number] = TrueInstance(number, label.id, label.name, label.name, kind, not label.stuff)
    categories = {label.id: label.name for label in labels.labels}
    return GroundTruth(points_m, instance, instance // 1000, MappingProxyType(instances), categories)


def load_replica(folder: Path, labels: LabelSet) -> GroundTruth:
    """Truth of a Replica scene: habitat/mesh_semantic.ply (object id per face), habitat/info_semantic.json.

    A vertex takes the object of the last face that has it. Objects whose class is not in the set are void.
    """
    mesh, info = (
        Path(folder) / "habitat" / "mesh_semantic.ply",
        Path(folder) / "habitat" / "info_semantic.json",
    )
    points_m = _vertices(mesh)
    faces = read_ply(mesh).get("face", {})
    corners = next((faces[n] for n in ("vertex_indices", "vertex_index") if n in faces), None)
    if corners is None or "object_id" not in faces:
        raise TruthError(f"{mesh}: faces need vertex_indices and object_id")
    objects = _replica_objects(info, labels)
    instance = np.zeros(len(points_m), np.int32)
    face_object = np.where(np.isin(faces["object_id"], list(objects)), faces["object_id"], 0)
    instance[corners] = face_object[:, None]
    category = np.zeros(max(objects, default=0) + 1, np.int32)
    for number, thing in objects.items():
        category[number] = thing.category_id
    categories = {label.id: label.name for label in labels.labels}
    return GroundTruth(points_m, instance, category[instance], MappingProxyType(objects), categories)


def read_label_file(path: Path) -> np.ndarray:
    """(P,) int64 numbers of a text file, one a line."""
    path = Path(path)
    if not path.exists():
        raise TruthError(f"{path}: missing")
    lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    try:
        return np.array(lines, dtype=np.int64)
    except ValueError:
        bad = next(number for number, line in enumerate(lines, 1) if not line.strip().lstrip("-").isdigit())
        raise TruthError(f"{path}:{bad}: not a whole number: {lines[bad - 1]!r}") from None


def _replica_objects(path: Path, labels: LabelSet) -> dict[int, TrueInstance]:
    info = read_json(path)
    if not isinstance(info, dict) or not isinstance(info.get("objects"), list):
        raise TruthError(f"{path}: needs a list `objects`")
    names = {label.id: label for label in labels.labels}
    objects = {}
    for number, entry in enumerate(info["objects"]):
        try:
            object_id, class_id = int(entry["id"]), int(entry["class_id"])
        except (KeyError, TypeError, ValueError) as error:
            raise TruthError(f"{path}: objects[{number}]: bad or missing field {error}") from None
        label = names.get(class_id)
        if label is not None and object_id > 0:  # Replica's object 0 is what nobody labelled
            kind = "structure" if label.stuff else "thing"
            name = f"{label.name} {object_id}"
            objects[object_id] = TrueInstance(object_id, class_id, label.name, name, kind, not label.stuff)
    return objects


def _vertices(mesh: Path) -> np.ndarray:
    vertex = read_ply(mesh).get("vertex", {})
    if not {"x", "y", "z"} <= set(vertex):
        raise TruthError(f"{mesh}: has no vertices with x, y, z")
    return np.stack([vertex[axis].astype(np.float64) for axis in "xyz"], axis=1)
