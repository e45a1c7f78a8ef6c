"""Shares of nouns, worked out by hand."""

import numpy as np
import pytest

from moss_ros.questions.noun_shares import KEPT, NounShares, noun_shares


def test_shares_are_a_softmax_with_what_is_no_thing() -> None:
    nats = np.log(np.array([[1.0, 6], [2, 1], [5, 1]]))  # two nouns, then what is no thing
    found = noun_shares(nats, 2)
    assert found.of(np.array([1.0, 0])) == pytest.approx([1 / 8, 6 / 8])
    assert found.of(np.array([1.0, 0.5])) == pytest.approx([2 / 8, 6.5 / 8])
    assert found.log_total == pytest.approx(np.log([8, 8]))
    assert found.best(0, 1) == [(1, pytest.approx(2 / 8))]


def test_only_the_likeliest_nouns_are_kept() -> None:
    nats = np.arange(KEPT + 3.0)[:, None]
    found = noun_shares(nats, KEPT + 3)
    assert sorted(found.rows[0].tolist()) == list(range(3, KEPT + 3))
    assert found.of(np.ones(KEPT + 3))[0] == pytest.approx(1 - np.exp(nats[:3]).sum() / np.exp(nats).sum())


def test_no_instances() -> None:
    assert noun_shares(np.zeros((3, 0)), 2).of(np.ones(2)).shape == (0,)


def test_parts_join_in_order() -> None:
    nats = np.random.default_rng(4).normal(0, 2, (30, 7))
    parts = NounShares.joined([noun_shares(nats[:, :3], 28), noun_shares(nats[:, 3:], 28)])
    fit = np.arange(28) % 2
    assert parts.of(fit) == pytest.approx(noun_shares(nats, 28).of(fit))
