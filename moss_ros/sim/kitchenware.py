"""Dishes, pans, bottles and small kitchen machines."""

from __future__ import annotations

import numpy as np

from moss_ros.sim import textures
from moss_ros.sim.mesh import Mesh, box, cylinder, join, lathe, rounded_box, slab, tube
from moss_ros.sim.palette import BRIGHT, color_of, flat, metal, pick, ring_solids, thing, vary
from moss_ros.sim.scene import Material, Support, Thing

FRUIT = frozenset({"in bowl"})
WORDS = ("AQUA", "SOLE", "NERO", "VITA", "MILD", "FRESH", "ORO", "LUNA", "TERRA", "BLU")


def _glaze(rng: np.random.Generator, rgb: tuple[int, int, int]) -> Material:
    style = rng.random()
    if style < 0.25:
        return Material(textures.patches(rng, rgb, (240, 238, 230)), 0.5)
    if style < 0.45:
        return Material(textures.stripes(rng, rgb, (240, 238, 230), 3).transpose(1, 0, 2).copy(), 0.5)
    return Material(textures.mottled(rng, rgb, 0.05), 0.5)


def _handle(x_m: float, low_m: float, high_m: float, reach_m: float, radius_m: float) -> Mesh:
    t = np.linspace(-np.pi / 2, np.pi / 2, 9)
    return tube(np.stack([x_m + reach_m * np.cos(t), 0 * t, (low_m + high_m) / 2 + (high_m - low_m) / 2 * np.sin(t)], 1),
                radius_m, 8)


def mug(rng: np.random.Generator) -> Thing:
    """Cup with a handle."""
    color, rgb = color_of(rng, (*BRIGHT, "black"))
    r, h = float(rng.uniform(0.036, 0.044)), float(rng.uniform(0.085, 0.105))
    shell = lathe([(0, 0), (r - 0.005, 0), (r, 0.008), (r, h), (r - 0.004, h), (r - 0.005, 0.008), (0, 0.008)], 32)
    glaze = _glaze(rng, rgb)
    return thing("mug", color, "ceramic", [(shell, glaze), (_handle(r - 0.002, 0.02, h - 0.015, 0.026, 0.0055), glaze)])


def drinking_glass(rng: np.random.Generator) -> Thing:
    """Tumbler of tinted glass."""
    color, rgb = color_of(rng, ("blue", "green", "turquoise", "white", "purple"))
    r, h = 0.034, float(rng.uniform(0.11, 0.14))
    tint = tuple(int(0.45 * c + 0.55 * 225) for c in rgb)
    shell = lathe([(0, 0), (r * 0.8, 0), (r, h), (r - 0.002, h), (r * 0.8 - 0.003, 0.01), (0, 0.01)], 28)
    return thing("drinking glass", color, "glass", [(shell, flat(tint, 0.8))])  # type: ignore[arg-type]


def bowl(rng: np.random.Generator) -> Thing:
    """Bowl with a flat bottom; fruit may lie in it."""
    color, rgb = color_of(rng)
    r = float(rng.uniform(0.09, 0.13))
    b, h = r * 0.62, r * 0.72
    shell = lathe([(0, 0), (b, 0), (r * 0.86, h * 0.45), (r, h), (r - 0.005, h), (r * 0.83, h * 0.5), (b, 0.007), (0, 0.007)], 40)
    q = b * 0.70
    inside = Support((-q, -q), (q, q), 0.007, 0.3, "in", FRUIT)
    return thing("bowl", color, "ceramic", [(shell, _glaze(rng, rgb))], [inside], ring_solids(r, q, h, 0.007))


def plate(rng: np.random.Generator) -> Thing:
    """Flat plate; food may lie on it."""
    color, rgb = color_of(rng, ("white", "blue", "turquoise", "yellow", "pink", "green"))
    r = float(rng.uniform(0.11, 0.135))
    shell = lathe([(0, 0), (r * 0.6, 0), (r, 0.018), (r, 0.022), (r * 0.62, 0.006), (0, 0.006)], 44)
    q = r * 0.42
    inside = Support((-q, -q), (q, q), 0.006, 0.3, "on", FRUIT)
    return thing("plate", color, "ceramic", [(shell, _glaze(rng, rgb))], [inside], ring_solids(r, q, 0.022, 0.006))


