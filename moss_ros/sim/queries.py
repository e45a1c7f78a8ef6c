"""Text questions about a home with their exact answers, "not there" among them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from moss_ros.sim.catalogue import FUNCTIONS, GROUPS, NEVER, SMALL, SYNONYMS
from moss_ros.sim.facts import Facts, next_to
from moss_ros.sim.palette import COLORS
from moss_ros.sim.scene import FLOOR_ID

NEXT_TO_M = 0.3
MANY_COLORS = frozenset(
    {"puzzle cube", "toy blocks", "plant", "globe", "cake", "picture", "window", "television", "monitor"}
)
PLURALS = {
    "bookshelf": "bookshelves",
    "pile of clothes": "piles of clothes",
    "loaf of bread": "loaves of bread",
    "dish": "dishes",
    "computer mouse": "computer mice",
    "headphones": "headphones",
    "toy blocks": "toy blocks",
    "drinking glass": "drinking glasses",
}


Answer = Callable[..., tuple[frozenset[int], frozenset[int]]]


@dataclass(frozen=True, slots=True)
class Question:
    """A text, its kind, and what answers it in any state of the home (answers, also accepted)."""

    text: str
    kind: str
    answer: Answer


def make_queries(now: Facts, before: Facts | None, rng: np.random.Generator) -> list[dict[str, Any]]:
    """The `queries` of queries.json for the state at the end; `before` adds the answers before the switch."""
    questions = [
        *_synonyms(now, rng),
        *_attributes(now, rng),
        *_functions(),
        *_relations(now, rng),
        *_counts(now, rng),
    ]
    out = []
    for q in questions:
        answer = _answer(q, now)
        if answer["present"]:
            out.append(_entry(q, answer, before))
    for q in [*_absent(now, before, rng), *_absent_hard(now, before, rng)]:
        out.append(_entry(q, _answer(q, now), before))
    return out


def _entry(question: Question, answer: dict[str, Any], before: Facts | None) -> dict[str, Any]:
    entry = {"query": question.text, "kind": question.kind, **answer}
    if before is not None:
        entry["before"] = _answer(question, before)
    return entry


def _answer(question: Question, state: Facts) -> dict[str, Any]:
    """Only scored things are answers; what fits but is not scored is not counted as wrong."""
    right, also = question.answer(state)
    ids = sorted(right & state.scored)
    also_ok = sorted((right | also) - set(ids))
    if not ids and not also_ok:
        return {"present": False, "instances": []}
    if not ids:
        # Something fits, but it was hardly seen: the question is not asked.
        return {"present": False, "instances": [], "also_ok": also_ok}
    boxes = [state.seen[i] for i in ids]
    out: dict[str, Any] = {"present": True, "instances": ids}
    if also_ok:
        out["also_ok"] = also_ok
    out["points"] = [[round(float(v), 3) for v in (a + b) / 2] for a, b in boxes]
    out["radii_m"] = [round(float(np.linalg.norm(b - a) / 2), 3) for a, b in boxes]
    return out


def _some(rng: np.random.Generator, items: list[Any], count: int) -> list[Any]:
    return [items[i] for i in sorted(rng.permutation(len(items))[:count])]


def _all_of(*categories: str) -> Answer:
    return lambda f: (f.of(categories), frozenset())


def _colored(color: str, category: str) -> Answer:
    return lambda f: (f.colored(color, category), frozenset())


def _printed(category: str, text: str) -> Answer:
    return lambda f: (frozenset(i for i in f.of([category]) if f.things[i].thing.text == text), frozenset())


def _at(category: str, relation: str, place: str) -> Answer:
    return lambda f: f.at(category, relation, place)


def _beside(category: str, other: str) -> Answer:
    return lambda f: (next_to(f, category, other), frozenset())


def _everything_on(place: str) -> Answer:
    def answer(f: Facts) -> tuple[frozenset[int], frozenset[int]]:
        chains = {i: [f.name(c) for c in f.carriers(i)] for i in f.things}
        direct = frozenset(i for i, names in chains.items() if names[0] == place and f.things[i].relation == "on")
        return direct, frozenset(i for i, names in chains.items() if place in names) - direct

    return answer


def _scored_categories(state: Facts) -> list[str]:
    return sorted({state.things[i].thing.category for i in state.scored})


def _synonyms(now: Facts, rng: np.random.Generator) -> list[Question]:
    names = [(c, s) for c in _scored_categories(now) for s in SYNONYMS.get(c, ())[:1]]
    return [Question(s, "synonym", _all_of(c)) for c, s in _some(rng, names, 14)]


def _attributes(now: Facts, rng: np.random.Generator) -> list[Question]:
    """Colours first where another thing of the sort has another colour; then print."""
    pairs = sorted({(now.things[i].thing.color, now.things[i].thing.category) for i in now.scored})
    pairs = [(c, k) for c, k in pairs if c in COLORS and k not in MANY_COLORS]
    telling = [(c, k) for c, k in pairs if len({now.things[i].thing.color for i in now.of([k])}) > 1]
    chosen = _some(rng, telling, 8) + _some(rng, [p for p in pairs if p not in telling], 4)
    out = [Question(f"the {c} {k}", "attribute", _colored(c, k)) for c, k in chosen]
    texts = sorted(
        {(now.things[i].thing.category, now.things[i].thing.text) for i in now.scored if now.things[i].thing.text}
    )
    for k, t in _some(rng, texts, 4):
        out.append(
            Question(
                f"the {k} that says {t}",
                "attribute",
                _printed(k, t),
            )
        )
    return out


def _functions() -> list[Question]:
    return [Question(text, "function", _all_of(*names)) for text, names in FUNCTIONS.items()]


def _relations(now: Facts, rng: np.random.Generator) -> list[Question]:
    found = sorted(
        {
            (now.things[i].thing.category, now.things[i].relation, now.name(now.things[i].support_id))
            for i in now.scored
            if now.things[i].relation in ("on", "in", "under")
        }
    )
    found = [
        f for f in found if f[2] not in ("", "rug") and float(now.things[min(now.of([f[0]]))].thing.size_m.max()) < 1.1
    ]
    on_floor = [f for f in found if f[2] == "floor"]
    chosen = _some(rng, [f for f in found if f[2] != "floor"], 10) + _some(rng, on_floor, 2)
    out = [Question(f"the {c} {r} the {p}", "relation", _at(c, r, p)) for c, r, p in chosen]
    return out + _some(rng, _neighbours(now), 4)


def _neighbours(now: Facts) -> list[Question]:
    """The one thing of its sort next to the only thing of another sort."""
    out = []
    for a in sorted(now.scored):
        for b in sorted(now.scored):
            ka, kb = now.things[a].thing.category, now.things[b].thing.category
            if ka == kb or now.things[a].support_id != now.things[b].support_id or now.things[a].support_id == FLOOR_ID:
                continue
            if len(now.of([kb])) == 1 and len(now.of([ka])) > 1 and next_to(now, ka, kb) == {a}:
                out.append(
                    Question(
                        f"the {ka} next to the {kb}",
                        "relation",
                        _beside(ka, kb),
                    )
                )
    return out


def plural(category: str) -> str:
    """ "mug" -> "mugs"."""
    if category in PLURALS:
        return PLURALS[category]
    return category + ("es" if category.endswith(("s", "x", "ch", "sh")) else "s")


def _counts(now: Facts, rng: np.random.Generator) -> list[Question]:
    many = [c for c in _scored_categories(now) if len(now.of([c])) > 1]
    out = [Question(f"all {plural(c)}", "count", _all_of(c)) for c in _some(rng, many, 8)]
    out += [Question(text, "count", _all_of(*names)) for text, names in GROUPS.items() if len(now.of(names)) > 1]
    carriers = sorted(
        {now.name(now.things[i].support_id) for i in now.scored if now.things[i].relation == "on"}
        - {"", "floor", "rug"}
    )
    single = [c for c in carriers if len(now.of([c])) == 1]
    return out + [Question(f"everything on the {p}", "count", _everything_on(p)) for p in _some(rng, single, 3)]


def _nothing(_: Facts) -> tuple[frozenset[int], frozenset[int]]:
    return frozenset(), frozenset()


def _missing(question: Question, *states: Facts | None) -> bool:
    return all(not any(question.answer(s)) for s in states if s is not None)


def _article(name: str) -> str:
    if name == "headphones":
        return name
    return ("an " if name[0] in "aeiou" else "a ") + name


def _absent(now: Facts, before: Facts | None, rng: np.random.Generator) -> list[Question]:
    """Sorts of things that other homes have and this one lacks, then things that no home has."""
    sample = np.random.default_rng(0)
    known = {e.build(sample).category for e in SMALL} | set(SYNONYMS)
    lacking = [Question(_article(c), "absent", _all_of(c)) for c in sorted(known)]
    lacking = [q for q in lacking if _missing(q, now, before)]
    return _some(rng, lacking, 5) + [Question(n, "absent", _nothing) for n in _some(rng, list(NEVER), 7)]


def _absent_hard(now: Facts, before: Facts | None, rng: np.random.Generator) -> list[Question]:
    """A colour, or a place, that does not go with a thing that exists."""
    categories = [c for c in _scored_categories(now) if c not in MANY_COLORS]
    places = sorted({now.name(now.things[i].support_id) for i in now.scored} - {"", "rug", "floor"})
    small = [c for c in categories if float(now.things[min(now.of([c]))].thing.size_m.max()) < 0.6]
    asked: list[Question] = []
    for _ in range(60):
        color, category = (x[int(rng.integers(len(x)))] for x in (sorted(COLORS), categories))
        asked.append(
            Question(
                _article(f"{color} {category}"),
                "absent_hard",
                _colored(color, category),
            )
        )
        if small and places:
            thing, place = small[int(rng.integers(len(small)))], places[int(rng.integers(len(places)))]
            if thing != place:
                asked.append(
                    Question(
                        f"the {thing} on the {place}",
                        "absent_hard",
                        _at(thing, "on", place),
                    )
                )
    out: list[Question] = []
    for q in asked:
        kinds = [x.text.startswith("the ") for x in out]
        if (
            kinds.count(q.text.startswith("the ")) < 4
            and q.text not in {x.text for x in out}
            and _missing(q, now, before)
        ):
            out.append(q)
    return out
