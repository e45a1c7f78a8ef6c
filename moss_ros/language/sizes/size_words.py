"""A box and a believed size in words, for the log and for the answer to "why this one?"."""

from __future__ import annotations

import numpy as np

from moss_ros.language.sizes.size_density import log_extent
from moss_ros.language.sizes.size_guess import SizeGuess

FITS = 2.0  # spreads
_NO_ARTICLE = ("bread", "butter", "cheese", "corn", "cutlery", "garlic", "laundry", "paper", "pasta", "soap", "toast")


def size_in_words(guess: SizeGuess, extents_m: np.ndarray, whole: np.ndarray | None) -> str:
    """One line about a box (3,) m, empty where no size is known.

    whole: (3,) bool, extents that were seen from end to end; None = all.
    """
    if not guess.name or not np.isfinite(extents_m).all():
        return ""
    box = " x ".join(f"{extent:.2f}" for extent in extents_m) + " m"
    if whole is not None and not whole.all():
        box = f"at least {box}"
    return f"{box} {_verdict(guess, extents_m, whole)} {_with_article(guess.name)}"


def _verdict(guess: SizeGuess, extents_m: np.ndarray, whole: np.ndarray | None) -> str:
    off = (-np.sort(-log_extent(extents_m)) - guess.log_mean) / guess.log_sd
    if whole is not None and not whole.all():
        off = np.maximum(off, 0.0)  # the rest of the thing may make up for what is missing
    if np.abs(off).max() <= FITS:
        return "fits"
    large, small = bool((off > FITS).any()), bool((off < -FITS).any())
    if large and small:
        return "has not the shape of"
    return "is large for" if large else "is small for"


def _with_article(name: str) -> str:
    what = name.split(" of ")[0]
    if what.split()[-1] in _NO_ARTICLE or (what.endswith("s") and not what.endswith("ss")):
        return name
    return f"{'an' if name[0] in 'aeio' or name.startswith('um') else 'a'} {name}"
