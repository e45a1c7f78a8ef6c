"""Small things on all supports: one of each sort, rows of books, then more of the usual ones."""

from __future__ import annotations

import numpy as np

from moss_ros.sim import office, storage
from moss_ros.sim.catalogue import SMALL, Entry, places_of
from moss_ros.sim.placing import Placer
from moss_ros.sim.scene import Placed, Support

MAX_ID = 240  # ids are stored in 8 bits
TARGET_THINGS = (125, 160)  # in one room, in two


def fill(placer: Placer) -> None:
    """One of each sort where it fits, rows of books, then more of the usual ones."""
    rng = placer.rng
    order = rng.permutation(len(SMALL))
    # Vessels come first so that others can lie in them.
    entries = sorted(
        (SMALL[i] for i in order),
        key=lambda e: (
            e.build.__name__ not in ("bowl", "plate", "cardboard_box", "storage_bin", "cutting_board", "book")
        ),
    )
    _book_rows(placer)
    for entry in entries:
        place_somewhere(placer, entry)
    weights = np.array([e.weight for e in SMALL])
    placed_of = np.ones(len(SMALL))  # no sort takes over
    for _ in range(400):
        if len(placer.placed) >= min(TARGET_THINGS[placer.room.partition_x_m is not None], MAX_ID):
            break
        index = int(rng.choice(len(SMALL), p=weights / weights.sum()))
        if placed_of[index] < 2 * SMALL[index].weight and place_somewhere(placer, SMALL[index]) is not None:
            placed_of[index] += 1


def place_somewhere(placer: Placer, entry: Entry) -> Placed | None:
    """Try the supports that suit a thing, in random order."""
    rng = placer.rng
    spots = [(p, s) for p in placer.placed for s in p.thing.supports if s.tags & entry.places]
    thing = entry.build(rng)
    order = list(rng.permutation(len(spots)))
    if "floor" in entry.places and rng.random() < 0.4:
        done = placer.drop_on_floor(thing)
        if done is not None:
            return done
    for index in order[:8]:
        carrier, support = spots[index]
        done = placer.rest(thing, carrier, support, turn_rad=_turn(support))
        if done is not None:
            return done
    return placer.drop_on_floor(thing) if "floor" in entry.places else None


def place_again(placer: Placer, old: Placed, carriers: set[int], at_least_m: float) -> Placed | None:
    """Move a thing to another support among the given ones, at least so far; it keeps its id."""
    rng = placer.rng
    places = places_of(old.thing.category)
    spots = [(p, s) for p in placer.placed for s in p.thing.supports if p.id in carriers and s.tags & places]
    for index in rng.permutation(len(spots))[:20]:
        carrier, support = spots[index]
        found = placer.find_rest(old.thing, carrier, support, 14, _turn(support))
        if found is not None and np.linalg.norm(np.subtract(found[0], old.position_m)) >= at_least_m:
            moved = old.moved_to(*found, carrier.id, support.relation)
            placer.put_back(moved)
            return moved
    return None


def _turn(support: Support) -> float:
    """How far a thing may be turned from its carrier's front: what stands at a wall faces the room."""
    if "shelf" in support.tags:
        return 0.35
    if support.tags & {"decor", "night", "tv"}:
        return 0.6
    return 0.2 if "stack" in support.tags else float(np.pi)


def _book_rows(placer: Placer) -> None:
    """Books side by side on some boards, the last ones sometimes with a gap."""
    rng = placer.rng
    boards = [(p, s) for p in placer.placed for s in p.thing.supports if s.tags == storage.SHELF]
    for index in rng.permutation(len(boards))[:3]:
        carrier, support = boards[index]
        x = support.lo_m[0] + float(rng.uniform(0.0, 0.2))
        for _ in range(int(rng.integers(3, 7))):
            volume = office.standing_book(rng)
            width = float(volume.size_m[0])
            placer.rest(
                volume,
                carrier,
                support,
                1,
                0.0,
                (x + width / 2, support.lo_m[1] + float(volume.size_m[1]) / 2 + 0.02),
                0.0,
            )
            x += width + 0.002
