"""Lamps, plants, rugs and what hangs on walls. Wall things have their back at +y."""

from __future__ import annotations

import numpy as np

from moss_ros.sim import textures
from moss_ros.sim.mesh import Mesh, box, cylinder, join, lathe, quad, rounded_box, slab, surface, tube
from moss_ros.sim.palette import CLOTH, COLORS, color_of, flat, metal, pick, solid_of, thing, vary, wood_of
from moss_ros.sim.scene import Material, Support, Thing

FLOOR = frozenset({"floor", "rug"})


def rug(rng: np.random.Generator, size: tuple[float, float] = (1.9, 1.4)) -> Thing:
    """Flat carpet."""
    color, rgb = color_of(rng, CLOTH)
    other = COLORS[pick(rng, ("white", "beige", "grey", "black"))]
    w, d = size
    sheet = box((-w / 2, -d / 2, 0), (w / 2, d / 2, 0.008))
    face = quad((-w / 2, -d / 2, 0.0084), (w, 0, 0), (0, d, 0))
    support = Support((-w / 2 + 0.04, -d / 2 + 0.04), (w / 2 - 0.04, d / 2 - 0.04), 0.0084, 2.0, "on", FLOOR)
    return thing(
        "rug",
        color,
        "fabric",
        [(sheet, flat(rgb, 0.0)), (face, Material(textures.rug(rng, rgb, other)))],
        [support],
    )


def door_mat(rng: np.random.Generator) -> Thing:
    """Small mat at the entrance."""
    color, rgb = color_of(rng, ("brown", "grey", "black", "beige"))
    body = slab((0.65, 0.42, 0.014), repeats_per_m=4)
    return thing("door mat", color, "fabric", [(body, Material(textures.fabric(rng, rgb)))])


def floor_lamp(rng: np.random.Generator) -> Thing:
    """Tall lamp with a cloth shade."""
    color, rgb = color_of(rng, ("white", "beige", "red", "turquoise", "orange"))
    h = float(rng.uniform(1.4, 1.65))
    pole = lathe([(0, 0), (0.14, 0), (0.14, 0.02), (0.02, 0.035), (0.012, 0.05), (0.012, h - 0.2), (0, h - 0.2)])
    shade = lathe([(0.19, h - 0.3), (0.13, h), (0.126, h), (0.186, h - 0.3), (0.19, h - 0.3)], 36)
    parts = [
        (pole, flat("black", 0.4)),
        (shade, Material(textures.fabric(rng, rgb), 0.0, 0.35)),
        (cylinder(0.03, 0.1, 16, h - 0.22), flat((255, 240, 205), 0.0, 1.2)),
    ]
    solids = [solid_of(cylinder(0.14, h - 0.3)), solid_of(shade)]
    return thing("floor lamp", color, "metal", parts, solids=solids)


def table_lamp(rng: np.random.Generator) -> Thing:
    """Lamp with a ceramic foot."""
    color, rgb = color_of(rng)
    foot = lathe([(0, 0), (0.05, 0), (0.07, 0.05), (0.06, 0.12), (0.015, 0.16), (0.01, 0.2), (0, 0.2)])
    shade = lathe([(0.12, 0.18), (0.075, 0.35), (0.072, 0.35), (0.117, 0.18), (0.12, 0.18)], 32)
    parts = [
        (foot, Material(textures.mottled(rng, rgb), 0.5)),
        (shade, Material(textures.fabric(rng, (238, 226, 200)), 0.0, 0.4)),
    ]
    return thing("table lamp", color, "ceramic", parts)


def _leaf(length: float, width: float, bend: float, angle: float, lift: float, base_z: float) -> Mesh:
    """One leaf as a sheet with a front and a back."""
    s = np.linspace(0, 1, 7)
    reach = length * s * np.cos(lift) + 0.25 * length * bend * s**2
    z = base_z + length * s * np.sin(lift) - length * bend * s**3
    half = width * np.sin(np.pi * np.clip(0.06 + 0.92 * s, 0, 1)) ** 0.8
    c, n = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    rows = []
    for side, drop in ((-1, 0.15), (0, 0.0), (1, 0.15)):
        xy = reach[:, None] * c + side * half[:, None] * n
        rows.append(np.column_stack([xy, z + drop * half]))
    points = np.stack(rows, 1)
    u, v = np.meshgrid(np.linspace(0, 1, 3), s)
    sheet = surface(points, np.stack([u, v], -1))
    return join([sheet, Mesh(sheet.corners_m - [0, 0, 0.0015], sheet.uv).flipped()])


