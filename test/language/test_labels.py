"""Vocabularies and their files; labels from what things look like and how large they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moss_ros.language.labels import UNNAMED, LabelRule, label_instances
from moss_ros.language.sizes.size_prior import SizePrior
from moss_ros.language.vocabulary import (
    BACKGROUND,
    MOST_SYNONYMS,
    Vocabulary,
    VocabularyError,
    known_vocabularies,
    load_vocabulary,
)

AXES = np.eye(4, dtype=np.float32)
LABELS, WALL = AXES[:3], AXES[3:]
EVEN = np.full((1, 4), 0.5, np.float32)  # looks like everything alike


class FakeEncoder:
    """A unit vector for each known text, the last axis for others."""

    def __init__(self, **axes: int) -> None:
        self._axes = axes
        self.asked: list[str] = []

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        self.asked += texts
        return AXES[[self._axes.get(text, 3) for text in texts]]


def own_file(folder: Path, text: str) -> Path:
    (folder / "own.yaml").write_text(text)
    return folder / "own.yaml"


def test_household_holds_things_and_no_building() -> None:
    household = load_vocabulary("household")
    assert len(household.labels) >= 300 and len(set(household.labels)) == len(household.labels)
    assert {"mug", "sofa", "door", "radiator", "curtain", "toothbrush"} <= set(household.labels)
    assert {"wall", "floor", "ceiling"} <= set(household.stuff) and "wall" not in household.labels
    assert "couch" in household.synonyms[household.labels.index("sofa")]


def test_label_sets_of_benchmarks_keep_their_order_and_stuff() -> None:
    scannet = load_vocabulary("scannet200")
    assert scannet.name == "scannet200" and len(scannet.labels) == 198
    assert scannet.labels[:3] == ("chair", "table", "door") and scannet.stuff == ("wall", "floor")
    assert {"household", "scannet20", "scannet200", "replica48"} <= set(known_vocabularies())


def test_the_size_table_knows_the_scannet_names() -> None:
    prior = SizePrior.load()
    unknown = [label for label in load_vocabulary("scannet200").labels if prior.guess(label).trust < 0.9]
    assert len(unknown) <= 12  # "object", "machine", "furniture": names of no size


def test_an_own_file(tmp_path: Path) -> None:
    found = load_vocabulary(
        own_file(
            tmp_path,
            "name: lab\nclasses:\n- pipette\n- name: beaker\n  synonyms: [glass, cup]\n"
            "- {name: fume hood, stuff: true}\n",
        )
    )
    assert found == Vocabulary("lab", ("pipette", "beaker"), ((), ("glass", "cup")), ("fume hood",))
    assert load_vocabulary(own_file(tmp_path, "- pipette\n- beaker\n")).labels == ("pipette", "beaker")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("labels: [mug]", "needs a list `classes`"),
        ("classes: []", "needs a list `classes`"),
        ("mug", "needs a list `classes`"),
        ("", "needs a list `classes`"),
        ("classes: [mug", "own.yaml: "),
        ("classes:\n- mug\n- chair\n- mug", r":4: 'mug' is also on line 2"),
        ("classes:\n- mug\n- synonyms: [cup]", ":3: write a name"),
        ("classes:\n- [mug]", ":2: write a name"),
        ("classes:\n- {name: mug, synonym: cup}", ":2: unknown synonym; known are"),
        ("classes:\n- {name: mug, synonyms: cup}", ":2: synonyms must be a list"),
        ("classes:\n- {name: mug, stuff: perhaps}", ":2: stuff must be"),
        ("classes:\n- mug\n- 42", ":3: '42' is no name; put names in quotes"),
        ("classes:\n- {name: [mug]}", ":2: .* is no name"),
        ("classes:\n- {name: wall, stuff: true}", "all classes are stuff"),
    ],
)
def test_faulty_files_name_line_and_fix(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(VocabularyError, match=words):
        load_vocabulary(own_file(tmp_path, text))


def test_unknown_names_list_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match="no vocabulary 'kitchen': take household, .*scannet200"):
        load_vocabulary("kitchen")
    with pytest.raises(VocabularyError, match=r"none\.yaml"):
        load_vocabulary(tmp_path / "none.yaml")


def test_a_label_is_the_mean_of_its_names() -> None:
    encoder = FakeEncoder(mug=0, cup=1, beaker=0, chair=2)
    vocabulary = Vocabulary("own", ("mug", "chair"), (("cup", "beaker", "never asked"), ()), ("wall",))
    found = vocabulary.embeddings(encoder)
    np.testing.assert_allclose(found, [[2 / 5**0.5, 1 / 5**0.5, 0, 0], [0, 0, 1, 0]], rtol=1e-6)
    assert MOST_SYNONYMS == 2 and encoder.asked == ["mug", "cup", "beaker", "chair"]
    assert vocabulary.background_embeddings(encoder).shape == (1 + len(BACKGROUND), 4)


def test_odds_by_hand() -> None:
    """Cosines .6 and .2 at scale 5 are odds of e^2; a size of ln 3 for the second at weight 1 makes it e^2 / 3."""
    views = np.array([[0.6, 0.2, -9.0, 0.0]], np.float32)
    rule = LabelRule(similarity_scale=5.0, size_weight=1.0)
    plain = label_instances(LABELS, views, rule=rule)
    assert plain.index.tolist() == [0]
    assert plain.score[0] == pytest.approx(np.e**2 / (np.e**2 + 1), rel=1e-5)
    sized = label_instances(LABELS, views, size_log_likelihood=np.array([[0], [np.log(3)], [0]]), rule=rule)
    assert sized.score[0] == pytest.approx(np.e**2 / (np.e**2 + 3), rel=1e-5)


def test_size_decides_between_what_looks_alike() -> None:
    prior = SizePrior.load()
    extents = np.array([[0.12, 0.1, 0.09], [1.9, 0.9, 0.85], [np.nan, 1, 1]])
    names = ("mug", "sofa", "zorb")
    sizes = prior.log_likelihood(names, extents)
    found = label_instances(LABELS, np.tile(EVEN, (3, 1)), size_log_likelihood=sizes, rule=LabelRule(least_score=0.5))
    assert found.names(Vocabulary("", names, ((), (), ()))) == ("mug", "sofa", UNNAMED)
    assert found.score[2] == pytest.approx(1 / 3, rel=1e-5)


def test_background_and_doubt_stay_objects() -> None:
    views = np.concatenate([AXES[3:], EVEN, AXES[:1]])
    found = label_instances(LABELS, views, background=WALL)
    assert found.index.tolist() == [-1, -1, 0]
    assert found.background[0] > 0.99 and found.background[2] < 0.01
    assert found.background[1] == found.score[1] == pytest.approx(0.25)
    assert label_instances(LABELS, EVEN, rule=LabelRule(least_score=0.3)).index.tolist() == [0]
    shy = LabelRule(background_bonus=200.0)
    assert label_instances(LABELS, AXES[:1], background=WALL, rule=shy).index.tolist() == [-1]


def test_mean_and_best_view_share_the_say() -> None:
    mean, best = AXES[[0, 0, 0]], AXES[[1, 1, 1]].copy()
    best[2] = 0  # never seen well: the mean alone speaks
    for share, wanted in ((0.4, [0, 0, 0]), (0.6, [1, 1, 0])):
        rule = LabelRule(best_view_share=share)
        assert label_instances(LABELS, mean, best, rule=rule).index.tolist() == wanted
    assert label_instances(LABELS, np.zeros((1, 4)), AXES[1:2]).index.tolist() == [1]


def test_what_was_never_seen_stays_an_object() -> None:
    sizes = np.array([[9.0], [0], [0]])
    found = label_instances(LABELS, np.zeros((1, 4)), np.zeros((1, 4)), WALL, sizes)
    assert (found.index[0], found.score[0], found.background[0]) == (-1, 0, 0)
    none = label_instances(LABELS, np.zeros((0, 4)), None, WALL)
    assert none.index.shape == none.score.shape == (0,)


@given(st.integers(0, 10_000))
def test_parts_do_not_matter_and_probabilities_are_sound(seed: int) -> None:
    rng = np.random.default_rng(seed)
    views, sizes = rng.normal(size=(5, 4)).astype(np.float32), rng.normal(size=(3, 5))
    found = label_instances(LABELS, views, None, WALL, sizes)
    assert (found.score + found.background <= 1 + 1e-5).all() and (found.score * 3 + found.background >= 1 - 1e-5).all()
    for k in range(5):
        alone = label_instances(LABELS, views[k : k + 1], None, WALL, sizes[:, k : k + 1])
        assert alone.index[0] == found.index[k] and alone.score[0] == pytest.approx(found.score[k], abs=1e-5)


def test_many_instances_are_labelled_in_parts() -> None:
    views = np.tile(AXES[:3], (1500, 1))
    found = label_instances(LABELS, views, views, WALL, np.zeros((3, 4500)))
    assert (found.index == np.tile([0, 1, 2], 1500)).all()


def test_wrong_shapes_and_rules_name_the_fix() -> None:
    for arguments, words in (
        ((np.zeros((0, 4)), EVEN), "at least one label"),
        ((LABELS, np.ones((1, 3))), r"must be \(K, 4\)"),
        ((LABELS, EVEN, np.ones((2, 4))), "shape of mean_view"),
        ((LABELS, EVEN, None, np.ones((1, 3))), r"must be \(B, 4\)"),
        ((LABELS, EVEN, None, None, np.ones((1, 3))), r"\(V, K\) = \(3, 1\)"),
    ):
        with pytest.raises(ValueError, match=words):
            label_instances(*arguments)
    with pytest.raises(ValueError, match="best_view_share 2"):
        LabelRule(best_view_share=2)
