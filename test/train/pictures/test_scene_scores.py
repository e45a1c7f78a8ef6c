"""Scores of a scene by hand, with an encoder that is right where it is told to be."""

from collections.abc import Sequence

import numpy as np
import pytest

pytest.importorskip("torch")

from moss_ros.train.pictures.scene_scores import SceneViews, _apart, scene_scores  # noqa: E402

AXIS = {"ball": 0, "cup": 1, "chair": 2, "the mug": 1}


class Colors:
    """A mask is what the red value below it says, halved: 0 ball, 1 cup, 2 chair."""

    name, dimensions = "colors", 3

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        return np.eye(3, dtype=np.float32)[[AXIS[t] for t in texts]]

    def encode_masks(self, color_rgb: np.ndarray, masks: np.ndarray) -> np.ndarray:
        return np.eye(3, dtype=np.float32)[[color_rgb[m][0, 0] // 2 for m in masks]]


def _views() -> SceneViews:
    """Things 1 (ball), 2 (cup) and 3 (chair); the second view of thing 2 and the only one of 3 look like a ball."""
    image = np.zeros((2, 4, 3), np.uint8)
    image[0, 1] = 2
    masks = np.zeros((3, 2, 4), bool)
    masks[0, 0, 0] = masks[1, 0, 1] = masks[2, 0, 2] = True
    again = np.zeros((2, 2, 4), bool)
    again[0, 0, 1] = again[1, 1, 0] = True
    return SceneViews(
        "scene",
        (image, image),
        (masks, again),
        (np.array([1, 2, 3]), np.array([2, 2])),
        {1: "ball", 2: "cup", 3: "chair"},
        (("synonym", "the mug", frozenset({2})),),
        frozenset({1, 2}),
    )


def test_scores_by_hand() -> None:
    out = scene_scores(_views(), Colors())
    # thing 2 has views cup, cup, ball: its mean is a cup
    assert out["view_top1"] == 60.0
    assert out["thing_top1"] == pytest.approx(66.7)
    assert (out["seen_things"], out["seen_top1"], out["unseen_things"], out["unseen_top1"]) == (2, 100.0, 1, 0.0)
    assert (out["synonym"], out["synonym_asked"]) == (100.0, 1)


def test_views_are_apart_and_large() -> None:
    pixels = np.array([500, 490, 50, 300, 20, 200, 480])
    assert _apart(pixels) == [0, 6]
