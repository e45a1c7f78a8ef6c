"""The words that the question grammar knows."""

from __future__ import annotations

from enum import Enum


class RelationKind(Enum):
    """How a thing lies to another; values are the words of explanations."""

    ON = "on"
    UNDER = "under"
    ABOVE = "above"
    IN = "in"
    NEXT_TO = "next to"
    NEAR = "near"
    LEFT_OF = "left of"
    RIGHT_OF = "right of"
    IN_FRONT_OF = "in front of"
    BEHIND = "behind"
    BETWEEN = "between"
    NEAREST_TO = "nearest to"


class Superlative(Enum):
    """Which of the things that fit is wanted."""

    NEAREST = "nearest"
    FARTHEST = "farthest"
    LARGEST = "largest"
    SMALLEST = "smallest"
    HIGHEST = "highest"
    LOWEST = "lowest"
    LEFTMOST = "leftmost"
    RIGHTMOST = "rightmost"


_R = RelationKind
RELATION_PHRASES: dict[str, RelationKind] = {
    "on top of": _R.ON,
    "on the top of": _R.ON,
    "on": _R.ON,
    "onto": _R.ON,
    "upon": _R.ON,
    "atop": _R.ON,
    "under": _R.UNDER,
    "underneath": _R.UNDER,
    "below": _R.UNDER,
    "beneath": _R.UNDER,
    "above": _R.ABOVE,
    "over": _R.ABOVE,
    "in": _R.IN,
    "inside": _R.IN,
    "inside of": _R.IN,
    "within": _R.IN,
    "next to": _R.NEXT_TO,
    "beside": _R.NEXT_TO,
    "by": _R.NEXT_TO,
    "adjacent to": _R.NEXT_TO,
    "alongside": _R.NEXT_TO,
    "near": _R.NEAR,
    "near to": _R.NEAR,
    "close to": _R.NEAR,
    "around": _R.NEAR,
    "left of": _R.LEFT_OF,
    "right of": _R.RIGHT_OF,
    "in front of": _R.IN_FRONT_OF,
    "before": _R.IN_FRONT_OF,
    "behind": _R.BEHIND,
    "at the back of": _R.BEHIND,
    "between": _R.BETWEEN,
    "in between": _R.BETWEEN,
    "nearest": _R.NEAREST_TO,
    "nearest to": _R.NEAREST_TO,
    "closest to": _R.NEAREST_TO,
    **{
        f"{start}{side} {end}of": kind
        for side, kind in (("left", _R.LEFT_OF), ("right", _R.RIGHT_OF))
        for start in ("to the ", "on the ", "at the ")
        for end in ("", "side ", "end ", "hand side ")
    },
}
LONGEST_RELATION = max(len(phrase.split()) for phrase in RELATION_PHRASES)
NEEDS_ARTICLE = frozenset({"by", "around", "over", "before", "within"})  # "a painting by Monet" is no place

_S = Superlative
SUPERLATIVES: dict[str, Superlative] = {
    "nearest": _S.NEAREST,
    "closest": _S.NEAREST,
    "farthest": _S.FARTHEST,
    "furthest": _S.FARTHEST,
    "largest": _S.LARGEST,
    "biggest": _S.LARGEST,
    "smallest": _S.SMALLEST,
    "tiniest": _S.SMALLEST,
    "highest": _S.HIGHEST,
    "topmost": _S.HIGHEST,
    "lowest": _S.LOWEST,
    "leftmost": _S.LEFTMOST,
    "rightmost": _S.RIGHTMOST,
}
SIDES = {
    "on the left": _S.LEFTMOST,
    "on the right": _S.RIGHTMOST,
    "to the left": _S.LEFTMOST,
    "to the right": _S.RIGHTMOST,
}

