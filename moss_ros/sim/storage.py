"""Shelves, cabinets, boxes and baskets: things that hold things."""

from __future__ import annotations

import numpy as np

from moss_ros.sim import textures
from moss_ros.sim.mesh import Mesh, ball, box, lathe, quad, rounded_box, slab
from moss_ros.sim.palette import color_of, flat, metal, ring_solids, thing, vary, wood_of
from moss_ros.sim.scene import Material, Solid, Support, Thing

SHELF, TOYS, DECOR = frozenset({"shelf"}), frozenset({"in"}), frozenset({"shelf", "decor"})
BOARD_M = 0.022


def bookshelf(rng: np.random.Generator) -> Thing:
    """Open shelf with a back."""
    color, material = wood_of(rng)
    width, depth = float(rng.uniform(0.8, 1.1)), float(rng.uniform(0.3, 0.36))
    rows = int(rng.integers(3, 6))
    step = 0.36
    height = 0.06 + rows * step
    sides = [slab((BOARD_M, depth, height + BOARD_M), (x, 0, 0), 1.2) for x in (-width / 2, width / 2)]
    levels = [0.06 + k * step for k in range(rows + 1)]
    boards = [slab((width - BOARD_M, depth - 0.01, BOARD_M), (0, 0, z), 1.2) for z in levels]
    back = slab((width, 0.008, height + BOARD_M), (0, depth / 2, 0), 1.2)
    half = (width / 2 - BOARD_M - 0.005, depth / 2 - 0.015)
    supports = [
        Support(
            (-half[0], -half[1]),
            half,
            z + BOARD_M,
            0.9 if z == levels[-1] else step - BOARD_M - 0.015,
            "on",
            DECOR if z == levels[-1] else SHELF,
        )
        for z in levels
    ]
    parts = [(m, material) for m in [*sides, *boards, back]]
    return thing("bookshelf", color, "wood", parts, supports, each_part_solid=True)


def _front(width: float, y: float, z: float, height: float, count: int, upright: bool) -> tuple[list[Mesh], list[Mesh]]:
    """Doors side by side (upright) or drawers above each other, and their knobs."""
    doors, knobs = [], []
    for k in range(count):
        if upright:
            w = width / count
            x0, z0, size = -width / 2 + w * (k + 0.5), z, (w - 0.01, 0.016, height)
            knob = (x0 + (0.5 - (k % 2)) * (w - 0.09), z + height * 0.55)
        else:
            h = height / count
            x0, z0, size = 0.0, z + h * k + 0.005, (width - 0.01, 0.016, h - 0.01)
            knob = (0.0, z0 + h / 2)
        doors.append(slab(size, (x0, y, z0), 1.4))
        knobs.append(ball(0.014, 8).moved(knob[0], y - 0.02, knob[1] - 0.014))
    return doors, knobs


def _closed(
    rng: np.random.Generator,
    category: str,
    size: tuple[float, float, float],
    fronts: int,
    upright: bool,
    accepts: frozenset[str],
) -> Thing:
    color, material = wood_of(rng)
    width, depth, height = size
    body = slab((width, depth, height - 0.03), (0, 0, 0), 1.2)
    top = slab((width + 0.03, depth + 0.02, 0.03), (0, 0, height - 0.03), 1.2)
    doors, knobs = _front(width, -depth / 2 - 0.008, 0.06, height - 0.11, fronts, upright)
    knob_material = metal(rng)
    parts = [(m, material) for m in [body, top, *doors]] + [(m, knob_material) for m in knobs]
    support = Support(
        (-width / 2 + 0.02, -depth / 2 + 0.02),
        (width / 2 - 0.02, depth / 2 - 0.02),
        height,
        1.0,
        "on",
        accepts,
    )
    return thing(category, color, "wood", parts, [support], each_part_solid=True)


def cabinet(rng: np.random.Generator) -> Thing:
    """Cupboard with two doors."""
    return _closed(
        rng,
        "cabinet",
        (rng.uniform(0.8, 1.2), rng.uniform(0.4, 0.48), rng.uniform(0.82, 0.95)),
        2,
        True,
        frozenset({"table", "decor"}),
    )


def dresser(rng: np.random.Generator) -> Thing:
    """Chest of drawers."""
    return _closed(
        rng,
        "dresser",
        (rng.uniform(0.7, 1.0), 0.44, rng.uniform(0.75, 0.95)),
        int(rng.integers(3, 5)),
        False,
        frozenset({"decor"}),
    )


