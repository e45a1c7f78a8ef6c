"""Our ScanNet scores beside the way of the official script: a pass over the points for each mask and true instance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.table import Bar, Table
from benchmarks.timing import interleaved_seconds
from moss_ros.evaluation.carry import masks_from_voxels
from moss_ros.evaluation.ground_truth import GroundTruth, TrueInstance
from moss_ros.evaluation.overlaps import columns_by_class, count_overlaps
from moss_ros.evaluation.scannet import MIN_POINTS, THRESHOLDS, MaskClasses, average_precision

_POINTS, _THINGS, _MASKS = 150_000, 40, 120  # of a scene, as ScanNet rooms have
_BASELINE = "per-instance loops over point masks, after the protocol of the ScanNet benchmark script"


@dataclass(frozen=True, slots=True)
class MadeUpScene:
    """The same content for both rivals, each in the form that it reads: labels and dense masks, truth and lists."""

    labels: np.ndarray  # (P,) int64 class * 1000 + number, below 1000 = no instance
    masks: np.ndarray  # (K, P) bool
    truth: GroundTruth
    lists: tuple[np.ndarray, ...]  # K arrays of point numbers
    pairs: MaskClasses  # M (mask, class, score) triples


def run(quick: bool = False) -> Table:
    """Seconds of both for class-agnostic scores, one class for each mask, and the best (mask, class) pairs."""
    scenes, points = (1, 20_000) if quick else (4, _POINTS)
    setting = f"{scenes} made-up scenes of {points} points, {_THINGS} true instances, {_MASKS} masks"
    table = Table("evaluator", setting, _BASELINE)
    for what, classes, triples in (
        ("class-agnostic", 1, _MASKS),
        ("18 classes, one for each mask", 18, _MASKS),
        ("198 classes, 300 (mask, class) pairs", 198, 300),
    ):
        rng = np.random.default_rng([classes, triples])
        data = [made_up_scene(rng, points, classes, triples) for _ in range(scenes)]
        _rows(table, what, data, np.arange(1, classes + 1), 1 if quick else 3)
    return table


def _rows(table: Table, what: str, scenes: list[MadeUpScene], class_ids: np.ndarray, repeats: int) -> None:
    results: dict[str, np.ndarray] = {}

    def kept(name: str, score: Callable[[list[MadeUpScene], np.ndarray], np.ndarray]) -> Callable[[], None]:
        return lambda: results.update({name: score(scenes, class_ids)})

    seconds = interleaved_seconds({"ours": kept("ours", vectorised), "loops": kept("loops", looped)}, repeats)
    same_gaps = np.array_equal(np.isnan(results["ours"]), np.isnan(results["loops"]))
    difference = np.nanmax(np.abs(results["ours"] - results["loops"])) if same_gaps else np.inf
    table.add(f"{what}: ours", 1e3 * seconds["ours"], "ms")
    table.add("  loops", 1e3 * seconds["loops"], "ms")
    table.add("  faster than the loops", seconds["loops"] / seconds["ours"], "x", Bar(10, at_least=True))
    table.add("  largest difference of an AP", difference, "", Bar(1e-12), f"AP {np.nanmean(results['ours']):.2f}")


def made_up_scene(rng: np.random.Generator, points: int, classes: int, triples: int) -> MadeUpScene:
    """Things of very different sizes in a row of points; masks are shifted and torn pieces of them."""
    sizes = np.exp(rng.uniform(np.log(0.0007), np.log(0.05), _THINGS)) * points  # a mug to a sofa
    starts = np.linspace(0, points, _THINGS, endpoint=False)
    cuts = np.stack([starts, np.minimum(starts + sizes, points)], 1).astype(np.int64)
    labels = np.zeros(points, np.int64)
    for number, (start, end) in enumerate(cuts):
        labels[start:end] = 1000 * rng.integers(1, classes + 1) + number
    masks = np.zeros((_MASKS, points), bool)
    class_of = np.zeros(_MASKS, np.int64)
    for mask, thing in zip(masks, rng.integers(0, _THINGS, _MASKS), strict=True):
        start, end = cuts[thing]
        shift = int(rng.normal(0, 0.15) * (end - start))
        mask[max(start + shift, 0) : max(end + shift, 0)] = rng.random() < 0.97
        mask &= rng.random(points) < 0.95
    for row, thing_label in enumerate(_most_frequent(labels, masks)):
        known = thing_label // 1000
        class_of[row] = known if known and rng.random() < 0.8 else rng.integers(1, classes + 1)
    mask_row = np.arange(triples) % _MASKS
    class_id = np.where(np.arange(triples) < _MASKS, class_of[mask_row], rng.integers(1, classes + 1, triples))
    pairs = MaskClasses(mask_row, class_id, np.round(rng.random(triples), 2))
    return MadeUpScene(labels, masks, _truth(labels), tuple(np.flatnonzero(mask) for mask in masks), pairs)


def _truth(labels: np.ndarray) -> GroundTruth:
    labels = np.where(labels >= 1000, labels, 0).astype(np.int32)
    known = {int(i): TrueInstance(int(i), int(i) // 1000, "", "", "thing", True) for i in np.unique(labels) if i}
    return GroundTruth(np.zeros((len(labels), 3)), labels, labels // 1000, known, {})


def _most_frequent(labels: np.ndarray, masks: np.ndarray) -> list[int]:
    names, number = np.unique(labels, return_inverse=True)
    return [int(names[np.bincount(number[mask], minlength=len(names)).argmax()]) for mask in masks]


def vectorised(scenes: list[MadeUpScene], class_ids: np.ndarray) -> np.ndarray:
    """(C, T) AP by this package."""
    counted = [
        count_overlaps(masks_from_voxels(s.lists, len(s.labels)), columns_by_class(s.truth, class_ids)) for s in scenes
    ]
    return average_precision(list(zip(counted, (s.pairs for s in scenes), strict=True)), class_ids.tolist()).ap


def looped(scenes: list[MadeUpScene], class_ids: np.ndarray) -> np.ndarray:
    """(C, T) AP; every overlap is counted on the points, every decision is taken one by one."""
    read = [_read(scene, class_ids) for scene in scenes]
    return np.array([[_class_ap(read, int(c), float(t)) for t in THRESHOLDS] for c in class_ids])


@dataclass(slots=True)
class _Guess:
    class_id: int
    score: float
    size: int
    void: int
    shared: dict[int, int]  # true instance of the same class -> common points


@dataclass(slots=True)
class _Read:
    sizes: dict[int, int]  # true instance -> points
    guesses: list[_Guess]


def _read(scene: MadeUpScene, class_ids: np.ndarray) -> _Read:
    labels, pairs = scene.labels, scene.pairs
    void = ~np.isin(labels // 1000, class_ids)
    sizes = {int(i): int(np.count_nonzero(labels == i)) for i in np.unique(labels) if i // 1000 in class_ids}
    guesses = []
    for row, class_id, score in zip(pairs.mask, pairs.class_id, pairs.score, strict=True):
        mask = scene.masks[row]
        size = int(np.count_nonzero(mask))
        if size < MIN_POINTS:
            continue
        shared = {}
        for i in sizes:
            if i // 1000 == class_id:
                common = int(np.count_nonzero(np.logical_and(labels == i, mask)))
                if common:
                    shared[i] = common
        on_void = int(np.count_nonzero(np.logical_and(void, mask)))
        guesses.append(_Guess(int(class_id), float(score), size, on_void, shared))
    return _Read(sizes, guesses)


def _class_ap(scenes: list[_Read], class_id: int, threshold: float) -> float:
    judged: list[tuple[float, bool]] = []
    truths = 0
    for scene in scenes:
        mine = [g for g in scene.guesses if g.class_id == class_id]
        big = [i for i, size in scene.sizes.items() if i // 1000 == class_id and size >= MIN_POINTS]
        truths += len(big)
        judged += _matches(scene, mine, big, threshold)
        judged += _misses(scene, mine, threshold)
    if not truths:
        return float("nan")
    return _area(judged, truths) if judged else 0.0


def _matches(scene: _Read, mine: list[_Guess], big: list[int], threshold: float) -> list[tuple[float, bool]]:
    judged = []
    taken: set[int] = set()
    for i in big:
        best: float | None = None
        for number, guess in enumerate(mine):
            if number in taken or _iou(scene, guess, i) <= threshold:
                continue
            if best is None:
                best = guess.score
                taken.add(number)
                continue
            judged.append((min(best, guess.score), False))
            best = max(best, guess.score)
        if best is not None:
            judged.append((best, True))
    return judged


def _misses(scene: _Read, mine: list[_Guess], threshold: float) -> list[tuple[float, bool]]:
    judged = []
    for guess in mine:
        if any(_iou(scene, guess, i) > threshold for i in guess.shared):
            continue
        small = sum(n for i, n in guess.shared.items() if scene.sizes[i] < MIN_POINTS)
        if (guess.void + small) / guess.size <= threshold:
            judged.append((guess.score, False))
    return judged


def _iou(scene: _Read, guess: _Guess, i: int) -> float:
    common = guess.shared.get(i, 0)
    return common / (guess.size + scene.sizes[i] - common)


def _area(judged: list[tuple[float, bool]], truths: int) -> float:
    """Area under the curve of precision over recall, one point for each score, closed at precision 1, recall 0."""
    score = np.array([s for s, _ in judged])
    right = np.array([r for _, r in judged])
    precision, recall = [], []
    for cut in np.unique(score):
        accepted = right[score >= cut]
        precision.append(accepted.sum() / len(accepted))
        recall.append(accepted.sum() / truths)
    precision.append(1.0)
    recall.append(0.0)
    padded = np.array([recall[0], *recall, 0.0])
    return float(np.dot(precision, np.convolve(padded, [-0.5, 0, 0.5], "valid")))
