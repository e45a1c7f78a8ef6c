"""Records refuse what does not fit together, and proposals are filtered and joined as one."""

import dataclasses

import numpy as np
import pytest

from moss_ros.geometry.camera import Camera
from moss_ros.records import Frame, InstanceState, MaskProposals

COLOR = Camera(fx=10.0, fy=10.0, cx=3.5, cy=2.5, width=8, height=6)
DEPTH = Camera(fx=5.0, fy=5.0, cx=1.5, cy=1.0, width=4, height=3)


def frame(**changes):
    fields = {
        "stamp_ns": 1,
        "color_rgb": np.zeros((6, 8, 3), np.uint8),
        "color_camera": COLOR,
        "depth_m": np.zeros((3, 4), np.float32),
        "depth_camera": DEPTH,
        "world_from_camera": np.eye(4),
    }
    return Frame(**fields | changes)


def proposals(*rows):
    """Proposals from (voxels, score, source)."""
    voxels, scores, sources = zip(*rows, strict=True)
    return MaskProposals(tuple(np.array(v, np.int32) for v in voxels), np.array(scores, np.float32), sources)


ABC = proposals(([1], 0.1, "a"), ([2, 3], 0.2, "b"), ([4], 0.3, "c"))


def test_colour_and_depth_may_differ_in_size():
    assert frame().depth_m.shape == (3, 4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"color_rgb": np.zeros((6, 8, 3), np.float32)}, "uint8"),
        ({"color_rgb": np.zeros((8, 6, 3), np.uint8)}, "8, 6, 3.*6 x 8"),
        ({"color_rgb": np.zeros((6, 8), np.uint8)}, "colour image"),
        ({"depth_m": np.zeros((3, 4), np.uint16)}, "float32"),
        ({"depth_m": np.zeros((3, 4), np.float64)}, "float32"),
        ({"depth_m": np.zeros((4, 3), np.float32)}, "4, 3.*3 x 4"),
        ({"world_from_camera": np.eye(3)}, "4x4"),
        ({"world_from_camera": np.full((4, 4), np.nan)}, "finite"),
    ],
)
def test_frame_that_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        frame(**changes)


def test_records_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        frame().stamp_ns = 2
    with pytest.raises((AttributeError, TypeError)):
        frame().label = "no such field"


def test_take_filters_all_fields_together():
    taken = ABC.take(np.array([2, 0]))
    assert [v.tolist() for v in taken.voxels] == [[4], [1]]
    assert taken.scores.tolist() == pytest.approx([0.3, 0.1])
    assert taken.sources == ("c", "a")
    assert len(ABC.take(np.array([], np.int64))) == 0


def test_join_keeps_order():
    joined = MaskProposals.join([ABC.take(np.array([1])), MaskProposals.join([]), ABC])
    assert joined.sources == ("b", "a", "b", "c")
    assert joined.scores.tolist() == pytest.approx([0.2, 0.1, 0.2, 0.3])
    assert joined.scores.dtype == np.float32
    assert len(MaskProposals.join([])) == 0


def test_uneven_proposals_are_refused():
    with pytest.raises(ValueError, match="one score and source per mask"):
        MaskProposals((np.zeros(1, np.int32),), np.zeros(2, np.float32), ("a",))


def test_states_equal_the_message_constants():
    assert [(s.name, int(s)) for s in InstanceState] == [
        ("TENTATIVE", 0),
        ("CONFIRMED", 1),
        ("MISSING", 2),
        ("REMOVED", 3),
    ]