def bottle(rng: np.random.Generator) -> Thing:
    """Bottle with a label; sometimes it lies on its side."""
    color, rgb = color_of(rng, ("green", "blue", "red", "white", "brown", "purple", "orange"))
    r, h = float(rng.uniform(0.03, 0.04)), float(rng.uniform(0.22, 0.3))
    s, text = h * 0.62, pick(rng, WORDS)
    glass = flat(rgb, 0.6)
    meshes = [lathe([(0, 0), (r - 0.003, 0), (r, 0.006), (r, h * 0.15)]), lathe([(r, s), (r * 0.9, s + 0.02), (0.014, h * 0.82), (0.013, h - 0.02)])]
    parts = [(m, glass) for m in meshes]
    print_ = textures.label(rng, (244, 242, 234), rgb, text)
    parts.append((lathe([(r, h * 0.15), (r, s)], 32), Material(print_, 0.2)))
    parts.append((lathe([(0.013, h - 0.02), (0.016, h - 0.02), (0.016, h), (0, h)]), flat((40, 40, 44), 0.2)))
    if rng.random() < 0.15:
        parts = [(m.turned(0, np.pi / 2), material) for m, material in parts]
    return thing("bottle", color, "glass", parts, text=text)


def can(rng: np.random.Generator) -> Thing:
    """Drink can or tin."""
    color, rgb = color_of(rng, ("red", "blue", "green", "orange", "yellow", "black", "purple"))
    r, h = float(rng.uniform(0.032, 0.04)), float(rng.uniform(0.1, 0.125))
    text = pick(rng, ("COLA", "BEANS", "TUNA", "LIMO", "CORN", "SODA"))
    tin = metal(rng)
    parts = [(lathe([(0, 0), (r * 0.9, 0), (r, 0.006)]), tin), (lathe([(r, h - 0.006), (r * 0.9, h), (r * 0.86, h - 0.004), (0, h - 0.004)]), tin),
             (lathe([(r, 0.006), (r, h - 0.006)], 32), Material(textures.label(rng, rgb, (244, 242, 234), text), 0.5))]
    return thing("can", color, "metal", parts, text=text)


def jar(rng: np.random.Generator) -> Thing:
    """Glass jar of jam or sauce with a lid."""
    color, rgb = color_of(rng, ("red", "orange", "purple", "brown", "green"))
    body = lathe([(0, 0), (0.036, 0), (0.04, 0.006), (0.04, 0.075), (0.032, 0.09)])
    lid = lathe([(0.032, 0.086), (0.036, 0.086), (0.036, 0.104), (0, 0.104)])
    return thing("jar", color, "glass", [(body, flat(rgb, 0.7)), (lid, flat((214, 188, 92), 0.5))])


def cereal_box(rng: np.random.Generator) -> Thing:
    """Upright carton with print."""
    color, rgb = color_of(rng, ("yellow", "red", "blue", "orange", "green"))
    text = pick(rng, ("FLAKES", "OATS", "CRUNCH", "RICE", "MUESLI"))
    size = (rng.uniform(0.17, 0.21), rng.uniform(0.055, 0.075), rng.uniform(0.26, 0.31))
    print_ = textures.label(rng, rgb, (246, 240, 222), text)[:, : 192 + 8].copy()
    carton = box((-size[0] / 2, -size[1] / 2, 0), (size[0] / 2, size[1] / 2, size[2]), fit=True)
    return thing("cereal box", color, "cardboard", [(carton, Material(print_, 0.2))], text=text)


def pot(rng: np.random.Generator) -> Thing:
    """Cooking pot with two handles and a lid."""
    color, rgb = color_of(rng, ("red", "grey", "blue", "black", "green"))
    r, h = float(rng.uniform(0.1, 0.13)), float(rng.uniform(0.1, 0.14))
    body = Material(textures.mottled(rng, rgb, 0.06), 0.6)
    shell = lathe([(0, 0), (r - 0.01, 0), (r, 0.012), (r, h), (r + 0.004, h), (r + 0.004, h + 0.006), (r * 0.5, h + 0.03), (0, h + 0.036)], 40)
    knob = lathe([(0.008, h + 0.034), (0.02, h + 0.052), (0, h + 0.06)], 16)
    handles = [tube([(s * (r - 0.005), -0.04, h - 0.03), (s * (r + 0.035), 0, h - 0.03), (s * (r - 0.005), 0.04, h - 0.03)], 0.008, 8)
               for s in (-1, 1)]
    return thing("pot", color, "metal", [(shell, body)] + [(m, flat("black", 0.3)) for m in [knob, *handles]])


def pan(rng: np.random.Generator) -> Thing:
    """Frying pan."""
    r = float(rng.uniform(0.11, 0.14))
    shell = lathe([(0, 0), (r * 0.8, 0), (r, 0.045), (r - 0.004, 0.045), (r * 0.8, 0.006), (0, 0.006)], 40)
    handle = tube([(r - 0.01, 0, 0.03), (r + 0.1, 0, 0.05), (r + 0.2, 0, 0.055)], [0.009, 0.011, 0.012], 10)
    return thing("frying pan", "black", "metal", [(shell, Material(textures.mottled(rng, (44, 44, 48), 0.15), 0.4)), (handle, flat("black", 0.2))])


