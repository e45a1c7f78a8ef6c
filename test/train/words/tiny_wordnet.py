"""A dictionary of a few words in the file format of WordNet, written by the tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

Noun = tuple[str, int, list[str], str | None, str]

# offset, lexicographer file, words, offset of what it is a kind of, gloss
NOUNS: list[Noun] = [
    ("00000001", 3, ["thing"], None, "what there is"),
    ("00000002", 6, ["tool", "implement"], "00000001", 'a thing used to do work; "he has every tool"'),
    ("00000003", 6, ["toothbrush", "tooth_brush"], "00000002", "small brush; used to clean teeth"),
    ("00000004", 6, ["hammer"], "00000002", "a tool for driving nails"),
    ("00000005", 6, ["cup"], "00000001", "a small open container used for drinking"),
    ("00000006", 6, ["coffee_cup"], "00000005", "a cup that holds coffee"),
    ("00000007", 6, ["table"], "00000001", "a flat top on legs where one can eat"),
    ("00000008", 6, ["coffee_table"], "00000007", "low table in front of a seat"),
    ("00000009", 18, ["mug"], "00000001", "the face of a person"),
    ("00000010", 6, ["mug"], "00000005", "with handle and usually cylindrical"),
]


COUNTS = "cup%1:06:00:: 1 9\nmug%1:06:00:: 2 4\nrun%2:38:00:: 1 7\n"


def write_tiny_wordnet(folder: Path, nouns: Sequence[Noun] = NOUNS, counts: str = COUNTS) -> Path:
    """Write data.noun, index.noun and cntlist.rev; returns the folder."""
    licence = "  1 This is the place of the licence.\n"
    data = [_data_line(*noun) for noun in nouns]
    (folder / "data.noun").write_text(licence + "\n".join(data) + "\n", encoding="utf-8")
    senses: dict[str, list[str]] = {}
    for offset, _, words, _, _ in nouns:
        for word in words:
            senses.setdefault(word, []).append(offset)
    index = [f"{w} n {len(o)} 1 @ {len(o)} 0 {' '.join(o)}" for w, o in sorted(senses.items())]
    (folder / "index.noun").write_text(licence + "\n".join(index) + "\n", encoding="utf-8")
    (folder / "cntlist.rev").write_text(counts, encoding="utf-8")
    return folder


def _data_line(offset: str, file: int, words: list[str], parent: str | None, gloss: str) -> str:
    named = " ".join(f"{w} 0" for w in words)
    pointers = f"001 @ {parent} n 0000" if parent else "000"
    return f"{offset} {file:02} n {len(words):02x} {named} {pointers} | {gloss}  "
