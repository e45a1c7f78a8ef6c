"""A small scene on disk: truth folder and run folder, as the package reads them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

FLOOR, CUP, BOOK, TABLE, SLIVER = 1, 2, 3, 4, 5
CATEGORIES = {"book": 1, "cup": 2, "floor": 3, "table": 4}


def plate(x_cm: int, y_cm: int, z_cm: int, width_cm: int, depth_cm: int) -> np.ndarray:
    """(n, 3) int16 millimetres of a flat piece on 1 cm voxels."""
    x, y = np.meshgrid(np.arange(x_cm, x_cm + width_cm), np.arange(y_cm, y_cm + depth_cm))
    return np.stack([10 * x.ravel(), 10 * y.ravel(), np.full(x.size, 10 * z_cm)], 1).astype(np.int16)


PIECES = {
    FLOOR: plate(0, 0, 0, 60, 40),
    TABLE: plate(0, 0, 70, 40, 20),
    CUP: plate(0, 0, 80, 10, 10),
    BOOK: plate(25, 5, 75, 12, 10),
    SLIVER: plate(50, 30, 20, 5, 2),
}
NAMES = {FLOOR: "floor", TABLE: "table", CUP: "cup", BOOK: "book", SLIVER: "cup"}


def write_scene(folder: Path) -> Path:
    """instances.json and gt_points.npz; the sliver is a thing that is not evaluated."""
    folder.mkdir(parents=True)
    instances = [
        {
            "id": i,
            "category": NAMES[i],
            "category_id": CATEGORIES[NAMES[i]],
            "phrase": f"the {NAMES[i]}",
            "kind": "structure" if i == FLOOR else "thing",
            "evaluate": i in (CUP, BOOK, TABLE),
        }
        for i in PIECES
    ]
    (folder / "instances.json").write_text(json.dumps({"categories": CATEGORIES, "instances": instances}))
    void = plate(50, 0, 50, 8, 8)
    instance = np.concatenate([np.full(len(p), i) for i, p in PIECES.items()] + [np.zeros(len(void))])
    category = np.array([0, *(CATEGORIES[NAMES[i]] for i in sorted(PIECES))])[instance.astype(int)]
    np.savez(
        folder / "gt_points.npz",
        xyz_mm=np.concatenate([*PIECES.values(), void]),
        instance=instance.astype(np.uint8),
        category=category.astype(np.uint8),
    )
    return folder


def write_run(folder: Path) -> Path:
    """A run that finds table and cup, half of the book, and a mask on the floor; one mask is gone."""
    (folder / "map").mkdir(parents=True)
    points = np.concatenate(list(PIECES.values())).astype(np.float32) / 1000
    start = dict(zip(PIECES, np.cumsum([0, *(len(p) for p in PIECES.values())]), strict=False))
    masks = [start[i] + np.arange(len(PIECES[i])) for i in (TABLE, CUP, BOOK, FLOOR, CUP)]
    masks[2] = masks[2][: len(masks[2]) // 2]
    ids, labels = [7, 9, 12, 20, 21], ["table", "cup", "book", "object", "cup"]
    np.savez(folder / "map" / "points.npz", xyz=points)
    np.savez(
        folder / "map" / "masks.npz",
        offsets=np.cumsum([0, *map(len, masks)]),
        voxels=np.concatenate(masks).astype(np.int32),
        ids=np.array(ids, np.int32),
        scores=np.array([0.9, 0.8, 0.7, 0.6, 0.95], np.float32),
    )
    listed = [
        {"id": i, "label": n, "label_score": 0.5, "state": "REMOVED" if i == 21 else "CONFIRMED"}
        for i, n in zip(ids, labels, strict=True)
    ]
    (folder / "instances.json").write_text(json.dumps({"instances": listed}))
    facts = {
        "frames": {"received": 9, "used": 8, "dropped": {"no pose": 1}},
        "stages": {"integrate": {"median_ms": 5.0, "p95_ms": 9.0, "max_ms": 12.0, "n": 8}},
        "peak_rss_mb": 512.0,
        "seconds": 2.0,
        "bag_seconds": 3.0,
    }
    (folder / "run.json").write_text(json.dumps(facts))
    return folder
