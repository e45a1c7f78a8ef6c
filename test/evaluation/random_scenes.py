"""Random small scenes with all that makes the protocol hard: ties, tiny things, void, duplicates."""

from __future__ import annotations

import numpy as np
from loop_oracle import Guess, Scene
from scipy.sparse import csr_matrix

from moss_ros.evaluation.ground_truth import GroundTruth, TrueInstance
from moss_ros.evaluation.overlaps import Overlaps, columns_by_class, count_overlaps
from moss_ros.evaluation.scannet import MaskClasses

CLASSES = [2, 5, 7]  # scored; 1 and 3 occur in the labels and are void
MIN_POINTS = 8


def random_scene(rng: np.random.Generator, things: int = 7, guesses: int = 12, ties: bool = True) -> Scene:
    """A line of things of 1 to 30 points, and masks that are noisy copies, unions and pieces of them."""
    labels = np.concatenate(
        [np.zeros(int(rng.integers(0, 20)), np.int64)]
        + [
            np.full(int(rng.integers(1, 30)), int(rng.choice([1, 3, *CLASSES])) * 1000 + number)
            for number in range(things)
        ]
        + [np.full(10, 2)]  # a label below 1000: void as well
    )
    out: list[Guess] = []
    for _ in range(guesses):
        parts = rng.choice(np.unique(labels), size=int(rng.integers(1, 4)))
        if rng.random() < 0.5:
            parts = parts[:1]
        keep = rng.random(len(labels)) < rng.choice([0.3, 0.6, 0.9, 1.0])
        mask = np.isin(labels, parts) & keep | (rng.random(len(labels)) < rng.choice([0.0, 0.02, 0.1]))
        most = int(np.bincount(labels[mask] // 1000, minlength=1).argmax()) if mask.any() else 2
        class_id = most if rng.random() < 0.7 else int(rng.choice([1, *CLASSES]))
        score = float(rng.choice([0.25, 0.5, 0.75])) if ties else float(rng.random())
        out.append(Guess(mask, class_id, score))
        if rng.random() < 0.3:  # the same mask again, or under another name
            other = class_id if rng.random() < 0.5 else int(rng.choice(CLASSES))
            out.append(Guess(mask, other, float(rng.choice([0.25, 0.5, 1.0]))))
    return labels, out


def truth_of(labels: np.ndarray) -> GroundTruth:
    """Labels class * 1000 + number as ground truth at made-up positions."""
    labels = np.where(labels >= 1000, labels, 0)
    things = {int(i): TrueInstance(int(i), int(i) // 1000, "", "", "thing", True) for i in np.unique(labels) if i}
    points = np.stack([np.arange(len(labels)), np.zeros(len(labels)), np.zeros(len(labels))], 1) * 0.01
    category = (labels // 1000).astype(np.int32)
    return GroundTruth(points, labels.astype(np.int32), category, things, {})


def for_package(scene: Scene, class_ids: list[int] = CLASSES) -> tuple[Overlaps, MaskClasses]:
    """The same scene as the package takes it."""
    labels, guesses = scene
    dense = np.array([g.mask for g in guesses], np.int32).reshape(len(guesses), len(labels))
    overlaps = count_overlaps(csr_matrix(dense), columns_by_class(truth_of(labels), np.array(class_ids)))
    return overlaps, MaskClasses(
        np.arange(len(guesses)),
        np.array([g.class_id for g in guesses], np.int64),
        np.array([g.score for g in guesses], np.float64),
    )
