"""Relations of a question on a map: which instances lie where it says, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from moss_ros.config import QueryConfig
from moss_ros.questions import lexicon as lex
from moss_ros.questions import relations
from moss_ros.questions.box_pairs import Boxes
from moss_ros.questions.grammar import Place, Relation
from moss_ros.questions.lexicon import RelationKind
from moss_ros.questions.map_index import MapIndex
from moss_ros.questions.noun_phrase import NounPhrase

_OBSERVER_M = 0.4  # footprint of the one who asks
_PAIRS = 4  # candidates for each of the two things that something is between


@dataclass(frozen=True, slots=True)
class Anchors:
    """What a place may be: A things with a weight in [0, 1]."""

    boxes: Boxes
    weights: np.ndarray  # (A,)
    looks_from_m: np.ndarray  # (A, 3)
    names: tuple[str, ...]
    rows: np.ndarray  # (A,) rows of the index, -1 for the observer
    reasons: tuple[str, ...]  # of nested relations


@dataclass(frozen=True, slots=True)
class Located:
    """How well each of K instances lies where it should."""

    scores: np.ndarray  # (K,) in [0, 1]
    reasons: Callable[[int, str], str]  # (row, name of the thing) -> explanation
    missing: str = ""  # the place that was not found
    ignored: str = ""  # the place that cannot be judged; scores are 1
    order: np.ndarray | None = None  # (K,) the smaller the better, where the relation ranks


class Places:
    """Judges relations for one question."""

    def __init__(
        self,
        index: MapIndex,
        config: QueryConfig,
        likelihood: Callable[[NounPhrase], np.ndarray],
        observer: np.ndarray | None,
    ) -> None:
        """likelihood: of a phrase for each instance; observer: (4, 4) map from optical camera frame."""
        self._index = index
        self._config = config
        self._likelihood = likelihood
        self._observer = observer

    def locate(self, relation: Relation) -> Located:
        """How well each instance fulfils a relation."""
        place = relation.anchors[0]
        noun = place.noun
        if noun.head in lex.FLOOR and relation.kind is RelationKind.ON and self._index.floor_m is not None:
            return self._on_floor(self._index.floor_m)
        if noun.head in lex.FLOOR | lex.BACKGROUND or noun.head in lex.ROOMS or noun.text in lex.ROOMS:
            return _everywhere(len(self._index), noun.text)
        found = [self._anchors(p) for p in relation.anchors]
        for anchors, asked in zip(found, relation.anchors, strict=True):
            if not len(anchors.weights):
                return Located(np.zeros(len(self._index)), _no_reason, missing=asked.noun.text)
        if relation.kind is RelationKind.BETWEEN:
            return self._between(found[0], found[-1], same=len(found) == 1)
        return self._beside(relation.kind, found[0])

    def _anchors(self, place: Place) -> Anchors:
        if place.noun.text in lex.OBSERVER:
            return self._observer_anchor()
        index = self._index
        weight = np.where(index.is_there, self._likelihood(place.noun), 0)
        weight = np.where(weight >= self._config.anchor_min_score, weight, 0)
        nested = self.locate(place.relation) if place.relation is not None else None
        if nested is not None:
            weight = weight * nested.scores
        best = float(weight.max(initial=0))
        rows = np.flatnonzero(weight > 0.3 * best) if best > 0 else np.zeros(0, int)
        rows = rows[np.lexsort((index.ids[rows], -weight[rows]))][: self._config.max_anchors]
        names = tuple(f"{_noun_of(index, place.noun, int(r))} {index.ids[r]}" for r in rows)
        reasons = tuple(nested.reasons(int(r), n) if nested else "" for r, n in zip(rows, names, strict=True))
        return Anchors(
            index.boxes.take(rows), weight[rows] / max(best, 1e-9), self._looks_from(rows), names, rows, reasons
        )

    def _observer_anchor(self) -> Anchors:
        if self._observer is None:
            empty = np.zeros((0, 3))
            return Anchors(Boxes(empty, empty, np.zeros(0)), np.zeros(0), empty, (), np.zeros(0, int), ())
        here = self._observer[:3, 3]
        low = here[2] if self._index.floor_m is None else self._index.floor_m
        height = max(float(here[2] - low), _OBSERVER_M)
        center = np.array([[here[0], here[1], low + height / 2]])
        box = Boxes(center, np.array([[_OBSERVER_M, _OBSERVER_M, height]]), np.zeros(1))
        # "In front of me" is where the camera looks: as if somebody there looked back.
        ahead = here + 10 * self._observer[:3, 2]
        return Anchors(box, np.ones(1), ahead[None], ("the observer",), np.array([-1]), ("",))

    def _looks_from(self, rows: np.ndarray) -> np.ndarray:
        index = self._index
        if self._observer is not None:
            return np.tile(self._observer[:3, 3], (len(rows), 1))
        return index.looks_from_m[rows]

    def _beside(self, kind: RelationKind, anchors: Anchors) -> Located:
        index = self._index
        points = None if (anchors.rows < 0).any() else lambda a: index.points_m(int(anchors.rows[a]))
        pairs = relations.judge(kind, index.boxes, anchors.boxes, anchors.looks_from_m, points)
        itself = index.ids[pairs.things] == np.where(anchors.rows >= 0, index.ids[anchors.rows], -1)[pairs.anchors]
        value = np.where(itself, 0, pairs.scores * anchors.weights[pairs.anchors])
        best = np.zeros(len(index))
        np.maximum.at(best, pairs.things, value)

        def reason(row: int, name: str) -> str:
            mine = np.flatnonzero(pairs.things == row)
            pair = mine[np.argmax(value[mine])]
            a = pairs.anchors[pair]
            length, inner = float(pairs.lengths_m[pair]), bool(pairs.inner[pair])
            said = relations.explain(kind, length, name, anchors.names[a], inner)
            return "; ".join(filter(None, (said, anchors.reasons[a])))

        if kind is not RelationKind.NEAREST_TO:
            return Located(best, reason)
        order = np.full(len(index), np.inf)
        np.minimum.at(order, pairs.things[~itself], pairs.lengths_m[~itself])
        return Located(np.where(np.isfinite(order), 1.0, 0.0), reason, order=order)

    def _between(self, first: Anchors, second: Anchors, same: bool) -> Located:
        index = self._index
        best, length = np.zeros(len(index)), np.zeros(len(index))
        names = [""] * len(index)
        for i in range(min(len(first.weights), _PAIRS)):
            for j in range(i + 1 if same else 0, min(len(second.weights), _PAIRS)):
                if first.rows[i] == second.rows[j]:
                    continue
                a, b = first.boxes.take(np.array([i])), second.boxes.take(np.array([j]))
                score, away = relations.judge_between(index.boxes, a, b)
                score = score * min(first.weights[i], second.weights[j])
                score[[r for r in (first.rows[i], second.rows[j]) if r >= 0]] = 0
                for row in np.flatnonzero(score > best):
                    names[row] = f"{first.names[i]} and {second.names[j]}"
                length = np.where(score > best, away, length)
                best = np.maximum(best, score)
        kind = RelationKind.BETWEEN
        return Located(best, lambda row, name: relations.explain(kind, float(length[row]), name, names[row]))

    def _on_floor(self, floor_m: float) -> Located:
        scores, gap = relations.judge_floor(self._index.boxes, floor_m)
        kind = RelationKind.ON
        return Located(scores, lambda row, name: relations.explain(kind, float(gap[row]), name, "the floor"))


def _everywhere(count: int, place: str) -> Located:
    return Located(np.ones(count), _no_reason, ignored=place)


def _no_reason(_row: int, _name: str) -> str:
    return ""


def _noun_of(index: MapIndex, noun: NounPhrase, row: int) -> str:
    if not noun.is_anything and noun.head != "thing":
        return noun.head
    return index.labels[row] or "object"
