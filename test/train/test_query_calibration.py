"""The calibration of answers: what was put in is found again, and outcomes are counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from moss_ros.train.query_calibration import PARAMETERS, AskedQuestion, fit, held_out, likelihoods, outcome

TRUE_VALUES = np.array([-2.0, 0.8, 1.0, 1.5])


def question(rng: np.random.Generator, scene: str, colored: bool, count: int = 400) -> AskedQuestion:
    signals = rng.normal(0, 2, (count, 2))
    p = expit(TRUE_VALUES[0] + TRUE_VALUES[1] * signals[:, 0])
    if colored:
        p = p * expit(TRUE_VALUES[2] + TRUE_VALUES[3] * signals[:, 1])
    yes = np.ones(count, bool)
    return AskedQuestion(scene, True, signals, colored, False, np.ones(count), yes, yes, rng.random(count) < p)


def test_known_weights_are_found_again() -> None:
    rng = np.random.default_rng(0)
    questions = [question(rng, f"home {k % 3}", k % 2 == 0) for k in range(40)]
    values = fit(questions)
    assert len(values) == len(PARAMETERS)
    assert np.abs(values - TRUE_VALUES).max() < 0.2
    for own, other in zip(held_out(questions), (likelihoods(q, TRUE_VALUES) for q in questions), strict=True):
        assert np.abs(own - other).mean() < 0.02


def few(present: bool, right: list[bool], counts: list[bool]) -> AskedQuestion:
    k = len(right)
    return AskedQuestion(
        "s", present, np.zeros((k, 2)), False, False, np.ones(k), np.ones(k, bool), np.array(counts), np.array(right)
    )


def test_outcomes_by_hand() -> None:
    questions = [
        few(True, [True, False], [True, True]),  # right first
        few(True, [False, True], [False, True]),  # the best lies on nothing labelled and takes no rank
        few(True, [True, False], [True, True]),  # wrong first
        few(True, [True], [True]),  # too low
        few(False, [False], [True]),  # found though not there
        few(False, [False], [True]),
    ]
    scores = [np.array(s) for s in ([0.9, 0.2], [0.9, 0.6], [0.4, 0.8], [0.1], [0.7], [0.2])]
    assert outcome(questions, scores, 0.5) == pytest.approx((0.5, 0.25, 0.5))


def test_what_was_not_looked_at_cannot_answer() -> None:
    q = few(True, [True, False], [True, True])
    q.can_answer[0] = False
    assert likelihoods(q, TRUE_VALUES)[0] == 0 < likelihoods(q, TRUE_VALUES)[1]
