"""open_clip's word pieces, fast, and which of them are forms of one word ("book", "books", "bookshelf")."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np

from moss_ros.torchvision_ops import ensure_torchvision

CONTEXT = 32
VOCABULARY = 49408
_START, _END = VOCABULARY - 2, VOCABULARY - 1
_ENDINGS = (("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("e", ""))


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    ensure_torchvision()
    from open_clip.tokenizer import SimpleTokenizer

    return SimpleTokenizer(context_length=CONTEXT)


@cache
def _pieces(word: str) -> tuple[int, ...]:
    return tuple(_tokenizer().encode(word))


def text_pieces(text: str) -> list[int]:
    """Word pieces of a text without the marks of start and end. Pieces never cross a blank, so words are kept."""
    return [piece for word in text.lower().split() for piece in _pieces(word)]


def tokenize(texts: Sequence[str], context: int = CONTEXT) -> np.ndarray:
    """(N, L) int64 as open_clip's tokenizer gives it, cut to the longest text; 0 fills up."""
    rows = [[_START, *text_pieces(t)[: context - 2], _END] for t in texts]
    out = np.zeros((len(rows), max(map(len, rows), default=1)), np.int64)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return out


def stem(word: str) -> str:
    """Letters of a word without the common endings; forms of one word mostly share it."""
    word = re.sub(r"[^a-z0-9]", "", word.lower())
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            return word.removesuffix(ending) + instead if ending == "e" else stem_again(word, ending, instead)
    return word


def stem_again(word: str, ending: str, instead: str) -> str:
    """Cut an ending, the doubled letter before it ("cutting") and a silent e ("baked", "bakes")."""
    word = word.removesuffix(ending) + instead
    if ending in ("ing", "ed") and len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > 3 else word


@lru_cache(maxsize=1)
def families() -> tuple[np.ndarray, dict[str, int]]:
    """(VOCABULARY,) int64: number of the word family of each piece; and the numbers by stem.

    A piece inside a word and the same letters as a whole word are of one family, so "book|shelf" knows of "book".
    """
    tokenizer = _tokenizer()
    numbers: dict[str, int] = {}
    family = np.zeros(VOCABULARY, np.int64)
    for piece in range(VOCABULARY):
        letters = tokenizer.decoder[piece].removesuffix("</w>")
        name = stem(letters) if letters.isascii() and letters.isalpha() else f"<{piece}>"
        family[piece] = numbers.setdefault(name or f"<{piece}>", len(numbers))
    return family, numbers
