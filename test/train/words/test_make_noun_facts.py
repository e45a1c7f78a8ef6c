"""Facts of nouns from a dictionary of a few words."""

from pathlib import Path

import numpy as np
from tiny_wordnet import write_tiny_wordnet

from moss_ros.language.nouns.noun_facts import read_noun_facts
from moss_ros.language.sizes.size_table import SizeTable
from moss_ros.train.words.household import Thing
from moss_ros.train.words.noun_facts import meaning, noun_facts, write_facts
from moss_ros.train.words.wordnet import WordNet

TABLE = SizeTable(
    ("mug", "coffee table", "table", "hammer"),
    ((), ("low table",), (), ()),
    ("kitchen", "furniture", "furniture", "tool"),
    np.ones((4, 3)),
    np.ones((4, 3)),
)
HOME = [Thing(("hammer", "mallet"), "tool", ("something to hit nails with",))]


def test_the_meaning_fits_the_group(tmp_path: Path) -> None:
    words = WordNet.load(write_tiny_wordnet(tmp_path))
    found = meaning(words, "mug", "kitchen")
    assert found is not None and words.synsets[found[0]].definition.startswith("with handle")  # not the face
    found = meaning(words, "kitchen table", "furniture")
    assert found is not None and found[1] == 1 and words.synsets[found[0]].lemmas == ("table",)
    assert meaning(words, "unicorn", "toy") is None


def test_facts_are_written_and_read_back(tmp_path: Path) -> None:
    words = WordNet.load(write_tiny_wordnet(tmp_path))
    facts = noun_facts(words, TABLE, HOME)
    mug, coffee_table, table, hammer = facts
    assert "cup" in mug.kinds and "something to drink" in " ".join(mug.kind_uses)
    assert "table" in coffee_table.kinds and "a place where one can eat" in coffee_table.kind_uses
    assert "a place where one can eat" in table.uses
    assert hammer.names == ("mallet",) and "something to hit nails with" in hammer.uses and "tool" in hammer.kinds
    write_facts(facts, tmp_path / "nouns.csv")
    assert read_noun_facts(tmp_path / "nouns.csv", TABLE) == tuple(facts)
