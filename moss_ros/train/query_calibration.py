"""Fit how similarity becomes a likelihood: python -m moss_ros.train.query_calibration RUN SCENE [RUN SCENE ...]

Each RUN is the folder of a ``moss replay`` with words, each SCENE the folder of its truth, with questions (as
``moss sim`` writes them). Prints the query.calibration_* parameters of the model that read the runs, and what each
query.min_score would give on scenes that the fit has not seen.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from moss_ros.evaluation.answers import run_config
from moss_ros.evaluation.ground_truth import load_folder
from moss_ros.evaluation.retrieval import Hit, Owners, Query, load_queries, wanted_by
from moss_ros.output.ask_map import AskedMap, open_map
from moss_ros.questions.grammar import parse
from moss_ros.questions.phrase_scores import log_share
from moss_ros.questions.query import placed
from moss_ros.questions.query_limits import QueryRequest

PARAMETERS = (
    *("calibration_bias", "calibration_share"),
    *("calibration_color_bias", "calibration_color"),
)
FOLDS = 4
_START = np.array([0.0, 1.0, 1.0, 1.5])
THRESHOLDS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
_PENALTY = 0.05  # of large values


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """One question to a map: K instances."""

    scene: str
    present: bool
    signals: np.ndarray  # (K, 2) nats: of the share, of the colour
    colored: bool  # names a colour
    has_place: bool  # names a place
    place: np.ndarray  # (K,) how well each lies where it should
    can_answer: np.ndarray  # (K,) bool: looked at and still there
    counts: np.ndarray  # (K,) bool: right or wrong, not void
    right: np.ndarray  # (K,) bool


def asked_questions(run: Path, scene: Path) -> list[AskedQuestion]:
    """All questions of a scene but those about anything at all ("everything on the table")."""
    asked = open_map(run, run_config(run))
    owners = Owners(load_folder(scene))
    shares = {i.id: owners.shares(Hit(i.id, i.centroid_m, i.points_m)) for i in asked.stored.snapshot.instances}
    queries = [q for q in load_queries(scene / "queries.json") if not parse(q.text).target.is_anything]
    return [_asked(scene.name, query, asked, shares) for query in queries]


def _asked(
    scene: str, query: Query, asked: AskedMap, shares: Mapping[int, Mapping[int, float] | None]
) -> AskedQuestion:
    index, prepared, phrase, located = asked.answering.judged(QueryRequest(text=query.text))
    verdicts = [wanted_by(query, shares[int(i)]) for i in index.ids]
    if not query.present:
        verdicts = [v if v is None else -1 for v in verdicts]
    return AskedQuestion(
        scene,
        query.present,
        np.stack([log_share(phrase.share), phrase.color], 1),
        bool(parse(query.text).target.colors),
        located is not None,
        np.ones(len(index)) if located is None else located.scores,
        prepared.known & index.is_there,
        np.array([v is not None for v in verdicts]),
        np.array([v is not None and v >= 0 for v in verdicts]),
    )


def fit(questions: Sequence[AskedQuestion]) -> np.ndarray:
    """(len(PARAMETERS),) values that make the right and wrong instances most likely."""
    used = [q.can_answer & q.counts for q in questions]
    signals = np.concatenate([q.signals[u] for q, u in zip(questions, used, strict=True)])
    colored = np.concatenate([np.full(int(u.sum()), q.colored) for q, u in zip(questions, used, strict=True)])
    right = np.concatenate([q.right[u] for q, u in zip(questions, used, strict=True)])

    def unlikely(values: np.ndarray) -> float:
        p = np.clip(_answers(values, signals, colored), 1e-6, 1 - 1e-6)
        return float(-np.log(np.where(right, p, 1 - p)).sum() + _PENALTY * (values**2).sum())

    return np.asarray(minimize(unlikely, _START, method="L-BFGS-B").x)


def _answers(values: np.ndarray, signals: np.ndarray, colored: np.ndarray | bool) -> np.ndarray:
    """(K,) likelihood of kind and colour; signals: share, colour."""
    kind = expit(values[0] + values[1] * signals[:, 0])
    return np.asarray(kind * np.where(colored, expit(values[2] + values[3] * signals[:, 1]), 1))


def likelihoods(question: AskedQuestion, values: np.ndarray) -> np.ndarray:
    """(K,) as the query engine has them; 0 for what cannot answer."""
    found = _answers(values, question.signals, question.colored)
    return np.where(question.can_answer, placed(found, question.place) if question.has_place else found, 0)


def held_out(questions: Sequence[AskedQuestion]) -> list[np.ndarray]:
    """Likelihoods of every question by a fit on other scenes; where there is one scene alone, on itself."""
    out: dict[int, np.ndarray] = {}
    scenes = sorted({q.scene for q in questions})
    for part in (scenes[k::FOLDS] for k in range(FOLDS)):
        values = fit([q for q in questions if q.scene not in part] or questions)
        out |= {k: likelihoods(q, values) for k, q in enumerate(questions) if q.scene in part}
    return [out[k] for k in range(len(questions))]


def outcome(
    questions: Sequence[AskedQuestion], scores: Sequence[np.ndarray], min_score: float
) -> tuple[float, float, float]:
    """Shares: right first answer and nothing found, of what is there; something found, of what is not."""
    first, nothing, false = [], [], []
    for q, score in zip(questions, scores, strict=True):
        if not q.present:
            false.append(score.max(initial=0) >= min_score)
            continue
        counted = np.where(q.counts, score, 0)
        nothing.append(score.max(initial=0) < min_score)
        first.append(counted.max(initial=0) >= min_score and bool(q.right[counted.argmax()]))
    return _share(first), _share(nothing), _share(false)


def _share(values: list[bool]) -> float:
    return float(np.mean(values)) if values else float("nan")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m moss_ros.train.query_calibration", description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", help="RUN SCENE [RUN SCENE ...]")
    options = parser.parse_args()
    if len(options.folders) % 2:
        parser.error("give a scene for every run: RUN SCENE [RUN SCENE ...]")
    pairs = zip(options.folders[::2], options.folders[1::2], strict=True)
    questions = [q for run, scene in pairs for q in asked_questions(run, scene)]
    values = fit(questions)
    for name, value in zip(PARAMETERS, values, strict=True):
        print(f"query.{name}: {value:.2f}")
    scores = held_out(questions)
    print("query.min_score  success at 1  nothing found though there  found though not there  (scenes not fitted on)")
    for threshold in THRESHOLDS:
        first, nothing, false = outcome(questions, scores, threshold)
        print(f"{threshold:15.2f}  {100 * first:10.0f} %  {100 * nothing:24.0f} %  {100 * false:20.0f} %")


if __name__ == "__main__":
    main()
