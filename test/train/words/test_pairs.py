"""Sampling: the same for the same seed, nothing of the test in it, compounds and attributes as hard negatives."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tiny_wordnet import NOUNS, write_tiny_wordnet

from moss_ros.train.words import pairs as module
from moss_ros.train.words.captions import Caption
from moss_ros.train.words.household import Thing
from moss_ros.train.words.pairs import PairSampler, held_out, is_test_synset
from moss_ros.train.words.templates import fill
from moss_ros.train.words.wordnet import WordNet

HOME = [Thing(("mug", "tea mug"), "mug", ("something to drink tea from",)), Thing(("kindle",), "table", ("to read",))]
CAPTIONS = [Caption("mug", ("cup",), "a red mug with a heart", "red")]


def sampler(words: WordNet, seed: int = 0) -> PairSampler:
    return PairSampler(words, HOME, CAPTIONS, seed)


def test_the_seed_decides(tiny: WordNet) -> None:
    first, second, other = sampler(tiny, 1), sampler(tiny, 1), sampler(tiny, 2)
    batches = [[s.batch(100) for _ in range(2)] for s in (first, second, other)]
    assert batches[0] == batches[1]
    assert batches[0] != batches[2]
    assert batches[0][0] != batches[0][1]


def test_every_meaning_of_the_test_share_keeps_its_text(tiny: WordNet, monkeypatch: pytest.MonkeyPatch) -> None:
    """With everything in the test share, a meaning is only ever called a kind of something."""
    monkeypatch.setattr(module, "HELD_OUT_ONE_IN", 1)
    draws = sampler(tiny)
    brush = tiny.senses["toothbrush"][0]
    assert is_test_synset(tiny, brush)
    said = {draws.meaning_pair(brush).right for _ in range(200)}
    kinds = {fill(t, w) for t in ("{}", "a {}", "a kind of {}") for w in ("tool", "implement")}
    assert said == kinds


def test_a_meaning_is_paired_with_its_use_and_definition(tiny: WordNet) -> None:
    draws = sampler(tiny)
    hammer = tiny.senses["hammer"][0]
    assert not is_test_synset(tiny, hammer)
    said = {draws.meaning_pair(hammer).right for _ in range(300)}
    assert {"a tool for driving nails", "something for driving nails", "a kind of tool"} <= said


def test_held_out_is_a_fixed_share() -> None:
    chosen = [n for n in range(5000) if held_out(f"noun {n}", 50)]
    assert 60 < len(chosen) < 140
    assert held_out("x", 1)


def test_attribute_grid_crosses_two_nouns_with_two_attributes(tiny: WordNet) -> None:
    draws = sampler(tiny, 5)
    for _ in range(20):
        grid = draws.contrasts.attributes()
        assert len(grid) == 4
        assert len({p.concept for p in grid[:2]}) == 1


def test_compounds_share_their_first_word_and_mean_their_last(tiny: WordNet) -> None:
    group = sampler(tiny).contrasts.compounds()
    assert sorted(p.right.split()[-1] for p in group) == ["cup", "table"]
    assert all("coffee" in p.left for p in group)


def test_a_can_of_coffee_is_a_can(tmp_path: Path) -> None:
    nouns = [*NOUNS, ("00000011", 13, ["coffee"], "00000001", "a hot drink"), ("00000012", 6, ["can"], "00000001", "")]
    counts = "coffee%1:13:00:: 1 5\n"
    words = WordNet.load(write_tiny_wordnet(tmp_path, nouns, counts))
    *holders, food = sampler(words).contrasts.contents()
    assert len(holders) == 2
    for pair in holders:
        assert " of coffee" in pair.left
        assert pair.concept == words.concept(words.thing(pair.left.split(" of coffee")[0]) or 0)
    assert words.thing("coffee") in food.concept.ancestors


def test_a_household_thing_lies_below_its_kind(tiny: WordNet) -> None:
    draws = sampler(tiny)
    pair = draws.home_pair()
    kind = tiny.thing("mug" if "mug" in pair.left else "table")
    assert kind in pair.concept.ancestors
    assert pair.concept.information == 1.0
    own = max(pair.concept.ancestors)
    assert own >= len(tiny.synsets) and draws.information[own] == 1.0


def test_captions_carry_the_color(tiny: WordNet) -> None:
    draws = sampler(tiny)
    seen = {(p.left, p.right) for p in (draws.caption_pair() for _ in range(200))}
    assert any("red mug" in left and right == "a red mug with a heart" for left, right in seen)
    assert not any("red" in left for left, right in seen if right != "a red mug with a heart")


def test_batch_has_about_its_size(tiny: WordNet) -> None:
    assert 0 < len(sampler(tiny).batch(200)) <= 200


def test_an_article_fits_its_noun() -> None:
    assert fill("a {}", "orange") == "an orange"
    assert fill("a photo of a {}", "mug") == "a photo of a mug"
    assert fill("a photo of a {}", "armchair") == "a photo of an armchair"
    assert fill("the {}", "apple") == "the apple"


def test_random_state_is_not_shared(tiny: WordNet) -> None:
    random.seed(0)
    first = random.random()
    sampler(tiny).batch(50)
    random.seed(0)
    assert random.random() == first
