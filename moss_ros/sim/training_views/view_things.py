"""Small things of random make for training views: geometry first, no category is meant to be recognised."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from moss_ros.sim.mesh import Mesh, ball, box, cylinder, heightfield, lathe, rounded_box, slab, surface, tube
from moss_ros.sim.training_views.view_looks import Look, random_look
from moss_ros.sim.training_views.view_shapes import Rng, Shape, Top, grounded


def carton(rng: Rng) -> Shape:
    """Box of any proportion."""
    size = rng.uniform(0.04, 0.32, 3)
    top = Top((-size[0] / 2, -size[1] / 2), (size[0] / 2, size[1] / 2), size[2], 0.5, 0.5)
    return Shape(
        ((box((-size[0] / 2, -size[1] / 2, 0), (*(size[:2] / 2), size[2]), fit=True), random_look(rng)),), (top,)
    )


def tin(rng: Rng) -> Shape:
    """Cylinder, upright or lying."""
    radius, height = rng.uniform(0.02, 0.09), rng.uniform(0.04, 0.3)
    parts = [(cylinder(radius, height, 20), random_look(rng))]
    if rng.random() < 0.2:
        return Shape(tuple(parts)).tilted(0, np.pi / 2)
    return Shape(tuple(parts), (Top((-radius * 0.6,) * 2, (radius * 0.6,) * 2, height, 0.3, 0.2),))


def turned_vessel(rng: Rng) -> Shape:
    """Bottle, vase, jug: a random profile, open at the top or closed."""
    count = int(rng.integers(3, 7))
    radius = rng.uniform(0.015, 0.1, count) * rng.uniform(0.7, 1.3)
    height = np.cumsum(rng.uniform(0.015, 0.09, count))
    profile = [(0.0, 0.0), *zip(radius, height - height[0], strict=True)]
    top_z = float(profile[-1][1])
    if rng.random() < 0.5:
        wall = [(max(r - 0.005, 0.002), max(z, 0.006)) for r, z in reversed(profile[1:])]
        profile += [*wall, (0.0, 0.006)]
    else:
        profile.append((0.0, top_z))
    parts = [(lathe([(float(r), float(z)) for r, z in profile], 20), random_look(rng))]
    if rng.random() < 0.3:
        parts.append((_loop(radius.max(), top_z), parts[0][1]))
    return grounded(parts)


def _loop(radius: float, height: float) -> Mesh:
    """Handle at the side."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 7)
    reach = max(0.02, 0.35 * height)
    path = np.stack([radius * 0.8 + reach * np.cos(angle), np.zeros(7), height * (0.5 + 0.35 * np.sin(angle))], 1)
    return tube(path, 0.005, 6)


def cup(rng: Rng) -> Shape:
    """Mug or glass, with or without a handle."""
    low, high, height = rng.uniform(0.025, 0.045), rng.uniform(0.03, 0.055), rng.uniform(0.07, 0.15)
    body = lathe([(0, 0), (low, 0), (high, height), (high - 0.004, height), (low - 0.004, 0.006), (0, 0.006)], 22)
    look = random_look(rng)
    return grounded([(body, look)] + ([(_loop(high, height), look)] if rng.random() < 0.7 else []))


def bowl(rng: Rng) -> Shape:
    """Bowl, dish or basket of a round plan, often with things in it."""
    rim, foot, height = rng.uniform(0.07, 0.2), rng.uniform(0.03, 0.07), rng.uniform(0.03, 0.14)
    bulge = rng.uniform(0.5, 1.0)
    mid = (foot + (rim - foot) * bulge, height * 0.45)
    profile = [(0, 0), (foot, 0), mid, (rim, height), (rim - 0.006, height), (mid[0] - 0.006, mid[1] + 0.004)]
    mesh = lathe([*profile, (foot, 0.008), (0, 0.008)], 26)
    inner = 0.6 * min(mid[0], rim)
    top = Top((-inner, -inner), (inner, inner), 0.012, 0.4, 2.5, "fruit")
    return Shape(((mesh, random_look(rng)),), (top,) if rng.random() < 0.6 else ())


