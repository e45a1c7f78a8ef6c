"""Frames from a folder of images, through the same decoding, rectification and depth limits as from topics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from moss_ros.config import MossConfig
from moss_ros.messages.errors import MessageError
from moss_ros.records import Frame
from moss_ros.replay.folders.images import read_color, read_depth
from moss_ros.replay.folders.messages import color_message, depth_message, info_message
from moss_ros.replay.folders.opening import open_folder
from moss_ros.replay.folders.recording import Shot
from moss_ros.replay.message_maker import MessageMaker
from moss_ros.source.frame_builder import FrameBuilder
from moss_ros.source.matcher import Match


class FolderSource:
    """Frames of one folder; iterate it as often as you like."""

    def __init__(self, path: Path, config: MossConfig) -> None:
        """Reads everything but the images. Raises FolderError."""
        self.recording = open_folder(Path(path), config.input)
        self.frame_count = len(self.recording.shots)  # about: some images may be unreadable
        self._config = config
        self._messages = MessageMaker()
        self._color_info = info_message(self._messages, 1, self.recording.color)
        self._depth_info = info_message(self._messages, 1, self.recording.depth_optics)
        self._start()

    @property
    def received(self) -> int:
        """Colour images so far, also those without depth or pose."""
        return self._received

    @property
    def used(self) -> int:
        """Frames given out so far."""
        return self._builder.used

    @property
    def drops(self) -> Counter[str]:
        """Images that gave no frame, by reason."""
        return self._builder.drops

    @property
    def last_message(self) -> dict[str, str]:
        """The last message of each reason; it names the fix."""
        return self._builder.last_message

    def __iter__(self) -> Iterator[Frame]:
        self._start()
        for shot in self.recording.shots:
            self._received += 1
            frame = self._frame(shot)
            if frame is not None:
                yield frame

    def _start(self) -> None:
        recording = self.recording
        self._received = recording.color_count - len(recording.shots)
        self._builder = FrameBuilder(self._config)
        messages = recording.drops.messages
        for reason, count in recording.drops.counts.items():
            self._builder.drop_log.add(reason, messages[reason], count)

    def _frame(self, shot: Shot) -> Frame | None:
        try:
            color, depth = self._images(shot)
        except MessageError as error:
            self._builder.drop_log.add(error.reason, error.text)
            return None
        return self._builder.build(
            Match(shot.stamp_ns, color, depth, self._color_info, self._depth_info, shot.world_from_camera)
        )

    def _images(self, shot: Shot) -> tuple[Any, Any]:
        """Messages of both images. Raises MessageError."""
        color = color_message(self._messages, shot.stamp_ns, read_color(shot.color))
        depth = depth_message(self._messages, shot.stamp_ns, read_depth(shot.depth), self.recording.depth_scale)
        return color, depth
