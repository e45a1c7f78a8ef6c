"""Region messages by hand."""

import numpy as np
import pytest
from geometry_msgs.msg import Point, Point32, Polygon, Pose, Quaternion, Vector3
from moss_msgs.msg import Region as RegionMsg

from moss_ros.questions.region import RegionError
from moss_ros.ros.regions import region_from_message

AT_1_2_3 = Pose(position=Point(x=1.0, y=2.0, z=3.0), orientation=Quaternion(z=1.0, w=0.0))  # half a turn
NOT_TURNED = Pose(orientation=Quaternion(w=0.0))  # no rotation at all


def inside(message, *points):
    return region_from_message(message).contains(np.array(points, float)).tolist()


def test_everywhere_is_everywhere():
    assert inside(RegionMsg(), (0, 0, 0), (1e6, 0, -1e6)) == [True, True]


def test_sphere():
    assert inside(RegionMsg(kind=RegionMsg.SPHERE, pose=AT_1_2_3, radius=0.5), (1, 2.4, 3), (1, 2.6, 3)) == [
        True,
        False,
    ]


def test_turned_box():
    quarter = Pose(position=AT_1_2_3.position, orientation=Quaternion(z=np.sqrt(0.5), w=np.sqrt(0.5)))
    message = RegionMsg(kind=RegionMsg.BOX, pose=quarter, size=Vector3(x=2.0, y=0.2, z=0.2))
    assert inside(message, (1, 2.9, 3), (1.9, 2, 3)) == [True, False]


def test_floor_polygon_has_any_height():
    corners = [Point32(x=0.0, y=0.0), Point32(x=2.0, y=0.0), Point32(x=0.0, y=2.0)]
    message = RegionMsg(kind=RegionMsg.POLYGON, polygon=Polygon(points=corners))
    assert inside(message, (0.5, 0.5, 9), (1.5, 1.5, 0)) == [True, False]


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (RegionMsg(kind=RegionMsg.SPHERE, radius=float("nan")), "radius"),
        (RegionMsg(kind=RegionMsg.BOX, size=Vector3(x=1.0, y=1.0, z=0.0)), "extents"),
        (
            RegionMsg(kind=RegionMsg.BOX, pose=Pose(orientation=Quaternion(w=0.0)), size=Vector3(x=1.0, y=1.0, z=1.0)),
            "quat",
        ),
        (RegionMsg(kind=RegionMsg.POLYGON), "three corners"),
        (RegionMsg(kind=9), "unknown kind"),
    ],
)
def test_bad_region_says_what_is_wrong(message, told):
    with pytest.raises(RegionError, match=told):
        region_from_message(message)
