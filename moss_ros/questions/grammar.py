"""From words to a question: what is wanted, where it is said to be, and how many are asked for.

    question   = [preamble] [quantity] noun [relation] {"but not" noun}
    quantity   = "all" | "every" | "both" | "everything" | "how many" | "what is"
    relation   = place noun | "between" noun "and" noun       e.g. "on the table next to the sofa": place of a place
    noun       = [article] {superlative | colour | size word | other word} head [("of" | "with" | "that ...") words]

Places are the keys of lexicon.RELATION_PHRASES. A place word without a noun behind it ("something to sit on") is
no relation. What does not fit is kept as a whole: the model that compares words and pictures judges it alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from moss_ros.questions import lexicon as lex
from moss_ros.questions.lexicon import RelationKind, Superlative
from moss_ros.questions.noun_phrase import NounPhrase, noun_phrase

_DEEPEST = 2  # relations inside relations


class Quantity(Enum):
    """How many things are wanted."""

    ONE = "one"
    ALL = "all"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Relation:
    """Where the target lies; two anchors for BETWEEN, one else."""

    kind: RelationKind
    anchors: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A thing that tells where another is, which may need telling as well."""

    noun: NounPhrase
    relation: Relation | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a text asks for."""

    text: str  # as given, without outer white space
    target: NounPhrase
    relation: Relation | None = None
    quantity: Quantity = Quantity.ONE
    superlative: Superlative | None = None
    negatives: tuple[str, ...] = ()  # named in the text: "but not ..."


def parse(text: str) -> Question:
    """The question of a text, which must not be empty. Never fails: unknown forms become one noun phrase."""
    words = _words(text)
    if not words:
        return Question(text.strip(), NounPhrase(text.strip(), text.strip()))
    words, negatives = _negatives(words)
    words, quantity, anything = _quantity(_without_frame(words))
    place = _place(words, 0, anything)
    target, superlative, relation = place.noun, _superlative(words, place), place.relation
    if anything and relation is None and target.is_anything and superlative is None and not target.colors:
        return Question(text.strip(), NounPhrase(text.strip(), text.strip()))  # "what is this": beyond the grammar
    if superlative is Superlative.NEAREST and relation and relation.kind is RelationKind.NEAREST_TO:
        superlative = None
    if quantity is not Quantity.ONE:
        target = target.in_singular()
    return Question(text.strip(), target, relation, quantity, superlative, negatives)


def _words(text: str) -> list[str]:
    return re.sub(r"[^\w\s'\-&/.+]|[.](?=\s|$)", " ", text.lower()).split()


def _negatives(words: list[str]) -> tuple[list[str], tuple[str, ...]]:
    joined = " ".join(words)
    first, *rest = re.split(r" (?:but not|except for|except|other than) ", joined)
    return first.split(), tuple(noun_phrase(r.split()).text for r in rest if r.split())


def _without_frame(words: list[str]) -> list[str]:
    """Without "where is", "please find me" and the like around."""
    changed = True
    while changed and words:
        changed = False
        for phrase in lex.PREAMBLES:
            n = len(phrase.split())
            if len(words) > n and " ".join(words[:n]) == phrase:
                words, changed = words[n:], True
                break
    for phrase in lex.ENDINGS:
        n = len(phrase.split())
        if len(words) > n + 1 and " ".join(words[-n:]) == phrase:
            words = words[:-n]
    return words


def _quantity(words: list[str]) -> tuple[list[str], Quantity, bool]:
    """The words after the quantity, the quantity, and whether any kind of thing is meant."""
    if words[:2] == ["how", "many"] and len(words) > 2:
        rest = words[2:]
        return rest, Quantity.COUNT, rest[0] in lex.EVERYTHING
    if words[0] in ("what", "what's", "which") and len(words) > 1:
        rest = words[1:]
        while rest and (rest[0] in lex.PARTICIPLES or rest[0] in lex.EVERYTHING):
            rest = rest[1:]
        if words[0] == "which":
            return rest or words, Quantity.ALL if len(rest) > 1 and _is_plural(rest[0]) else Quantity.ONE, False
        known = _relation_at(rest, 0) is not None
        return (["things", *rest], Quantity.ALL, True) if known else (words, Quantity.ONE, False)
    if words[0] in ("all", "every", "each", "both") and len(words) > 1:
        rest = words[1:]
        for word in ("of", "the", "my"):
            rest = rest[1:] if len(rest) > 1 and rest[0] == word else rest
        return rest, Quantity.ALL, rest[0] in lex.EVERYTHING
    place = _relation_at(words, 0)
    if place is not None and words[place[0]] in lex.ARTICLES:
        return ["things", *words], Quantity.ALL, True  # "on the table"
    if words[0] == "everything":
        return words, Quantity.ALL, True
    return words, Quantity.ONE, False


def _is_plural(word: str) -> bool:
    return lex.singular(word) != word


def _place(words: list[str], depth: int, anything: bool = False) -> Place:
    """Noun phrase with the first relation that follows it."""
    split = _first_relation(words, anything) if depth < _DEEPEST else None
    if split is None:
        return Place(noun_phrase(_without_side(words)))
    start, end, kind = split
    noun = noun_phrase(_without_participles(words[:start]))
    rest = words[end:]
    if kind is RelationKind.BETWEEN:
        return Place(noun, _between(rest, depth))
    return Place(noun, Relation(kind, (_place(_without_part(rest), depth + 1),)))


def _without_part(words: list[str]) -> list[str]:
    """ "the top board of the shelf" is a part of the shelf: the map knows whole things."""
    if "of" in words[1:-1]:
        at = words.index("of", 1)
        if words[at - 1] in lex.PARTS and words[at + 1] in lex.ARTICLES:
            return words[at + 1 :]
    return words


def _between(rest: list[str], depth: int) -> Relation:
    if "and" not in rest[1:-1]:
        return Relation(RelationKind.BETWEEN, (_place(rest, depth + 1),))  # "between the chairs"
    middle = rest.index("and", 1)
    first, second = rest[:middle], rest[middle + 1 :]
    return Relation(RelationKind.BETWEEN, (_place(first, _DEEPEST), _place(second, depth + 1)))


def _first_relation(words: list[str], anything: bool) -> tuple[int, int, RelationKind] | None:
    """(start, end, kind) of the first place words that stand between a noun and another."""
    for i in range(1, len(words) - 1):
        found = _relation_at(words, i)
        if found is None:
            continue
        end, kind = found
        if _is_relation(words, i, end, kind):
            return i, end, kind
    return None


def _relation_at(words: list[str], i: int) -> tuple[int, RelationKind] | None:
    for n in range(lex.LONGEST_RELATION, 0, -1):
        phrase = " ".join(words[i : i + n])
        if i + n < len(words) and phrase in lex.RELATION_PHRASES:
            return i + n, lex.RELATION_PHRASES[phrase]
    return None


def _is_relation(words: list[str], start: int, end: int, kind: RelationKind) -> bool:
    before, after = words[:start], words[end:]
    has_article = after[0] in lex.ARTICLES
    nouns = after[1:] if has_article else after
    if not nouns or nouns[0] in lex.RELATION_PHRASES or all(w in lex.ARTICLES for w in before):
        return False
    if " ".join(words[start : end + 2]) in lex.SIDES and len(words) <= end + 2:
        return False  # "the mug on the left"
    if words[start] in lex.NEEDS_ARTICLE and not has_article:
        return False
    if not has_article and len(nouns) == 1 and noun_phrase([*nouns, "thing"]).colors:
        return False  # "the woman in red"
    if not _is_purpose(before) or kind not in (RelationKind.ON, RelationKind.IN):
        return True
    return before[-1] in lex.DANGLING or noun_phrase(nouns).head in lex.PLACES


def _is_purpose(words: list[str]) -> bool:
    """Whether the words tell what a thing is for: "something to ...", "a place where ..."."""
    if words[0] == "where":
        return True
    for i, word in enumerate(words[:-1]):
        if word in lex.PURPOSE_HEADS and words[i + 1] in lex.PURPOSE:
            return words[i + 2 : i + 3] not in (["is"], ["are"], ["stands"], ["lies"])
    return False


def _without_participles(words: list[str]) -> list[str]:
    while len(words) > 1 and words[-1] in lex.PARTICIPLES:
        words = words[:-1]
    return words


def _without_side(words: list[str]) -> list[str]:
    if len(words) > 3 and " ".join(words[-3:]) in lex.SIDES:
        return words[:-3]
    return words


def _superlative(words: list[str], place: Place) -> Superlative | None:
    """Of the target, or told by the part of its place: "on the top board of the shelf"."""
    for word, side in (("top", Superlative.HIGHEST), ("bottom", Superlative.LOWEST)):
        at = words.index(word) if word in words and place.relation is not None else 0
        if at and words[at + 1 : at + 2] and words[at + 1] in lex.PARTS and words[at + 2 : at + 3] == ["of"]:
            return side
    if place.relation is None and len(words) > 3 and " ".join(words[-3:]) in lex.SIDES:
        return lex.SIDES[" ".join(words[-3:])]
    return place.noun.superlative
