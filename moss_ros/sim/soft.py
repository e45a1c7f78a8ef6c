"""Cloth, toys, shoes and bags."""

from __future__ import annotations

import numpy as np

from moss_ros.sim import textures
from moss_ros.sim.mesh import ball, cylinder, heightfield, join, lathe, rounded_box, slab, tube
from moss_ros.sim.palette import BRIGHT, CLOTH, COLORS, color_of, flat, pick, thing
from moss_ros.sim.scene import Material, Thing


def _cloth(rng: np.random.Generator, rgb: tuple[int, int, int]) -> Material:
    other = COLORS[pick(rng, ("white", "grey", "blue", "beige"))]
    style = rng.random()
    if style < 0.25:
        return Material(textures.stripes(rng, rgb, other))
    if style < 0.45:
        return Material(textures.checks(rng, rgb, other))
    return Material(textures.fabric(rng, rgb))


def cushion(rng: np.random.Generator) -> Thing:
    """Square cushion, lying."""
    color, rgb = color_of(rng, CLOTH)
    side = float(rng.uniform(0.36, 0.44))
    body = rounded_box((side, side, 0.13), (0.16, 0.16, 0.065), 6, 3).moved(0, 0, 0.065)
    return thing("cushion", color, "fabric", [(body, _cloth(rng, rgb))])


