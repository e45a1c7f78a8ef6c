"""What is believed about the size of a named thing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class SizeGuess:
    """What is believed about the size of the thing that a text names."""

    name: str  # the noun it was taken from, or the nearest one; "" = nothing is known
    log_mean: np.ndarray  # (3,) of log_extent(), longest first
    log_sd: np.ndarray  # (3,)
    trust: float  # [0, 1]; the rest is background