def open_box(rng: Rng) -> Shape:
    """Crate, drawer, tray or tub with things in it."""
    x, y = rng.uniform(0.08, 0.3, 2)
    height, wall = rng.uniform(0.03, 0.28), rng.uniform(0.004, 0.015)
    look = random_look(rng)
    sides = [
        box((-x, -y, 0), (x, y, wall)),
        box((-x, -y, 0), (-x + wall, y, height)),
        box((x - wall, -y, 0), (x, y, height)),
        box((-x, -y, 0), (x, -y + wall, height)),
        box((-x, y - wall, 0), (x, y, height)),
    ]
    inner = (x - wall - 0.005, y - wall - 0.005)
    top = Top(
        (-inner[0], -inner[1]), inner, wall + 0.001, height + 0.1, 2.0, str(rng.choice(["any", "fruit", "cloth"]))
    )
    return Shape(tuple((m, look) for m in sides), (top,) if rng.random() < 0.75 else ())


def cushion(rng: Rng) -> Shape:
    """Soft box."""
    size = rng.uniform(0.08, 0.5, 3) * (1, 1, 0.6)
    mesh = rounded_box(size, size * rng.uniform(0.1, 0.5), 4, 3)
    return grounded([(mesh, random_look(rng, "cloth"))])


def ball_like(rng: Rng) -> Shape:
    """Ball, fruit, egg."""
    mesh = ball(rng.uniform(0.025, 0.13), 14)
    return grounded([(mesh.scaled(*rng.uniform(0.75, 1.25, 3)), random_look(rng))])


def fruit(rng: Rng) -> Shape:
    """Small ball of a natural colour."""
    base = np.array([[0.7, 0.12, 0.08], [0.9, 0.5, 0.1], [0.85, 0.75, 0.15], [0.35, 0.5, 0.12]])[rng.integers(4)]
    color = tuple(float(v) for v in np.clip(base * rng.uniform(0.7, 1.2, 3), 0, 1))
    mesh = ball(rng.uniform(0.022, 0.045), 12).scaled(*rng.uniform(0.85, 1.25, 3))
    if rng.random() < 0.2:  # banana, cucumber
        bend, radius = rng.uniform(0.0, 0.04), rng.uniform(0.013, 0.025)
        line = np.linspace(-1, 1, 8)
        path = np.stack([0.09 * line, bend * (1 - line**2), np.full(8, radius)], 1)
        mesh = tube(path, radius * np.sqrt(np.clip(1.05 - line**2, 0.05, 1)), 8)
    return grounded([(mesh, Look(color, color))])  # type: ignore[arg-type]


def sheet(rng: Rng) -> Shape:
    """Paper, magazine, mat: only its colour tells it from what it lies on."""
    x, y = rng.uniform(0.08, 0.32, 2)
    thick = float(rng.choice([0.0008, 0.002, 0.005, 0.01]))
    look = random_look(rng, "print") if rng.random() < 0.8 else random_look(rng)
    return Shape(((box((-x / 2, -y / 2, 0), (x / 2, y / 2, thick), fit=True), look),))


def fan_of_sheets(rng: Rng) -> Shape:
    """Loose pages or a newspaper: overlapping sheets that count as one thing."""
    parts = []
    for k in range(int(rng.integers(2, 5))):
        page = box((-0.105, -0.148, 0.001 * k), (0.105, 0.148, 0.001 * k + 0.001), fit=True)
        x, y = rng.uniform(-0.05, 0.05, 2)
        parts.append((page.moved(x, y, 0, rng.normal(0, 0.4)), random_look(rng, "print")))
    return grounded(parts)


def book(rng: Rng) -> Shape:
    """Book, folder, tablet: lying, or a row of several standing side by side as single shapes elsewhere."""
    x, y, z = rng.uniform(0.1, 0.25), rng.uniform(0.15, 0.32), rng.uniform(0.008, 0.06)
    mesh = box((-x / 2, -y / 2, 0), (x / 2, y / 2, z), fit=True)
    return Shape(((mesh, random_look(rng, "print")),), (Top((-x / 2, -y / 2), (x / 2, y / 2), z, 0.4, 0.7, "books"),))


def standing_book(rng: Rng) -> Shape:
    """Book or binder on its end."""
    x, y, z = rng.uniform(0.012, 0.08), rng.uniform(0.12, 0.22), rng.uniform(0.16, 0.33)
    return Shape(((box((-x / 2, -y / 2, 0), (x / 2, y / 2, z), fit=True), random_look(rng, "print")),))


