"""Books, paper and electronics."""

from __future__ import annotations

import numpy as np

from moss_ros.sim import textures
from moss_ros.sim.mesh import Mesh, box, cylinder, join, lathe, quad, rounded_box, slab, tube
from moss_ros.sim.palette import BRIGHT, COLORS, color_of, flat, metal, pick, thing, vary
from moss_ros.sim.scene import Material, Support, Thing

TITLES = ("ATLAS", "RIVER", "COOKING", "STARS", "NOVEL", "HISTORY", "BIRDS", "ALGEBRA", "POEMS", "GARDEN")
STACK = frozenset({"stack"})


def _book_parts(
    rng: np.random.Generator, size: tuple[float, float, float], rgb: tuple[int, int, int], text: str
) -> list[tuple[Mesh, Material]]:
    w, h, t = size
    cover = Material(textures.label(rng, rgb, vary(rng, (236, 226, 196)), text), 0.15)
    spine = flat(tuple(int(0.8 * c) for c in rgb), 0.15)  # type: ignore[arg-type]
    pages = box((0.004, 0.004, 0.003), (w - 0.005, h - 0.004, t - 0.003))
    boards = [box((0, 0, 0), (w, h, 0.003)), box((0, 0, t - 0.003), (w, h, t))]
    face = quad((0, 0, t + 0.0004), (w, 0, 0), (0, h, 0), (0.5, 1))
    back = box((0, 0, 0), (0.004, h, t))
    return [(m, spine) for m in [*boards, back]] + [(face, cover), (pages, flat((234, 228, 208), 0.0))]


def book(rng: np.random.Generator) -> Thing:
    """Book that lies flat; a smaller one may lie on it."""
    color, rgb = color_of(rng, (*BRIGHT, "black", "brown"))
    w, h, t = rng.uniform(0.13, 0.19), rng.uniform(0.19, 0.26), rng.uniform(0.02, 0.045)
    text = pick(rng, TITLES)
    support = Support((-0.015, -0.015), (w + 0.015, h + 0.015), t + 0.0004, 0.4, "on", STACK)
    return thing("book", color, "paper", _book_parts(rng, (w, h, t), rgb, text), [support], text=text)


def standing_book(rng: np.random.Generator) -> Thing:
    """Book on its lower edge, spine to the front."""
    color, rgb = color_of(rng, (*BRIGHT, "black", "brown"))
    size = (rng.uniform(0.14, 0.18), rng.uniform(0.2, 0.27), rng.uniform(0.022, 0.045))
    text = pick(rng, TITLES)
    parts = [(m.turned(2, np.pi / 2).turned(1, np.pi / 2), a) for m, a in _book_parts(rng, size, rgb, text)]
    return thing("book", color, "paper", parts, text=text)


def magazine(rng: np.random.Generator) -> Thing:
    """Thin magazine with a picture on the front."""
    color, rgb = color_of(rng)
    sheet = slab((0.21, 0.28, 0.006))
    face = quad((-0.105, -0.14, 0.0064), (0.21, 0, 0), (0, 0.28, 0))
    return thing("magazine", color, "paper", [(sheet, flat(rgb)), (face, Material(textures.painting(rng), 0.3))])


def monitor(rng: np.random.Generator) -> Thing:
    """Computer screen on a foot."""
    dark = flat("black", 0.4)
    w, h = 0.56, 0.34
    parts = [
        (box((-w / 2, -0.012, 0.11), (w / 2, 0.018, 0.11 + h)), dark),
        (slab((0.06, 0.03, 0.2), (0, 0.03, 0)), dark),
        (rounded_box((0.24, 0.19, 0.014), 0.006, 2).moved(0, 0, 0.007), dark),
    ]
    face = quad((-w / 2 + 0.012, -0.0125, 0.125), (w - 0.024, 0, 0), (0, 0, h - 0.03))
    return thing("monitor", "black", "plastic", [*parts, (face, Material(textures.screen(rng), 0.2, 0.55))])


