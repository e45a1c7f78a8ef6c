"""How well a model names the things of recorded scenes by their true masks.

python -m moss_ros.train.pictures.scene_scores SCENE... [--config FILE --weights FILE] [--ways]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from moss_ros.config import from_flat
from moss_ros.language.encoders.clip import ClipEncoder
from moss_ros.language.encoders.encoder import ImageTextEncoder
from moss_ros.language.encoders.model_files import bundled_files, load_files
from moss_ros.masks2d.oracle import IdImages
from moss_ros.replay.bag import BagSource, guess_topics
from moss_ros.train.pictures.mask_readers import readers

VIEWS = 3  # of each thing: those that show most of it
WORDS_ONLY = ("synonym", "attribute", "function")  # kinds of queries that no place or number decides


@dataclass(frozen=True, slots=True)
class SceneViews:
    """Chosen views of the scored things of a scene."""

    name: str
    images: tuple[np.ndarray, ...]  # (H, W, 3) uint8
    masks: tuple[np.ndarray, ...]  # (N, H, W) bool of each image
    ids: tuple[np.ndarray, ...]  # (N,) instance of each mask
    category: dict[int, str]  # of the scored things
    queries: tuple[tuple[str, str, frozenset[int]], ...]  # kind, text, right answers
    seen: frozenset[int]  # things whose scanned model is in the training set; empty where nothing says so


def scene_views(scene: Path) -> SceneViews:
    """Read a recording with true masks (of `moss sim`); raises ValueError or BagError."""
    listed = json.loads((scene / "instances.json").read_text("utf-8"))["instances"]
    category = {i["id"]: i["category"] for i in listed if i.get("evaluate", i.get("evaluate_after", False))}
    ids = IdImages(scene)
    source = BagSource(scene / "bag", from_flat(guess_topics(scene / "bag")))
    frames = [(f.color_rgb, ids.ids(f.stamp_ns)) for f in source]
    pixels = np.stack([np.bincount(i.ravel(), minlength=256) for _, i in frames])  # (F, 256)
    wanted: dict[int, list[int]] = {}
    for thing in sorted(category):
        for frame in _apart(pixels[:, thing]):
            wanted.setdefault(frame, []).append(thing)
    order = sorted(wanted)
    return SceneViews(
        scene.name,
        tuple(frames[f][0] for f in order),
        tuple(np.stack([frames[f][1] == i for i in wanted[f]]) for f in order),
        tuple(np.array(wanted[f]) for f in order),
        category,
        _queries(scene),
        _seen(scene),
    )


def _apart(pixels: np.ndarray) -> list[int]:
    """The frames with most pixels, at least five frames apart where there are enough."""
    chosen: list[int] = []
    for frame in np.argsort(-pixels, kind="stable"):
        if pixels[frame] >= 100 and all(abs(int(frame) - c) >= 5 for c in chosen):
            chosen.append(int(frame))
        if len(chosen) == VIEWS:
            break
    return chosen


def _queries(scene: Path) -> tuple[tuple[str, str, frozenset[int]], ...]:
    path = scene / "queries.json"
    if not path.is_file():
        return ()
    asked = json.loads(path.read_text("utf-8"))["queries"]
    return tuple(
        (q["kind"], q["query"], frozenset(q["instances"]) | frozenset(q.get("also_ok", ())))
        for q in asked
        if q["present"] and q["kind"] in WORDS_ONLY
    )


def _seen(scene: Path) -> frozenset[int]:
    path = scene / "models.json"
    if not path.is_file():
        return frozenset()
    listed = json.loads(path.read_text("utf-8"))["instances"]
    return frozenset(int(i) for i, entry in listed.items() if entry["split"] == "train")


def scene_scores(views: SceneViews, encoder: ImageTextEncoder) -> dict[str, float]:
    """Percent: right category among the scene's for single views and for the mean of each thing's views; first
    answers that are right when a category, or a query of the scene, is asked for."""
    rows, owners = [], []
    for image, masks, ids in zip(views.images, views.masks, views.ids, strict=True):
        rows.append(encoder.encode_masks(image, masks))
        owners.append(ids)
    found, owner = np.concatenate(rows), np.concatenate(owners)
    names = sorted(set(views.category.values()))
    texts = encoder.encode_texts(names)
    things = np.unique(owner)
    mean = np.stack([found[owner == i].mean(0) for i in things])
    right_of = np.array([names.index(views.category[int(i)]) for i in things])
    single = np.array([names.index(views.category[int(i)]) for i in owner])
    order = np.argsort(-(mean @ texts.T), 1)
    first = (mean @ texts.T).argmax(0)  # thing that answers each category
    out = {
        "things": float(len(things)),
        "categories": float(len(names)),
        "view_top1": _percent((found @ texts.T).argmax(1) == single),
        "thing_top1": _percent(order[:, 0] == right_of),
        "thing_top5": _percent((order[:, :5] == right_of[:, None]).any(1)),
        "category_asked": _percent(right_of[first] == np.arange(len(names))),
    }
    if views.seen:
        seen = np.isin(things, sorted(views.seen))
        for name, part in (("seen", seen), ("unseen", ~seen)):
            out[f"{name}_things"] = float(part.sum())
            out[f"{name}_top1"] = _percent(order[part, 0] == right_of[part])
    for kind in WORDS_ONLY:
        asked = [(text, answers) for k, text, answers in views.queries if k == kind]
        if asked:
            best = things[(mean @ encoder.encode_texts([t for t, _ in asked]).T).argmax(0)]
            out[kind] = _percent(np.array([int(b) in answers for b, (_, answers) in zip(best, asked, strict=True)]))
            out[f"{kind}_asked"] = float(len(asked))
    return out


def _percent(right: np.ndarray) -> float:
    return round(100 * float(np.mean(right)), 1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    config, weights = bundled_files()
    parser = argparse.ArgumentParser(prog="python -m moss_ros.train.pictures.scene_scores", description=__doc__)
    parser.add_argument("scenes", type=Path, nargs="+")
    parser.add_argument("--config", type=Path, default=config)
    parser.add_argument("--weights", type=Path, default=weights)
    parser.add_argument("--ways", action="store_true", help="also read the masks in other ways")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    loaded = load_files(options.config, options.weights, device="cpu")
    ways = readers(loaded) if options.ways else dict([next(iter(readers(loaded).items()))])
    for scene in options.scenes:
        views = scene_views(scene)
        for way, reader in ways.items():
            print(f"{views.name} | {way} | {scene_scores(views, ClipEncoder(loaded, reader))}", flush=True)


if __name__ == "__main__":
    main()
