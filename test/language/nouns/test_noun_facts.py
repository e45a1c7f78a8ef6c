"""The file of noun facts."""

from pathlib import Path

import pytest

from moss_ros.language.nouns.noun_facts import NounFacts, read_noun_facts
from moss_ros.language.sizes.size_table import read_sizes

HEAD = "noun,names,kinds,uses,kind_uses\n"


def test_fields_are_lists_and_nouns_without_facts_keep_their_aliases(tmp_path: Path) -> None:
    path = tmp_path / "nouns.csv"
    path.write_text(f"# a comment\n{HEAD}sofa,davenport,seat|furniture,something to sit on,\n", encoding="utf-8")
    table = read_sizes()
    facts = {fact.noun: fact for fact in read_noun_facts(path, table)}
    assert tuple(facts) == table.nouns
    sofa = table.aliases[table.nouns.index("sofa")]
    assert facts["sofa"] == NounFacts("sofa", sofa, ("davenport",), ("seat", "furniture"), ("something to sit on",), ())
    assert facts["mug"].kinds == () and "coffee mug" in facts["mug"].aliases


@pytest.mark.parametrize("text", ["", "noun,kinds\n", f"{HEAD}sofa,seat\n"])
def test_other_forms_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "nouns.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"nouns\.csv"):
        read_noun_facts(path)
