"""A thing in words: its text for the model, its head noun, and the attributes that geometry and colour can judge."""

from __future__ import annotations

from dataclasses import dataclass, replace

from moss_ros.questions import lexicon as lex
from moss_ros.questions.lexicon import COLOR_WORDS, Superlative

_ENDS_HEAD = frozenset({"of", "with", "without", "that", "which", "for", "from", "to", "who", "where", "made"})


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """What a thing is called."""

    text: str  # for the model: without article and superlative
    head: str  # its noun, e.g. "table" of "the small table with a lamp"
    colors: tuple[str, ...] = ()  # names of attributes.COLORS
    size: int = 0  # 1: large, -1: small, for things of its kind
    superlative: Superlative | None = None
    alternatives: tuple[str, ...] = ()  # texts of "boots and shoes"; empty: text alone
    is_anything: bool = False  # any kind of thing

    @property
    def texts(self) -> tuple[str, ...]:
        """What the model compares: the alternatives, or the text."""
        return self.alternatives or (self.text,)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The texts without the colours and sizes that are measured."""
        return tuple(_plain(text) for text in self.texts)

    def in_singular(self) -> NounPhrase:
        """The same with its nouns in the singular: "piles of clothes" becomes "pile of clothes"."""
        one = lex.singular(self.head)
        text = _replaced(self.text, self.head, one)
        texts = tuple(" ".join([*t.split()[:-1], lex.singular(t.split()[-1])]) for t in self.alternatives)
        return replace(self, text=text, head=one, alternatives=texts)


def noun_phrase(words: list[str]) -> NounPhrase:
    """Phrase of lower-case words, at least one."""
    words = _after_articles(words)
    if words[:2] == ["pair", "of"] and len(words) > 2:
        words = words[2:]
    superlative = next((lex.SUPERLATIVES[w] for w in words[:-1] if w in lex.SUPERLATIVES), None)
    kept = [w for w in words[:-1] if w not in lex.SUPERLATIVES] + words[-1:]
    if superlative is not None and kept[0] in lex.ARTICLES:
        kept = _after_articles(kept)
    end = next((i for i, w in enumerate(kept) if i and w in _ENDS_HEAD), len(kept))
    core = kept[:end]
    colors = [COLOR_WORDS[w] for w in core[:-1] if w in COLOR_WORDS]
    colored_thing = len(core) > 1 and core[-1] in lex.ANYTHING | lex.EVERYTHING and set(core[:-1]) <= set(COLOR_WORDS)
    anything = core[0] in lex.ANYTHING | lex.EVERYTHING or colored_thing
    if anything or kept[end : end + 2] in (["that", "is"], ["which", "is"]):
        colors += [COLOR_WORDS[w] for w in kept[1:] if w in COLOR_WORDS]
    size = next((lex.SIZES[w] for w in core[:-1] if w in lex.SIZES), 0)
    is_anything = core[-1] in lex.ANYTHING | lex.EVERYTHING | set(COLOR_WORDS) and anything and end == len(kept)
    if is_anything and not colors:
        return NounPhrase("thing", "thing", superlative=superlative, is_anything=True)
    if core[0] in lex.EVERYTHING:
        kept = ["something", *kept[1:]]
    text = " ".join(kept)
    if is_anything:
        text = f"{' and '.join(dict.fromkeys(colors))} thing"
    head = "thing" if anything else core[-1]
    alternatives = _alternatives(core, text) if end == len(kept) else ()
    return NounPhrase(text, head, tuple(dict.fromkeys(colors)), size, superlative, alternatives, is_anything)


def _after_articles(words: list[str]) -> list[str]:
    while len(words) > 1 and words[0] in lex.ARTICLES:
        words = words[1:]
    return words


def _alternatives(core: list[str], text: str) -> tuple[str, ...]:
    """ "boots and shoes", "a mug or a cup": each alone; "yellow and white mug" is one thing."""
    for joint in ("or", "and"):
        if joint not in core[1:-1]:
            continue
        at = core.index(joint, 1)
        left, right = _after_articles(core[:at]), _after_articles(core[at + 1 :])
        plural = lex.singular(left[-1]) != left[-1] and lex.singular(right[-1]) != right[-1]
        if left[-1] not in COLOR_WORDS and (joint == "or" or plural):
            return " ".join(left), " ".join(right)
    return ()


def _plain(text: str) -> str:
    words = text.split()
    kept = [w for w in words[:-1] if w not in COLOR_WORDS and w not in lex.SIZES] + words[-1:]
    return " ".join(kept)


def _replaced(text: str, word: str, other: str) -> str:
    words = text.split()
    if word in words:
        words[words.index(word)] = other
    return " ".join(words)