COLOR_WORDS: dict[str, str] = {
    **{name: name for name in ("black", "gray", "white", "red", "orange", "brown", "beige", "yellow", "green")},
    **{name: name for name in ("turquoise", "blue", "purple", "pink")},
    "grey": "gray",
    "silver": "gray",
    "violet": "purple",
    "lilac": "purple",
    "magenta": "pink",
    "teal": "turquoise",
    "cyan": "turquoise",
    "navy": "blue",
    "maroon": "red",
    "golden": "yellow",
    "tan": "beige",
    "cream": "beige",
}
ARTICLES = frozenset({"a", "an", "the", "some", "my", "your", "our", "his", "her", "their", "this", "that", "any"})
EVERYTHING = frozenset({"everything", "things", "objects", "items", "stuff"})
ANYTHING = frozenset({"something", "anything", "thing", "object", "item"})
OBSERVER = frozenset({"me", "us", "you", "robot", "camera", "here"})
PARTS = frozenset(
    {"board", "end", "side", "edge", "corner", "part", "half", "shelf", "drawer", "level", "top", "bottom"}
)
SIZES: dict[str, int] = {"large": 1, "big": 1, "huge": 1, "tall": 1, "small": -1, "little": -1, "tiny": -1}
FLOOR = frozenset({"floor", "ground"})
ROOMS = frozenset(
    {"room", "living room", "kitchen", "bedroom", "bathroom", "office", "hall", "corridor", "hallway", "house", "home"}
    | {"flat", "apartment", "map", "world"}
)
BACKGROUND = frozenset({"wall", "walls", "ceiling"})  # no instances
# Places that are meant even after "something to read": other ends of such phrases are taken as its purpose.
PLACES = frozenset(
    {"table", "desk", "shelf", "bookshelf", "counter", "floor", "sofa", "couch", "chair", "bed", "cabinet", "drawer"}
    | {"cupboard", "stand", "windowsill", "fridge", "refrigerator", "nightstand", "stool", "bench", "sideboard", "rack"}
)
PURPOSE = frozenset({"to", "for", "that", "which", "where", "i", "you", "we"})  # after "something", "a place", ...
PURPOSE_HEADS = ANYTHING | {"place", "tool", "device", "machine", "furniture"}
DANGLING = frozenset({"on", "in", "from", "with", "at", "off", "into", "away", "up"})  # end of "to drink from"
PARTICIPLES = frozenset(
    {"standing", "lying", "sitting", "placed", "hanging", "located", "stored", "resting", "laying", "is", "are", "was"}
    | {"right", "directly", "just", "that", "which", "stands", "lies", "sits", "hangs", "kept", "put", "there", "one"}
)
PREAMBLES = tuple(
    sorted(
        (
            *("where is", "where are", "where's", "find", "find me", "show", "show me", "look for", "search for"),
            *("bring me", "bring", "get me", "give me", "go to", "i need", "i want", "i am looking for", "please"),
            *("i'm looking for", "can you find", "can you see", "do you see", "is there", "are there", "can you"),
            *("could you", "could you find", "locate", "have you seen", "do you know where", "tell me where"),
        ),
        key=len,
        reverse=True,
    )
)
ENDINGS = ("is there", "are there", "do you see", "can you see", "please", "is", "are")

_IRREGULAR = {
    "mice": "mouse",
    "people": "person",
    "children": "child",
    "feet": "foot",
    "loaves": "loaf",
    "knives": "knife",
    "shelves": "shelf",
    "bookshelves": "bookshelf",
    "leaves": "leaf",
    "scarves": "scarf",
    "buses": "bus",
    "movies": "movie",
    "cookies": "cookie",
    "shoes": "shoe",
    "toes": "toe",
    "potatoes": "potato",
    "tomatoes": "tomato",
    "vases": "vase",
    "cases": "case",
}
_ALWAYS_PLURAL = frozenset(
    {"scissors", "headphones", "clothes", "trousers", "pants", "jeans", "pliers", "tongs", "shorts", "binoculars"}
    | {"tiles", "papers", "news", "series", "gas", "lens", "bus", "canvas", "drapes", "goggles", "sunglasses"}
)


def singular(word: str) -> str:
    """An English noun in the singular; words that are not plurals stay as they are."""
    if word in _ALWAYS_PLURAL or len(word) < 4 or not word.endswith("s") and word not in _IRREGULAR:
        return word
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("xes", "ches", "shes", "sses", "zes")):
        return word[:-2]
    return word[:-1]
