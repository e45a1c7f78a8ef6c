"""Fruit, vegetables and bread."""

from __future__ import annotations

import numpy as np

from moss_ros.sim import textures
from moss_ros.sim.mesh import ball, join, lathe, rounded_box, tube
from moss_ros.sim.palette import flat, pick, thing, vary
from moss_ros.sim.scene import Material, Thing


def apple(rng: np.random.Generator) -> Thing:
    """Red or green apple with a stalk."""
    color = pick(rng, ("red", "green", "yellow"))
    rgb = vary(rng, {"red": (176, 34, 36), "green": (122, 168, 58), "yellow": (222, 190, 72)}[color])
    s = float(rng.uniform(0.95, 1.15))
    body = lathe(
        [
            (0, 0.006),
            (0.016, 0),
            (0.03, 0.012),
            (0.037, 0.036),
            (0.034, 0.055),
            (0.02, 0.068),
            (0.008, 0.066),
            (0, 0.06),
        ],
        28,
    )
    stalk = tube([(0, 0, 0.06), (0.003, 0, 0.075), (0.006, 0.002, 0.08)], 0.002, 6)
    parts = [
        (body.scaled(s, s, s), Material(textures.mottled(rng, rgb, 0.16), 0.4)),
        (stalk.scaled(s, s, s), flat((80, 60, 30))),
    ]
    return thing("apple", color, "organic", parts)


def orange(rng: np.random.Generator) -> Thing:
    """Orange."""
    r = float(rng.uniform(0.036, 0.042))
    return thing(
        "orange",
        "orange",
        "organic",
        [(ball(r, 18), Material(textures.mottled(rng, vary(rng, (230, 128, 30)), 0.14), 0.25))],
    )


def lemon(rng: np.random.Generator) -> Thing:
    """Lemon on its side."""
    body = lathe([(0, 0), (0.006, 0.004), (0.02, 0.014), (0.026, 0.035), (0.02, 0.058), (0.006, 0.069), (0, 0.073)], 24)
    return thing(
        "lemon",
        "yellow",
        "organic",
        [(body.turned(1, np.pi / 2), Material(textures.mottled(rng, (238, 214, 66), 0.1), 0.3))],
    )


def pear(rng: np.random.Generator) -> Thing:
    """Pear."""
    body = lathe(
        [
            (0, 0.003),
            (0.012, 0),
            (0.03, 0.012),
            (0.036, 0.034),
            (0.028, 0.06),
            (0.017, 0.08),
            (0.012, 0.092),
            (0, 0.096),
        ],
        24,
    )
    return thing(
        "pear",
        "green",
        "organic",
        [
            (body, Material(textures.mottled(rng, vary(rng, (174, 184, 76)), 0.14), 0.3)),
            (tube([(0, 0, 0.09), (0.004, 0, 0.112)], 0.002, 6), flat((80, 60, 30))),
        ],
    )


def banana(rng: np.random.Generator) -> Thing:
    """Bent banana."""
    t = np.linspace(-0.85, 0.85, 13)
    radius = 0.017 * np.clip(1.25 - np.abs(t / 0.85) ** 4, 0.3, 1)
    path = np.stack([0.1 * np.sin(t), 0.1 * (1 - np.cos(t)), np.zeros(13)], 1)
    return thing(
        "banana",
        "yellow",
        "organic",
        [(tube(path, radius, 10), Material(textures.mottled(rng, (232, 202, 66), 0.12), 0.25))],
    )


def bread(rng: np.random.Generator) -> Thing:
    """Loaf."""
    body = rounded_box((0.25, 0.12, 0.11), (0.06, 0.05, 0.05), 6).moved(0, 0, 0.055)
    return thing(
        "loaf of bread",
        "brown",
        "organic",
        [(body, Material(textures.mottled(rng, vary(rng, (178, 118, 62)), 0.3)))],
    )


def cake(rng: np.random.Generator) -> Thing:
    """Round cake with cherries on top."""
    color = pick(rng, ("brown", "pink", "white"))
    rgb = {"brown": (98, 60, 38), "pink": (226, 150, 168), "white": (240, 234, 222)}[color]
    body = lathe([(0, 0), (0.095, 0), (0.1, 0.008), (0.1, 0.06), (0.094, 0.07), (0, 0.07)], 36)
    berries = [
        ball(0.013, 8).moved(0.07 * np.cos(a), 0.07 * np.sin(a), 0.067) for a in np.linspace(0, 2 * np.pi, 9)[:-1]
    ]
    return thing(
        "cake",
        color,
        "organic",
        [(body, Material(textures.mottled(rng, rgb, 0.15))), (join(berries), flat("red", 0.6))],
    )


def pineapple(rng: np.random.Generator) -> Thing:
    """Pineapple with its crown."""
    body = lathe([(0, 0), (0.04, 0.005), (0.058, 0.05), (0.056, 0.11), (0.035, 0.155), (0, 0.165)], 24)
    skin = textures.checks(rng, (196, 142, 52), (120, 84, 34), 6)
    leaves = []
    for k in range(18):
        a, tilt = 2.4 * k, 0.15 + 0.04 * k
        reach = 0.1 + 0.002 * k
        leaves.append(
            tube(
                [
                    (0, 0, 0.155),
                    (
                        0.5 * reach * np.sin(tilt) * np.cos(a),
                        0.5 * reach * np.sin(tilt) * np.sin(a),
                        0.155 + 0.6 * reach,
                    ),
                    (
                        reach * np.sin(tilt) * np.cos(a),
                        reach * np.sin(tilt) * np.sin(a),
                        0.155 + reach * np.cos(tilt),
                    ),
                ],
                [0.009, 0.008, 0.001],
                5,
            )
        )
    return thing("pineapple", "brown", "organic", [(body, Material(skin, 0.1)), (join(leaves), flat((72, 122, 60)))])
