"""Dishes, jugs and bottles."""

from __future__ import annotations

import numpy as np

from moss_ros.sim import textures
from moss_ros.sim.mesh import Mesh, lathe, tube
from moss_ros.sim.palette import BRIGHT, color_of, flat, metal, pick, ring_solids, thing
from moss_ros.sim.scene import Material, Support, Thing

FRUIT = frozenset({"in bowl"})
WORDS = ("AQUA", "SOLE", "NERO", "VITA", "MILD", "FRESH", "ORO", "LUNA", "TERRA", "BLU")


def glaze_of(rng: np.random.Generator, rgb: tuple[int, int, int]) -> Material:
    style = rng.random()
    if style < 0.25:
        return Material(textures.patches(rng, rgb, (240, 238, 230)), 0.5)
    if style < 0.45:
        return Material(textures.stripes(rng, rgb, (240, 238, 230), 3).transpose(1, 0, 2).copy(), 0.5)
    return Material(textures.mottled(rng, rgb, 0.05), 0.5)


def handle(x_m: float, low_m: float, high_m: float, reach_m: float, radius_m: float) -> Mesh:
    t = np.linspace(-np.pi / 2, np.pi / 2, 9)
    return tube(
        np.stack([x_m + reach_m * np.cos(t), 0 * t, (low_m + high_m) / 2 + (high_m - low_m) / 2 * np.sin(t)], 1),
        radius_m,
        8,
    )


def mug(rng: np.random.Generator) -> Thing:
    """Cup with a handle."""
    color, rgb = color_of(rng, (*BRIGHT, "black"))
    r, h = float(rng.uniform(0.036, 0.044)), float(rng.uniform(0.085, 0.105))
    shell = lathe([(0, 0), (r - 0.005, 0), (r, 0.008), (r, h), (r - 0.004, h), (r - 0.005, 0.008), (0, 0.008)], 32)
    glaze = glaze_of(rng, rgb)
    return thing("mug", color, "ceramic", [(shell, glaze), (handle(r - 0.002, 0.02, h - 0.015, 0.026, 0.0055), glaze)])


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
    shell = lathe(
        [
            (0, 0),
            (b, 0),
            (r * 0.86, h * 0.45),
            (r, h),
            (r - 0.005, h),
            (r * 0.83, h * 0.5),
            (b, 0.007),
            (0, 0.007),
        ],
        40,
    )
    q = b * 0.70
    inside = Support((-q, -q), (q, q), 0.007, 0.3, "in", FRUIT)
    return thing("bowl", color, "ceramic", [(shell, glaze_of(rng, rgb))], [inside], ring_solids(r, q, h, 0.007))


def plate(rng: np.random.Generator) -> Thing:
    """Flat plate; food may lie on it."""
    color, rgb = color_of(rng, ("white", "blue", "turquoise", "yellow", "pink", "green"))
    r = float(rng.uniform(0.11, 0.135))
    shell = lathe([(0, 0), (r * 0.6, 0), (r, 0.018), (r, 0.022), (r * 0.62, 0.006), (0, 0.006)], 44)
    q = r * 0.42
    inside = Support((-q, -q), (q, q), 0.006, 0.3, "on", FRUIT)
    return thing("plate", color, "ceramic", [(shell, glaze_of(rng, rgb))], [inside], ring_solids(r, q, 0.022, 0.006))


def bottle(rng: np.random.Generator) -> Thing:
    """Bottle with a label; sometimes it lies on its side."""
    color, rgb = color_of(rng, ("green", "blue", "red", "white", "brown", "purple", "orange"))
    r, h = float(rng.uniform(0.03, 0.04)), float(rng.uniform(0.22, 0.3))
    s, text = h * 0.62, pick(rng, WORDS)
    glass = flat(rgb, 0.6)
    meshes = [
        lathe([(0, 0), (r - 0.003, 0), (r, 0.006), (r, h * 0.15)]),
        lathe([(r, s), (r * 0.9, s + 0.02), (0.014, h * 0.82), (0.013, h - 0.02)]),
    ]
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
    parts = [
        (lathe([(0, 0), (r * 0.9, 0), (r, 0.006)]), tin),
        (lathe([(r, h - 0.006), (r * 0.9, h), (r * 0.86, h - 0.004), (0, h - 0.004)]), tin),
        (
            lathe([(r, 0.006), (r, h - 0.006)], 32),
            Material(textures.label(rng, rgb, (244, 242, 234), text), 0.5),
        ),
    ]
    return thing("can", color, "metal", parts, text=text)


def jar(rng: np.random.Generator) -> Thing:
    """Glass jar of jam or sauce with a lid."""
    color, rgb = color_of(rng, ("red", "orange", "purple", "brown", "green"))
    body = lathe([(0, 0), (0.036, 0), (0.04, 0.006), (0.04, 0.075), (0.032, 0.09)])
    lid = lathe([(0.032, 0.086), (0.036, 0.086), (0.036, 0.104), (0, 0.104)])
    return thing("jar", color, "glass", [(body, flat(rgb, 0.7)), (lid, flat((214, 188, 92), 0.5))])


def teapot(rng: np.random.Generator) -> Thing:
    """Round pot with a spout."""
    color, rgb = color_of(rng)
    glaze = glaze_of(rng, rgb)
    body = lathe(
        [
            (0, 0),
            (0.055, 0),
            (0.085, 0.05),
            (0.075, 0.1),
            (0.04, 0.125),
            (0.03, 0.13),
            (0.012, 0.142),
            (0.016, 0.155),
            (0, 0.162),
        ],
        36,
    )
    spout = tube([(-0.07, 0, 0.05), (-0.11, 0, 0.075), (-0.13, 0, 0.12)], [0.02, 0.014, 0.01], 10)
    return thing(
        "teapot",
        color,
        "ceramic",
        [(body, glaze), (spout, glaze), (handle(0.07, 0.035, 0.105, 0.045, 0.007), glaze)],
    )


def pitcher(rng: np.random.Generator) -> Thing:
    """Tall jug."""
    color, rgb = color_of(rng)
    glaze = glaze_of(rng, rgb)
    shell = lathe(
        [
            (0, 0),
            (0.05, 0),
            (0.07, 0.06),
            (0.058, 0.15),
            (0.05, 0.19),
            (0.06, 0.22),
            (0.056, 0.22),
            (0.046, 0.19),
            (0.052, 0.15),
            (0.06, 0.06),
            (0, 0.01),
        ],
        36,
    )
    return thing("pitcher", color, "ceramic", [(shell, glaze), (handle(0.052, 0.05, 0.19, 0.05, 0.009), glaze)])
