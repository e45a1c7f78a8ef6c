from __future__ import annotations

import numpy as np

from moss_ros.train.words.household import Thing
from moss_ros.train.words.start import LENGTH, entries, first_vectors
from moss_ros.train.words.tokens import families, stem
from moss_ros.train.words.wordnet import WordNet


def test_entries_hold_names_definition_and_what_lies_above(tiny: WordNet) -> None:
    cup = tiny.senses["coffee cup"][0]
    bags = entries(tiny, [], set())
    assert bags[cup][stem("coffee")] == 3.0  # 2 as a name, 1 in the definition
    assert bags[cup][stem("cup")] == 4.0  # the same and the name above
    assert bags[cup][stem("thing")] == 0.5  # two steps above


def test_the_definition_of_a_test_entry_is_not_read(tiny: WordNet) -> None:
    cup = tiny.senses["coffee cup"][0]
    assert stem("holds") in entries(tiny, [], set())[cup]
    assert stem("holds") not in entries(tiny, [], {cup})[cup]


def test_words_of_the_same_entries_start_alike() -> None:
    family, numbers = families()
    home = [Thing(("sofa", "couch"), "seat", ("to sit on",)), Thing(("hammer",), "tool", ("to hit nails with",))]
    empty = WordNet([], {}, {})
    many = Thing(("lamp",), "light", ("to see by",))
    bags = entries(empty, [*home, *[many] * 30], set())
    vectors = first_vectors(bags, numbers, family, 8, seed=0)
    assert vectors.shape == (len(numbers), 8) and vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), LENGTH, atol=1e-4)
    sofa, couch, hammer = (vectors[numbers[w]] / LENGTH for w in ("sofa", "couch", "hammer"))
    assert sofa @ couch > 0.6
    assert sofa @ couch > sofa @ hammer + 0.3
    assert np.array_equal(vectors, first_vectors(bags, numbers, family, 8, seed=0))
