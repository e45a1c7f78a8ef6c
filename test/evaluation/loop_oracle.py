"""The protocol of section "rules" in moss_ros/evaluation/scannet.py, spelled out instance by instance.

Slow and plain on purpose: shares no code with the package, decides one thing at a time on boolean masks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Guess:
    """One predicted mask with one class."""

    mask: np.ndarray  # (P,) bool
    class_id: int
    score: float


Scene = tuple[np.ndarray, list[Guess]]  # (P,) labels class * 1000 + number; guesses in file order


def loop_table(scenes: list[Scene], class_ids: list[int], thresholds: np.ndarray, min_points: int) -> np.ndarray:
    """(C, T) average precision; NaN where no instance of the class counts."""
    return np.array([[_class_ap(scenes, c, class_ids, t, min_points) for t in thresholds] for c in class_ids])


def _class_ap(scenes: list[Scene], class_id: int, class_ids: list[int], threshold: float, min_points: int) -> float:
    examples: list[tuple[float, bool]] = []  # score, right
    truths = 0
    for labels, guesses in scenes:
        mine = [g for g in guesses if g.class_id == class_id and g.mask.sum() >= min_points]
        things = [labels == i for i in sorted(set(labels.tolist())) if i // 1000 == class_id]
        void = ~np.isin(labels // 1000, class_ids)
        big = [t for t in things if t.sum() >= min_points]
        truths += len(big)
        examples += _matched(mine, big, threshold)
        examples += _unmatched(mine, things, void, threshold, min_points)
    return _area(examples, truths) if truths else float("nan")


def _matched(mine: list[Guess], big: list[np.ndarray], threshold: float) -> list[tuple[float, bool]]:
    examples = []
    taken: set[int] = set()
    for thing in big:
        best = None
        for number, guess in enumerate(mine):
            if number in taken or _iou(guess.mask, thing) <= threshold:
                continue
            if best is None:
                best = guess.score
                taken.add(number)
            else:
                examples.append((min(best, guess.score), False))
                best = max(best, guess.score)
        if best is not None:
            examples.append((best, True))
    return examples


def _unmatched(
    mine: list[Guess], things: list[np.ndarray], void: np.ndarray, threshold: float, min_points: int
) -> list[tuple[float, bool]]:
    examples = []
    for guess in mine:
        if any(_iou(guess.mask, thing) > threshold for thing in things):
            continue
        ignored = (guess.mask & void).sum()
        for thing in things:
            if thing.sum() < min_points:
                ignored += (guess.mask & thing).sum()
        if ignored / guess.mask.sum() <= threshold:
            examples.append((guess.score, False))
    return examples


def _area(examples: list[tuple[float, bool]], truths: int) -> float:
    points = []  # precision, recall when everything from this score on is accepted
    for cut in sorted({score for score, _ in examples}):
        accepted = [right for score, right in examples if score >= cut]
        points.append((sum(accepted) / len(accepted), sum(accepted) / truths))
    points.append((1.0, 0.0))
    area = 0.0
    for number, (precision, recall) in enumerate(points):
        before = points[number - 1][1] if number else recall
        after = points[number + 1][1] if number + 1 < len(points) else 0.0
        area += precision * (before - after) / 2
    return area


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    shared = int((a & b).sum())
    return shared / (int(a.sum()) + int(b.sum()) - shared)
