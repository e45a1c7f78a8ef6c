from __future__ import annotations

import pytest

from moss_ros.train.words.phrases import base_form, function_phrases, plural


def test_used_to() -> None:
    assert function_phrases("small brush; has long handle; used to clean teeth") == [
        "something used to clean teeth",
        "a thing to clean teeth",
        "something to clean teeth",
        "something to clean teeth with",
        "a tool to clean teeth",
    ]


def test_for_doing() -> None:
    assert function_phrases("a tool for driving nails") == [
        "something for driving nails",
        "something used for driving nails",
        "something to drive nails",
    ]


def test_that_and_where() -> None:
    assert function_phrases("a cup that holds tea") == ["something that holds tea"]
    assert function_phrases("a room where meals are cooked") == [
        "where meals are cooked",
        "a place where meals are cooked",
    ]


def test_no_use_no_phrase() -> None:
    assert function_phrases("the largest of the cats") == []


@pytest.mark.parametrize(
    ("verb", "base"),
    [
        ("cutting", "cut"),
        ("holding", "hold"),
        ("writing", "write"),
        ("driving", "drive"),
        ("storing", "store"),
        ("rolling", "roll"),
        ("cooking", "cook"),
        ("serving", "serve"),
        ("using", "use"),
        ("pouring", "pour"),
        ("thing", "thing"),
        ("ring", "ring"),
    ],
)
def test_base_form(verb: str, base: str) -> None:
    assert base_form(verb) == base


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("mug", "mugs"),
        ("box", "boxes"),
        ("toy", "toys"),
        ("battery", "batteries"),
        ("glass", "glasses"),
        ("kitchen knife", "kitchen knives"),
        ("scissors", "scissors"),
        ("bench", "benches"),
        ("can of coffee", "cans of coffee"),
    ],
)
def test_plural(one: str, many: str) -> None:
    assert plural(one) == many