def plant(rng: np.random.Generator, size: float = 1.0) -> Thing:
    """Pot with broad or long leaves."""
    color, rgb = color_of(rng, ("brown", "white", "grey", "blue", "orange", "beige"))
    pot = lathe(
        [
            (0, 0),
            (0.1, 0),
            (0.14, 0.24),
            (0.15, 0.24),
            (0.15, 0.27),
            (0.13, 0.27),
            (0.125, 0.235),
            (0, 0.235),
        ],
        32,
    )
    green = vary(rng, (66, 122, 58), 0.3)
    leaf = Material(textures.wood(rng, green, 64), 0.2)
    broad = rng.random() < 0.5
    leaves = []
    for k in range(26 if broad else 48):
        length, lift = rng.uniform(0.3, 0.52), rng.uniform(0.45, 1.4)
        leaves.append(
            _leaf(
                length,
                rng.uniform(0.07, 0.1) if broad else 0.026,
                rng.uniform(0.2, 0.5),
                2.4 * k + rng.uniform(0, 0.4),
                lift,
                0.235,
            )
        )
    stems = [tube([(0, 0, 0.23), (0.03 * np.cos(a), 0.03 * np.sin(a), 0.34)], 0.006, 6) for a in range(6)]
    parts = [
        (pot, Material(textures.mottled(rng, rgb, 0.12), 0.2)),
        (join(leaves), leaf),
        (join(stems), flat((90, 120, 60))),
        (cylinder(0.125, 0.004, 24, 0.236), Material(textures.mottled(rng, (62, 46, 34), 0.4))),
    ]
    parts = [(m.scaled(size, size, size), material) for m, material in parts]
    return thing("plant", "green", "organic", parts, phrase=f"a green plant in a {color} pot")


def small_plant(rng: np.random.Generator) -> Thing:
    """Plant for a table or a shelf."""
    return plant(rng, float(rng.uniform(0.36, 0.45)))


def vase(rng: np.random.Generator) -> Thing:
    """Vase of a random shape."""
    color, rgb = color_of(rng)
    h = float(rng.uniform(0.18, 0.28))
    z = np.linspace(0, 1, 14)
    r = (
        0.05
        + 0.03 * np.sin(np.pi * z * rng.uniform(0.9, 1.3))
        - 0.02 * z
        + 0.012 * np.sin(2 * np.pi * z + rng.uniform(0, 6))
    )
    outer = [(float(a), float(b)) for a, b in zip(r, h * z, strict=True)]
    inner = [(float(max(a - 0.005, 0.01)), float(max(b, 0.01))) for a, b in zip(r[::-1], (h * z)[::-1], strict=True)]
    glaze = Material(textures.mottled(rng, rgb, 0.1), 0.6)
    return thing("vase", color, "ceramic", [(lathe([(0, 0), *outer, *inner, (0, 0.01)], 36), glaze)])


def candle(rng: np.random.Generator) -> Thing:
    """Thick candle on a dish."""
    color, rgb = color_of(rng)
    h = float(rng.uniform(0.08, 0.16))
    dish = lathe([(0, 0), (0.05, 0), (0.058, 0.01), (0.05, 0.006), (0, 0.006)])
    return thing(
        "candle",
        color,
        "wax",
        [
            (dish, metal(rng)),
            (cylinder(0.033, h, 24, 0.006), flat(rgb, 0.25)),
            (cylinder(0.002, 0.012, 6, h + 0.006), flat((30, 28, 26))),
        ],
    )


def picture_frame(rng: np.random.Generator) -> Thing:
    """Standing photo frame."""
    _, frame = wood_of(rng)
    w, h = 0.17, 0.22
    front = quad((-w / 2 + 0.015, -0.0085, 0.015), (w - 0.03, 0, 0), (0, 0, h - 0.03))
    meshes = [(slab((w, 0.016, h)), frame), (front, Material(textures.painting(rng, 96), 0.2))]
    meshes = [(m.turned(0, -0.2), a) for m, a in meshes]
    return thing("photo frame", "brown", "wood", meshes)


