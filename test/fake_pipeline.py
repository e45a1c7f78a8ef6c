"""A pipeline without maths: counts frames, makes one instance of them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from moss_ros.questions.query import FoundObject, QueryAnswer, Status
from moss_ros.questions.query_limits import QueryError
from moss_ros.records import Instance, InstanceState, OrientedBox, Snapshot
from moss_ros.timings import Timings


def instance(instance_id: int = 1, state=InstanceState.CONFIRMED, yaw_rad: float = 0.5, **changes) -> Instance:
    """An instance with numbers that differ from each other."""
    fields = {
        "id": instance_id,
        "state": state,
        "box": OrientedBox(np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.2, 0.3]), yaw_rad),
        "centroid_m": np.array([1.1, 2.1, 3.1]),
        "points_m": np.arange(12, dtype=np.float32).reshape(4, 3),
        "colors_rgb": np.arange(12, dtype=np.uint8).reshape(4, 3),
        "score": 0.75,
        "label": "mug",
        "label_score": 0.5,
        "first_seen_ns": 1_500_000_001,
        "last_seen_ns": 2_500_000_002,
        "observations": 7,
        "source": "object",
    }
    return Instance(**fields | changes)


def snapshot(*instances: Instance, changed=None, removed=(), stamp_ns: int = 3_000_000_004) -> Snapshot:
    ids = {i.id for i in instances} if changed is None else changed
    return Snapshot(stamp_ns, tuple(instances), frozenset(ids), frozenset(removed))


class FakePipeline:
    """step raises where frame is an exception."""

    def __init__(self) -> None:
        self.timings = Timings()
        self.frames: list = []
        self.segmented: list[bool] = []
        self.described: list[int | None] = []
        self.undescribed = 0
        self.resets = 0

    def step(self, frame):
        with self.timings.stage("integrate"):
            if isinstance(frame, Exception):
                raise frame
            self.frames.append(frame)
        return SimpleNamespace(is_keyframe=True)

    def segment(self, full=False):
        self.segmented.append(full)
        return snapshot(instance(1, observations=len(self.frames)))

    def describe(self, limit=None):
        self.described.append(limit)
        return snapshot(instance(1, observations=len(self.frames)))

    def find(self, request):
        if request.text == "nonsense":
            raise QueryError("ask for a thing")
        if request.text != "mug":
            return QueryAnswer(Status.ABSENT, 0.9, (), 0, "not there", "fake")
        found = (FoundObject(1, 0.8, 0.4, "because"), FoundObject(99, 0.7, 0.3, "gone meanwhile"))
        return QueryAnswer(Status.FOUND, 0.9, found, 2, "", "fake")

    def embed_image(self, color_rgb):
        return color_rgb.mean((0, 1))

    def relabel(self, vocabulary, min_score):
        self.vocabulary = vocabulary
        return snapshot(instance(1, label="cup")), 1

    def reset(self):
        self.resets += 1
        self.frames = []

    def cloud(self):
        one = instance()
        return SimpleNamespace(
            points_m=one.points_m, colors_rgb=one.colors_rgb, instance_ids=np.array([0, 1, 1, 0], np.int32)
        )

    def evidence_jpeg(self, instance_id):
        return b"\xff\xd8picture"
