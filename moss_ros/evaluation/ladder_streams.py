"""What a rung of the ladder changes on the way into the pipeline: the poses, or which keyframes are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import count

import cv2
import numpy as np

from moss_ros.pipeline import Pipeline
from moss_ros.records import Frame
from moss_ros.replay.run import FrameSource

JITTER_M = 0.005
JITTER_DEG = 0.2


class AlteredFrames:
    """A source whose frames are changed one by one."""

    def __init__(self, source: FrameSource, change: Callable[[Frame], Frame]) -> None:
        self._source = source
        self._change = change

    @property
    def frame_count(self) -> int:
        """As of the source."""
        return self._source.frame_count

    @property
    def received(self) -> int:
        """As of the source."""
        return self._source.received

    @property
    def drops(self) -> Mapping[str, int]:
        """As of the source."""
        return self._source.drops

    def __iter__(self) -> Iterator[Frame]:
        return map(self._change, self._source)


def with_jitter(frame: Frame, seed: int, sd_m: float = JITTER_M, sd_deg: float = JITTER_DEG) -> Frame:
    """The frame with a pose that is a little wrong, whatever the frames before: normal errors.

    sd_m, sd_deg: standard deviations of position and rotation vector along *each* axis of the camera. The seed and
    the stamp decide the error.
    """
    rng = np.random.default_rng([seed, frame.stamp_ns])
    error = np.eye(4)
    error[:3, 3] = rng.normal(0.0, sd_m, 3)
    error[:3, :3], _ = cv2.Rodrigues(rng.normal(0.0, np.radians(sd_deg), 3))
    return replace(frame, world_from_camera=frame.world_from_camera @ error)


def keep_every(pipeline: Pipeline, every: int) -> None:
    """Only every n-th frame that the gate accepts becomes a keyframe; the map still sees all frames."""
    add, offered = pipeline.keyframes.add, count()

    def add_some(frame: Frame, sharpness: float, floor_m: float | None = None) -> None:
        if next(offered) % every == 0:
            add(frame, sharpness, floor_m)

    pipeline.keyframes.add = add_some  # type: ignore[method-assign]
