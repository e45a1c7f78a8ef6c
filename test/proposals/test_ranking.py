"""The ranking: trees walked by hand, the shipped model, and files that are no model."""

import json

import numpy as np
import pytest

from moss_ros.proposals.features import FEATURES
from moss_ros.proposals.ranking import Ranking, load_ranking

F = len(FEATURES)


def stumps():
    """Base .5; voxels <= 2 loses .2, else wins .1; thickness_m <= .05 loses .4, else 0."""
    thick = FEATURES.index("thickness_m")
    return Ranking(
        0.5,
        np.array([0, 3], np.int32),
        np.array([0, -1, -1, thick, -1, -1], np.int32),
        np.array([2.0, 0, 0, 0.05, 0, 0], np.float32),
        np.array([1, -1, -1, 4, -1, -1], np.int32),
        np.array([2, -1, -1, 5, -1, -1], np.int32),
        np.array([0, -0.2, 0.1, 0, -0.4, 0.0]),
    )


def row(voxels, thickness_m):
    x = np.zeros(F, np.float32)
    x[0], x[FEATURES.index("thickness_m")] = voxels, thickness_m
    return x


def test_scores_by_hand():
    x = np.stack([row(1.0, 0.1), row(2.0, 0.05), row(3.0, 0.1)])
    assert stumps().scores(x) == pytest.approx([0.3, 0.0, 0.6])  # -.1 is clipped
    assert stumps().scores(x).dtype == np.float32


def test_no_proposals_no_scores():
    assert stumps().scores(np.zeros((0, F), np.float32)).shape == (0,)


def test_written_model_is_read_back(tmp_path):
    path = tmp_path / "ranking.json"
    path.write_text(json.dumps(stumps().to_json()))
    x = np.random.default_rng(0).random((50, F)).astype(np.float32) * 3
    assert np.array_equal(load_ranking(path).scores(x), stumps().scores(x))


def test_shipped_model_prefers_what_views_and_sources_agree_on():
    good = np.zeros(F, np.float32)
    for name, value in (
        ("voxels", 2.4),
        ("length_m", 0.2),
        ("width_m", 0.15),
        ("thickness_m", 0.1),
        ("views", 4.0),
        ("seen", 0.5),
        ("mask_iou", 0.9),
        ("mask_inside", 0.95),
        ("other_iou", 0.85),
        ("top_m", 0.9),
        ("bottom_m", 0.7),
        ("consensus", 0.4),
        ("color_step", 60.0),
        ("is_consensus", 1.0),
    ):
        good[FEATURES.index(name)] = value
    bad = good.copy()
    for name, value in (
        ("mask_iou", 0.1),
        ("other_iou", 0.0),
        ("structure", 0.8),
        ("touching", 2.0),
        ("color_step", 8.0),
    ):
        bad[FEATURES.index(name)] = value
    better, worse = load_ranking().scores(np.stack([good, bad]))
    assert better > worse + 0.3


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"features": ["size"]}, "other features"),
        ({"nodes": "none"}, "no ranking model"),
        ({"nodes": [[0, 1.0, 5, 6, 0.0]]}, "damaged"),
        ({"nodes": [[0, 1.0, 0, 0, 0.0]]}, "damaged"),  # a node that is its own child would never end
        ({"roots": [99]}, "damaged"),
    ],
)
def test_bad_model_is_refused_with_the_fix(tmp_path, change, says):
    path = tmp_path / "ranking.json"
    path.write_text(json.dumps(stumps().to_json() | change))
    with pytest.raises(ValueError, match=says):
        load_ranking(path)


def test_missing_model_names_the_command(tmp_path):
    with pytest.raises(ValueError, match="python -m moss_ros.train.ranking"):
        load_ranking(tmp_path / "nowhere.json")


def test_shipped_affinity_model_prefers_groups_that_stand_out():
    facts = {
        "voxels": 2.4,
        "length_m": 0.2,
        "width_m": 0.15,
        "thickness_m": 0.1,
        "views": 4.0,
        "seen": 0.5,
        "mask_iou": 0.9,
        "mask_inside": 0.95,
        "other_iou": 0.85,
        "top_m": 0.9,
        "bottom_m": 0.7,
        "thing": 0.9,
        "inner": 0.9,
        "outer": 0.1,
        "born": 0.7,
        "died": 0.25,
        "stands_out": 0.7,
        "color_step": 60.0,
        "is_affinity": 1.0,
    }
    doubts = {"mask_iou": 0.1, "outer": 0.6, "stands_out": 0.2, "other_iou": 0.0, "structure": 0.8, "touching": 2.0}
    rows = [facts, facts | doubts | {"color_step": 8.0}]
    x = np.array([[row.get(name, 0.0) for name in FEATURES] for row in rows], np.float32)
    better, worse = load_ranking("affinity").scores(x)
    assert better > worse + 0.3


def test_a_model_finds_its_columns_by_name(tmp_path):
    path = tmp_path / "ranking.json"
    known = ["thickness_m", "voxels"]  # fewer, and in another order than FEATURES
    nodes = [[known.index(FEATURES[int(n[0])]) if n[0] >= 0 else -1, *n[1:]] for n in stumps().to_json()["nodes"]]
    path.write_text(json.dumps(stumps().to_json() | {"features": known, "nodes": nodes}))
    x = np.random.default_rng(0).random((50, F)).astype(np.float32) * 3
    assert np.array_equal(load_ranking(path).scores(x), stumps().scores(x))


def test_default_model_looks_at_nothing_of_the_affinity_tree():
    x = np.random.default_rng(0).random((50, F)).astype(np.float32)
    other = x.copy()
    other[:, FEATURES.index("thing") :] += 5
    assert np.array_equal(load_ranking().scores(x), load_ranking("consensus").scores(other))
