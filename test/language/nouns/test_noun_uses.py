"""What nouns are for, compared by words and by texts that are known directions."""

import numpy as np

from moss_ros.language.nouns.noun_facts import NounFacts
from moss_ros.language.nouns.noun_uses import KIND_WEIGHT, WORDS_WEIGHT, NounUses, content_words

FACTS = (
    NounFacts("chair", (), uses=("something to sit on",)),
    NounFacts("desk chair", (), kind_uses=("something to sit on",)),
    NounFacts("lamp", (), uses=("something to light the room",)),
)


def _encode(texts):
    """All texts are alike."""
    return np.tile(np.array([[1.0, 0.0]]), (len(texts), 1))


def test_a_use_with_all_words_in_common_counts_fully_and_of_the_kind_less() -> None:
    scores = NounUses(FACTS).scores("a place to sit", _encode, usual=0.5, spread=0.1)
    whole = (1 - 0.5) / 0.1 + WORDS_WEIGHT
    assert np.allclose(scores, [whole, KIND_WEIGHT * whole, 0])


def test_nothing_in_common_is_not_encoded() -> None:
    def refuse(texts):
        raise AssertionError(texts)

    assert NounUses(FACTS).scores("something to eat", refuse, 0.5, 0.1).tolist() == [0, 0, 0]


def test_content_words() -> None:
    assert content_words("Something to dry the hands with") == {"dry", "hand"}
