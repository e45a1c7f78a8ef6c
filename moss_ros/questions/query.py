"""From a question to ranked instances, or to an honest no.

text -> Question (grammar) -> likelihood of each instance (phrase_scores) -> relation (places) -> region -> ranking
likelihood of an answer = that of its kind, surer where it lies as it should (placed)
Nothing found is ABSENT only where the camera has seen most of the asked region, else NOT_OBSERVED.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np

from moss_ros.config import QueryConfig
from moss_ros.language.encoders.encoder import ImageTextEncoder
from moss_ros.questions.attributes import COLOR_NAMES
from moss_ros.questions.grammar import Place, Quantity, Question, Relation, parse
from moss_ros.questions.map_index import MapIndex
from moss_ros.questions.noun_phrase import NounPhrase
from moss_ros.questions.phrase_scores import PhraseScore, PhraseScorer, Prepared, SizePrior
from moss_ros.questions.places import Located, Places
from moss_ros.questions.query_limits import QueryRequest, checked
from moss_ros.questions.ranking_order import measure
from moss_ros.questions.region import Region, RegionKind

_SIZES_TOLD = 5  # answers whose size is put in words, which takes longest of all reasons
_PLACED = 0.6  # exponent of the kind; between .5 (more is found, wrongly too) and 1, on simulated homes
_LOOSE = 0.5  # superlatives choose among answers with this share of the best likelihood


class Status(IntEnum):
    """Values equal the constants of moss_msgs/FindObjects; lower-case names those of the evaluation."""

    FOUND = 0
    ABSENT = 1
    NOT_OBSERVED = 2


class Observed(Protocol):
    """What the camera has seen (mapping.observed.ObservedSpace)."""

    def share(self, region: Region | None = None) -> float:
        """Share of a region, None: of everywhere."""
        ...


@dataclass(frozen=True, slots=True)
class FoundObject:
    """One answer."""

    id: int
    score: float  # calibrated likelihood, [0, 1]
    similarity: float  # cosine, [-1, 1]
    explanation: str  # why, lengths in m or cm


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """The answer to one question, best first."""

    status: Status
    observed_share: float
    found: tuple[FoundObject, ...]
    count: int  # answers before the limit of results
    message: str
    model: str


class QueryEngine:
    """Answers questions about one map after another. Not thread-safe."""

    def __init__(
        self,
        encoder: ImageTextEncoder,
        config: QueryConfig | None = None,
        size_prior: SizePrior | None = None,
        size_weight: float = 0.3,
    ) -> None:
        self._config = config or QueryConfig()
        self._encoder = encoder
        self._scorer = PhraseScorer(encoder, self._config, size_prior, size_weight)
        self._prepared: Prepared | None = None

    def prepare(self, index: MapIndex) -> Prepared:
        """What all questions to an index share; find() does it when needed, the mapper may do it before."""
        if self._prepared is None or self._prepared.index is not index:
            self._prepared = self.prepared(index)
        return self._prepared

    def prepared(self, index: MapIndex) -> Prepared:
        """The same, in any thread beside questions, for take()."""
        return self._scorer.prepare(index)

    def take(self, prepared: Prepared) -> None:
        """Questions about this index come next."""
        self._prepared = prepared

    def find(self, request: QueryRequest, index: MapIndex, observed: Observed) -> QueryAnswer:
        """Answer a request. Raises QueryError when it cannot be understood; the message names the fix."""
        request, text = checked(request, self._config, self._encoder.dimensions)
        prepared = self.prepare(index)
        question = parse(text) if text else None
        judged = _Judged.of(self, prepared, request, question)
        min_score = request.min_score or self._config.min_score
        hits = judged.score >= max(min_score, 1e-6)
        inside = index.is_there & request.region.holds(index.boxes, index.centroid_m)
        rows = np.flatnonzero(hits & inside)
        best = judged.ranked(rows, request.max_results)
        found = tuple(judged.found(int(r), rank) for rank, r in enumerate(best))
        share = observed.share(None if request.region.kind is RegionKind.EVERYWHERE else request.region)
        if found:
            status = Status.FOUND
        else:
            status = Status.ABSENT if share >= self._config.observed_share else Status.NOT_OBSERVED
        message = "; ".join(filter(None, (_told(status, share, len(rows), question), *judged.notes(hits, inside))))
        return QueryAnswer(status, share, found, len(rows), message, self._encoder.name)

    def judge(
        self, prepared: Prepared, request: QueryRequest, question: Question
    ) -> tuple[PhraseScore, Located | None]:
        """Phrase and relation of a question, with one pass over the embeddings for all its words."""
        negatives = (*request.negatives, *question.negatives)
        nouns = (question.target, *_nouns(question.relation))
        fits = self._scorer.fits(prepared, [t for n in nouns for t in n.kinds] + list(negatives))
        target = self._scorer.score(prepared, question.target, negatives, fits)
        if question.relation is None:
            return target, None
        places = Places(
            prepared.index,
            self._config,
            lambda noun: self._scorer.score(prepared, noun, (), fits).likelihood,
            request.observer,
        )
        return target, places.locate(question.relation)

    def example_logits(self, prepared: Prepared, example: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cosine and logit (K,) of the likeness to an example."""
        cosine = np.einsum("kd,d->k", prepared.vectors, example)  # no threads to wait for
        return cosine, self._config.example_scale * (cosine - self._config.example_similarity)

    def explain_kind(self, prepared: Prepared, row: int, share: float) -> str:
        """What an instance may be; share: of it that fits the question."""
        return self._scorer.explain_kind(prepared, row, share)

    def explain_size(self, noun: NounPhrase, extents_m: np.ndarray) -> str:
        """What the size says for a noun."""
        return "" if noun.is_anything else self._scorer.explain_size(noun.texts[0], extents_m)


