"""What hangs on walls and ceilings, doors and windows. Backs are at +y, fronts look towards -y."""

from __future__ import annotations

import numpy as np

from moss_ros.sim import textures
from moss_ros.sim.mesh import Mesh, box, cylinder, join, lathe, quad, rounded_box, slab, surface, tube
from moss_ros.sim.palette import CLOTH, color_of, flat, metal, thing, wood_of
from moss_ros.sim.scene import Material, Thing


def picture(rng: np.random.Generator) -> Thing:
    """Framed picture for the wall."""
    name, frame = wood_of(rng)
    w, h = float(rng.uniform(0.45, 0.85)), float(rng.uniform(0.4, 0.6))
    bars = [
        slab((w, 0.025, 0.03), (0, 0, 0)),
        slab((w, 0.025, 0.03), (0, 0, h - 0.03)),
        slab((0.03, 0.025, h - 0.06), (-w / 2 + 0.015, 0, 0.03)),
        slab((0.03, 0.025, h - 0.06), (w / 2 - 0.015, 0, 0.03)),
    ]
    canvas = box((-w / 2 + 0.03, -0.004, 0.03), (w / 2 - 0.03, 0.012, h - 0.03), fit=True)
    return thing("picture", name, "wood", [(join(bars), frame), (canvas, Material(textures.painting(rng)))])


def wall_clock(rng: np.random.Generator) -> Thing:
    """Round clock for the wall."""
    color, rgb = color_of(rng, ("black", "red", "white", "brown", "blue"))
    r = float(rng.uniform(0.14, 0.18))
    rim = lathe([(0, 0), (r, 0), (r, 0.04), (r - 0.015, 0.04), (r - 0.018, 0.028), (0, 0.028)], 40).turned(0, np.pi / 2)
    q = r * 0.66
    face = quad((-q, -0.029, -q), (2 * q, 0, 0), (0, 0, 2 * q))
    disc = lathe([(r - 0.018, 0.0285), (0, 0.0285)], 40).turned(0, np.pi / 2)
    return thing(
        "wall clock",
        color,
        "plastic",
        [(rim, flat(rgb, 0.4)), (disc, flat((242, 240, 232))), (face, Material(textures.clock_face()))],
    )


def window(rng: np.random.Generator) -> Thing:
    """Window with a bright sky behind it and a sill."""
    w, h = float(rng.uniform(1.0, 1.3)), 1.1
    white = flat((238, 237, 232), 0.3)
    bars = [slab((w, 0.05, 0.06), (0, 0, z)) for z in (0, h - 0.06)] + [
        slab((0.06, 0.05, h), (x, 0, 0)) for x in (-w / 2 + 0.03, 0, w / 2 - 0.03)
    ]
    pane = quad((-w / 2, 0.01, 0.03), (w, 0, 0), (0, 0, h - 0.06))
    return thing(
        "window",
        "white",
        "glass",
        [
            (join([*bars, slab((w + 0.1, 0.12, 0.025), (0, -0.03, -0.025))]), white),
            (pane, Material(textures.outdoors(rng), 0.0, 0.8)),
        ],
    )


def curtain(rng: np.random.Generator) -> Thing:
    """Hanging curtain with folds."""
    color, rgb = color_of(rng, CLOTH)
    w, h = float(rng.uniform(0.4, 0.5)), 1.9
    x = np.linspace(-w / 2, w / 2, 60)
    y = 0.028 * np.sin(2 * np.pi * x / 0.085 + rng.uniform(0, 6))
    z = np.linspace(0, h, 12)
    points = np.stack(
        [np.repeat(x[:, None], 12, 1), y[:, None] * (0.6 + 0.4 * (1 - z / h)), np.repeat(z[None], 60, 0)], -1
    )
    sheet = surface(points, points[..., [0, 2]] * 3)
    back = Mesh(sheet.corners_m + [0, 0.004, 0], sheet.uv).flipped()
    return thing("curtain", color, "fabric", [(join([sheet, back]), Material(textures.fabric(rng, rgb)))])


def door(rng: np.random.Generator) -> Thing:
    """Closed door with its frame and handle."""
    name, wood = wood_of(rng)
    leaf = box((-0.42, -0.03, 0), (0.42, 0.02, 2.02))
    frame = [slab((0.07, 0.09, 2.09), (x, 0, 0)) for x in (-0.455, 0.455)] + [slab((0.98, 0.09, 0.07), (0, 0, 2.02))]
    panels = [box((-0.3, -0.036, z), (0.3, -0.03, z + 0.7)) for z in (0.2, 1.1)]
    handle = tube([(0.35, -0.03, 1.02), (0.35, -0.08, 1.02), (0.24, -0.08, 1.02)], 0.01, 8)
    return thing(
        "door",
        name,
        "wood",
        [(m, wood) for m in [leaf, *panels]] + [(join(frame), flat((236, 234, 228), 0.2)), (handle, metal(rng))],
    )


def mirror(rng: np.random.Generator) -> Thing:
    """Framed mirror; its glass is drawn as an even grey, for a depth camera sees no mirror image here."""
    name, frame = wood_of(rng)
    w, h = 0.5, 0.8
    back = slab((w, 0.025, h))
    glass = quad((-w / 2 + 0.04, -0.013, 0.04), (w - 0.08, 0, 0), (0, 0, h - 0.08))
    return thing(
        "mirror",
        name,
        "glass",
        [(back, frame), (glass, Material(textures.mottled(rng, (176, 188, 192), 0.08), 0.9))],
    )


def radiator(rng: np.random.Generator) -> Thing:
    """Ribbed radiator."""
    ribs = [rounded_box((0.05, 0.1, 0.55), 0.02, 3).moved(-0.4 + 0.066 * k, 0, 0.39) for k in range(13)]
    pipes = [slab((0.86, 0.03, 0.03), (0, 0, z)) for z in (0.18, 0.58)]
    return thing(
        "radiator",
        "white",
        "metal",
        [
            (
                join(
                    [
                        *ribs,
                        *pipes,
                        slab((0.04, 0.06, 0.15), (0.38, 0, 0)),
                        slab((0.04, 0.06, 0.15), (-0.38, 0, 0)),
                    ]
                ),
                flat((234, 233, 228), 0.4),
            )
        ],
    )


def ceiling_lamp(rng: np.random.Generator) -> Thing:
    """Hanging lamp; its top touches the ceiling."""
    color, rgb = color_of(rng, ("white", "beige", "yellow", "grey"))
    shade = lathe([(0.2, 0), (0.06, 0.16), (0.056, 0.16), (0.194, 0.0), (0.2, 0)], 36)
    bulb = rounded_box((0.09, 0.09, 0.1), 0.045, 4).moved(0, 0, 0.06)
    cord = cylinder(0.005, 0.3, 8, 0.15)
    return thing(
        "ceiling lamp",
        color,
        "metal",
        [(shade, flat(rgb, 0.2, 0.2)), (bulb, flat((255, 244, 215), 0.0, 1.5)), (cord, flat("black"))],
    )