def television(rng: np.random.Generator) -> Thing:
    """Flat television on two feet."""
    dark = flat((22, 22, 25), 0.12)
    w = float(rng.uniform(0.95, 1.2))
    h = w * 0.57
    parts = [(box((-w / 2, -0.02, 0.06), (w / 2, 0.03, 0.06 + h)), dark)]
    parts += [(slab((0.03, 0.22, 0.06), (x, 0, 0)), dark) for x in (-w / 3, w / 3)]
    return thing("television", "black", "plastic", parts)


def laptop(rng: np.random.Generator) -> Thing:
    """Open laptop."""
    color, rgb = color_of(rng, ("grey", "black", "white"))
    shell = flat(rgb, 0.4)
    lid = [
        box((-0.165, 0, 0), (0.165, 0.008, 0.22)),
        quad((-0.155, -0.0005, 0.012), (0.31, 0, 0), (0, 0, 0.195)),
    ]
    lid = [m.turned(0, -0.28).moved(0, 0.11, 0.016) for m in lid]
    keys = [
        slab((0.018, 0.015, 0.002), (-0.13 + 0.0217 * i, 0.01 + 0.019 * j, 0.016)) for i in range(13) for j in range(4)
    ]
    parts = [
        (slab((0.33, 0.23, 0.016)), shell),
        (lid[0], shell),
        (lid[1], Material(textures.screen(rng), 0.2, 0.6)),
        (join(keys), flat((26, 26, 30), 0.1)),
        (slab((0.1, 0.06, 0.001), (0, -0.065, 0.016)), flat((90, 92, 96), 0.2)),
    ]
    return thing("laptop", color, "metal", parts)


def keyboard(rng: np.random.Generator) -> Thing:
    """Keyboard with separate keys."""
    color, rgb = color_of(rng, ("black", "white", "grey"))
    keys = [
        slab((0.022, 0.018, 0.007), (-0.188 + 0.0268 * i, -0.045 + 0.0225 * j, 0.013))
        for i in range(15)
        for j in range(5)
    ]
    base = rounded_box((0.43, 0.14, 0.016), 0.006, 2).moved(0, 0, 0.008)
    light = tuple(min(250, int(c * 1.2 + 16)) for c in rgb)
    return thing("keyboard", color, "plastic", [(base, flat(rgb, 0.2)), (join(keys), flat(light, 0.1))])  # type: ignore[arg-type]


def mouse(rng: np.random.Generator) -> Thing:
    """Computer mouse."""
    color, rgb = color_of(rng, ("black", "white", "grey", "red"))
    body = rounded_box((0.062, 0.11, 0.036), (0.03, 0.05, 0.018), 6).moved(0, 0, 0.018)
    return thing(
        "computer mouse",
        color,
        "plastic",
        [(body, flat(rgb, 0.4)), (slab((0.008, 0.02, 0.006), (0, -0.03, 0.032)), flat((70, 70, 74)))],
    )


def remote(rng: np.random.Generator) -> Thing:
    """Remote control."""
    body = rounded_box((0.048, 0.19, 0.02), 0.008, 3).moved(0, 0, 0.01)
    dots = [
        cylinder(0.006, 0.003, 10, 0.0195).moved(-0.013 + 0.013 * i, -0.06 + 0.02 * j)
        for i in range(3)
        for j in range(6)
    ]
    return thing(
        "remote control",
        "black",
        "plastic",
        [(body, flat("black", 0.3)), (join(dots), flat((170, 60, 60), 0.2))],
    )


def phone(rng: np.random.Generator) -> Thing:
    """Mobile phone."""
    color, rgb = color_of(rng, ("black", "white", "blue", "red"))
    body = rounded_box((0.074, 0.152, 0.011), 0.005, 3).moved(0, 0, 0.0055)
    face = quad((-0.033, -0.071, 0.0114), (0.066, 0, 0), (0, 0.142, 0))
    return thing("phone", color, "plastic", [(body, flat(rgb, 0.5)), (face, flat((16, 17, 22), 0.8))])


