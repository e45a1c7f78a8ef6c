"""Which known noun a phrase is about: "the red coffee mugs on the table" -> "coffee mug"."""

from __future__ import annotations

import re
from collections.abc import Container

# What follows tells where the thing is or what it is for, not what it is.
_ENDS = frozenset(
    re.findall(
        r"\w+",
        "above against and at before behind below beneath beside between by for from in inside into near next on onto "
        "or outside over that to under underneath where which who with without",
    )
)
_TRAILING = frozenset(
    ("close", "left", "leaning", "lying", "right", "sitting", "standing", "there")
)  # "mug left of it"
# "a pair of shoes" is about shoes, "a bottle of milk" about a bottle.
_MEASURES = frozenset(["couple", "kind", "lot", "pair", "piece", "set", "sort", "type"])
_TOYS = frozenset(["toy", "miniature", "mini", "plush", "lego"])
_MOST_WORDS = 4  # of a known name


def head_noun(phrase: str, known: Container[str]) -> str | None:
    """The known name that the phrase ends with, before any "on the table", "of milk", "with a handle"; else None.

    Names in `known` are written as spaced() writes them. A phrase that is a name as a whole is that. Plurals are tried
    as they are first, then as singulars. The longest name wins. A toy that is no name of its own
    ("toy tractor") is a "toy", if that is known.
    """
    whole = spaced(phrase)
    if whole in known:
        return whole
    words = _noun_phrase(phrase)
    if "of" in words:
        return _around_of(words, known)
    found = _ending(words, known)
    if found is None:
        return None
    name, count = found
    before = words[:-count]
    return "toy" if _TOYS.intersection(before) and "toy" in known else name


def last_known(phrase: str, known: Container[str]) -> str | None:
    """The last known name anywhere in the phrase up to its first preposition; a guess where the head is unknown."""
    words = _noun_phrase(phrase)
    for end in range(len(words), 0, -1):
        found = _ending(words[:end], known)
        if found is not None:
            return found[0]
    return None


def spaced(name: str) -> str:
    """Lower-case words with single spaces; hyphens part words ("tv-stand" is a "tv stand"), apostrophes do not."""
    return " ".join(re.findall(r"[^\W_]+(?:'[^\W_]+)*", name.lower().replace("’", "'")))


def singular(word: str) -> str:
    """The likely singular of an English plural; other words come back as they are."""
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("lves", "rves", "oaves")):
        return word[:-3] + "f"
    if word.endswith("ives"):
        return word[:-3] + "fe"
    return word[:-2] if word.endswith(("ches", "shes", "xes", "sses", "zes", "toes")) else word[:-1]


def _noun_phrase(phrase: str) -> list[str]:
    """Lower-case words up to the first preposition; at least one word stays."""
    words = spaced(phrase).split()
    for at, word in enumerate(words):
        if at and word in _ENDS:
            return _trimmed(words[:at])
    return _trimmed(words)


def _trimmed(words: list[str]) -> list[str]:
    while len(words) > 1 and words[-1] in _TRAILING:
        words = words[:-1]
    return words


def _around_of(words: list[str], known: Container[str]) -> str | None:
    """ "stack of books" where that is a name; else the thing before "of", or after it if that is a mere measure."""
    at = words.index("of")
    before, after = _trimmed(words[:at]), words[at + 1 :]
    for kind in (words, [*before[:-1], *map(singular, before[-1:]), "of", *after]):
        found = _ending(kind, known)
        if found is not None and found[1] > len(after):
            return found[0]
    if before and singular(before[-1]) in _MEASURES:
        before = after
    found = _ending(before, known)
    return None if found is None else found[0]


def _ending(words: list[str], known: Container[str]) -> tuple[str, int] | None:
    """The longest known name at the end of the words, and how many words it has."""
    for count in range(min(_MOST_WORDS, len(words)), 0, -1):
        first, last = words[-count:-1], words[-1]
        for word in dict.fromkeys((last, singular(last), last.removesuffix("es"))):
            name = " ".join([*first, word])
            if name in known:
                return name, count
    return None
