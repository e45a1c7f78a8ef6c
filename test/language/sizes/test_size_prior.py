"""Sizes as evidence: the table, which noun a phrase is about, and likelihoods worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from moss_ros.language.sizes.head_noun import head_noun, last_known, singular
from moss_ros.language.sizes.noun_neighbours import NounNeighbours
from moss_ros.language.sizes.size_density import Background, log_extent, log_ratio, sorted_boxes
from moss_ros.language.sizes.size_prior import TRUST_KNOWN, SizePrior
from moss_ros.language.sizes.size_table import COLUMNS, SizeTableError, read_sizes

HEADER = ",".join(COLUMNS) + "\n"
MUG = np.array([[0.09, 0.12, 0.10]])
SOFA = np.array([[0.9, 1.9, 0.85]])
PRIOR = SizePrior.load()
FLAT = np.zeros(1)  # a background density of 1


def own_prior(folder: Path, rows: str) -> SizePrior:
    (folder / "sizes.csv").write_text(HEADER + rows)
    return SizePrior.load(folder / "sizes.csv")


def test_table_is_sorted_unique_and_plausible() -> None:
    table = read_sizes()
    assert len(table.nouns) >= 350
    assert list(table.nouns) == sorted(table.nouns)
    assert len(table.rows_by_name()) == len(table.nouns) + sum(map(len, table.aliases))
    assert (np.diff(table.extents_m, axis=1) <= 0).all()
    assert table.extents_m.min() >= 0.001 and table.extents_m.max() <= 5.0
    assert table.log_sd.min() >= 0.03 and table.log_sd.max() <= 1.2
    slenderness = table.extents_m[:, 0] / table.extents_m[:, 1]
    assert slenderness.max() < 50  # a spear is 40


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [("teaspoon", "spoon"), ("cup", "bucket"), ("phone", "tablet"), ("tablet", "laptop"), ("laptop", "monitor")]
    + [("monitor", "television"), ("stool", "chair"), ("armchair", "sofa"), ("strawberry", "apple"), ("pen", "broom")]
    + [("golf ball", "tennis ball"), ("tennis ball", "basketball"), ("mini fridge", "refrigerator"), ("book", "desk")],
)
def test_known_order_of_sizes(smaller: str, larger: str) -> None:
    rows, extents = PRIOR.table.rows_by_name(), PRIOR.table.extents_m
    assert extents[rows[smaller], 0] < extents[rows[larger], 0]
    assert extents[rows[smaller]].prod() < extents[rows[larger]].prod()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("noun,long_m\nmug,1", "the first line"),
        (HEADER, "holds no noun"),
        (HEADER + "mug,,kitchen,0.1,0.1,0.1,0.1,0.1", ":2: 8 fields"),
        (
            HEADER + "mug,cup,kitchen,0.1,0.1,0.1,0.1,0.1,0.1\n# more\ncup,,kitchen,1,1,1,1,1,1",
            "'cup' is also on line 2",
        ),
        (HEADER + "mug,,kitchen,0.1,0.2,0.1,0.1,0.1,0.1", "longest first"),
        (HEADER + "mug,,kitchen,12,9,9,0.1,0.1,0.1", "must be metres"),
        (HEADER + "mug,,kitchen,nan,0.1,0.1,0.1,0.1,0.1", "must be metres"),
        (HEADER + "mug,,kitchen,0.1,0.1,big,0.1,0.1,0.1", "extents are metres"),
        (HEADER + "mug,,kitchen,0.1,0.1,0.1,0,0.1,0.1", "spreads"),
        (HEADER + "Mug,,kitchen,0.1,0.1,0.1,0.1,0.1,0.1", "lower-case"),
    ],
)
def test_faulty_tables_name_the_fix(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(SizeTableError, match=words):
        read_sizes(tmp_path / "own.csv")


def test_missing_table(tmp_path: Path) -> None:
    with pytest.raises(SizeTableError, match=r"none\.csv.*give a CSV"):
        read_sizes(tmp_path / "none.csv")


KNOWN = frozenset(
    ["mug", "shoe", "knife", "glasses", "wine glass", "chest of drawers", "stack of books", "bottle", "book", "table"]
    + [
        "tv stand",
        "coffee table",
        "toy",
        "toy car",
        "car",
        "chef's knife",
        "box",
        "shelf",
        "pan",
        "standing lamp",
        "lamp",
    ]
)


@pytest.mark.parametrize(
    ("phrase", "noun"),
    [
        ("the red mug", "mug"),
        ("Mugs", "mug"),
        ("a mug on the coffee table", "mug"),
        ("the mug left of the bottle", "mug"),
        ("the left shoe", "shoe"),
        ("a pair of shoes", "shoe"),
        ("two wine glasses", "wine glass"),
        ("my glasses", "glasses"),
        ("a bottle of water", "bottle"),
        ("a chest of drawers", "chest of drawers"),
        ("two stacks of books", "stack of books"),
        ("the big stack of books", "stack of books"),
        ("knives", "knife"),
        ("shelves", "shelf"),
        ("boxes", "box"),
        ("chef’s knife", "chef's knife"),
        ("the TV-stand", "tv stand"),
        ("a toy car", "toy car"),
        ("a toy table", "toy"),
        ("the standing lamp", "standing lamp"),
        ("the lamp standing on the table", "lamp"),
        ("table tennis thing", None),
        ("something to drink from", None),
        ("", None),
    ],
)
def test_head_noun(phrase: str, noun: str | None) -> None:
    assert head_noun(phrase, KNOWN) == noun


def test_last_known_and_singular() -> None:
    assert last_known("the mug shaped thing on the table", KNOWN) == "mug"
    assert last_known("a thing", KNOWN) is None
    words = ("berries", "loaves", "buses", "glass", "bus", "tomatoes", "vases", "dishes")
    assert [singular(w) for w in words[:2]] == ["berry", "loaf"]
    assert [singular(w) for w in words[3:]] == ["glass", "bus", "tomato", "vase", "dish"]


def test_density_of_a_whole_box_is_the_product_of_student_densities() -> None:
    mean, sd = np.array([[0.0, -1.0, -2.0]]), np.array([[0.5, 0.4, 0.3]])
    boxes = sorted_boxes(np.array([[0.2, 1.5, 0.4]]), None)
    expected = student.logpdf((log_extent(np.array([1.5, 0.4, 0.2])) - mean) / sd, 4) - np.log(sd)
    assert log_ratio(mean, sd, np.ones(1), boxes, FLAT)[0, 0] == pytest.approx(expected.sum(), rel=1e-5)


def test_a_cut_extent_may_be_any_of_the_things_extents() -> None:
    mean, sd = np.array([[0.0, -1.0, -2.0]]), np.array([[0.5, 0.4, 0.3]])
    boxes = sorted_boxes(np.array([[0.2, 1.5, 0.4]]), np.array([[True, False, True]]))
    whole_long, whole_short, cut = log_extent(np.array([0.4, 0.2, 1.5]))

    def factor(value: float, rank: int) -> float:
        return float(student.pdf((value - mean[0, rank]) / sd[0, rank], 4) / sd[0, rank])

    ways = [
        factor(whole_long, i) * factor(whole_short, j) * student.sf((cut - mean[0, k]) / sd[0, k], 4)
        for i, j, k in ((0, 1, 2), (0, 2, 1), (1, 2, 0))
    ]
    assert log_ratio(mean, sd, np.ones(1), boxes, FLAT)[0, 0] == pytest.approx(np.log(np.mean(ways)), rel=1e-5)


def test_boxes_are_sorted_whole_extents_first() -> None:
    boxes = sorted_boxes(np.array([[3.0, 1.0, 2.0], [3.0, 1.0, 2.0], [1.0, np.nan, 1.0]]), np.eye(3, dtype=bool))
    np.testing.assert_allclose(np.exp(boxes.log_extents[:2]), [[3, 2, 1], [1, 3, 2]], rtol=1e-3)
    assert boxes.cut.tolist() == [2, 2, -1]


def test_background_is_the_mean_over_nouns() -> None:
    rng = np.random.default_rng(1)
    mean, sd = -np.sort(-rng.uniform(-3, 0.5, (5, 3)), axis=1), rng.uniform(0.4, 0.6, (5, 3))
    boxes = sorted_boxes(np.exp(rng.uniform(-3, 0.5, (40, 3))), rng.random((40, 3)) < 0.6)
    each = log_ratio(mean, sd, np.ones(5), boxes, np.zeros(40))
    np.testing.assert_allclose(Background(mean, sd).log_density(boxes), np.log(np.exp(each).mean(axis=0)), atol=0.06)


def test_size_tells_a_mug_from_a_sofa() -> None:
    found = PRIOR.log_likelihood(["mug", "sofa"], np.concatenate([MUG, SOFA]))
    assert found.dtype == np.float32 and found.shape == (2, 2)
    assert found[0, 0] > 3 and found[1, 1] > 3
    assert found[0, 1] == pytest.approx(np.log(1 - TRUST_KNOWN), abs=0.05)  # a toy or a picture of one stays possible


def test_the_part_of_a_sofa_that_was_seen_is_no_evidence_against_it() -> None:
    part = np.array([[0.8, 0.5, 0.4]])
    whole, cut, two_cut = (
        PRIOR.log_likelihood("sofa", part, np.array([s])) for s in (True, False, [True, False, False])
    )
    assert whole[0, 0] < -3
    assert cut[0, 0] > 0 and two_cut[0, 0] > 0
    assert PRIOR.log_likelihood("mug", part, np.array([False]))[0, 0] < -2  # it is too large for a mug all the same


def test_shares_below_the_limit_are_cut() -> None:
    flags = PRIOR.log_likelihood("sofa", SOFA / 2, np.array([[True, True, False]]))
    shares = PRIOR.log_likelihood("sofa", SOFA / 2, np.array([[1.0, 0.8, 0.7]]))
    assert flags[0, 0] == shares[0, 0]


def test_phrases_plurals_and_aliases_are_the_noun() -> None:
    boxes = np.concatenate([MUG, SOFA, MUG / 3])
    found = PRIOR.log_likelihood(["mug", "the red mugs on the table", "coffee mug", "MUG"], boxes)
    assert (found == found[0]).all()


def test_bad_boxes_say_nothing() -> None:
    boxes = np.array([[np.nan, 0.1, 0.1], [np.inf, 1, 1], [-0.1, 0.1, 0.1], [0.12, 0.1, 0.09], [0.0, 0.0, 0.0]])
    found = PRIOR.log_likelihood("mug", boxes)[0]
    assert found[:3].tolist() == [0, 0, 0] and found[3] > 3
    assert np.isfinite(found).all()
    for bad in (np.nan, np.inf, -0.1):
        boxes = np.full((3, 3), 0.1) + np.diag([bad - 0.1] * 3)
        for seen in (None, np.eye(3, dtype=bool), ~np.eye(3, dtype=bool)):
            assert not PRIOR.log_likelihood("mug", boxes, seen).any()
    assert PRIOR.log_likelihood("mug", np.zeros((0, 3))).shape == (1, 0)


def test_unknown_words_say_nothing_without_embeddings() -> None:
    assert PRIOR.log_likelihood("zorb", np.concatenate([MUG, SOFA])).tolist() == [[0, 0]]
    assert PRIOR.explain("zorb", MUG[0]) == ""
    half = PRIOR.log_likelihood("a mug shaped zorb", SOFA)[0, 0]
    assert half == pytest.approx(np.log(0.5), abs=0.02)


def test_unknown_words_take_the_size_of_near_nouns() -> None:
    rng = np.random.default_rng(0)
    nouns = rng.normal(size=(len(PRIOR.nouns), 64))
    nouns /= np.linalg.norm(nouns, axis=1, keepdims=True)
    prior = PRIOR.with_embeddings(nouns)
    boxes = np.concatenate([MUG, SOFA])
    beaker = nouns[PRIOR.nouns.index("mug")]
    near, far = prior.guess("zorb", beaker), prior.guess("zorb", -beaker)
    known = prior.guess("mug", -beaker)
    assert known.trust == TRUST_KNOWN and near.name == "mug" and (near.log_sd > known.log_sd).all()
    assert 0.9 < near.trust < known.trust and far.trust < near.trust
    found = prior.log_likelihood(["mug", "zorb"], boxes, None, np.stack([beaker, beaker]))
    assert found[0, 0] > found[1, 0] > 2 and found[1, 1] < -1
    assert PRIOR.guess("zorb", beaker).trust == 0


def test_nearness_is_read_against_what_is_usual() -> None:
    """Where all texts are similar, a cosine of 0.8 is far; weights fall with similarity."""
    rng = np.random.default_rng(0)
    common = np.eye(32)[0] * 2
    nouns = common + 0.18 * rng.normal(size=(100, 32))
    nouns /= np.linalg.norm(nouns, axis=1, keepdims=True)
    rows, weight, nearness = NounNeighbours(nouns).of(nouns[7])
    assert rows[0] == 7 and nearness > 0.5 and weight.sum() == pytest.approx(1) and (np.diff(weight) <= 0).all()
    assert (nouns @ (common / 2)).min() > 0.75
    assert NounNeighbours(nouns).of(common / 2 * 0.8)[2] < 0.05


@given(st.sampled_from(PRIOR.nouns), st.integers(0, 2), st.floats(0.05, 3), st.floats(1.05, 3))
def test_farther_from_the_typical_size_is_less_likely(noun: str, axis: int, near: float, factor: float) -> None:
    guess = PRIOR.guess(noun)
    logs = np.tile(guess.log_mean, (3, 1))
    logs[1, axis] += near
    logs[2, axis] += near * factor
    extents = np.sqrt(np.exp(2 * logs) - np.exp(2 * log_extent(np.zeros(1))))
    out = log_ratio(guess.log_mean[None], guess.log_sd[None], np.ones(1), sorted_boxes(extents, None), np.zeros(3))[0]
    moved = np.abs(-np.sort(-logs, axis=1) - guess.log_mean)
    if (moved[2] >= moved[1]).all():  # sorting may have shared the change among the axes
        assert out[0] >= out[1] >= out[2]


@given(st.permutations(range(3)), st.lists(st.booleans(), min_size=3, max_size=3))
def test_the_order_of_axes_does_not_matter(order: list[int], seen: list[bool]) -> None:
    extents, flags = np.array([[0.5, 0.2, 0.31]]), np.array([seen])
    expected = PRIOR.log_likelihood("box", extents, flags)
    assert PRIOR.log_likelihood("box", extents[:, order], flags[:, order]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("text", "extents", "seen", "words"),
    [
        ("the mug", (0.09, 0.10, 0.12), None, "0.09 x 0.10 x 0.12 m fits a mug"),
        ("mug", (0.3, 0.3, 0.3), None, "0.30 x 0.30 x 0.30 m is large for a mug"),
        ("umbrella stand", (0.01, 0.01, 0.01), None, "0.01 x 0.01 x 0.01 m is small for an umbrella stand"),
        ("sofa", (0.9, 0.5, 0.8), (True, True, False), "at least 0.90 x 0.50 x 0.80 m fits a sofa"),
        ("book", (2.0, 0.15, 0.001), None, "2.00 x 0.15 x 0.00 m is large for a book"),
        ("fork", (0.19, 0.19, 0.19), None, "0.19 x 0.19 x 0.19 m is large for a fork"),
        ("ball", (3.0, 0.02, 0.02), None, "3.00 x 0.02 x 0.02 m has not the shape of a ball"),
        ("scissors", (0.19, 0.08, 0.012), None, "0.19 x 0.08 x 0.01 m fits scissors"),
        ("row of books", (0.5, 0.23, 0.16), None, "0.50 x 0.23 x 0.16 m fits a row of books"),
        ("mug", (np.nan, 0.1, 0.1), None, ""),
    ],
)
def test_explain(text: str, extents: tuple[float, ...], seen: tuple[bool, ...] | None, words: str) -> None:
    assert PRIOR.explain(text, np.array(extents), None if seen is None else np.array(seen)) == words


def test_wrong_shapes_name_the_right_ones() -> None:
    with pytest.raises(ValueError, match=r"\(K, 3\)"):
        PRIOR.log_likelihood("mug", np.ones(3))
    with pytest.raises(ValueError, match=r"\(1, 3\)"):
        PRIOR.log_likelihood("mug", MUG, np.ones((1, 2), bool))
    with pytest.raises(ValueError, match="each of 1 texts"):
        PRIOR.log_likelihood("mug", MUG, None, np.ones((2, 4)))
    with pytest.raises(ValueError, match="a row for each"):
        PRIOR.with_embeddings(np.ones((3, 4)))


def test_an_own_table(tmp_path: Path) -> None:
    prior = own_prior(
        tmp_path, "# a robot yard\nrover,buggy,yard,1.2,0.8,0.6,0.4,0.4,0.4\nbolt,,yard,0.1,0.02,0.02,0.1,0.1,0.1\n"
    )
    assert prior.nouns == ("rover", "bolt")
    found = prior.log_likelihood(["buggy", "bolt"], np.array([[0.8, 0.6, 1.2]]))
    assert found[0, 0] == pytest.approx(np.log(TRUST_KNOWN * 2 + 1 - TRUST_KNOWN), abs=0.05)  # one of two nouns
    assert found[1, 0] < -1


def test_boxes_are_measured_once_only_where_they_cannot_change(monkeypatch) -> None:
    import moss_ros.language.sizes.size_prior as module

    measured = []
    monkeypatch.setattr(module, "sorted_boxes", lambda *a: measured.append(1) or sorted_boxes(*a))
    prior, extents = SizePrior(PRIOR.table), np.concatenate([MUG, SOFA])
    prior.log_likelihood("mug", extents)
    before = prior.log_likelihood("mug", extents)
    assert len(measured) == 2
    extents.setflags(write=False)
    for _ in range(2):
        np.testing.assert_array_equal(prior.log_likelihood("mug", extents), before)
    assert len(measured) == 3
    assert prior.log_likelihood("mug", extents, np.zeros(2, bool))[0, 0] != before[0, 0]
    np.testing.assert_array_equal(prior.log_likelihood("mug", extents[::-1]), before[:, ::-1])