def leaning_sheet(rng: Rng) -> Shape:
    """Brochure, picture frame, tablet or sign that leans or stands on a small foot."""
    x, z, lean = rng.uniform(0.08, 0.35), rng.uniform(0.1, 0.4), rng.uniform(0.05, 0.5)
    mesh = box((-x / 2, -0.005, 0), (x / 2, 0.005, z), fit=True).turned(0, -lean)
    parts = [(mesh, random_look(rng, "print"))]
    if rng.random() < 0.5:
        parts.append((slab((x * 0.6, z * lean, 0.012), (0, z * lean / 2, 0)), random_look(rng)))
    return grounded(parts)


def screen(rng: Rng) -> Shape:
    """Monitor or laptop: a dark glossy panel with a foot or a keyboard."""
    x, z = rng.uniform(0.25, 0.7), rng.uniform(0.18, 0.42)
    dark = Look((0.03, 0.03, 0.04), (0.2, 0.25, 0.4), int(rng.integers(0, 8)), 1.0, 0.9)
    body = random_look(rng, "metal")
    if rng.random() < 0.4:  # laptop
        panel = box((-x / 2, -0.005, 0), (x / 2, 0.005, z), fit=True).turned(0, -rng.uniform(-0.1, 0.6))
        return grounded([(slab((x, z, 0.018), (0, -z / 2, 0)), body), (panel.moved(0, 0, 0.018), dark)])
    lift = rng.uniform(0.05, 0.2)
    panel = box((-x / 2, -0.015, lift), (x / 2, 0.015, lift + z), fit=True)
    foot = [slab((0.05, 0.03, lift + 0.05), (0, 0.02, 0)), slab((0.22, 0.16, 0.012))]
    return grounded([(panel, dark), *((m, body) for m in foot)])


def slab_with_keys(rng: Rng) -> Shape:
    """Keyboard, remote control, phone, tray: flat, a little raised."""
    x, y, z = rng.uniform(0.06, 0.45), rng.uniform(0.05, 0.16), rng.uniform(0.007, 0.03)
    return Shape(((rounded_box((x, y, z), 0.006, 2).moved(0, 0, z / 2), random_look(rng)),))


def cloth_heap(rng: Rng) -> Shape:
    """Crumpled cloth, towel, bag: a bumpy dome with an uneven rim."""
    size = 26
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    angle, radius = np.arctan2(y, x), np.hypot(x, y)
    rim = 0.8 + 0.13 * np.sin(3 * angle + rng.uniform(0, 6)) + 0.07 * np.sin(5 * angle + rng.uniform(0, 6))
    waves = sum(
        np.abs(np.sin(a * x + b * y + c))
        for a, b, c in zip(*rng.uniform(-6, 6, (2, 3)), rng.uniform(0, 6, 3), strict=True)
    )
    dome = np.clip(1 - (radius / rim) ** 2, 0, 1) ** rng.uniform(0.3, 0.8)
    heights = rng.uniform(0.03, 0.25) * dome * (0.5 + 0.17 * waves)
    x_m, y_m = rng.uniform(0.15, 0.6, 2)
    return Shape(((heightfield(heights, (x_m, y_m)), random_look(rng, "cloth")),))


def draped_cloth(rng: Rng) -> Shape:
    """Spread cloth or blanket: flat, with low folds."""
    size = 24
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    folds = np.sin(x * rng.uniform(2, 8) + y * rng.uniform(-4, 4) + rng.uniform(0, 6))
    heights = 0.006 + rng.uniform(0.002, 0.03) * (1 + folds)
    return Shape(((heightfield(heights, tuple(rng.uniform(0.2, 0.9, 2))), random_look(rng, "cloth")),))  # type: ignore[arg-type]


def plant(rng: Rng) -> Shape:
    """Pot with stems and leaves."""
    pot_r, pot_h, size = rng.uniform(0.04, 0.12), rng.uniform(0.06, 0.2), rng.uniform(0.12, 0.6)
    pot = lathe([(0, 0), (pot_r * 0.8, 0), (pot_r, pot_h), (pot_r - 0.01, pot_h), (0, pot_h - 0.02)], 18)
    green = np.array([0.15, 0.35, 0.1]) * rng.uniform(0.5, 1.7, 3)
    leaf_look = Look(tuple(np.clip(green, 0, 1)), tuple(np.clip(green * 0.7, 0, 1)), 1)  # type: ignore[arg-type]
    leaves = [_leaf(rng, size, pot_h) for _ in range(int(rng.integers(8, 34)))]
    return grounded([(pot, random_look(rng)), *((m, leaf_look) for m in leaves)])