def alarm_clock(rng: np.random.Generator) -> Thing:
    """Round alarm clock with two bells."""
    color, rgb = color_of(rng)
    r = 0.055
    case = cylinder(r, 0.045, 32).turned(0, np.pi / 2).moved(0, 0.022, r + 0.012)
    face = quad((-r * 0.68, -0.0235, 0.012 + r * 0.32), (r * 1.36, 0, 0), (0, 0, r * 1.36))
    bells = [
        rounded_box((0.035, 0.035, 0.025), (0.017, 0.017, 0.012), 4).moved(x, 0, 2 * r + 0.018) for x in (-0.03, 0.03)
    ]
    feet = [tube([(x * 1.4, 0, 0.003), (x, 0, 0.03)], 0.005, 6) for x in (-0.03, 0.03)]
    return thing(
        "alarm clock",
        color,
        "metal",
        [
            (case, flat(rgb, 0.5)),
            (face, Material(textures.clock_face(), 0.2)),
            (join([*bells, *feet]), metal(rng)),
        ],
    )


def tissue_box(rng: np.random.Generator) -> Thing:
    """Box with a tissue that looks out."""
    color, rgb = color_of(rng)
    carton = slab((0.22, 0.12, 0.085), repeats_per_m=6)
    print_ = Material(textures.patches(rng, rgb, (240, 238, 230)), 0.1)
    t = np.linspace(-1, 1, 9)
    x, y = np.meshgrid(t * 0.05, t * 0.02, indexing="ij")
    z = (
        0.085
        + 0.05 * np.clip(1 - np.abs(t) ** 2, 0, 1)[:, None] * (1 - 0.6 * np.abs(t))[None]
        + 0.006 * np.sin(8 * t)[:, None] ** 2
    )
    sheet = surface(np.dstack([x, y, z]), np.dstack([x, y]))
    return thing("tissue box", color, "cardboard", [(carton, print_), (sheet, flat((246, 246, 244), 0.0))])


def watering_can(rng: np.random.Generator) -> Thing:
    """Watering can."""
    color, rgb = color_of(rng)
    paint = flat(rgb, 0.35)
    body = lathe([(0, 0), (0.09, 0), (0.08, 0.17), (0.05, 0.18), (0, 0.18)], 30)
    spout = tube(
        [(-0.075, 0, 0.04), (-0.16, 0, 0.13), (-0.21, 0, 0.21), (-0.23, 0, 0.225)],
        [0.014, 0.012, 0.012, 0.03],
        10,
    )
    t = np.linspace(0, np.pi, 9)
    grip = tube(np.stack([0.02 + 0.075 * np.cos(t), 0 * t, 0.17 + 0.08 * np.sin(t)], 1), 0.009, 8)
    return thing("watering can", color, "metal", [(body, paint), (spout, paint), (grip, paint)])


def umbrella(rng: np.random.Generator) -> Thing:
    """Closed umbrella, lying."""
    color, rgb = color_of(rng, (*CLOTH, "black"))
    cover = tube([(0, 0, 0.03), (0.1, 0, 0.03), (0.5, 0, 0.03), (0.6, 0, 0.03)], [0.01, 0.03, 0.022, 0.008], 10)
    grip = tube(
        [(0.6, 0, 0.03), (0.74, 0, 0.03), (0.78, 0.03, 0.03), (0.76, 0.07, 0.03), (0.72, 0.075, 0.03)],
        0.011,
        8,
    )
    return thing(
        "umbrella",
        color,
        "fabric",
        [(cover, Material(textures.fabric(rng, rgb))), (grip, flat("brown", 0.3))],
    )


def guitar(rng: np.random.Generator) -> Thing:
    """Guitar that lies on its back."""
    wood = Material(textures.wood(rng, vary(rng, (190, 122, 60))), 0.4)
    t = np.linspace(0, 2 * np.pi, 49)
    x = 0.24 * np.cos(t)
    outline = np.stack([x, (0.15 - 0.035 * np.cos(np.pi * (x + 0.02) / 0.22) ** 2 - 0.12 * x) * np.sin(t)], 1)
    rows = [np.zeros((49, 2)), outline, outline, np.zeros((49, 2))]
    points = np.stack([np.column_stack([r, np.full(49, z)]) for r, z in zip(rows, (0, 0, 0.09, 0.09), strict=True)])
    body = surface(points, points[..., :2] * 3).flipped()
    neck = box((0.2, -0.028, 0.085), (0.68, 0.028, 0.105))
    head = box((0.68, -0.035, 0.08), (0.82, 0.035, 0.098))
    hole = cylinder(0.045, 0.002, 24, 0.09).moved(0.05)
    dark = flat((44, 30, 24), 0.3)
    return thing(
        "guitar",
        "orange",
        "wood",
        [(body, wood), (join([neck, head]), dark), (hole, flat((18, 14, 12), 0.0))],
    )
