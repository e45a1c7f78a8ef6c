"""What hangs on the walls of a training room: posters, screens, doors, radiators, shelves, curtains."""

from __future__ import annotations

import numpy as np

from moss_ros.sim.mesh import box, rounded_box, slab
from moss_ros.sim.training_views.view_furniture import curtain
from moss_ros.sim.training_views.view_library import library_shape
from moss_ros.sim.training_views.view_looks import Look, random_look
from moss_ros.sim.training_views.view_shapes import Rng, Shape, Top, grounded
from moss_ros.sim.training_views.view_things import leaning_sheet


def wall_thing(rng: Rng) -> tuple[Shape, float]:
    """Something that hangs on a wall, and the height of its lower edge."""
    kind = int(rng.integers(9))
    if kind <= 2:  # poster, picture, board
        x, z, thick = rng.uniform(0.15, 1.4), rng.uniform(0.2, 1.0), float(rng.choice([0.001, 0.003, 0.02, 0.04]))
        mesh = box((-x / 2, -thick / 2, 0), (x / 2, thick / 2, z), fit=True)
        return Shape(((mesh, random_look(rng, "print")),)), rng.uniform(0.9, 1.6)
    if kind == 3:  # television or monitor on the wall
        x = rng.uniform(0.6, 1.4)
        mesh = box((-x / 2, -0.03, 0), (x / 2, 0.03, 0.58 * x), fit=True)
        return Shape(
            ((mesh, Look((0.03, 0.03, 0.04), (0.2, 0.3, 0.5), int(rng.integers(0, 9)), 1.0, 1.0)),)
        ), rng.uniform(0.8, 1.5)
    if kind == 4:  # door
        x, thick = rng.uniform(0.7, 1.0), rng.uniform(0.01, 0.06)
        frame = random_look(rng)
        parts = [(slab((x, thick, 2.0)), random_look(rng)), (slab((0.12, 0.05, 0.02), (0.4 * x, -0.05, 1.0)), frame)]
        parts += [(slab((0.06, thick + 0.02, 2.06), (s * (x / 2 + 0.03), 0, 0)), frame) for s in (-1, 1)]
        return grounded(parts), 0.0
    if kind == 5:  # radiator
        x, z = rng.uniform(0.5, 1.4), rng.uniform(0.4, 0.8)
        look = random_look(rng, "wall")
        ribs = [rounded_box((0.045, 0.1, z), 0.02, 2).moved(a, 0, z / 2) for a in np.arange(-x / 2, x / 2, 0.06)]
        return grounded([(m, look) for m in ribs]), rng.uniform(0.05, 0.15)
    if kind == 6:  # shelf board
        x, y, z = rng.uniform(0.3, 1.8), rng.uniform(0.1, 0.3), rng.uniform(0.015, 0.05)
        top = Top((-x / 2 + 0.02, -y / 2), (x / 2 - 0.02, y / 2), z, 0.5, 2.0)
        return Shape(((slab((x, y, z)), random_look(rng)),), (top,)), rng.uniform(0.8, 1.8)
    if kind == 7:
        return curtain(rng), rng.uniform(0.0, 0.5)
    shape = leaning_sheet(rng) if rng.random() < 0.3 else library_shape(rng, large=False)
    return shape, rng.uniform(0.9, 1.7)
