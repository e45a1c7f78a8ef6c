"""Questions and answers, checked against the scene by other means than the code that made them."""

from __future__ import annotations

import numpy as np
import pytest

from moss_ros.sim.catalogue import FUNCTIONS, SMALL, SYNONYMS
from moss_ros.sim.facts import Facts
from moss_ros.sim.layout import make_home
from moss_ros.sim.palette import COLORS
from moss_ros.sim.queries import make_queries, plural
from moss_ros.sim.scene import Scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make_home(1)


@pytest.fixture(scope="module")
def asked(scene: Scene) -> list[dict]:
    boxes = {p.id: p.aabb_m() for p in scene.placed}
    scored = frozenset(p.id for p in scene.placed if p.id % 5)
    return make_queries(Facts(scene.by_id(), scored, boxes), None, np.random.default_rng(0))


def test_all_kinds_are_asked(asked: list[dict]) -> None:
    kinds = {q["kind"] for q in asked}
    assert kinds == {"synonym", "attribute", "function", "relation", "count", "absent", "absent_hard"}
    assert len({(q["query"], q["kind"]) for q in asked}) == len(asked)


def test_answers_are_scored_things_with_their_places(scene: Scene, asked: list[dict]) -> None:
    for q in asked:
        assert q["present"] == bool(q["instances"])
        assert not set(q["instances"]) & set(q.get("also_ok", []))
        for i, point, radius in zip(q["instances"], q.get("points", []), q.get("radii_m", []), strict=True):
            low, high = scene.by_id()[i].aabb_m()
            assert i % 5
            assert point == pytest.approx((low + high) / 2, abs=1e-3)
            assert radius == pytest.approx(np.linalg.norm(high - low) / 2, abs=1e-3)


def test_attribute_answers_have_the_colour(scene: Scene, asked: list[dict]) -> None:
    for q in asked:
        words = q["query"].split()
        if q["kind"] == "attribute" and words[1] in COLORS:
            category = " ".join(words[2:])
            right = {p.id for p in scene.placed if (p.thing.color, p.thing.category) == (words[1], category)}
            assert set(q["instances"]) | set(q.get("also_ok", [])) == right


def test_relation_answers_stand_there(scene: Scene, asked: list[dict]) -> None:
    things = scene.by_id()
    for q in asked:
        for relation in ("on", "in", "under"):
            if q["kind"] == "relation" and f" {relation} the " in q["query"]:
                category, place = q["query"].removeprefix("the ").split(f" {relation} the ")
                for i in q["instances"]:
                    carrier = things.get(things[i].support_id)
                    assert things[i].thing.category == category and things[i].relation == relation
                    assert (carrier.thing.category if carrier else "floor") == place


def test_absent_things_are_absent(scene: Scene, asked: list[dict]) -> None:
    here = {p.thing.category for p in scene.placed}
    looks = {(p.thing.color, p.thing.category) for p in scene.placed}
    absent = [q for q in asked if q["kind"].startswith("absent")]
    assert len(absent) >= 10
    for q in absent:
        assert not q["present"] and q["instances"] == [] and "also_ok" not in q
        words = q["query"].split()
        if q["kind"] == "absent":
            assert q["query"].split(" ", 1)[-1] not in here
        elif words[0] != "the":
            assert " ".join(words[2:]) in here and (words[1], " ".join(words[2:])) not in looks


def test_tables_name_things_that_exist() -> None:
    made = {e.build(np.random.default_rng(0)).category for e in SMALL}
    for seed in range(4):
        made |= {p.thing.category for p in make_home(seed).placed}
    made |= {"bed", "laptop", "stool", "nightstand", "refrigerator", "dresser", "desk", "kettle", "radiator", "bench"}
    assert set(SYNONYMS) <= made
    assert {c for names in FUNCTIONS.values() for c in names} <= made
    assert plural("mug") == "mugs" and plural("toy box") == "toy boxes"
