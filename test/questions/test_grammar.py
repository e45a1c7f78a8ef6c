"""Which question a text is."""

import pytest

from moss_ros.questions.grammar import Quantity, parse
from moss_ros.questions.lexicon import RelationKind as R
from moss_ros.questions.lexicon import Superlative, singular

ANYTHING = "thing"


def shape(question):
    """(target, relation, anchors...) nested."""

    def of(noun, relation):
        if relation is None:
            return noun.text
        return (noun.text, relation.kind, *(of(a.noun, a.relation) for a in relation.anchors))

    return of(question.target, question.relation)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mug", "mug"),
        ("the red mug", "red mug"),
        ("the mug on the table", ("mug", R.ON, "table")),
        ("Where is the red mug on the table?", ("red mug", R.ON, "table")),
        ("papers on the table", ("papers", R.ON, "table")),
        ("chair next to the sofa", ("chair", R.NEXT_TO, "sofa")),
        ("the trash can beside the shelf", ("trash can", R.NEXT_TO, "shelf")),
        ("book between the lamp and the vase", ("book", R.BETWEEN, "lamp", "vase")),
        ("the box between the chairs", ("box", R.BETWEEN, "chairs")),
        ("the picture above the dining table", ("picture", R.ABOVE, "dining table")),
        ("the shoe under the dining table", ("shoe", R.UNDER, "dining table")),
        ("the jug near the turquoise plate", ("jug", R.NEAR, "turquoise plate")),
        ("milk inside the fridge", ("milk", R.IN, "fridge")),
        ("the vase to the left of the clock", ("vase", R.LEFT_OF, "clock")),
        ("the chair at the left end of the table", ("chair", R.LEFT_OF, "table")),
        ("the ball in front of the sofa", ("ball", R.IN_FRONT_OF, "sofa")),
        ("a ball behind the sofa", ("ball", R.BEHIND, "sofa")),
        ("the chair closest to the window", ("chair", R.NEAREST_TO, "window")),
        ("picture of a cat on the wall", ("picture of a cat", R.ON, "wall")),
        ("the cup standing on the table", ("cup", R.ON, "table")),
        ("the cup that is on the table", ("cup", R.ON, "table")),
        ("the cup on the table next to the sofa", ("cup", R.ON, ("table", R.NEXT_TO, "sofa"))),
        ("the box on the top board of the shelf", ("box", R.ON, "shelf")),
        ("is there a cup on the table", ("cup", R.ON, "table")),
        ("which chair is next to the table", ("chair", R.NEXT_TO, "table")),
        ("what is on the table", (ANYTHING, R.ON, "table")),
        ("everything on the coffee table", (ANYTHING, R.ON, "coffee table")),
        ("something to sit on next to the table", ("something to sit on", R.NEXT_TO, "table")),
        ("something to read on the table", ("something to read", R.ON, "table")),
        # No relations: the place word has no thing behind it, tells a purpose, or is no place.
        ("something to sit on", "something to sit on"),
        ("something to keep leftover food in", "something to keep leftover food in"),
        ("something to keep dry in the rain", "something to keep dry in the rain"),
        ("where food is kept cold", "where food is kept cold"),
        ("a place to throw rubbish away", "place to throw rubbish away"),
        ("a painting by Monet", "painting by monet"),
        ("the woman in red", "woman in red"),
        ("a mug with a flower pattern", "mug with a flower pattern"),
        ("box of Cheez-It", "box of cheez-it"),
        ("a pair of scissors", "scissors"),
        ("Tasse auf dem Tisch", "tasse auf dem tisch"),
        ("椅子", "椅子"),
        ("on", "on"),
        ("the", "the"),
        ("???", "???"),
        ("what is this", "what is this"),
    ],
)
def test_shape(text, expected):
    assert shape(parse(text)) == expected


@pytest.mark.parametrize(
    ("text", "quantity", "target"),
    [
        ("how many chairs", Quantity.COUNT, "chair"),
        ("how many chairs are there?", Quantity.COUNT, "chair"),
        ("How many books are on the shelf", Quantity.COUNT, "book"),
        ("all cups", Quantity.ALL, "cup"),
        ("all of the piles of clothes", Quantity.ALL, "pile of clothes"),
        ("all fruit", Quantity.ALL, "fruit"),
        ("everything with a screen", Quantity.ALL, "something with a screen"),
        ("every glass", Quantity.ALL, "glass"),
        ("a cup", Quantity.ONE, "cup"),
    ],
)
def test_quantity(text, quantity, target):
    question = parse(text)
    assert (question.quantity, question.target.text) == (quantity, target)


@pytest.mark.parametrize(
    ("text", "superlative", "target"),
    [
        ("largest plant", Superlative.LARGEST, "plant"),
        ("the nearest red chair", Superlative.NEAREST, "red chair"),
        ("the mug on the left", Superlative.LEFTMOST, "mug"),
        ("the box on the top board of the shelf", Superlative.HIGHEST, "box"),
        ("the mug", None, "mug"),
    ],
)
def test_superlative(text, superlative, target):
    question = parse(text)
    assert (question.superlative, question.target.text) == (superlative, target)


@pytest.mark.parametrize(
    ("text", "colors"),
    [
        ("the yellow and white mug", ("yellow", "white")),
        ("a grey sofa", ("gray",)),
        ("the orange", ()),  # the fruit
        ("the orange chair", ("orange",)),
        ("the chair that is red", ("red",)),
        ("something red", ("red",)),
        ("a mug with a red flower", ()),
    ],
)
def test_colors(text, colors):
    assert parse(text).target.colors == colors


def test_a_coloured_thing_is_anything_of_that_colour():
    target = parse("the red thing").target
    assert target.is_anything and target.colors == ("red",)


def test_kinds_are_without_what_is_measured():
    assert parse("the small red mug").target.kinds == ("mug",)
    assert parse("an orange").target.kinds == ("orange",)


def test_sizes_alternatives_negatives():
    assert parse("a big plant").target.size == 1
    assert parse("the tiny red box").target.size == -1
    assert parse("all boots and shoes").target.texts == ("boot", "shoe")
    assert parse("a mug or a cup").target.texts == ("mug", "cup")
    assert parse("a mug but not a plate").negatives == ("plate",)


@pytest.mark.parametrize(
    ("plural", "one"),
    [("boxes", "box"), ("shelves", "shelf"), ("mice", "mouse"), ("toys", "toy"), ("batteries", "battery")]
    + [("scissors", "scissors"), ("glass", "glass"), ("bus", "bus"), ("dishes", "dish"), ("vases", "vase")],
)
def test_singular(plural, one):
    assert singular(plural) == one
