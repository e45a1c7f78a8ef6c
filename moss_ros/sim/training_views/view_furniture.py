"""Furniture of random make for training views. Fronts look towards -y; the frame is that of view_shapes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from moss_ros.sim.mesh import Mesh, cylinder, lathe, rounded_box, slab, surface, tube
from moss_ros.sim.training_views.view_looks import Look, random_look
from moss_ros.sim.training_views.view_shapes import Rng, Shape, Top, grounded
from moss_ros.sim.training_views.view_things import plant


def _rect(x: float, y: float, z: float, clearance: float, crowd: float, sort: str = "any") -> Top:
    return Top((-x / 2, -y / 2), (x / 2, y / 2), z, clearance, crowd, sort)


def _body_look(rng: Rng) -> Look:
    return random_look(rng, ("wood", "wood", "plain", "any")[int(rng.integers(4))])


def table(rng: Rng) -> Shape:
    """Dining, work or coffee table; legs, side panels or one foot."""
    low = rng.random() < 0.3
    x, y = (rng.uniform(0.5, 1.2), rng.uniform(0.4, 0.8)) if low else (rng.uniform(0.7, 2.2), rng.uniform(0.55, 1.1))
    h, thick = (rng.uniform(0.3, 0.55) if low else rng.uniform(0.68, 0.8)), rng.uniform(0.015, 0.06)
    look = _body_look(rng)
    under = look if rng.random() < 0.7 else random_look(rng)
    if rng.random() < 0.25:
        return _round_table(rng, min(x, y) / 2 + 0.1, h, thick, look, under)
    inset, leg = rng.uniform(0.02, 0.15), rng.uniform(0.03, 0.1)
    ex, ey = x / 2 - inset - leg / 2, y / 2 - min(inset, 0.08) - leg / 2
    parts = [(slab((x, y, thick), (0, 0, h - thick)), look)]
    kind = rng.random()
    if kind < 0.6:
        parts += [(slab((leg, leg, h - thick), (a, b, 0)), under) for a in (-ex, ex) for b in (-ey, ey)]
    elif kind < 0.8:
        parts += [(slab((leg, y - 0.08, h - thick), (a, 0, 0)), under) for a in (-ex, ex)]
    else:
        parts += [(slab((leg, leg, h - thick), (a, 0, 0)), under) for a in (-ex, ex)]
        parts += [(slab((leg, y * 0.8, 0.05), (a, 0, 0)), under) for a in (-ex, ex)]
    if rng.random() < 0.5:
        parts += [(slab((2 * ex, 0.02, 0.08), (0, b, h - thick - 0.08)), under) for b in (-ey, ey)]
    tops = [_rect(x - 0.04, y - 0.04, h, 1.2, 1.3), _rect(2 * ex - 0.1, y * 0.7, 0.0, h - 0.15, 0.5, "floor")]
    if rng.random() < 0.2:
        shelf = 0.5 * h if low else rng.uniform(0.1, 0.3)
        parts.append((slab((2 * ex, 2 * ey, 0.02), (0, 0, shelf)), under))
        tops[1] = _rect(2 * ex, 2 * ey, shelf + 0.02, h - shelf - 0.1, 0.7)
    return Shape(tuple(parts), tuple(tops))


def _round_table(rng: Rng, radius: float, h: float, thick: float, look: Look, under: Look) -> Shape:
    parts = [(cylinder(radius, thick, 36, h - thick), look)]
    if rng.random() < 0.5:
        foot, pole = radius * rng.uniform(0.4, 0.8), rng.uniform(0.02, 0.08)
        profile = [(0, 0), (foot, 0), (foot, 0.02), (pole, 0.05), (pole, h - thick), (0, h - thick)]
        parts.append((lathe(profile, 24), under))
    else:
        for k in range(4):
            a = np.pi / 4 + np.pi / 2 * k
            d = np.array([np.cos(a), np.sin(a)]) * radius
            parts.append((tube([(*d * 0.85, 0), (*d * 0.7, h - thick)], 0.02, 7), under))
    return Shape(tuple(parts), (_rect(1.3 * radius, 1.3 * radius, h, 1.0, 1.0),))


def chair(rng: Rng) -> Shape:
    """Four legs, sled, one column; slatted, open, padded or no back; with or without arms."""
    w, d, h = rng.uniform(0.36, 0.55), rng.uniform(0.36, 0.52), rng.uniform(0.4, 0.5)
    back = rng.uniform(0.3, 0.6)
    frame, seat = _body_look(rng), (_body_look(rng) if rng.random() < 0.5 else random_look(rng, "cloth"))
    thick = rng.uniform(0.02, 0.1)
    parts = [(rounded_box((w, d, thick), min(0.02, thick / 2.1), 2).moved(0, 0, h - thick / 2), seat)]
    parts += [(m, frame) for m in _chair_legs(rng, w, d, h - thick * 0.7)]
    if rng.random() < 0.93:
        lean = rng.uniform(0, 0.25)
        parts += [
            (m.turned(0, -lean).moved(0, d / 2 - 0.02, h), look) for m, look in _chair_back(rng, w, back, frame, seat)
        ]
    if rng.random() < 0.25:
        arm = h + rng.uniform(0.15, 0.25)
        for s in (-1, 1):
            parts.append((slab((0.04, d * 0.9, 0.03), (s * (w / 2 + 0.01), 0, arm)), frame))
            parts.append((slab((0.03, 0.03, arm - h + 0.05), (s * (w / 2 + 0.01), -d / 3, h - 0.05)), frame))
    tops = [_rect(w * 0.8, d * 0.7, h, 0.3, 0.25, "cloth" if rng.random() < 0.5 else "any")]
    return Shape(tuple(parts), tuple(tops))


def _chair_legs(rng: Rng, w: float, d: float, h: float) -> list[Mesh]:
    x, y, r = w / 2 - 0.03, d / 2 - 0.03, rng.uniform(0.01, 0.028)
    kind = rng.random()
    if kind < 0.45:
        return [slab((2 * r, 2 * r, h), (a, b, 0)) for a in (-x, x) for b in (-y, y)]
    if kind < 0.7:
        out = rng.uniform(1.0, 1.25)
        return [tube([(a * out, b * out, 0), (a, b, h)], r, 7) for a in (-x, x) for b in (-y, y)]
    if kind < 0.8:  # sled
        return [tube([(a, -y, h), (a, -y, r), (a, y, r), (a, y, h)], r, 6) for a in (-x, x)]
    feet = [tube([(0, 0, 0.09), (0.3 * np.cos(a), 0.3 * np.sin(a), 0.03)], 0.02, 6) for a in np.arange(5) * 1.2566]
    return [cylinder(0.03, h - 0.06, 12, 0.06), *feet]


def _chair_back(rng: Rng, w: float, back: float, frame: Look, seat: Look) -> list[tuple[Mesh, Look]]:
    x, kind = w / 2 - 0.025, rng.random()
    posts = [(slab((0.035, 0.03, back), (a, 0, 0)), frame) for a in (-x, x)]
    if kind < 0.4:
        count = int(rng.integers(2, 6))
        high = rng.uniform(0.25, 0.6) * back / count
        z = np.linspace(back * 0.25, back - high, count)
        return posts + [(slab((2 * x, 0.018, high), (0, 0, v)), frame) for v in z]
    if kind < 0.55:
        bars = [(slab((0.02, 0.018, back - 0.05), (a, 0, 0)), frame) for a in np.linspace(-x, x, 5)[1:-1]]
        return [*posts, *bars, (slab((2 * x, 0.025, 0.06), (0, 0, back - 0.06)), frame)]
    low, thick = rng.uniform(0, 0.5) * back, rng.uniform(0.015, 0.09)
    panel = rounded_box((w * 0.95, thick, back - low), thick / 2.2, 2).moved(0, 0, (back + low) / 2)
    return [*(posts if low > 0.05 else []), (panel, seat)]


def stool(rng: Rng) -> Shape:
    """Seat without a back."""
    r, h = rng.uniform(0.14, 0.22), rng.uniform(0.35, 0.75)
    seat = cylinder(r, 0.04, 24, h - 0.04) if rng.random() < 0.6 else slab((2 * r, 1.6 * r, 0.05), (0, 0, h - 0.05))
    look = _body_look(rng)
    parts = [(seat, look), *((m, look) for m in _chair_legs(rng, 1.6 * r, 1.4 * r, h - 0.04))]
    return Shape(tuple(parts), (_rect(r, r, h, 0.5, 0.3),))


def fronts(rng: Rng, x: float, y: float, low: float, high: float, look: Look) -> list[tuple[Mesh, Look]]:
    """Doors or drawers with handles on the front plane at -y."""
    columns = max(1, round(x / rng.uniform(0.35, 0.65)))
    rows = int(rng.choice([1, 1, 2, 3, 4])) if high - low < 1.3 else int(rng.integers(1, 3))
    proud, gap = rng.uniform(0.0, 0.02), rng.uniform(0.003, 0.02)
    metal = random_look(rng, "metal")
    out = []
    for i in range(columns):
        for j in range(rows):
            cx, w = -x / 2 + x / columns * (i + 0.5), x / columns - gap
            z, h = low + (high - low) / rows * j + gap / 2, (high - low) / rows - gap
            out.append((slab((w, proud + 0.002, h), (cx, -y / 2 - proud / 2, z)), look))
            if rng.random() < 0.8:
                out.append((_handle(cx, -y / 2 - proud, z, w, h), metal))
    return out


def _handle(x: float, y: float, z: float, w: float, h: float) -> Mesh:
    if w < h:
        return slab((0.012, 0.03, min(0.2, h / 2)), (x + 0.4 * w, y - 0.015, z + 0.4 * h))
    return slab((min(0.2, w / 2), 0.03, 0.012), (x, y - 0.015, z + 0.75 * h))


def cabinet(rng: Rng) -> Shape:
    """Chest, sideboard, nightstand, low cupboard."""
    x, y, h = rng.uniform(0.35, 1.6), rng.uniform(0.3, 0.55), rng.uniform(0.35, 1.25)
    look = _body_look(rng)
    front = look if rng.random() < 0.6 else random_look(rng)
    foot = rng.choice([0.0, 0.05, 0.12])
    parts = [(slab((x, y, h - foot), (0, 0, foot)), look), *fronts(rng, x - 0.04, y, foot + 0.03, h - 0.04, front)]
    if foot:
        parts += [
            (slab((0.05, 0.05, foot), (a, b, 0)), look) for a in (-x / 2 + 0.05, x / 2 - 0.05) for b in (-y / 3, y / 3)
        ]
    return Shape(tuple(parts), (_rect(x - 0.03, y - 0.03, h, 0.7, 0.9),))


def tall_cabinet(rng: Rng) -> Shape:
    """Wardrobe, fridge, locker."""
    x, y, h = rng.uniform(0.45, 1.8), rng.uniform(0.4, 0.65), rng.uniform(1.4, 2.3)
    look = random_look(rng) if rng.random() < 0.5 else _body_look(rng)
    front = look if rng.random() < 0.7 else random_look(rng)
    parts = [(slab((x, y, h)), look), *fronts(rng, x - 0.02, y, 0.06, h - 0.02, front)]
    return Shape(tuple(parts), (_rect(x - 0.03, y - 0.03, h, 0.4, 0.4),))


def open_shelf(rng: Rng) -> Shape:
    """Bookcase, rack or cubes; with or without a back and sides."""
    x, y, h = rng.uniform(0.4, 1.8), rng.uniform(0.22, 0.45), rng.uniform(0.6, 2.2)
    board, look = rng.uniform(0.012, 0.035), _body_look(rng)
    levels = np.linspace(rng.choice([0.0, 0.06, 0.15]), h - board, int(rng.integers(2, 2 + max(1, int(h / 0.3)))))
    parts = [(slab((x, y, board), (0, 0, z)), look) for z in levels]
    if rng.random() < 0.75:
        parts += [(slab((board, y, h), (a, 0, 0)), look) for a in (-x / 2 + board / 2, x / 2 - board / 2)]
    else:
        corners = [(a, b) for a in (-x / 2, x / 2) for b in (-y / 2, y / 2)]
        parts += [(slab((0.025, 0.025, h), (a, b, 0)), look) for a, b in corners]
    if rng.random() < 0.5:
        parts.append((slab((x, 0.008, h), (0, y / 2, 0)), look if rng.random() < 0.7 else random_look(rng, "wall")))
    if x > 0.8 and rng.random() < 0.5:
        parts.append((slab((board, y - 0.01, h - board), (rng.uniform(-0.2, 0.2), 0, 0)), look))
    step = float(levels[1] - levels[0]) if len(levels) > 1 else h
    sort = ("any", "row", "row")[int(rng.integers(3))]
    tops = [_rect(x - 2 * board - 0.02, y - 0.03, z + board, step - board - 0.01, 1.2, sort) for z in levels[:-1]]
    return Shape(tuple(parts), (*tops, _rect(x - 0.04, y - 0.03, h, 0.5, 0.6)))


def counter(rng: Rng) -> Shape:
    """Kitchen counter or workbench along a wall: body, overhanging top, plinth; sometimes with a tap."""
    x, y, h = rng.uniform(1.0, 3.6), rng.uniform(0.5, 0.7), rng.uniform(0.8, 1.0)
    body, top = (random_look(rng) if rng.random() < 0.6 else _body_look(rng)), random_look(rng)
    thick, over = rng.uniform(0.02, 0.06), rng.uniform(0.0, 0.04)
    parts = [
        (slab((x, y - 0.05, 0.1), (0, 0.025, 0)), random_look(rng, "metal")),
        (slab((x, y - 0.02, h - thick - 0.1), (0, 0.01, 0.1)), body),
        (slab((x + over, y + over, thick), (0, -over / 2, h - thick)), top),
        *fronts(rng, x - 0.02, y - 0.04, 0.12, h - thick - 0.02, body),
    ]
    if rng.random() < 0.3:
        at = rng.uniform(-x / 3, x / 3)
        path = [(at, y / 3, h), (at, y / 3, h + 0.25), (at, y / 3 - 0.08, h + 0.3), (at, y / 3 - 0.18, h + 0.22)]
        parts.append((tube(path, 0.014, 8), random_look(rng, "metal")))
    return Shape(tuple(parts), (_rect(x - 0.05, y - 0.06, h, 0.5, 2.2),))


def sofa(rng: Rng) -> Shape:
    """Armchair to corner sofa."""
    w, d, h = rng.uniform(0.75, 2.4), rng.uniform(0.75, 1.0), rng.uniform(0.36, 0.48)
    arm, back, soft = rng.uniform(0.08, 0.25), rng.uniform(0.62, 0.95), rng.uniform(0.03, 0.1)
    look = random_look(rng, "cloth")
    parts = [(rounded_box((w - arm, d * 0.95, h - 0.15), 0.03, 2).moved(0, 0, (h - 0.15) / 2 + 0.06), look)]
    seats = max(1, round((w - 2 * arm) / 0.65))
    each = (w - 2 * arm) / seats
    for k in range(seats):
        x = -w / 2 + arm + each * (k + 0.5)
        parts.append((rounded_box((each - 0.01, d - 0.2, 0.16), soft, 3).moved(x, -0.1, h - 0.08), look))
        if rng.random() < 0.7:
            pad = rounded_box((each - 0.02, 0.16, back - h), soft, 3).turned(0, -0.12)
            parts.append((pad.moved(x, d / 2 - 0.25, (back + h) / 2), look))
    parts.append((rounded_box((w - 0.02, 0.18, back - 0.08), soft, 3).moved(0, d / 2 - 0.09, back / 2), look))
    if rng.random() < 0.85:
        high = rng.uniform(0.5, 0.7)
        parts += [
            (rounded_box((arm, d, high - 0.05), soft, 3).moved(s * (w - arm) / 2, 0, high / 2 + 0.03), look)
            for s in (-1, 1)
        ]
    return Shape(tuple(parts), (_rect(w - 2 * arm - 0.05, d * 0.5, h, 0.8, 0.6, "cloth"),))


def bed(rng: Rng) -> Shape:
    """Frame, mattress, pillows, cover: one thing."""
    w, h = rng.uniform(0.8, 1.8), rng.uniform(0.35, 0.6)
    wood, cloth, sheet = _body_look(rng), random_look(rng, "cloth"), random_look(rng, "cloth")
    parts = [
        (slab((w, 2.05, 0.2), (0, 0, 0.08)), wood),
        (slab((w, 0.05, h + rng.uniform(0.1, 0.6)), (0, 1.03, 0)), wood),
        (rounded_box((w - 0.04, 1.98, h - 0.2), 0.05, 2).moved(0, 0, h / 2 + 0.08), sheet),
        (rounded_box((w + 0.02, 1.3, 0.12), 0.05, 3).moved(0, -0.35, h), cloth),
    ]
    for k in range(1 if w < 1.2 else 2):
        x = 0 if w < 1.2 else -w / 4 + k * w / 2
        parts.append((rounded_box((0.6, 0.4, 0.16), 0.07, 3).moved(x, 0.75, h + 0.06), sheet))
    return Shape(tuple(parts), (Top((-w / 2 + 0.1, -0.9), (w / 2 - 0.1, 0.2), h + 0.055, 0.8, 0.6, "cloth"),))


def bin_(rng: Rng) -> Shape:
    """Waste bin, bucket, basket, umbrella stand."""
    low, high, h = rng.uniform(0.08, 0.2), rng.uniform(0.1, 0.26), rng.uniform(0.2, 0.75)
    sides = int(rng.choice([4, 24]))
    profile = [(0, 0), (low, 0), (high, h), (high - 0.012, h), (low - 0.01, 0.02), (0, 0.02)]
    if rng.random() < 0.35:
        profile = [(0, 0), (low, 0), (high, h), (high * 0.6, h + 0.06), (0, h + 0.07)]
    mesh = lathe(profile, sides).turned(2, np.pi / 4).scaled(1, rng.uniform(0.6, 1.0), 1)
    return Shape(((mesh, random_look(rng)),), (_rect(low, low * 0.7, 0.03, h, 0.6, "cloth"),))


def floor_lamp(rng: Rng) -> Shape:
    """Lamp, coat stand, fan: a thin pole with a head."""
    h, look = rng.uniform(0.5, 1.8), random_look(rng)
    head = rng.uniform(0.08, 0.25)
    profile = [(0, h), (head, h), (head * rng.uniform(0.4, 1.0), h + rng.uniform(0.1, 0.35)), (0, h + 0.1)]
    parts = [
        (cylinder(rng.uniform(0.1, 0.2), 0.025, 24), look),
        (cylinder(rng.uniform(0.01, 0.02), h, 10), look),
        (lathe(profile, 22), random_look(rng)),
    ]
    return grounded(parts)


def big_plant(rng: Rng) -> Shape:
    """Plant that stands on the floor."""
    small = plant(rng)
    return small.scaled(*(rng.uniform(1.3, 2.8),) * 3)


def luggage(rng: Rng) -> Shape:
    """Suitcase, speaker, printer, heater: a box that stands on the floor, plain or round at its edges."""
    size = rng.uniform(0.2, 0.7, 3)
    radius = rng.uniform(0.0, 0.08)
    mesh = rounded_box(size, radius + 0.002, 2).moved(0, 0, size[2] / 2)
    return Shape(((mesh, random_look(rng)),), (_rect(size[0] * 0.8, size[1] * 0.8, size[2], 0.6, 0.5),))


def pile(rng: Rng) -> Shape:
    """Base on which several boxes get stacked: a pallet, a low crate."""
    size = (rng.uniform(0.4, 0.9), rng.uniform(0.4, 0.9), rng.uniform(0.05, 0.3))
    return Shape(((slab(size), random_look(rng)),), (_rect(size[0], size[1], size[2], 1.2, 2.5),))


def curtain(rng: Rng) -> Shape:
    """Wavy sheet that hangs from above."""
    w, h, waves = rng.uniform(0.4, 1.6), rng.uniform(1.2, 2.3), rng.uniform(4, 14)
    across, up = np.linspace(-w / 2, w / 2, 60), np.linspace(0, h, 3)
    a, b = np.meshgrid(across, up, indexing="ij")
    points = np.stack([a, 0.04 * np.sin(a * waves * 2 * np.pi / w) + 0.0 * b, b], -1)
    uv = np.stack([a, b], -1)
    return grounded([(surface(points, uv), random_look(rng, "cloth"))])


# What stands on the floor: builder, how often, whether it likes a wall.
FURNITURE: tuple[tuple[Callable[[Rng], Shape], float, float], ...] = (
    (table, 1.0, 0.3),
    (chair, 1.2, 0.1),
    (stool, 0.5, 0.1),
    (cabinet, 1.5, 0.85),
    (tall_cabinet, 0.9, 0.95),
    (open_shelf, 1.5, 0.9),
    (sofa, 0.8, 0.6),
    (bed, 0.4, 0.9),
    (bin_, 1.0, 0.5),
    (floor_lamp, 0.6, 0.6),
    (big_plant, 0.7, 0.5),
    (luggage, 1.2, 0.4),
    (pile, 0.4, 0.4),
)
