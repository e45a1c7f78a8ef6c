"""Messages in, frames out: the one way into the pipeline for the live node and the replay."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from moss_ros.config import MossConfig
from moss_ros.messages.camera_info import Lens, lens_of
from moss_ros.messages.errors import MessageError
from moss_ros.messages.images import decode_color, decode_depth
from moss_ros.records import Frame
from moss_ros.source.drops import DropLog
from moss_ros.source.matcher import Match, Matcher


class FrameBuilder:
    """Pairs, poses, decodes and rectifies. Nothing raises out of the add methods: bad input is counted by reason.

    The add methods return the frames that became ready. A live node may instead give messages to ``matcher`` and
    call ``build`` later in another thread, so that images that get replaced are never decoded.
    """

    def __init__(self, config: MossConfig) -> None:
        self.config = config.input
        self.used = 0  # frames given out
        self.drop_log = DropLog()
        self.matcher = Matcher(config.input, self.drop_log)
        self._lenses: dict[str, tuple[Any, tuple[int, int], Lens]] = {}

    @property
    def received(self) -> int:
        """Colour images that came."""
        return self.matcher.received

    @property
    def drops(self) -> Counter[str]:
        """Messages that gave no frame, by reason."""
        return self.drop_log.counts

    @property
    def last_message(self) -> dict[str, str]:
        """The last message of each reason; it names the fix."""
        return self.drop_log.messages

    def add_color(self, msg: Any) -> list[Frame]:
        """Image or CompressedImage of the colour camera."""
        return self._frames(self.matcher.add_color(msg))

    def add_depth(self, msg: Any) -> list[Frame]:
        """Image or CompressedImage of the depth registered to the colour camera."""
        return self._frames(self.matcher.add_depth(msg))

    def add_pose(self, msg: Any) -> list[Frame]:
        """PoseStamped of the colour camera's optical frame."""
        return self._frames(self.matcher.add_pose(msg))

    def add_odometry(self, msg: Any) -> list[Frame]:
        """Odometry of the body that carries the camera."""
        return self._frames(self.matcher.add_odometry(msg))

    def add_tf(self, msg: Any, static: bool = False) -> list[Frame]:
        """TFMessage of /tf, or of /tf_static with static."""
        return self._frames(self.matcher.add_tf(msg, static))

    def add_color_info(self, msg: Any) -> list[Frame]:
        """CameraInfo of the colour image."""
        return self._frames(self.matcher.add_info("color", msg))

    def add_depth_info(self, msg: Any) -> list[Frame]:
        """CameraInfo of the depth image (only when input.depth_info_topic is set)."""
        return self._frames(self.matcher.add_info("depth", msg))

    def flush(self) -> list[Frame]:
        """Frames that still can be made at the end of a recording; what is left is counted."""
        return self._frames(self.matcher.flush())

    def build(self, match: Match) -> Frame | None:
        """Decode and rectify; None (and a count) when the images or camera_info cannot be used."""
        try:
            frame = self._decode(match)
        except MessageError as error:
            self.drop_log.add(error.reason, error.text)
            return None
        except (ValueError, TypeError, AttributeError) as error:  # a message of an unexpected make
            self.drop_log.add("bad_message", f"{type(error).__name__}: {error}; check the topics' types")
            return None
        self.used += 1
        return frame

    def _frames(self, matches: list[Match]) -> list[Frame]:
        return [frame for match in matches if (frame := self.build(match)) is not None]

    def _decode(self, match: Match) -> Frame:
        color = decode_color(match.color)
        depth = decode_depth(match.depth)
        color_lens = self._lens(self.config.color_topic, match.color_info, color)
        depth_lens = self._lens(self.config.depth_topic, match.depth_info, depth)
        depth = depth_lens.rectify_depth(depth)
        depth[(depth < self.config.depth_min_m) | (depth > self.config.depth_max_m)] = 0.0
        if not depth.any():
            raise MessageError(
                "depth_empty",
                f"no depth between input.depth_min_m = {self.config.depth_min_m:g} and input.depth_max_m = "
                f"{self.config.depth_max_m:g} m: nothing is in range, or the sensor is covered",
            )
        return Frame(
            match.stamp_ns,
            color_lens.rectify_color(color),
            color_lens.camera,
            depth,
            depth_lens.camera,
            match.world_from_camera,
        )

    def _lens(self, topic: str, info: Any, image: np.ndarray) -> Lens:
        """Lens of the images of a topic; made once for each content of camera_info and image size."""
        height, width = image.shape[:2]
        known = self._lenses.get(topic)
        if known is not None and known[1] == (height, width) and (known[0] is info or _same(known[0], info)):
            return known[2]
        lens = lens_of(info, width, height, rectified="image_rect" in topic)
        self._lenses[topic] = (info, (height, width), lens)
        return lens


def _same(a: Any, b: Any) -> bool:
    """Whether two CameraInfo describe the same lens; they come with every image."""
    return (
        (a.width, a.height, a.distortion_model) == (b.width, b.height, b.distortion_model)
        and np.array_equal(a.k, b.k)
        and np.array_equal(a.d, b.d)
        and np.array_equal(a.p, b.p)
    )
