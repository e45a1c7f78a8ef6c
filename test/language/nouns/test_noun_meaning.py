"""Phrases and the nouns they mean, for an encoder whose texts are known directions."""

import numpy as np

from moss_ros.language.nouns.noun_facts import NounFacts
from moss_ros.language.nouns.noun_meaning import NounMeaning, known_nouns

FACTS = (
    *(NounFacts(f"thing {i}", ()) for i in range(150)),
    NounFacts("guitar", (), kinds=("instrument",), uses=("something to make music with",)),
    NounFacts("clock", (), kinds=("instrument",), uses=("something that tells the time",)),
)


class _Encoder:
    """Texts on axes of their own; those that name music, or a guitar, on one."""

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def __call__(self, texts):
        self.encoded += texts
        return np.array([self._vector(t) for t in texts])

    def _vector(self, text):
        out = np.zeros(160)
        nouns = [f.noun for f in FACTS]
        music = "music" in text or "guitar" in text or "string" in text
        out[nouns.index("guitar") if music else nouns.index(text) if text in nouns else 159] = 1
        return out


def _meaning() -> tuple[NounMeaning, _Encoder]:
    encoder = _Encoder()
    return NounMeaning(FACTS, encoder([f.noun for f in FACTS]), encoder), encoder


def _fitting(phrase: str) -> list[str]:
    fit = _meaning()[0].fit(phrase)
    return [fact.noun for fact, weight in zip(FACTS, fit, strict=True) if weight >= 0.5]


def test_names_and_purposes_and_members() -> None:
    assert _fitting("clock") == ["clock"]
    assert _fitting("instrument") == ["guitar", "clock"]
    assert _fitting("something to make music with") == ["guitar"]
    assert _fitting("string instrument") == ["guitar"]


def test_what_nothing_fits_means_nothing() -> None:
    assert not _meaning()[0].fit("unicorn").any()


def test_phrases_are_remembered() -> None:
    meaning, encoder = _meaning()
    first = meaning.fit("something to make music with")
    count = len(encoder.encoded)
    assert meaning.fit("something to make music with") is first and len(encoder.encoded) == count


def test_the_table_of_the_package_knows_what_things_are() -> None:
    facts = {fact.noun: fact for fact in known_nouns()}
    assert "fruit" in facts["pear"].kinds and "seat" in facts["sofa"].kinds
    assert "couch" in facts["sofa"].aliases and "earphones" in facts["headphones"].aliases + facts["headphones"].names
    assert any("sit" in use for use in facts["chair"].uses)