@dataclass(frozen=True, slots=True)
class _Judged:
    """All instances judged by one request."""

    engine: QueryEngine
    prepared: Prepared
    request: QueryRequest
    question: Question | None
    score: np.ndarray  # (K,)
    similarity: np.ndarray  # (K,)
    phrase: PhraseScore | None
    located: Located | None

    @classmethod
    def of(cls, engine: QueryEngine, prepared: Prepared, request: QueryRequest, question: Question | None) -> _Judged:
        score, similarity = np.ones(len(prepared.index)), np.zeros(len(prepared.index))
        phrase, located = None, None
        if question is not None:
            phrase, located = engine.judge(prepared, request, question)
            score, similarity = phrase.likelihood, phrase.similarity
        if request.example is not None:
            cosine, logit = engine.example_logits(prepared, request.example)
            alike = np.where(prepared.known, 1 / (1 + np.exp(-np.clip(logit, -50, 50))), 0)
            score = np.sqrt(score * alike) if question is not None else alike
            similarity = cosine if question is None else (similarity + cosine) / 2
        if located is not None:
            score = placed(score, located.scores)
        return cls(engine, prepared, request, question, score, similarity, phrase, located)

    def ranked(self, rows: np.ndarray, count: int) -> np.ndarray:
        """The `count` best of some rows, best first; equal ones by id, so that the order of the instances does not
        matter."""
        if not len(rows):
            return rows
        keys = self.located.order if self.located is not None else None
        if self.question is not None and self.question.superlative is not None:
            keys = measure(self.question.superlative, self.prepared.index, rows, self.request.observer)
        if keys is None:
            return self._best(rows, -self.score, count)
        good = self.score[rows] >= _LOOSE * self.score[rows].max()
        chosen = self._best(rows[good], keys, count)
        return np.concatenate([chosen, self._best(rows[~good], -self.score, count - len(chosen))])

    def _best(self, rows: np.ndarray, keys: np.ndarray, count: int) -> np.ndarray:
        """The `count` rows with the smallest keys (K,), in order; equal ones by id."""
        if len(rows) > count > 0:  # sorting all of a large map takes longer than judging it
            rows = rows[keys[rows] <= np.partition(keys[rows], count - 1)[count - 1]]
        return rows[np.lexsort((self.prepared.index.ids[rows], keys[rows]))][: max(count, 0)]

    def found(self, row: int, rank: int) -> FoundObject:
        index = self.prepared.index
        return FoundObject(
            int(index.ids[row]), float(self.score[row]), float(self.similarity[row]), self._why(row, rank)
        )

    def notes(self, hits: np.ndarray, inside: np.ndarray) -> list[str]:
        """What else the asker should know."""
        index, notes = self.prepared.index, []
        if self.located is not None and self.located.missing:
            notes.append(f"no {self.located.missing} was found to start from")
        if self.located is not None and self.located.ignored:
            notes.append(f"{self.located.ignored!r} is no object of the map, so the place was not judged")
        if self.question is not None and _is_foreign(self.question.text):
            notes.append("the text is not in Latin letters: the model may not know its language, the grammar does not")
        unread = int(np.count_nonzero(~self.prepared.known & index.is_there))
        if unread:
            notes.append(f"{unread} of {len(index)} instances have not been looked at yet")
        gone = np.flatnonzero(hits & ~index.is_there)
        if len(gone) and not (hits & inside).any():
            best = gone[np.argmax(self.score[gone])]
            notes.append(f"instance {index.ids[best]} fits but is gone, last seen at {index.last_seen_ns[best]} ns")
        return notes

    def _why(self, row: int, rank: int) -> str:
        index, reasons = self.prepared.index, []
        if self.question is not None and self.phrase is not None:
            noun = self.question.target
            name = index.labels[row] or "object" if noun.head == "thing" else noun.head
            if self.located is not None:
                reasons.append(self.located.reasons(row, f"{name} {index.ids[row]}"))
            if noun.colors:
                reasons.append(_colors(noun.colors, index.color_shares[row]))
            if rank < _SIZES_TOLD:
                reasons.append(self.engine.explain_size(noun, self.prepared.extents_m[row]))
            if not noun.is_anything:
                reasons.append(self.engine.explain_kind(self.prepared, row, float(self.phrase.share[row])))
        if self.request.example is not None:
            reasons.append(f"looks like the example, cosine {self.similarity[row]:.2f}")
        return "; ".join(filter(None, reasons))


def placed(likelihood: np.ndarray, place: np.ndarray) -> np.ndarray:
    """(K,) likelihoods of kind and place together: what lies where it was looked for is the likelier of that kind."""
    return np.asarray(likelihood**_PLACED * place)


def _nouns(relation: Relation | None) -> list[NounPhrase]:
    return [n for place in relation.anchors for n in _place_nouns(place)] if relation is not None else []


def _place_nouns(place: Place) -> list[NounPhrase]:
    return [place.noun, *_nouns(place.relation)]


def _colors(names: tuple[str, ...], shares: np.ndarray) -> str:
    return "voxels look " + ", ".join(f"{n} to {round(100 * float(shares[COLOR_NAMES.index(n)]))} %" for n in names)


def _told(status: Status, share: float, count: int, question: Question | None) -> str:
    if status is Status.FOUND:
        return f"{count} found" if question is not None and question.quantity is not Quantity.ONE else ""
    if status is Status.ABSENT:
        return f"not there: {round(100 * share)} % of the region was seen"
    return f"cannot say: only {round(100 * share)} % of the region was seen"


def _is_foreign(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    return sum(ord(c) > 0x24F for c in letters) > len(letters) / 2
