"""Tables, seats and beds: one builder a category. Fronts look towards -y."""

from __future__ import annotations

import numpy as np

from moss_ros.sim import textures
from moss_ros.sim.mesh import Mesh, box, cylinder, join, lathe, rounded_box, slab, tube
from moss_ros.sim.palette import CLOTH, color_of, flat, metal, solid_of, thing, wood_of
from moss_ros.sim.scene import Material, Solid, Support, Thing

TABLE, DESK, LOW, SOFT = (frozenset({t}) for t in ("table", "desk", "low", "soft"))
FLOOR = frozenset({"floor"})


def _legs(half_x: float, half_y: float, thick: float, height: float) -> list[Mesh]:
    return [slab((thick, thick, height), (x, y, 0), 1.5) for x in (-half_x, half_x) for y in (-half_y, half_y)]


def _table(
    rng: np.random.Generator,
    category: str,
    size: tuple[float, float, float],
    accepts: frozenset[str],
    under: bool,
    round_top: bool = False,
) -> Thing:
    length, width, height = size
    color, material = wood_of(rng)
    inset, thick = 0.05, float(rng.uniform(0.045, 0.07))
    legs = _legs(length / 2 - inset, width / 2 - inset, thick, height - 0.03)
    apron = [
        slab((length - 2 * inset, 0.02, 0.07), (0, y, height - 0.1)) for y in (-width / 2 + inset, width / 2 - inset)
    ]
    top = slab((length, width, 0.03), (0, 0, height - 0.03), 1.3)
    edge = 0.03
    if round_top:
        top, edge = cylinder(length / 2, 0.03, 48, height - 0.03), length * 0.15
        legs = [lathe([(0, 0), (0.25, 0), (0.25, 0.02), (0.06, 0.06), (0.05, height - 0.03), (0, height - 0.03)], 28)]
        apron = []
    supports = [
        Support(
            (-length / 2 + edge, -width / 2 + edge),
            (length / 2 - edge, width / 2 - edge),
            height,
            1.2,
            "on",
            accepts,
        )
    ]
    if under and not round_top:
        half = (length / 2 - inset - thick, width / 2 - inset - thick)
        supports.append(Support((-half[0], -half[1]), half, 0.0, height - 0.12, "under", FLOOR))
    return thing(category, color, "wood", [(m, material) for m in [top, *legs, *apron]], supports, each_part_solid=True)


def dining_table(rng: np.random.Generator) -> Thing:
    """Table for four to six."""
    if rng.random() < 0.25:
        return _table(rng, "dining table", (1.15, 1.15, 0.74), TABLE, False, round_top=True)
    return _table(
        rng,
        "dining table",
        (rng.uniform(1.3, 1.7), rng.uniform(0.8, 0.95), rng.uniform(0.72, 0.77)),
        TABLE,
        True,
    )


def coffee_table(rng: np.random.Generator) -> Thing:
    """Low table before a sofa."""
    return _table(
        rng,
        "coffee table",
        (rng.uniform(0.85, 1.1), rng.uniform(0.5, 0.62), rng.uniform(0.38, 0.46)),
        LOW,
        True,
    )


def desk(rng: np.random.Generator) -> Thing:
    """Writing table."""
    return _table(rng, "desk", (rng.uniform(1.2, 1.5), rng.uniform(0.62, 0.74), rng.uniform(0.72, 0.76)), DESK, True)


def side_table(rng: np.random.Generator) -> Thing:
    """Small round table on one foot."""
    color, material = wood_of(rng)
    r, h = float(rng.uniform(0.2, 0.26)), float(rng.uniform(0.48, 0.58))
    foot = lathe([(0, 0), (0.15, 0), (0.15, 0.015), (0.03, 0.04), (0.022, h - 0.02), (0, h - 0.02)])
    top = cylinder(r, 0.02, 40, h - 0.02)
    support = Support((-r * 0.68, -r * 0.68), (r * 0.68, r * 0.68), h, 1.0, "on", LOW)
    return thing("side table", color, "wood", [(foot, material), (top, material)], [support], each_part_solid=True)