def _folds(rng: np.random.Generator, size: int, height_m: float, ridges: int) -> np.ndarray:
    """Heights (size, size) of a crumpled cloth: ridged noise under a dome with an uneven border."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    angle, radius = np.arctan2(y, x), np.hypot(x, y)
    border = 0.8 + 0.14 * np.sin(3 * angle + rng.uniform(0, 6)) + 0.08 * np.sin(5 * angle + rng.uniform(0, 6))
    dome = np.clip(1 - (radius / border) ** 2, 0, 1) ** 0.6
    ridge = 1 - np.abs(2 * textures.noise(rng, size, (ridges, 2 * ridges)) - 1)
    return height_m * dome * (0.45 + 0.55 * ridge)


def clothes_heap(rng: np.random.Generator) -> Thing:
    """Crumpled clothes on the floor or a seat."""
    color, rgb = color_of(rng, CLOTH)
    side = float(rng.uniform(0.34, 0.55))
    height = float(rng.uniform(0.08, 0.16))
    heap = heightfield(_folds(rng, 44, height, 4), (side, side * rng.uniform(0.7, 1.0)))
    return thing("pile of clothes", color, "fabric", [(heap, _cloth(rng, rgb))])


def blanket(rng: np.random.Generator) -> Thing:
    """Rumpled blanket, spread flat."""
    color, rgb = color_of(rng, CLOTH)
    size = 48
    edge = np.minimum(1, np.minimum.outer(np.minimum(np.arange(size), np.arange(size)[::-1]), np.full(size, size)) / 3)
    wave = textures.noise(rng, size, (3, 6), stretch=2)
    heights = 0.012 + 0.045 * wave * edge * edge.T
    return thing(
        "blanket",
        color,
        "fabric",
        [(heightfield(heights, (rng.uniform(0.5, 0.7), rng.uniform(0.38, 0.46))), _cloth(rng, rgb))],
    )


def towels(rng: np.random.Generator) -> Thing:
    """Stack of folded towels."""
    color, rgb = color_of(rng, CLOTH)
    offsets_m = [(*rng.uniform(-0.006, 0.006, 2), 0.0225 + 0.044 * k) for k in range(3)]
    layers = [rounded_box((0.3, 0.2, 0.045), 0.02, 3).moved(x, y, z) for x, y, z in offsets_m]
    return thing("towel", color, "fabric", [(m, _cloth(rng, rgb)) for m in layers])


def teddy_bear(rng: np.random.Generator) -> Thing:
    """Sitting bear."""
    color = pick(rng, ("brown", "white", "grey", "pink"))
    rgb = {
        "brown": (150, 102, 62),
        "white": (228, 222, 210),
        "grey": (150, 150, 152),
        "pink": (224, 150, 168),
    }[color]
    fur, snout, dark = (
        Material(textures.fabric(rng, rgb)),
        Material(textures.fabric(rng, (214, 184, 146))),
        flat("black", 0.5),
    )

    def blob(size: tuple[float, float, float], at: tuple[float, float, float]) -> object:
        return rounded_box(size, np.array(size) / 2, 4).moved(*at)

    body = [blob((0.17, 0.15, 0.2), (0, 0, 0.1)), blob((0.14, 0.13, 0.13), (0, 0, 0.23))]
    ears = [blob((0.05, 0.03, 0.05), (x, 0, 0.295)) for x in (-0.052, 0.052)]
    limbs = [blob((0.06, 0.08, 0.12), (x, -0.03, 0.12)) for x in (-0.095, 0.095)] + [
        blob((0.07, 0.14, 0.065), (x, -0.1, 0.033)) for x in (-0.055, 0.055)
    ]
    face = [blob((0.022, 0.015, 0.016), (0, -0.087, 0.228))] + [
        blob((0.014, 0.01, 0.014), (x, -0.058, 0.255)) for x in (-0.027, 0.027)
    ]
    parts = (
        [(m, fur) for m in [*body, *ears, *limbs]]
        + [(blob((0.055, 0.05, 0.045), (0, -0.062, 0.215)), snout)]
        + [(m, dark) for m in face]
    )
    return thing("teddy bear", color, "fabric", parts)  # type: ignore[arg-type]


def toy_ball(rng: np.random.Generator) -> Thing:
    """Beach ball, football or plain ball."""
    color, rgb = color_of(rng)
    white = COLORS["white"]
    kinds = (
        textures.panels([rgb, white] * 3),
        textures.patches(rng, white, COLORS["black"]),
        textures.mottled(rng, rgb),
    )
    skin = kinds[int(rng.integers(3))]
    tilt = float(rng.uniform(0, 3))
    r = float(rng.uniform(0.08, 0.12))
    return thing("ball", color, "plastic", [(ball(r, 22).moved(0, 0, -r).turned(0, tilt), Material(skin, 0.3))])


def toy_car(rng: np.random.Generator) -> Thing:
    """Small car."""
    color, rgb = color_of(rng)
    body = [
        rounded_box((0.09, 0.2, 0.045), 0.015).moved(0, 0, 0.045),
        rounded_box((0.08, 0.1, 0.045), 0.018).moved(0, 0.01, 0.082),
    ]
    wheels = [
        cylinder(0.022, 0.018, 20).turned(1, np.pi / 2).moved(x, y, 0.022)
        for x in (-0.052, 0.034)
        for y in (-0.06, 0.06)
    ]
    glass = rounded_box((0.083, 0.085, 0.025), 0.01, 2).moved(0, 0.01, 0.085)
    return thing(
        "toy car",
        color,
        "plastic",
        [(join(body), flat(rgb, 0.5)), (join(wheels), flat("black", 0.1)), (glass, flat((70, 84, 96), 0.7))],
    )


def toy_blocks(rng: np.random.Generator) -> Thing:
    """Little tower of building blocks."""
    names = rng.permutation(np.array(BRIGHT))[:4]
    parts = [
        (
            slab((0.05, 0.05, 0.05), (x, y, z)).moved(yaw_rad=float(rng.uniform(-0.12, 0.12))),
            flat(COLORS[str(n)], 0.2),
        )
        for n, (x, y, z) in zip(names, ((-0.03, 0, 0), (0.03, 0, 0), (0, 0.0, 0.05), (0, 0, 0.1)), strict=True)
    ]
    return thing("toy blocks", str(names[0]), "wood", parts, phrase="a tower of toy blocks")


def puzzle_cube(rng: np.random.Generator) -> Thing:
    """Cube of coloured fields."""
    names = ("red", "blue", "yellow", "green", "orange", "white")
    fields = np.zeros((3, 3, 3), np.uint8)
    for i in range(3):
        for j in range(3):
            fields[i, j] = COLORS[pick(rng, names)]
    picture = np.kron(fields, np.ones((16, 16, 1), np.uint8))
    picture[np.arange(48) % 16 < 2] = 20
    picture[:, np.arange(48) % 16 < 2] = 20
    cube = slab((0.058, 0.058, 0.058), repeats_per_m=1 / 0.058)
    return thing("puzzle cube", "red", "plastic", [(cube, Material(picture, 0.4))], phrase="a colourful puzzle cube")


def shoe(rng: np.random.Generator) -> Thing:
    """Single shoe."""
    color, rgb = color_of(rng, (*BRIGHT, "black", "brown"))
    upper = Material(textures.fabric(rng, rgb))
    sole = rounded_box((0.09, 0.27, 0.03), (0.04, 0.06, 0.012), 5).moved(0, 0, 0.015)
    toe = rounded_box((0.085, 0.2, 0.075), (0.04, 0.07, 0.035), 5).moved(0, -0.03, 0.055)
    heel = rounded_box((0.08, 0.12, 0.095), (0.035, 0.04, 0.02), 5).moved(0, 0.065, 0.07)
    laces = join([slab((0.045, 0.008, 0.004), (0, y, 0.093 - 0.1 * abs(y + 0.01))) for y in (-0.06, -0.035, -0.01)])
    dark = rounded_box((0.055, 0.075, 0.006), 0.003, 2).moved(0, 0.068, 0.116)
    parts = [
        (sole, flat((236, 234, 228))),
        (join([toe, heel]), upper),
        (laces, flat("white")),
        (dark, flat((30, 28, 28), 0.0)),
    ]
    return thing("shoe", color, "fabric", parts)


def slipper(rng: np.random.Generator) -> Thing:
    """Open slipper."""
    color, rgb = color_of(rng, CLOTH)
    sole = rounded_box((0.095, 0.27, 0.025), (0.045, 0.06, 0.01), 5).moved(0, 0, 0.0125)
    top = rounded_box((0.1, 0.14, 0.07), (0.045, 0.06, 0.035), 5).moved(0, -0.06, 0.04)
    return thing(
        "slipper",
        color,
        "fabric",
        [(sole, flat((190, 170, 140))), (top, Material(textures.fabric(rng, rgb)))],
    )


def boot(rng: np.random.Generator) -> Thing:
    """Rubber boot."""
    color, rgb = color_of(rng, ("green", "yellow", "red", "blue", "black", "brown"))
    foot = rounded_box((0.1, 0.28, 0.1), (0.045, 0.07, 0.045), 5).moved(0, -0.02, 0.05)
    shaft = lathe([(0, 0.04), (0.045, 0.04), (0.055, 0.3), (0.05, 0.3), (0.04, 0.06), (0, 0.06)], 24).moved(0, 0.06, 0)
    return thing("boot", color, "rubber", [(join([foot, shaft]), flat(rgb, 0.4))])


def backpack(rng: np.random.Generator) -> Thing:
    """Standing backpack with a front pocket."""
    color, rgb = color_of(rng, CLOTH)
    cloth = Material(textures.fabric(rng, rgb))
    dark = Material(textures.fabric(rng, tuple(int(0.6 * c) for c in rgb)))  # type: ignore[arg-type]
    body = rounded_box((0.31, 0.17, 0.44), (0.1, 0.07, 0.12), 6).moved(0, 0, 0.22)
    pocket = rounded_box((0.23, 0.08, 0.19), (0.05, 0.035, 0.05), 5).moved(0, -0.095, 0.13)
    straps = [tube([(x, 0.07, 0.4), (x, 0.12, 0.3), (x, 0.12, 0.15), (x, 0.07, 0.06)], 0.014, 8) for x in (-0.08, 0.08)]
    loop = tube([(-0.04, 0.05, 0.43), (-0.03, 0.05, 0.47), (0.03, 0.05, 0.47), (0.04, 0.05, 0.43)], 0.008, 8)
    return thing("backpack", color, "fabric", [(body, cloth), (pocket, dark), (join([*straps, loop]), dark)])


def hat(rng: np.random.Generator) -> Thing:
    """Hat with a brim."""
    color, rgb = color_of(rng, ("beige", "brown", "black", "grey", "red", "blue"))
    shell = lathe([(0, 0), (0.16, 0), (0.165, 0.008), (0.1, 0.018), (0.092, 0.09), (0.07, 0.115), (0, 0.11)], 36)
    band = lathe([(0.1005, 0.02), (0.0985, 0.045)], 36)
    return thing("hat", color, "fabric", [(shell, Material(textures.fabric(rng, rgb))), (band, flat((50, 40, 36)))])
