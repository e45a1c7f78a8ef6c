"""The simulated home's own things as shapes of training views: their geometry with new colours."""

from __future__ import annotations

from functools import cache

import numpy as np

from moss_ros.sim import decor, furniture, storage
from moss_ros.sim.catalogue import SMALL, Builder
from moss_ros.sim.scene import Thing
from moss_ros.sim.training_views.view_looks import random_look
from moss_ros.sim.training_views.view_shapes import Rng, Shape, Top

LARGE: tuple[Builder, ...] = (
    furniture.dining_table,
    furniture.coffee_table,
    furniture.desk,
    furniture.chair,
    furniture.office_chair,
    furniture.stool,
    furniture.sofa,
    furniture.armchair,
    furniture.bed,
    storage.bookshelf,
    storage.cabinet,
    storage.dresser,
    storage.laundry_basket,
    storage.trash_can,
    storage.refrigerator,
    decor.floor_lamp,
    decor.plant,
)
VARIANTS = 2


@cache
def _library(large: bool) -> tuple[Thing, ...]:
    """A few variants of each builder, the same in every process."""
    rng = np.random.default_rng(11)
    builders = LARGE if large else tuple(e.build for e in SMALL)
    return tuple(build(rng) for build in builders for _ in range(VARIANTS))


def library_shape(rng: Rng, large: bool) -> Shape:
    """A thing of the home, stretched a little, each of its materials with a new look."""
    things = _library(large)
    thing = things[int(rng.integers(len(things)))]
    looks = {id(p.material): random_look(rng) for p in thing.parts}
    tops = tuple(
        Top(s.lo_m, s.hi_m, s.height_m, s.clearance_m, 1.0, "floor" if s.relation == "under" else "any")
        for s in thing.supports
    )
    shape = Shape(tuple((p.mesh, looks[id(p.material)]) for p in thing.parts), tops)
    return shape.scaled(*(rng.uniform(0.85, 1.2) * rng.uniform(0.92, 1.08, 3)))