def chair(rng: np.random.Generator) -> Thing:
    """Dining chair with a slatted or a full back."""
    wood_name, frame = wood_of(rng)
    color, rgb = color_of(rng, CLOTH)
    padded = rng.random() < 0.7
    seat_material = Material(textures.fabric(rng, rgb)) if padded else frame
    height = 0.47
    parts = [(rounded_box((0.43, 0.43, 0.06), 0.025).moved(0, 0, height - 0.03), seat_material)]
    parts += [(slab((0.036, 0.036, height - 0.05), (x, y, 0)), frame) for x in (-0.18, 0.18) for y in (-0.18, 0.19)]
    posts = [slab((0.034, 0.03, 0.45), (x, 0.2, height - 0.02)) for x in (-0.185, 0.185)]
    slats = [slab((0.34, 0.018, 0.075), (0, 0.2, z)) for z in (0.58, 0.69, 0.80)]
    back = slats if rng.random() < 0.6 else [slab((0.34, 0.018, 0.3), (0, 0.2, 0.58))]
    parts += [(m, frame) for m in posts + back]
    supports = [
        Support((-0.17, -0.17), (0.17, 0.12), height, 0.35, "on", SOFT),
        Support((-0.15, -0.15), (0.15, 0.15), 0.0, 0.36, "under", FLOOR),
    ]
    name, what = (color, "upholstered") if padded else (wood_name, "wood")
    return thing("chair", name, what, parts, supports, each_part_solid=True)


def office_chair(rng: np.random.Generator) -> Thing:
    """Swivel chair on five feet."""
    color, rgb = color_of(rng, ("black", "grey", "blue", "red", "green"))
    cloth, dark = Material(textures.fabric(rng, rgb)), flat("black", 0.3)
    parts = [
        (rounded_box((0.48, 0.46, 0.09), 0.04).moved(0, 0, 0.46), cloth),
        (rounded_box((0.44, 0.07, 0.5), 0.03).moved(0, 0.22, 0.85), cloth),
        (slab((0.06, 0.03, 0.3), (0, 0.235, 0.4)), dark),
        (cylinder(0.028, 0.36, 16, 0.06), metal(rng)),
    ]
    for k in range(5):
        a = 2 * np.pi * k / 5 + 0.3
        tip = (0.26 * np.cos(a), 0.26 * np.sin(a))
        parts.append((tube([(0, 0, 0.1), (tip[0], tip[1], 0.06)], 0.018, 8), dark))
        parts.append((rounded_box((0.05, 0.05, 0.05), 0.02, 3).moved(tip[0], tip[1], 0.025), dark))
    solids = [
        solid_of(join([m for m, _ in parts[:1]])),
        solid_of(parts[1][0]),
        Solid((-0.28, -0.28, 0), (0.28, 0.28, 0.14)),
    ]
    return thing("office chair", color, "fabric", parts, solids=solids)


def stool(rng: np.random.Generator) -> Thing:
    """Round stool on three legs."""
    color, material = wood_of(rng)
    parts = [(cylinder(0.165, 0.03, 36, 0.43), material)]
    for k in range(3):
        a = 2 * np.pi * k / 3
        parts.append(
            (
                tube(
                    [(0.16 * np.cos(a), 0.16 * np.sin(a), 0.0), (0.1 * np.cos(a), 0.1 * np.sin(a), 0.43)],
                    0.016,
                    8,
                ),
                material,
            )
        )
    return thing("stool", color, "wood", parts, [Support((-0.11, -0.11), (0.11, 0.11), 0.46, 0.6, "on", LOW)])


