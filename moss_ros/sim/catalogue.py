"""Every small thing of the home: its builder, where it may stand, other names for it and what it is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from moss_ros.sim import decor, food, kitchen, kitchenware, office, soft, storage
from moss_ros.sim.scene import Thing

Builder = Callable[[np.random.Generator], Thing]


@dataclass(frozen=True, slots=True)
class Entry:
    """A small thing; places are tags of supports (see the furniture builders)."""

    build: Builder
    places: frozenset[str]
    weight: float = 1.0  # how often it comes again


def _entry(build: Builder, places: str, weight: float = 1.0) -> Entry:
    return Entry(build, frozenset(places.replace("_", " ").split(", ")), weight)


SMALL: tuple[Entry, ...] = (
    _entry(kitchenware.mug, "table, low, desk, kitchen, shelf, night", 3),
    _entry(kitchenware.drinking_glass, "table, low, kitchen, night", 1.5),
    _entry(kitchenware.bowl, "table, low, kitchen", 2),
    _entry(kitchenware.plate, "table, kitchen", 2),
    _entry(kitchenware.bottle, "table, low, kitchen, desk, shelf", 2.5),
    _entry(kitchenware.can, "table, kitchen, desk, low", 2),
    _entry(kitchenware.jar, "table, kitchen, shelf"),
    _entry(kitchen.cereal_box, "table, kitchen, shelf, in"),
    _entry(kitchen.pot, "table, kitchen, shelf"),
    _entry(kitchen.pan, "table, kitchen"),
    _entry(kitchenware.teapot, "table, low, kitchen, decor"),
    _entry(kitchen.kettle, "kitchen, table"),
    _entry(kitchen.toaster, "kitchen, table"),
    _entry(kitchen.cutting_board, "kitchen, table"),
    _entry(kitchenware.pitcher, "table, kitchen, decor"),
    _entry(kitchen.cutlery_cup, "kitchen, table"),
    _entry(kitchen.kitchen_roll, "kitchen, table"),
    _entry(food.apple, "in bowl, table, kitchen, low, desk", 2),
    _entry(food.orange, "in bowl, table, kitchen, low", 2),
    _entry(food.lemon, "in bowl, kitchen, table", 1.5),
    _entry(food.pear, "in bowl, table, low"),
    _entry(food.banana, "table, kitchen, low, desk", 1.5),
    _entry(food.bread, "kitchen, table"),
    _entry(food.cake, "table, low"),
    _entry(food.pineapple, "table, kitchen"),
    _entry(office.book, "table, low, desk, shelf, night, soft, stack", 4),
    _entry(office.magazine, "low, soft, desk, rug", 1.5),
    _entry(office.laptop, "desk, table, soft"),
    _entry(office.remote, "low, soft, tv"),
    _entry(office.phone, "night, low, desk, table, soft"),
    _entry(office.headphones, "desk, soft, shelf"),
    _entry(office.speaker, "shelf, tv, decor, desk", 1.5),
    _entry(office.pen_cup, "desk, shelf"),
    _entry(office.desk_lamp, "desk"),
    _entry(office.globe, "shelf, decor, desk"),
    _entry(soft.cushion, "soft, rug", 3),
    _entry(soft.clothes_heap, "soft, floor, rug", 2),
    _entry(soft.blanket, "soft"),
    _entry(soft.towels, "shelf, soft, decor"),
    _entry(soft.teddy_bear, "soft, shelf, in, rug"),
    _entry(soft.toy_ball, "floor, shelf, in, rug", 2),
    _entry(soft.toy_car, "floor, shelf, in, rug", 1.5),
    _entry(soft.toy_blocks, "floor, shelf, low, rug"),
    _entry(soft.puzzle_cube, "low, shelf, desk, table"),
    _entry(soft.shoe, "floor", 2.5),
    _entry(soft.slipper, "floor, rug", 1.5),
    _entry(soft.boot, "floor"),
    _entry(soft.backpack, "floor, rug"),
    _entry(soft.hat, "decor, shelf, soft, table"),
    _entry(decor.table_lamp, "night, decor, low"),
    _entry(decor.small_plant, "decor, shelf, table, desk", 1.5),
    _entry(decor.vase, "shelf, decor, table, low", 2),
    _entry(decor.candle, "low, table, decor, shelf", 1.5),
    _entry(decor.picture_frame, "decor, shelf, night, desk", 1.5),
    _entry(decor.alarm_clock, "night, shelf, desk"),
    _entry(decor.tissue_box, "low, night, desk, soft"),
    _entry(decor.watering_can, "floor, decor"),
    _entry(decor.umbrella, "floor"),
    _entry(decor.guitar, "floor, rug"),
    _entry(storage.cardboard_box, "floor", 1.5),
    _entry(storage.storage_bin, "floor", 1.2),
)


@cache
def places_of(category: str) -> frozenset[str]:
    """Tags of the supports that suit a small thing; empty for everything else."""
    rng = np.random.default_rng(0)
    return frozenset().union(*(e.places for e in SMALL if e.build(rng).category == category))


# Other names by category; a name may fit several categories, which the queries then list together.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "sofa": ("couch", "settee"),
    "television": ("tv set", "flat screen"),
    "trash can": ("waste basket", "rubbish bin"),
    "refrigerator": ("fridge",),
    "rug": ("carpet",),
    "cushion": ("throw pillow",),
    "mug": ("coffee cup",),
    "drinking glass": ("tumbler",),
    "frying pan": ("skillet",),
    "pitcher": ("jug",),
    "bookshelf": ("bookcase",),
    "monitor": ("computer display",),
    "laptop": ("notebook computer",),
    "phone": ("smartphone",),
    "remote control": ("clicker for the television",),
    "shoe": ("trainer",),
    "backpack": ("rucksack",),
    "teddy bear": ("stuffed animal",),
    "toy car": ("model car",),
    "speaker": ("loudspeaker",),
    "pot": ("cooking pot",),
    "plant": ("houseplant",),
    "picture": ("painting",),
    "dresser": ("chest of drawers",),
    "cabinet": ("cupboard",),
    "nightstand": ("bedside table",),
    "cardboard box": ("carton",),
    "toaster": ("bread toasting machine",),
    "kettle": ("water boiler",),
    "pile of clothes": ("laundry",),
    "computer mouse": ("pointing device",),
    "curtain": ("drapes",),
    "boot": ("wellington",),
    "puzzle cube": ("magic cube",),
    "alarm clock": ("bedside clock",),
    "blanket": ("throw",),
    "jar": ("preserving glass",),
    "magazine": ("journal",),
    "radiator": ("heater",),
    "stool": ("backless seat",),
    "globe": ("model of the earth",),
    "guitar": ("string instrument",),
    "headphones": ("headset",),
    "photo frame": ("framed photo",),
    "cake": ("gateau",),
    "hat": ("headwear",),
}

FUNCTIONS: dict[str, tuple[str, ...]] = {
    "something to sit on": ("sofa", "armchair", "chair", "office chair", "stool", "bench"),
    "something to drink from": ("mug", "drinking glass"),
    "something to read": ("book", "magazine"),
    "where food is kept cold": ("refrigerator",),
    "something to fry eggs in": ("frying pan",),
    "a place to throw rubbish away": ("trash can",),
    "something to type on": ("keyboard", "laptop"),
    "something that tells the time": ("wall clock", "alarm clock"),
    "something to sleep on": ("bed",),
    "something that gives light": ("floor lamp", "table lamp", "desk lamp", "ceiling lamp", "candle"),
    "something to make music with": ("guitar",),
    "something to boil water with": ("kettle",),
    "something to keep dry in the rain": ("umbrella",),
    "something for watering flowers": ("watering can",),
    "something to carry school things": ("backpack",),
    "something to dry hands with": ("towel",),
    "something to blow one's nose": ("tissue box",),
    "something to call somebody with": ("phone",),
}

GROUPS: dict[str, tuple[str, ...]] = {
    "all fruit": ("apple", "orange", "lemon", "pear", "banana", "pineapple"),
    "all toys": ("ball", "toy car", "toy blocks", "puzzle cube", "teddy bear"),
    "all lamps": ("floor lamp", "table lamp", "desk lamp", "ceiling lamp"),
    "all seats": ("sofa", "armchair", "chair", "office chair", "stool", "bench"),
    "all footwear": ("shoe", "slipper", "boot"),
    "everything with a screen": ("television", "monitor", "laptop", "phone"),
}

# Things that no home here has.
NEVER: tuple[str, ...] = (
    "a bicycle",
    "a cat",
    "a toothbrush",
    "a pair of scissors",
    "a hammer",
    "a surfboard",
    "a washing machine",
    "a piano",
    "a bathtub",
    "a fire extinguisher",
    "a printer",
    "a sewing machine",
    "a suitcase",
    "a chess board",
    "an aquarium",
)
