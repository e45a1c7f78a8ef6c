"""Scores of text queries against the answers of a scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from moss_ros.evaluation.carry import REACH_M
from moss_ros.evaluation.ground_truth import GroundTruth, TruthError, read_json
from moss_ros.records import OrientedBox

FOUND, ABSENT, NOT_OBSERVED = "found", "absent", "not_observed"
SLACK_M = 0.05  # map voxels, depth noise and rounding of the query file
LABELLED_SHARE = 0.25  # of a result's points that must lie on labelled surface
RADIUS_SHARE = 0.5  # of the answer's half diagonal: a hit in its inner part


@dataclass(frozen=True, slots=True)
class Query:
    """One question with its right answers."""

    text: str
    kind: str  # synonym, attribute, function, relation, count, absent, absent_hard, clicked
    present: bool
    instances: tuple[int, ...] = ()  # true ids that answer it; any of them is right, for `count` all are wanted
    also_ok: tuple[int, ...] = ()  # true ids that are not wrong
    points_m: np.ndarray = field(default_factory=lambda: np.zeros((0, 3)))  # (A, 3) centres in map
    radii_m: np.ndarray = field(default_factory=lambda: np.zeros(0))  # (A,) half diagonals, or click radii


@dataclass(frozen=True, slots=True)
class Hit:
    """One ranked result of the system."""

    id: int  # instance of the system's map
    centroid_m: np.ndarray  # (3,)
    points_m: np.ndarray | None = None  # (N, 3) its points
    box: OrientedBox | None = None  # stands for the points where there are none


@dataclass(frozen=True, slots=True)
class Answer:
    """What the system said to one query, best first."""

    query: str
    status: str  # FOUND, ABSENT or NOT_OBSERVED
    hits: tuple[Hit, ...] = ()

    def __post_init__(self) -> None:
        if self.status not in (FOUND, ABSENT, NOT_OBSERVED):
            raise ValueError(f"status of {self.query!r} must be found, absent or not_observed, not {self.status!r}")


@dataclass(frozen=True, slots=True)
class QueryScore:
    """One line of the table."""

    query: str
    kind: str
    present: bool
    status: str
    rank: int | None  # of the first right result, from 1; None = not among the results
    recall: float  # for `count`: wanted instances among as many results; else 1 or 0; NaN if nothing is wanted


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """Fractions in [0, 1]; NaN where there is no such query."""

    success_at_1: float  # of the present ones: found, and the first result is right
    success_at_5: float
    false_found: float  # of the absent ones: something was called found
    false_absent: float  # of the present ones: called absent
    relation_success_at_1: float
    by_kind: dict[str, float]  # success at 1; for absent kinds the share answered with "not there"
    queries: tuple[QueryScore, ...]


def load_queries(path: Path) -> tuple[Query, ...]:
    """queries.json (instances, points, radii_m) or queries_clicked.json (one point and radius_m)."""
    data = read_json(Path(path))
    if not isinstance(data, dict) or not isinstance(data.get("queries"), list):
        raise TruthError(f"{path}: needs a list `queries`")
    return tuple(_query(Path(path), number, entry) for number, entry in enumerate(data["queries"]))


def score_retrieval(
    queries: Sequence[Query], answers: Sequence[Answer], truth: GroundTruth | None = None
) -> RetrievalResult:
    """Score the answers, one for each query text.

    A result lies on the wanted instances when
    - with its points (or else its box) and the truth: most of its labelled surface is theirs. That surface is
      its points within 3 cm of a labelled point, or the labelled points in its box. Results with most (3/4)
      of their points on unlabelled surface are passed over, for void is neither right nor wrong;
    - else, for clicked queries: its nearest point, or its centroid, is within the clicked radius;
    - else: its centroid is within half of an instance's half diagonal plus 5 cm of the instance's centre.
    Results on `also_ok` instances are passed over as well: they take no rank. A query that was answered
    "absent" or "not observed" has no rank, whatever it lists.
    """
    given = {answer.query: answer for answer in answers}
    missing = [q.text for q in queries if q.text not in given]
    if missing:
        raise ValueError(f"no answer to {len(missing)} queries, the first is {missing[0]!r}")
    owners = Owners(truth) if truth is not None else None
    return _summary(tuple(_score(query, given[query.text], owners) for query in queries))


class Owners:
    """Which true instances a result lies on."""

    def __init__(self, truth: GroundTruth) -> None:
        labelled = truth.instance > 0
        self._instance = truth.instance[labelled]
        self._points_m = truth.points_m[labelled]
        self._tree = cKDTree(self._points_m, balanced_tree=False, compact_nodes=False)

    def shares(self, hit: Hit) -> Mapping[int, float] | None:
        """True id -> share of the labelled surface of the result; None if it has too little of it."""
        if hit.points_m is not None:
            _, rows = self._tree.query(hit.points_m, distance_upper_bound=REACH_M)
            rows = rows[rows < len(self._instance)]
            if len(rows) < LABELLED_SHARE * len(hit.points_m):
                return None
        else:
            rows = np.flatnonzero(_inside(self._points_m, hit.box))
        if not len(rows):
            return None
        ids, counts = np.unique(self._instance[rows], return_counts=True)
        return {int(i): float(c) / len(rows) for i, c in zip(ids, counts, strict=True)}


def _inside(points_m: np.ndarray, box: OrientedBox | None) -> np.ndarray:
    if box is None:
        return np.zeros(len(points_m), bool)
    c, s = np.cos(box.yaw_rad), np.sin(box.yaw_rad)
    offset = points_m - box.center_m
    turned = np.stack([c * offset[:, 0] + s * offset[:, 1], c * offset[:, 1] - s * offset[:, 0], offset[:, 2]], 1)
    return (np.abs(turned) <= box.size_m / 2 + 0.01).all(axis=1)


def _score(query: Query, answer: Answer, owners: Owners | None) -> QueryScore:
    hits = answer.hits if answer.status == FOUND else ()
    verdicts = [v for hit in hits if (v := _verdict(query, hit, owners)) is not None]
    rank = next((number for number, right in enumerate(verdicts, 1) if right >= 0), None)
    wanted = max(len(query.instances), len(query.points_m))
    if not query.present:
        recall = float("nan")
    elif query.kind == "count":
        recall = len({v for v in verdicts[:wanted] if v >= 0}) / max(wanted, 1)
    else:
        recall = float(rank == 1)
    return QueryScore(query.text, query.kind, query.present, answer.status, rank if query.present else None, recall)


def wanted_by(query: Query, shares: Mapping[int, float] | None) -> int | None:
    """Number of the wanted instance that has most of a result's surface, -1 if it is wrong, None if it does not count.

    shares: of the true instances, by Owners.
    """
    if shares is None or sum(shares.get(i, 0.0) for i in query.also_ok) > 0.5:
        return None
    if sum(shares.get(i, 0.0) for i in query.instances) <= 0.5:
        return -1
    return query.instances.index(max(query.instances, key=lambda i: shares.get(i, 0.0)))


def _verdict(query: Query, hit: Hit, owners: Owners | None) -> int | None:
    """Number of the wanted instance that the result is, -1 if it is wrong, None if it does not count."""
    if owners is not None and query.instances and (hit.points_m is not None or hit.box is not None):
        return wanted_by(query, owners.shares(hit))
    points = np.asarray(hit.centroid_m, float)[None]
    reach = query.radii_m * RADIUS_SHARE + SLACK_M
    if query.kind == "clicked":
        reach = query.radii_m
        points = points if hit.points_m is None or not len(hit.points_m) else hit.points_m
    for number, (center, radius) in enumerate(zip(query.points_m, reach, strict=True)):
        if np.linalg.norm(points - center, axis=1).min() <= radius:
            return number
    return -1


def _summary(scores: tuple[QueryScore, ...]) -> RetrievalResult:
    present = [s for s in scores if s.present]
    absent = [s for s in scores if not s.present]
    kinds: dict[str, list[bool]] = {}
    for s in scores:
        kinds.setdefault(s.kind, []).append(s.rank == 1 if s.present else s.status != FOUND)
    return RetrievalResult(
        success_at_1=_share([s.rank == 1 for s in present]),
        success_at_5=_share([s.rank is not None and s.rank <= 5 for s in present]),
        false_found=_share([s.status == FOUND for s in absent]),
        false_absent=_share([s.status == ABSENT for s in present]),
        relation_success_at_1=_share([s.rank == 1 for s in present if s.kind == "relation"]),
        by_kind={kind: _share(right) for kind, right in sorted(kinds.items())},
        queries=scores,
    )


def _query(path: Path, number: int, entry: dict) -> Query:
    try:
        if "point" in entry:
            return Query(
                text=str(entry["query"]),
                kind="clicked",
                present=True,
                points_m=np.array([entry["point"]], float).reshape(1, 3),
                radii_m=np.array([entry["radius_m"]], float),
            )
        points = np.array(entry.get("points", []), float).reshape(-1, 3)
        radii = np.array(entry.get("radii_m", []), float)
        if len(points) != len(radii):
            raise ValueError("one radius per point")
        return Query(
            text=str(entry["query"]),
            kind=str(entry["kind"]),
            present=bool(entry["present"]),
            instances=tuple(int(i) for i in entry.get("instances", [])),
            also_ok=tuple(int(i) for i in entry.get("also_ok", [])),
            points_m=points,
            radii_m=radii,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise TruthError(f"{path}: queries[{number}]: bad or missing field {error}") from None


def _share(values: list[bool]) -> float:
    return sum(values) / len(values) if values else float("nan")
