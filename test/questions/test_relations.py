"""Relations of boxes made by hand."""

import numpy as np
import pytest

from moss_ros.questions.box_pairs import Boxes, footprint_share, plan_gap_m
from moss_ros.questions.lexicon import RelationKind as R
from moss_ros.questions.relations import explain, judge, judge_between, judge_floor

TABLE = ((0, 0, 0.4), (1.2, 0.8, 0.8))
SHELF = ((0, 0, 1.0), (0.8, 0.4, 2.0))
FROM = np.array([[0.0, -5.0, 1.0]])  # an observer who looks along +y


def boxes(*rows, yaw=0.0):
    centers, sizes = zip(*rows, strict=True)
    return Boxes(np.array(centers, float), np.array(sizes, float), np.full(len(rows), float(yaw)))


def score(kind, thing, anchor, points=None):
    pairs = judge(kind, boxes(thing), boxes(anchor), FROM, points)
    return float(pairs.scores[0]) if len(pairs.scores) else 0.0


def cube(x, y, z, side=0.1):
    return ((x, y, z), (side, side, side))


@pytest.mark.parametrize(
    ("kind", "thing", "anchor", "low", "high"),
    [
        (R.ON, cube(0.3, 0, 0.87), TABLE, 1, 1),  # 2 cm above
        (R.ON, cube(0.3, 0, 0.93), TABLE, 0.3, 0.7),  # 8 cm above: half way
        (R.ON, cube(0.3, 0, 1.2), TABLE, 0, 0),  # hovers
        (R.ON, cube(0.3, 0, 0.05), TABLE, 0, 0),  # below
        (R.ON, cube(0.9, 0, 0.87), TABLE, 0, 0),  # beside
        (R.UNDER, cube(0.3, 0, 0.05), TABLE, 1, 1),
        (R.UNDER, cube(0.3, 0, 0.87), TABLE, 0, 0),
        (R.UNDER, cube(1.5, 0, 0.05), TABLE, 0, 0),
        (R.ABOVE, ((0, 0.5, 1.6), (0.6, 0.04, 0.4)), TABLE, 1, 1),  # a picture on the wall behind
        (R.ABOVE, cube(0.3, 0, 0.05), TABLE, 0, 0),
        (R.IN, cube(0, 0, 1.0), SHELF, 1, 1),
        (R.IN, cube(0.5, 0, 1.0), SHELF, 0, 0),
        (R.IN, SHELF, cube(0, 0, 1.0), 0, 0),  # not the other way round
        (R.NEXT_TO, cube(0.75, 0, 0.4), TABLE, 0.85, 0.95),  # 10 cm apart
        (R.NEXT_TO, cube(1.2, 0, 0.4), TABLE, 0.3, 0.6),  # 55 cm
        (R.NEXT_TO, cube(1.6, 0, 0.4), TABLE, 0, 0),
        (R.NEXT_TO, cube(0.3, 0, 0.87), TABLE, 0, 0.25),  # on it is not next to it
        (R.NEAR, cube(1.0, 0, 0.4), TABLE, 1, 1),
        (R.NEAR, cube(3.0, 0, 0.4), TABLE, 0, 0),
        (R.LEFT_OF, cube(-1.0, 0, 0.4), TABLE, 1, 1),
        (R.LEFT_OF, cube(1.0, 0, 0.4), TABLE, 0, 0),
        (R.RIGHT_OF, cube(1.0, 0, 0.4), TABLE, 1, 1),
        (R.IN_FRONT_OF, cube(0, -1.0, 0.4), TABLE, 1, 1),
        (R.IN_FRONT_OF, cube(0, 1.0, 0.4), TABLE, 0, 0),
        (R.BEHIND, cube(0, 1.0, 0.4), TABLE, 1, 1),
    ],
)
def test_clear_cases(kind, thing, anchor, low, high):
    assert low - 1e-9 <= score(kind, thing, anchor) <= high + 1e-9


def test_on_a_board_inside_a_shelf_needs_its_points():
    x, y = np.meshgrid(np.linspace(-0.4, 0.4, 41), np.linspace(-0.2, 0.2, 21))
    board = np.stack([x.ravel(), y.ravel(), np.full(x.size, 1.0)], 1)
    mug = cube(0, 0, 1.06)  # its underside 1 cm above the board
    assert score(R.ON, mug, SHELF) == 0
    assert score(R.ON, mug, SHELF, lambda _row: board) == pytest.approx(0.9)
    assert score(R.ON, mug, SHELF, lambda _row: board + [0, 0, -0.3]) == 0


def test_a_thing_has_no_relation_to_itself():
    assert score(R.NEAR, TABLE, TABLE) == 0


def test_between():
    first, second = boxes(cube(0, 0, 0.5, 0.3)), boxes(cube(2, 0, 0.5, 0.3))
    things = boxes(cube(1, 0.05, 0.5), cube(2.6, 0, 0.5), cube(1, 1.5, 0.5), cube(1, 0, 3))
    scores, away = judge_between(things, first, second)
    np.testing.assert_allclose(scores, [1, 0, 0, 0])
    np.testing.assert_allclose(away[:3], [0.05, 0, 1.5], atol=1e-9)


def test_on_the_floor():
    scores, gap = judge_floor(boxes(cube(0, 0, 0.06), cube(0, 0, 0.8)), 0.0)
    np.testing.assert_allclose(scores, [1, 0])
    np.testing.assert_allclose(gap, [0.01, 0.75])


def test_geometry_of_turned_boxes():
    square = boxes(((0, 0, 0), (1, 1, 1)))
    turned = boxes(((2, 0, 0), (1, 1, 1)), yaw=np.pi / 4)  # a corner points at the square
    np.testing.assert_allclose(plan_gap_m(square, turned), 2 - 0.5 - np.sqrt(0.5))
    np.testing.assert_allclose(plan_gap_m(turned, square), 2 - 0.5 - np.sqrt(0.5))
    crossing = boxes(((0, 0, 0), (3, 0.1, 1)), yaw=0.3)  # no corner of either inside the other
    assert plan_gap_m(square, crossing) == 0
    np.testing.assert_allclose(footprint_share(boxes(((0.5, 0, 0), (1, 1, 1))), square), [0.6])  # 3 of 5 columns


@pytest.mark.parametrize("kind", list(R))
def test_explanation_is_a_sentence(kind):
    text = explain(kind, 0.02, "mug 12", "table 3")
    assert text.startswith(f"mug 12 is {kind.value} table 3: ")


def test_explanation_of_on():
    assert explain(R.ON, 0.02, "mug 12", "table 3") == "mug 12 is on table 3: 2 cm above its top"
