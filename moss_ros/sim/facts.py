"""What can be asked about a home: which things there are, how they look, where they stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from moss_ros.sim.scene import FLOOR_ID, Placed, Scene

NEXT_TO_M = 0.3


@dataclass(frozen=True, slots=True)
class Facts:
    """What can be asked about one state of a home."""

    things: dict[int, Placed]
    scored: frozenset[int]
    seen: dict[int, tuple[np.ndarray, np.ndarray]]  # id -> corners (3,) of the seen part's box, m

    def of(self, categories: Iterable[str]) -> frozenset[int]:
        """Ids of all things of some categories, scored or not."""
        wanted = set(categories)
        return frozenset(i for i, p in self.things.items() if p.thing.category in wanted)

    def colored(self, color: str, category: str) -> frozenset[int]:
        """Ids of the things of a category whose main colour has that name."""
        return frozenset(i for i in self.of([category]) if self.things[i].thing.color == color)

    def carriers(self, i: int) -> list[int]:
        """What a thing stands on, and what that stands on, and so on."""
        out = [self.things[i].support_id]
        while out[-1] in self.things:
            out.append(self.things[out[-1]].support_id)
        return out

    def at(self, category: str, relation: str, place: str) -> tuple[frozenset[int], frozenset[int]]:
        """Things of a category directly on, in or under a place of a category; others there by way of a third."""
        direct, through = set(), set()
        for i in self.of([category]):
            chain = self.carriers(i)
            names = [self.name(c) for c in chain]
            if names[0] == place and self.things[i].relation == relation:
                direct.add(i)
            elif place in names:
                through.add(i)
        return frozenset(direct), frozenset(through)

    def name(self, i: int) -> str:
        """Category of a thing, "floor", or nothing."""
        return self.things[i].thing.category if i in self.things else "floor" if i == FLOOR_ID else ""


def facts(scene: Scene, rows: list[dict[str, Any]], suffix: str = "", flag: str = "evaluate") -> Facts:
    """Facts of a state; rows are those of instances.json, suffix and flag choose the state's fields."""
    things = scene.by_id()
    scored = frozenset(r["id"] for r in rows if r["id"] in things and r[flag])
    seen = {}
    for r in rows:
        end = suffix if f"visible_aabb_min{suffix}" in r else ""
        if f"visible_aabb_min{end}" in r:
            seen[r["id"]] = (np.array(r[f"visible_aabb_min{end}"]), np.array(r[f"visible_aabb_max{end}"]))
    return Facts(things, scored, seen)


def next_to(state: Facts, category: str, other: str) -> frozenset[int]:
    """Things of a category on the same support as one of another category, with a small gap at most."""
    return frozenset(
        a
        for a in state.of([category])
        for b in state.of([other])
        if state.things[a].support_id == state.things[b].support_id and _gap_m(state, a, b) < NEXT_TO_M
    )


def _gap_m(state: Facts, a: int, b: int) -> float:
    p, q = state.things[a], state.things[b]
    away = float(np.linalg.norm(np.subtract(p.position_m, q.position_m)))
    return away - float(np.hypot(*p.thing.size_m[:2]) + np.hypot(*q.thing.size_m[:2])) / 2 * 0.8
