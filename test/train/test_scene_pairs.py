"""Pairs of pixels in a recorded scene: a network that always says yes, one that knows the truth, sums by hand."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_scene import write_tiny_scene

from moss_ros.masks2d.gravity_input import CHANNELS
from moss_ros.masks2d.regions import OFFSETS
from moss_ros.train.scene_pairs import ScenePairs, _sums


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> ScenePairs:
    return ScenePairs(write_tiny_scene(tmp_path_factory.mktemp("pairs") / "tiny"))


def test_who_always_says_yes_is_right_about_the_same_thing_only(pairs: ScenePairs) -> None:
    shown = []

    def yes(channels: np.ndarray) -> np.ndarray:
        shown.append(channels)
        return np.ones((1 + len(OFFSETS), *channels.shape[1:]), np.float32)

    scores = pairs.scores(yes, color=False)
    assert {name for name in scores if name.startswith("4px")} == {"4px+", "4px-", "4px loss"}
    assert scores["4px+"] == scores["28px+"] == 1.0 and scores["4px-"] == scores["28px-"] == 0.0
    assert scores["28px loss"] == pytest.approx(-np.log(1e-3) / 2)
    assert all(len(channels) == CHANNELS and not channels[-1].any() for channels in shown)  # no colour was given


def test_color_is_shown_where_asked_for(pairs: ScenePairs) -> None:
    def half(channels: np.ndarray) -> np.ndarray:
        assert channels[-1].all()
        return np.full((1 + len(OFFSETS), *channels.shape[1:]), 0.6, np.float32)

    assert pairs.scores(half, color=True)["12px loss"] == pytest.approx((-np.log(0.6) - np.log(0.4)) / 2, abs=1e-6)


def test_sums_by_hand() -> None:
    same, said = np.array([True, True, False]), np.array([0.9, 0.2, 0.4])
    expected = [[1, 1, -np.log(0.6)], [2, 1, -np.log(0.9) - np.log(0.2)]]
    assert _sums(same, said) == pytest.approx(np.array(expected))