def headphones(rng: np.random.Generator) -> Thing:
    """Headphones that stand on their cups."""
    color, rgb = color_of(rng, ("black", "white", "red", "blue"))
    t = np.linspace(0, np.pi, 18)
    band = tube(np.stack([0.085 * np.cos(t), 0 * t, 0.06 + 0.11 * np.sin(t)], 1), 0.008, 8)
    cups = [rounded_box((0.04, 0.075, 0.085), (0.018, 0.035, 0.04), 4).moved(x, 0, 0.043) for x in (-0.078, 0.078)]
    return thing("headphones", color, "plastic", [(band, flat(rgb, 0.3)), (join(cups), flat("black", 0.2))])


def speaker(rng: np.random.Generator) -> Thing:
    """Box speaker with two cones."""
    color, rgb = color_of(rng, ("black", "brown", "white", "grey"))
    body = rounded_box((0.16, 0.17, 0.26), 0.008, 2).moved(0, 0, 0.13)
    cones = [
        lathe([(0, -0.012), (r * 0.3, -0.014), (r * 0.85, 0.0), (r, 0.004), (r, -0.004)])
        .turned(0, np.pi / 2)
        .moved(0, -0.084, z)
        for r, z in ((0.055, 0.09), (0.03, 0.2))
    ]
    return thing("speaker", color, "wood", [(body, flat(rgb, 0.15)), (join(cones), flat((52, 52, 56), 0.3))])


def pen_cup(rng: np.random.Generator) -> Thing:
    """Cup of pens."""
    color, rgb = color_of(rng)
    cup = lathe([(0, 0), (0.038, 0), (0.038, 0.1), (0.035, 0.1), (0.035, 0.004), (0, 0.004)], 28)
    parts = [(cup, flat(rgb, 0.3))]
    for a in rng.uniform(0, 2 * np.pi, 5):
        c, s = np.cos(a), np.sin(a)
        pen = tube([(-0.015 * c, -0.015 * s, 0.006), (0.036 * c, 0.036 * s, rng.uniform(0.14, 0.18))], 0.0042, 7)
        parts.append((pen, flat(COLORS[pick(rng, BRIGHT)], 0.3)))
    return thing("pen holder", color, "plastic", parts)


def desk_lamp(rng: np.random.Generator) -> Thing:
    """Jointed lamp with a cone shade."""
    color, rgb = color_of(rng, ("black", "red", "white", "yellow", "turquoise"))
    paint = flat(rgb, 0.4)
    arm = tube([(0, 0.02, 0.02), (0, 0.1, 0.22), (0, 0.09, 0.235), (0, -0.08, 0.36)], 0.007, 8)
    shade = (
        lathe([(0, 0.066), (0.018, 0.062), (0.06, 0), (0.065, 0), (0.02, 0.07), (0, 0.075)], 28)
        .turned(0, -0.5)
        .moved(0, -0.09, 0.3)
    )
    bulb = rounded_box((0.04, 0.04, 0.05), 0.02, 3).turned(0, -0.5).moved(0, -0.075, 0.325)
    parts = [
        (lathe([(0, 0), (0.075, 0), (0.075, 0.015), (0.02, 0.028), (0, 0.028)]), paint),
        (arm, metal(rng)),
        (shade, paint),
        (bulb, flat((255, 236, 190), 0.0, 1.2)),
    ]
    return thing("desk lamp", color, "metal", parts)


def globe(rng: np.random.Generator) -> Thing:
    """Globe on a foot."""
    sea = textures.mottled(rng, (60, 112, 168), 0.05, 192)
    sea[textures.noise(rng, 192, (3, 6, 12)) > 0.58] = (96, 140, 72)
    foot = lathe([(0, 0), (0.08, 0), (0.08, 0.012), (0.015, 0.03), (0.012, 0.06), (0, 0.06)])
    return thing(
        "globe",
        "blue",
        "plastic",
        [(ball_at(0.11, 0.055), Material(sea, 0.4)), (foot, metal(rng, (170, 140, 80)))],
    )


def ball_at(radius_m: float, z_m: float) -> Mesh:
    """Sphere whose lowest point is at z."""
    a = np.linspace(-np.pi / 2, np.pi / 2, 20)
    return lathe([(radius_m * np.cos(t), z_m + radius_m * (1 + np.sin(t))) for t in a], 40)
