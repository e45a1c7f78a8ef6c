"""Which words exclude each other."""

import numpy as np

from moss_ros.train.pictures.categories import (
    ANY_CATEGORY,
    COLOR_NUMBER,
    Caption,
    Categories,
    caption_of,
    category_texts,
)

WORDS = {
    "mug": ["cup", "coffee mug"],
    "plastic cup": ["cup"],
    "chair": ["furniture", "seat"],
    "wardrobe": ["furniture", "cabinet"],
    "cabinet": [],
}


def _categories() -> Categories:
    return Categories.of([*WORDS, "tv", "television"], WORDS)


def test_synonyms_do_not_exclude_each_other() -> None:
    c = _categories()
    n = c.number
    assert c.compatible[n["wardrobe"], n["cabinet"]] and c.compatible[n["cabinet"], n["wardrobe"]]
    assert c.compatible[n["tv"], n["television"]]
    assert not c.compatible[n["mug"], n["chair"]]
    assert not c.compatible[n["mug"], n["plastic cup"]]
    assert c.compatible.diagonal().all()


def test_names_of_several_kinds_do_not_tell() -> None:
    c = _categories()
    assert c.is_name_of("coffee mug", c.number["mug"])
    assert not c.is_name_of("cup", c.number["mug"])  # plastic cups are cups too
    assert not c.is_name_of("furniture", c.number["chair"])


def test_contradictions_by_hand() -> None:
    c = _categories()
    mug, chair = c.number["mug"], c.number["chair"]
    red, blue = COLOR_NUMBER["red"], COLOR_NUMBER["blue"]
    said = [
        Caption("a mug", mug),
        Caption("a red mug", mug, "red"),
        Caption("something red", ANY_CATEGORY, "red"),
    ]
    things = (np.array([mug, mug, mug, chair]), np.array([red, blue, -1, red]))
    assert c.contradictions(said, *things).tolist() == [
        [False, False, False, True],
        [False, True, False, True],
        [False, True, False, False],
    ]


def test_captions_say_what_is_known() -> None:
    rng = np.random.default_rng(0)
    said = [caption_of("mug", 4, "red", "ceramic", ["coffee mug"], rng) for _ in range(200)]
    texts = {s.text for s in said}
    assert {"a red mug", "the red mug", "coffee mug", "a ceramic mug", "a mug", "something red"} <= texts
    assert all(("red" in s.text) == (s.color == "red") for s in said)
    assert all((s.category == ANY_CATEGORY) == (s.text == "something red") for s in said)
    nothing = [caption_of("apple", 1, "", "", [], rng).text for _ in range(50)]
    assert set(nothing) == {"apple", "an apple", "the apple"}


def test_ways_to_write_a_category() -> None:
    assert category_texts("orange") == ["orange", "an orange", "the orange"]
    assert category_texts("mug") == ["mug", "a mug", "the mug"]
