"""Colours with names, and short ways to make materials and things."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from moss_ros.sim import textures
from moss_ros.sim.mesh import Mesh
from moss_ros.sim.scene import Material, Part, Solid, Support, Thing

Rgb = tuple[int, int, int]

COLORS: dict[str, Rgb] = {
    "red": (186, 42, 40),
    "orange": (224, 122, 42),
    "yellow": (228, 190, 60),
    "green": (62, 132, 74),
    "turquoise": (58, 160, 160),
    "blue": (48, 92, 168),
    "purple": (112, 68, 146),
    "pink": (222, 132, 156),
    "white": (236, 234, 228),
    "grey": (134, 136, 140),
    "black": (34, 34, 38),
    "brown": (122, 80, 50),
    "beige": (210, 190, 158),
}
BRIGHT = ("red", "orange", "yellow", "green", "turquoise", "blue", "purple", "pink", "white")
CLOTH = ("red", "yellow", "green", "turquoise", "blue", "purple", "grey", "beige", "brown", "orange")
WOODS: dict[str, Rgb] = {
    "light": (206, 168, 120),
    "brown": (150, 102, 62),
    "dark brown": (92, 60, 40),
    "white": (226, 222, 214),
}


def pick(rng: np.random.Generator, names: Sequence[str]) -> str:
    """One name, all equally likely."""
    return names[int(rng.integers(len(names)))]


def vary(rng: np.random.Generator, color: Rgb, amount: float = 0.12) -> Rgb:
    """A near shade of a colour."""
    scale = 1 + amount * rng.uniform(-1, 1) + 0.04 * rng.uniform(-1, 1, 3)
    return tuple(int(v) for v in np.clip(np.array(color) * scale, 8, 250))  # type: ignore[return-value]


def color_of(rng: np.random.Generator, names: Sequence[str] = BRIGHT) -> tuple[str, Rgb]:
    """A named colour and one shade of it."""
    name = pick(rng, names)
    return name, vary(rng, COLORS[name])


def wood_of(rng: np.random.Generator) -> tuple[str, Material]:
    """A named wood and its material."""
    name = pick(rng, tuple(WOODS))
    return name, Material(textures.wood(rng, vary(rng, WOODS[name], 0.08)), 0.12)


def flat(color: Rgb | str, gloss: float = 0.15, glow: float = 0.0) -> Material:
    """One colour."""
    return Material(textures.plain(COLORS[color] if isinstance(color, str) else color), gloss, glow)


def metal(rng: np.random.Generator, color: Rgb = (168, 170, 175)) -> Material:
    """Brushed metal."""
    return Material(textures.mottled(rng, color, 0.1), 0.6)


def solid_of(mesh: Mesh) -> Solid:
    """The bounding box of a mesh."""
    lo, hi = mesh.lo_m, mesh.hi_m
    return Solid(tuple(float(v) for v in lo), tuple(float(v) for v in hi))  # type: ignore[arg-type]


def ring_solids(radius_m: float, inner_m: float, height_m: float, floor_m: float) -> tuple[Solid, ...]:
    """Boxes around the square inside a round vessel: its wall and its floor."""
    r, q, h = radius_m, inner_m, height_m
    return (
        Solid((-r, -r, 0), (r, r, floor_m)),
        Solid((-r, -r, 0), (-q, r, h)),
        Solid((q, -r, 0), (r, r, h)),
        Solid((-q, -r, 0), (q, -q, h)),
        Solid((-q, q, 0), (q, r, h)),
    )


def thing(
    category: str,
    color: str,
    material: str,
    parts: Sequence[tuple[Mesh, Material]],
    supports: Sequence[Support] = (),
    solids: Sequence[Solid] | None = None,
    each_part_solid: bool = False,
    text: str = "",
    phrase: str = "",
) -> Thing:
    """Thing from meshes, shifted so that it stands centred on z = 0.

    Its solid is the box around it, unless each part is one (open furniture) or solids are given (vessels).
    """
    lo = np.min([m.lo_m for m, _ in parts], axis=0)
    hi = np.max([m.hi_m for m, _ in parts], axis=0)
    shift = np.array([-(lo[0] + hi[0]) / 2, -(lo[1] + hi[1]) / 2, -lo[2]])
    moved = tuple(Part(mesh.moved(*shift), material_) for mesh, material_ in parts)
    if solids is not None:
        boxes = [Solid(tuple(np.add(s.lo_m, shift)), tuple(np.add(s.hi_m, shift))) for s in solids]
    elif each_part_solid:
        boxes = [solid_of(p.mesh) for p in moved]
    else:
        boxes = [Solid(tuple(lo + shift), tuple(hi + shift))]
    shifted = tuple(
        Support(
            (s.lo_m[0] + shift[0], s.lo_m[1] + shift[1]),
            (s.hi_m[0] + shift[0], s.hi_m[1] + shift[1]),
            s.height_m + shift[2],
            s.clearance_m,
            s.relation,
            s.tags,
        )
        for s in supports
    )
    return Thing(category, color, material, moved, tuple(boxes), lo + shift, hi + shift, shifted, text, phrase)
