"""Pans, small machines and other things of a kitchen."""

from __future__ import annotations

import numpy as np

from moss_ros.sim import textures
from moss_ros.sim.kitchenware import FRUIT, glaze_of, handle
from moss_ros.sim.mesh import box, cylinder, join, lathe, rounded_box, slab, tube
from moss_ros.sim.palette import color_of, flat, pick, thing, vary
from moss_ros.sim.scene import Material, Support, Thing


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
    shell = lathe(
        [
            (0, 0),
            (r - 0.01, 0),
            (r, 0.012),
            (r, h),
            (r + 0.004, h),
            (r + 0.004, h + 0.006),
            (r * 0.5, h + 0.03),
            (0, h + 0.036),
        ],
        40,
    )
    knob = lathe([(0.008, h + 0.034), (0.02, h + 0.052), (0, h + 0.06)], 16)
    handles = [
        tube(
            [
                (s * (r - 0.005), -0.04, h - 0.03),
                (s * (r + 0.035), 0, h - 0.03),
                (s * (r - 0.005), 0.04, h - 0.03),
            ],
            0.008,
            8,
        )
        for s in (-1, 1)
    ]
    return thing("pot", color, "metal", [(shell, body)] + [(m, flat("black", 0.3)) for m in [knob, *handles]])


def pan(rng: np.random.Generator) -> Thing:
    """Frying pan."""
    r = float(rng.uniform(0.11, 0.14))
    shell = lathe([(0, 0), (r * 0.8, 0), (r, 0.045), (r - 0.004, 0.045), (r * 0.8, 0.006), (0, 0.006)], 40)
    grip = tube([(r - 0.01, 0, 0.03), (r + 0.1, 0, 0.05), (r + 0.2, 0, 0.055)], [0.009, 0.011, 0.012], 10)
    return thing(
        "frying pan",
        "black",
        "metal",
        [(shell, Material(textures.mottled(rng, (44, 44, 48), 0.15), 0.4)), (grip, flat("black", 0.2))],
    )


def kettle(rng: np.random.Generator) -> Thing:
    """Electric kettle."""
    color, rgb = color_of(rng, ("black", "white", "red", "grey"))
    shell = flat(rgb, 0.5)
    body = lathe([(0, 0), (0.08, 0), (0.08, 0.02), (0.076, 0.022), (0.06, 0.2), (0.05, 0.215), (0, 0.225)], 32)
    spout = tube([(-0.05, 0, 0.17), (-0.09, 0, 0.2)], [0.022, 0.014], 8)
    return thing(
        "kettle",
        color,
        "plastic",
        [(body, shell), (spout, shell), (handle(0.062, 0.05, 0.2, 0.055, 0.011), flat("black", 0.2))],
    )


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
    support = Support(
        (-size[0] / 2 + 0.02, -size[1] / 2 + 0.02),
        (size[0] / 2 - 0.02, size[1] / 2 - 0.02),
        0.018,
        0.3,
        "on",
        FRUIT,
    )
    return thing(
        "cutting board",
        "light",
        "wood",
        [(rounded_box(size, 0.008, 2).moved(0, 0, 0.009), material)],
        [support],
    )


def cutlery_cup(rng: np.random.Generator) -> Thing:
    """Cup with wooden spoons."""
    color, rgb = color_of(rng)
    cup = lathe([(0, 0), (0.045, 0), (0.05, 0.13), (0.046, 0.13), (0.041, 0.006), (0, 0.006)], 28)
    parts = [(cup, glaze_of(rng, rgb))]
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
    parts = [
        (cylinder(0.075, 0.012), wood),
        (cylinder(0.058, 0.24, 32, 0.012), paper),
        (cylinder(0.01, 0.05, 12, 0.252), wood),
    ]
    return thing("paper towel roll", "white", "paper", parts)
