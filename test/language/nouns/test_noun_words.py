"""Names, kinds and ends of compounds of a few nouns."""

import numpy as np
import pytest

from moss_ros.language.nouns.noun_facts import NounFacts
from moss_ros.language.nouns.noun_words import NounWords

FACTS = (
    NounFacts("sofa", ("couch",), kinds=("seat",)),
    NounFacts("chair", ("dining chair",), kinds=("seat",)),
    NounFacts("office chair", (), kinds=("seat",)),
    NounFacts("pot", (), names=("cooking pot",), kinds=("cooking utensil",)),
    NounFacts("kettle", (), kinds=("pot", "cooking utensil")),
    NounFacts("washing machine", ("washer",), kinds=("machine",)),
    NounFacts("dishwasher", ("dish washing machine",), kinds=("machine",)),
    NounFacts("toy car", ("model car",), names=("car",)),
)


@pytest.mark.parametrize(
    ("phrase", "weights"),
    [
        ("sofa", {"sofa": 1}),
        ("couches", {"sofa": 1}),
        ("chair", {"chair": 1, "office chair": 1}),
        ("seat", {"sofa": 1, "chair": 1, "office chair": 1}),
        ("pot", {"pot": 1, "kettle": 0.5}),  # a kettle is a kind of pot, but a pot of its own kind comes first
        ("washing machine", {"washing machine": 1, "dishwasher": 0.3}),
        ("car", {"toy car": 1}),
        ("model car on wheels", {"toy car": 1}),
        ("dining", None),
        ("string machine", None),  # only its kind is known
        ("unicorn", None),
    ],
)
def test_named(phrase: str, weights: dict[str, float] | None) -> None:
    found = NounWords(FACTS).named(phrase)
    if weights is None:
        assert found is None
    else:
        assert found is not None
        expected = np.array([weights.get(fact.noun, 0) for fact in FACTS], np.float32)
        assert found.tolist() == expected.tolist()


def test_a_compound_whose_head_is_unknown_names_what_ends_so() -> None:
    facts = (NounFacts("ceiling light", ()), NounFacts("wall clock", ("hanging light",)))
    found = NounWords(facts).named("light")
    assert found is not None and found.tolist() == [1, 0]


def test_a_general_word_with_something_before_it_leaves_the_choice_to_the_rest() -> None:
    facts = (NounFacts("chair", ("seat",)), *(NounFacts(f"stool {i}", (), kinds=("seat",)) for i in "abcde"))
    words = NounWords(facts)
    assert words.named("backless seat") is None and words.members("backless seat") == [1, 2, 3, 4, 5]
    found = words.named("seat")
    assert found is not None and found.tolist() == [1] * 6
    found = words.named("wooden chair")
    assert found is not None and found.tolist() == [1, 0, 0, 0, 0, 0]


def test_members_are_of_the_kind_at_the_end() -> None:
    words = NounWords(FACTS)
    assert words.members("dish machine") == [5, 6]
    assert words.members("unicorn") == []