def _upholstered(rng: np.random.Generator, category: str, width: float, seats: int) -> Thing:
    color, rgb = color_of(rng, CLOTH)
    cloth = Material(textures.fabric(rng, rgb))
    depth, seat, arm = 0.88, 0.43, 0.17
    inner = width - 2 * arm
    parts = [
        (rounded_box((width - 0.04, depth - 0.06, 0.22), 0.04).moved(0, 0, 0.17), cloth),
        (rounded_box((width - 0.06, 0.2, 0.72), 0.08).moved(0, depth / 2 - 0.12, 0.47), cloth),
    ]
    parts += [
        (rounded_box((arm, depth, 0.56), 0.07).moved(x, 0, 0.34), cloth)
        for x in (-width / 2 + arm / 2, width / 2 - arm / 2)
    ]
    each = inner / seats
    for k in range(seats):
        x = -inner / 2 + each * (k + 0.5)
        parts.append((rounded_box((each - 0.008, depth - 0.22, 0.16), 0.05).moved(x, -0.1, seat - 0.08), cloth))
        parts.append(
            (
                rounded_box((each - 0.02, 0.15, 0.36), 0.06).turned(0, -0.12).moved(x, depth / 2 - 0.26, seat + 0.17),
                cloth,
            )
        )
    parts += [
        (slab((0.05, 0.05, 0.08), (x, y, 0)), flat("black", 0.3))
        for x in (-width / 2 + 0.1, width / 2 - 0.1)
        for y in (-depth / 2 + 0.1, depth / 2 - 0.1)
    ]
    support = Support((-inner / 2 + 0.04, -depth / 2 + 0.05), (inner / 2 - 0.04, 0.1), seat, 0.9, "on", SOFT)
    return thing(category, color, "fabric", parts, [support], each_part_solid=True)


def sofa(rng: np.random.Generator) -> Thing:
    """Sofa with two or three seats."""
    seats = int(rng.integers(2, 4))
    return _upholstered(rng, "sofa", 0.4 + 0.62 * seats, seats)


def armchair(rng: np.random.Generator) -> Thing:
    """Wide upholstered chair."""
    return _upholstered(rng, "armchair", 0.92, 1)


def bed(rng: np.random.Generator) -> Thing:
    """Bed with mattress, head board and a folded cover."""
    color, rgb = color_of(rng, CLOTH)
    _, frame = wood_of(rng)
    width, length = float(rng.choice([0.95, 1.4])), 2.02
    cover = Material(textures.checks(rng, rgb, (240, 238, 232)) if rng.random() < 0.5 else textures.fabric(rng, rgb))
    sheet = Material(textures.fabric(rng, (236, 234, 228)))
    parts = [
        (slab((width, length, 0.16), (0, 0, 0.14), 1.0), frame),
        (slab((width, 0.05, 0.95), (0, length / 2, 0)), frame),
        (rounded_box((width - 0.03, length - 0.08, 0.2), 0.06).moved(0, -0.01, 0.38), sheet),
        (rounded_box((width + 0.02, length * 0.62, 0.19), 0.05).moved(0, -length * 0.17, 0.4), cover),
    ]
    parts += [(m, frame) for m in _legs(width / 2 - 0.06, length / 2 - 0.06, 0.07, 0.15)]
    for k in range(1 if width < 1 else 2):
        x = 0.0 if width < 1 else (-0.33 + 0.66 * k)
        parts.append((rounded_box((0.58, 0.38, 0.14), (0.2, 0.14, 0.07), 6).moved(x, length / 2 - 0.28, 0.53), sheet))
    # Things may lie on the cover only: the pillows belong to the bed.
    support = Support((-width / 2 + 0.1, -length * 0.46), (width / 2 - 0.1, length * 0.1), 0.495, 1.0, "on", SOFT)
    return thing("bed", color, "fabric", parts, [support], each_part_solid=True)


def bench(rng: np.random.Generator) -> Thing:
    """Low bench for shoes."""
    color, material = wood_of(rng)
    boards = [slab((0.8, 0.1, 0.025), (0, y, 0.4)) for y in (-0.11, 0.0, 0.11)]
    sides = [slab((0.03, 0.3, 0.4), (x, 0, 0)) for x in (-0.34, 0.34)]
    supports = [
        Support((-0.36, -0.13), (0.36, 0.13), 0.425, 0.8, "on", LOW),
        Support((-0.3, -0.14), (0.3, 0.14), 0.0, 0.36, "under", FLOOR),
    ]
    meshes = [*boards, *sides, box((-0.34, -0.012, 0.32), (0.34, 0.012, 0.38))]
    return thing("bench", color, "wood", [(m, material) for m in meshes], supports, each_part_solid=True)
