"""What training rooms are put together from: meshes with looks, and the surfaces they offer.

Frame of a shape: z up, bottom at z = 0, centred on x and y. Lengths in metres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from moss_ros.sim.mesh import Mesh
from moss_ros.sim.training_views.view_looks import Look

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Top:
    """Level rectangle of a shape on which other shapes can stand."""

    lo_m: tuple[float, float]
    hi_m: tuple[float, float]
    height_m: float
    clearance_m: float
    crowd: float = 1.0  # how full it usually is
    sort: str = "any"  # what stands there: any, fruit, books, cloth, floor


@dataclass(frozen=True, slots=True)
class Shape:
    """Meshes with looks, and where things can stand on them."""

    parts: tuple[tuple[Mesh, Look], ...]
    tops: tuple[Top, ...] = ()

    @property
    def lo_m(self) -> np.ndarray:
        """(3,) lower corner of the bounding box."""
        return np.min([m.lo_m for m, _ in self.parts], axis=0)

    @property
    def hi_m(self) -> np.ndarray:
        """(3,) upper corner of the bounding box."""
        return np.max([m.hi_m for m, _ in self.parts], axis=0)

    def scaled(self, x: float, y: float, z: float) -> Shape:
        """Stretched along the axes."""
        tops = tuple(
            replace(
                t,
                lo_m=(t.lo_m[0] * x, t.lo_m[1] * y),
                hi_m=(t.hi_m[0] * x, t.hi_m[1] * y),
                height_m=t.height_m * z,
                clearance_m=t.clearance_m * z,
            )
            for t in self.tops
        )
        return Shape(tuple((m.scaled(x, y, z), look) for m, look in self.parts), tops)

    def tilted(self, axis: int, angle_rad: float) -> Shape:
        """Turned about a level axis and set down again; nothing stands on it then."""
        return grounded([(m.turned(axis, angle_rad), look) for m, look in self.parts])


def grounded(parts: Sequence[tuple[Mesh, Look]], tops: Sequence[Top] = ()) -> Shape:
    """Shape shifted so that it is centred and stands on z = 0 (its tops are given after the shift)."""
    lo = np.min([m.lo_m for m, _ in parts], axis=0)
    hi = np.max([m.hi_m for m, _ in parts], axis=0)
    shift = np.array([-(lo[0] + hi[0]) / 2, -(lo[1] + hi[1]) / 2, -lo[2]])
    return Shape(tuple((m.moved(*shift), look) for m, look in parts), tuple(tops))
