"""One training picture: a square window, the masks in it and what they show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIZE_PX = 128  # as moss_ros/language/encoders/bundled_tower.py
PATCH_PX = 16
LEAST_PX = 120  # smaller masks are not taught: inference shows them in a smaller window
LEAST_VISIBLE = 0.35  # of a thing


@dataclass(frozen=True, slots=True)
class Shown:
    """What a mask shows."""

    category: str
    color: str = ""
    material: str = ""
    names: tuple[str, ...] = ()  # other names, captions


@dataclass(frozen=True, slots=True)
class Picture:
    """A window with its ids."""

    color_rgb: np.ndarray  # (S, S, 3) uint8
    ids: np.ndarray  # (S, S) int16, -1 = nothing that has a name
    shown: dict[int, Shown]  # ids that are taught
    outside: np.ndarray  # (S, S) bool: padding