def nightstand(rng: np.random.Generator) -> Thing:
    """Small chest beside a bed."""
    return _closed(rng, "nightstand", (0.42, 0.38, rng.uniform(0.48, 0.56)), 2, False, frozenset({"night"}))


def tv_stand(rng: np.random.Generator) -> Thing:
    """Low long cupboard with an open row."""
    color, material = wood_of(rng)
    width, depth, height = float(rng.uniform(1.3, 1.7)), 0.42, 0.5
    boards = [slab((width, depth, 0.025), (0, 0, z), 1.2) for z in (0.05, height - 0.025)]
    uprights = [
        slab((0.025, depth, height - 0.05), (x, 0, 0), 1.2) for x in (-width / 2 + 0.013, 0.0, width / 2 - 0.013)
    ]
    back = slab((width, 0.01, height - 0.05), (0, depth / 2 - 0.006, 0.02), 1.2)
    supports = [
        Support(
            (-width / 2 + 0.02, -depth / 2 + 0.02),
            (width / 2 - 0.02, depth / 2 - 0.02),
            height,
            1.2,
            "on",
            frozenset({"tv", "decor"}),
        )
    ]
    supports += [
        Support(
            (x - width / 4 + 0.04, -depth / 2 + 0.01),
            (x + width / 4 - 0.04, depth / 2 - 0.03),
            0.075,
            0.36,
            "in",
            SHELF,
        )
        for x in (-width / 4, width / 4)
    ]
    return thing(
        "tv stand",
        color,
        "wood",
        [(m, material) for m in [*boards, *uprights, back]],
        supports,
        each_part_solid=True,
    )


def cardboard_box(rng: np.random.Generator) -> Thing:
    """Open box with flaps that stand off."""
    w, d, h = rng.uniform(0.34, 0.5), rng.uniform(0.28, 0.38), rng.uniform(0.18, 0.3)
    board = Material(textures.mottled(rng, vary(rng, (184, 144, 98)), 0.07))
    t = 0.006
    walls = [
        box((-w / 2, -d / 2, 0), (w / 2, d / 2, t)),
        box((-w / 2, -d / 2, t), (-w / 2 + t, d / 2, h)),
        box((w / 2 - t, -d / 2, t), (w / 2, d / 2, h)),
        box((-w / 2, -d / 2, t), (w / 2, -d / 2 + t, h)),
        box((-w / 2, d / 2 - t, t), (w / 2, d / 2, h)),
    ]
    flaps = [
        box((-w / 2 + 0.01, 0, 0), (w / 2 - 0.01, 0.12, 0.004)).turned(0, a).moved(0, y, h)
        for a, y in ((0.9, d / 2), (np.pi - 0.7, -d / 2 + 0.004))
    ]
    parts = [(m, board) for m in walls + flaps]
    inside = Support((-w / 2 + 0.012, -d / 2 + 0.012), (w / 2 - 0.012, d / 2 - 0.012), t, 0.6, "in", TOYS)
    return thing("cardboard box", "brown", "cardboard", parts, [inside], each_part_solid=True)


def storage_bin(rng: np.random.Generator) -> Thing:
    """Open plastic crate."""
    color, rgb = color_of(rng)
    w, d, h, t = 0.42, 0.32, float(rng.uniform(0.16, 0.24)), 0.008
    material = flat(rgb, 0.3)
    walls = [
        box((-w / 2, -d / 2, 0), (w / 2, d / 2, t)),
        box((-w / 2, -d / 2, t), (-w / 2 + t, d / 2, h)),
        box((w / 2 - t, -d / 2, t), (w / 2, d / 2, h)),
        box((-w / 2, -d / 2, t), (w / 2, -d / 2 + t, h)),
        box((-w / 2, d / 2 - t, t), (w / 2, d / 2, h)),
    ]
    rims = [slab((w + 0.03, 0.02, 0.015), (0, y, h - 0.015)) for y in (-d / 2 - 0.005, d / 2 + 0.005)]
    inside = Support((-w / 2 + 0.015, -d / 2 + 0.015), (w / 2 - 0.015, d / 2 - 0.015), t, 0.6, "in", TOYS)
    return thing("storage bin", color, "plastic", [(m, material) for m in walls + rims], [inside], each_part_solid=True)


def laundry_basket(rng: np.random.Generator) -> Thing:
    """Round wicker basket."""
    weave = Material(textures.wicker(rng, vary(rng, (188, 150, 100))))
    r, h = 0.22, float(rng.uniform(0.38, 0.5))
    shell = lathe([(0, 0), (r * 0.85, 0), (r, h), (r - 0.012, h), (r * 0.85 - 0.012, 0.012), (0, 0.012)], 40)
    q = r * 0.58
    inside = Support((-q, -q), (q, q), 0.012, 0.8, "in", TOYS)
    return thing("laundry basket", "beige", "wicker", [(shell, weave)], [inside], ring_solids(r, q, h, 0.012))


