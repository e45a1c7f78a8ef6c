"""The reader, on a dictionary of ten meanings written here."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from moss_ros.train.words.wordnet import WordNet, split_gloss


def row(words: WordNet, lemma: str, sense: int = 0) -> int:
    return words.senses[lemma][sense]


def test_meanings_have_their_words_and_definition(tiny: WordNet) -> None:
    tool = tiny.synsets[row(tiny, "tool")]
    assert tool.lemmas == ("tool", "implement")
    assert tool.definition == "a thing used to do work"
    assert tool.examples == ("he has every tool",)
    assert tool.physical
    assert tiny.synsets[row(tiny, "toothbrush")].lemmas[1] == "tooth brush"


def test_ancestors_and_information(tiny: WordNet) -> None:
    cup, coffee_cup, thing = (row(tiny, w) for w in ("cup", "coffee cup", "thing"))
    assert tiny.ancestors[coffee_cup] == {coffee_cup, cup, thing}
    assert tiny.information[coffee_cup] == 1.0
    # cup, coffee cup and mug are cups, of ten meanings in all
    assert tiny.information[cup] == pytest.approx(1 - math.log(3) / math.log(10))
    assert tiny.information[thing] == pytest.approx(0.0)


def test_the_first_meaning_that_can_be_touched(tiny: WordNet) -> None:
    vessel = row(tiny, "mug", 1)
    assert tiny.synsets[row(tiny, "mug", 0)].definition == "the face of a person"
    assert tiny.thing("mug") == vessel
    assert tiny.usual_lemmas(vessel) == ("mug",)


def test_unknown_compounds_are_what_their_last_word_is(tiny: WordNet) -> None:
    assert tiny.thing("big coffee table") == row(tiny, "coffee table")
    assert tiny.thing("Hammers") == row(tiny, "hammer")
    assert tiny.thing("coffee") is None


def test_counts_belong_to_the_numbered_sense(tiny: WordNet) -> None:
    assert tiny.uses == {row(tiny, "cup"): 9, row(tiny, "mug", 1): 4}


def test_gloss_with_examples_and_several_parts() -> None:
    assert split_gloss('a seat; for one; "he sat"; "she sat" - A. Writer') == (
        "a seat; for one",
        ("he sat", "she sat"),
    )


def test_missing_dictionary_names_the_fix(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="apt install wordnet-base"):
        WordNet.load(tmp_path)