def teapot(rng: np.random.Generator) -> Thing:
    """Round pot with a spout."""
    color, rgb = color_of(rng)
    glaze = _glaze(rng, rgb)
    body = lathe([(0, 0), (0.055, 0), (0.085, 0.05), (0.075, 0.1), (0.04, 0.125), (0.03, 0.13), (0.012, 0.142), (0.016, 0.155), (0, 0.162)], 36)
    spout = tube([(-0.07, 0, 0.05), (-0.11, 0, 0.075), (-0.13, 0, 0.12)], [0.02, 0.014, 0.01], 10)
    return thing("teapot", color, "ceramic", [(body, glaze), (spout, glaze), (_handle(0.07, 0.035, 0.105, 0.045, 0.007), glaze)])


def kettle(rng: np.random.Generator) -> Thing:
    """Electric kettle."""
    color, rgb = color_of(rng, ("black", "white", "red", "grey"))
    shell = flat(rgb, 0.5)
    body = lathe([(0, 0), (0.08, 0), (0.08, 0.02), (0.076, 0.022), (0.06, 0.2), (0.05, 0.215), (0, 0.225)], 32)
    spout = tube([(-0.05, 0, 0.17), (-0.09, 0, 0.2)], [0.022, 0.014], 8)
    return thing("kettle", color, "plastic", [(body, shell), (spout, shell), (_handle(0.062, 0.05, 0.2, 0.055, 0.011), flat("black", 0.2))])


def toaster(rng: np.random.Generator) -> Thing:
    """Toaster with two slots."""
    color, rgb = color_of(rng, ("red", "grey", "white", "black", "turquoise"))
    body = rounded_box((0.28, 0.17, 0.19), 0.035).moved(0, 0, 0.1)
    slots = [slab((0.2, 0.026, 0.004), (0, y, 0.193)) for y in (-0.035, 0.035)]
    foot = slab((0.26, 0.15, 0.02), (0, 0, 0))
    lever = slab((0.02, 0.03, 0.02), (0.15, 0, 0.12))
    dark = flat((24, 24, 26), 0.2)
    return thing("toaster", color, "metal", [(body, flat(rgb, 0.6))] + [(m, dark) for m in [*slots, foot, lever]])


def cutting_board(rng: np.random.Generator) -> Thing:
    """Wooden board."""
    size = (rng.uniform(0.32, 0.4), rng.uniform(0.2, 0.25), 0.018)
    material = Material(textures.wood(rng, vary(rng, (196, 150, 98))), 0.1)
    support = Support((-size[0] / 2 + 0.02, -size[1] / 2 + 0.02), (size[0] / 2 - 0.02, size[1] / 2 - 0.02), 0.018, 0.3, "on", FRUIT)
    return thing("cutting board", "light", "wood", [(rounded_box(size, 0.008, 2).moved(0, 0, 0.009), material)], [support])


def pitcher(rng: np.random.Generator) -> Thing:
    """Tall jug."""
    color, rgb = color_of(rng)
    glaze = _glaze(rng, rgb)
    shell = lathe([(0, 0), (0.05, 0), (0.07, 0.06), (0.058, 0.15), (0.05, 0.19), (0.06, 0.22), (0.056, 0.22), (0.046, 0.19), (0.052, 0.15), (0.06, 0.06), (0, 0.01)], 36)
    return thing("pitcher", color, "ceramic", [(shell, glaze), (_handle(0.052, 0.05, 0.19, 0.05, 0.009), glaze)])


def cutlery_cup(rng: np.random.Generator) -> Thing:
    """Cup with wooden spoons."""
    color, rgb = color_of(rng)
    cup = lathe([(0, 0), (0.045, 0), (0.05, 0.13), (0.046, 0.13), (0.041, 0.006), (0, 0.006)], 28)
    parts = [(cup, _glaze(rng, rgb))]
    wood = Material(textures.wood(rng, (190, 142, 92)), 0.05)
    for a in rng.uniform(0, 2 * np.pi, 4):
        tip = np.array([0.07 * np.cos(a), 0.07 * np.sin(a), rng.uniform(0.24, 0.29)])
        foot = np.array([-0.02 * np.cos(a), -0.02 * np.sin(a), 0.01])
        stick = tube([foot, tip], 0.005, 6)
        parts.append((join([stick, rounded_box((0.04, 0.012, 0.06), (0.02, 0.006, 0.03), 2).moved(*tip)]), wood))
    return thing("utensil holder", color, "ceramic", parts)


def kitchen_roll(rng: np.random.Generator) -> Thing:
    """Roll of paper on a stand."""
    paper = Material(textures.mottled(rng, (240, 239, 234), 0.03))
    wood = Material(textures.wood(rng, (180, 132, 84)), 0.1)
    parts = [(cylinder(0.075, 0.012), wood), (cylinder(0.058, 0.24, 32, 0.012), paper), (cylinder(0.01, 0.05, 12, 0.252), wood)]
    return thing("paper towel roll", "white", "paper", parts)
