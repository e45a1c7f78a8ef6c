"""Frames to measure on: a recorded bag where the shared data is, else a made-up room."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.synthetic import room_frames
from benchmarks.table import Unavailable
from moss_ros.config import MossConfig, from_flat
from moss_ros.records import Frame

REAL_KITCHEN = "real_redkitchen"
LIVING_KITCHEN = "sim_living_kitchen"
_SYNTHETIC_FRAMES = 120


@dataclass(frozen=True, slots=True)
class Recording:
    """Frames that can be read again and again; of a bag nothing decoded is kept."""

    label: str  # where they come from, for the table
    frame_count: int
    read: Callable[[], Iterator[Frame]]

    def __iter__(self) -> Iterator[Frame]:
        return self.read()


def bag_folder(name: str) -> Path:
    """Folder of a bag of the shared data; raises Unavailable with the reason."""
    bag = Path(os.environ.get("MOSS_DATA", "../shared/data")) / name / "bag"
    if not (bag / "metadata.yaml").exists():
        raise Unavailable(f"no bag {name}: set MOSS_DATA to the folder of the shared data")
    return bag


def recording(name: str, stride: int = 1, limit: int | None = None) -> Recording:
    """Every stride-th frame of a bag, at most limit of them; a made-up room when the bag is missing."""
    try:
        return _bag(name, stride, limit)
    except Unavailable as reason:
        count = min(_SYNTHETIC_FRAMES, limit or _SYNTHETIC_FRAMES)
        return Recording(f"made-up room ({reason})", count, lambda: iter(_room(count)))


def configuration(name: str, **values: Any) -> MossConfig:
    """The defaults with the topics of a bag, and values given as stage__name."""
    flat = {key.replace("__", ".", 1): value for key, value in values.items()}
    try:
        from moss_ros.replay.bag import guess_topics

        return from_flat({**guess_topics(bag_folder(name)), **flat})
    except Unavailable:
        return from_flat(flat)


@cache
def _room(count: int) -> tuple[Frame, ...]:
    """Kept, because rendering is slower than what is measured."""
    return tuple(room_frames(count))


def _bag(name: str, stride: int, limit: int | None) -> Recording:
    from moss_ros.replay.bag import BagSource

    bag, config = bag_folder(name), configuration(name)
    count = -(-BagSource(bag, config).frame_count // stride)
    count = min(count, limit or count)
    every = f", every {stride}th frame" if stride > 1 else ""
    return Recording(
        f"{name}{every}, {count} frames",
        count,
        lambda: islice(BagSource(bag, config), 0, count * stride, stride),
    )