def trash_can(rng: np.random.Generator) -> Thing:
    """Open bin with crumpled paper at its bottom."""
    color, rgb = color_of(rng, ("grey", "black", "white", "blue", "green", "turquoise"))
    r, h = float(rng.uniform(0.12, 0.15)), float(rng.uniform(0.3, 0.4))
    shell = lathe(
        [
            (0, 0),
            (r * 0.8, 0),
            (r, h),
            (r + 0.006, h),
            (r + 0.006, h - 0.012),
            (r - 0.006, h - 0.012),
            (r * 0.8 - 0.006, 0.008),
            (0, 0.008),
        ],
        36,
    )
    parts = [(shell, flat(rgb, 0.25))]
    for _ in range(5):
        x, y = rng.uniform(-0.045, 0.045, 2)
        crumple = rounded_box(rng.uniform(0.06, 0.1, 3), 0.03, 2).turned(0, rng.uniform(0, 3)).moved(x, y, 0.08)
        parts.append((crumple, flat((232, 230, 222), 0.0)))
    return thing("trash can", color, "plastic", parts)


def refrigerator(rng: np.random.Generator) -> Thing:
    """Tall fridge with two doors."""
    color, rgb = color_of(rng, ("white", "grey", "red", "black"))
    body = flat(rgb, 0.2)
    w, d, h = 0.6, 0.62, float(rng.uniform(1.55, 1.8))
    cut = h * 0.36
    doors = [
        slab((w - 0.006, 0.04, cut - 0.05), (0, -d / 2 - 0.02, 0.045)),
        slab((w - 0.006, 0.04, h - cut - 0.01), (0, -d / 2 - 0.02, cut)),
    ]
    handles = [slab((0.02, 0.03, 0.3), (-w / 2 + 0.06, -d / 2 - 0.055, z)) for z in (cut - 0.34, cut + 0.05)]
    parts = [(slab((w, d, h), (0, 0, 0)), body)] + [(m, body) for m in doors] + [(m, metal(rng)) for m in handles]
    support = Support((-w / 2 + 0.03, -d / 2 + 0.03), (w / 2 - 0.03, d / 2 - 0.03), h, 0.6, "on", frozenset({"decor"}))
    return thing("refrigerator", color, "metal", parts, [support])


def kitchen_counter(rng: np.random.Generator) -> Thing:
    """Counter with doors, a stone top, a sink and a tap."""
    color, rgb = color_of(rng, ("white", "green", "blue", "beige", "grey"))
    front = Material(textures.mottled(rng, rgb, 0.04), 0.2)
    stone = Material(textures.mottled(rng, vary(rng, (96, 94, 92)), 0.3), 0.4)
    w, d, h = float(rng.uniform(1.5, 1.9)), 0.6, 0.9
    doors, knobs = _front(w, -d / 2 - 0.008, 0.1, h - 0.16, 3, True)
    sink_x = w / 2 - 0.35
    parts = [
        (slab((w, d, h - 0.04), (0, 0, 0)), front),
        (slab((w + 0.02, d + 0.04, 0.04), (0, 0, h - 0.04)), stone),
    ]
    parts += [(m, front) for m in doors] + [(m, metal(rng)) for m in knobs]
    parts.append((quad((sink_x - 0.22, -0.17, h + 0.001), (0.44, 0, 0), (0, 0.34, 0)), metal(rng, (120, 122, 126))))
    tap = [slab((0.03, 0.03, 0.24), (sink_x, 0.2, h)), slab((0.025, 0.16, 0.022), (sink_x, 0.13, h + 0.22))]
    parts += [(m, metal(rng)) for m in tap]
    support = Support(
        (-w / 2 + 0.03, -d / 2 + 0.03),
        (sink_x - 0.26, d / 2 - 0.03),
        h,
        0.7,
        "on",
        frozenset({"kitchen", "table"}),
    )
    solids = [
        Solid((-w / 2 - 0.01, -d / 2 - 0.04, 0), (w / 2 + 0.01, d / 2 + 0.02, h)),
        Solid((sink_x - 0.22, -0.17, h), (sink_x + 0.22, 0.22, h + 0.25)),
    ]
    return thing("kitchen counter", color, "wood", parts, [support], solids)