def _leaf(rng: Rng, size: float, base_z: float) -> Mesh:
    along = np.linspace(0, 1, 6)
    reach, lift, bend = rng.uniform(0.2, 0.8) * size, rng.uniform(0.2, 1.0) * size, rng.uniform(0, 0.8) * size
    width = rng.uniform(0.03, 0.12) * size * np.sin(np.pi * np.clip(along, 0.03, 1)) ** 0.7
    middle = np.stack([reach * along, np.zeros(6), base_z + lift * along - bend * along**2], 1)
    side = np.stack([np.zeros(6), width, np.zeros(6)], 1)
    sheet_ = surface(np.stack([middle - side, middle + side], 1), np.stack([np.zeros((6, 2)), np.ones((6, 2))], 1))
    return sheet_.turned(2, rng.uniform(0, 2 * np.pi))


def bent_tube(rng: Rng) -> Shape:
    """Cable, hose, umbrella, tool: a tube along a smooth path."""
    count = int(rng.integers(3, 9))
    path = np.cumsum(rng.normal(0, 0.06, (count, 3)) + rng.normal(0, 0.05, 3), axis=0)
    path[:, 2] = np.abs(path[:, 2]) * rng.choice([0.05, 1.0])
    return grounded([(tube(path, rng.uniform(0.005, 0.03), 7), random_look(rng))])


def contraption(rng: Rng) -> Shape:
    """Several primitives grown onto each other: an appliance, a toy, a tool."""
    family = random_look(rng)
    parts: list[tuple[Mesh, Look]] = []
    for _ in range(int(rng.integers(2, 6))):
        kind, size = rng.integers(4), rng.uniform(0.03, 0.2, 3)
        mesh = (
            slab(size)
            if kind == 0
            else cylinder(size[0] / 2, size[2], 16)
            if kind == 1
            else rounded_box(size, size * rng.uniform(0.1, 0.5), 3).moved(0, 0, size[2] / 2)
            if kind == 2
            else lathe([(0, 0), (size[0] / 2, 0), (size[1] / 2, size[2]), (0, size[2])], 16)
        )
        if parts:
            anchor, _ = parts[int(rng.integers(len(parts)))]
            lo, hi = anchor.lo_m, anchor.hi_m
            at = lo + rng.random(3) * (hi - lo)
            mesh = mesh.moved(at[0], at[1], at[2] - size[2] * 0.3 if rng.random() < 0.5 else hi[2] - 0.003)
        parts.append((mesh, family if rng.random() < 0.6 else random_look(rng)))
    return grounded(parts)


def wedge(rng: Rng) -> Shape:
    """Box cut aslant: cheese, stand, packed bag."""
    x, y, z = rng.uniform(0.05, 0.35, 3)
    mesh = box((-x / 2, -y / 2, 0), (x / 2, y / 2, z), fit=True)
    corners = mesh.corners_m.copy()
    share = np.where(corners[..., 2] > z / 2, rng.uniform(0.0, 0.8), 1.0)
    corners[..., 1] = -y / 2 + (corners[..., 1] + y / 2) * share
    return grounded([(Mesh(corners, mesh.uv), random_look(rng))])


SMALL: tuple[tuple[Callable[[Rng], Shape], float], ...] = (
    (carton, 3.0),
    (tin, 1.5),
    (turned_vessel, 2.0),
    (cup, 2.0),
    (bowl, 1.3),
    (open_box, 1.2),
    (cushion, 0.7),
    (ball_like, 0.7),
    (fruit, 0.7),
    (sheet, 2.2),
    (fan_of_sheets, 0.8),
    (book, 1.5),
    (standing_book, 1.0),
    (leaning_sheet, 1.5),
    (screen, 0.8),
    (slab_with_keys, 0.8),
    (cloth_heap, 0.9),
    (draped_cloth, 0.5),
    (plant, 0.7),
    (bent_tube, 0.5),
    (contraption, 2.0),
    (wedge, 0.5),
)
SORTS: dict[str, tuple[Callable[[Rng], Shape], ...]] = {
    "fruit": (fruit,),
    "books": (book, sheet, book, cup),
    "cloth": (cloth_heap, draped_cloth, cushion),
    "row": (standing_book,),
    "floor": (
        cloth_heap,
        carton,
        open_box,
        contraption,
        ball_like,
        cushion,
        bent_tube,
        wedge,
        sheet,
        draped_cloth,
        tin,
    ),
}
