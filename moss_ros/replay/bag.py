"""Frames from a recorded bag (rosbag2 folder, MCAP or sqlite3), without ROS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection

from moss_ros.config import MossConfig
from moss_ros.messages.bag_file import BagError, open_bag
from moss_ros.records import Frame
from moss_ros.replay.topic_guess import guess
from moss_ros.source.frame_builder import FrameBuilder

Handler = Callable[[Any], list[Frame]]

_TYPES = {
    "color": ("Image", "CompressedImage"),
    "depth": ("Image", "CompressedImage"),
    "info": ("CameraInfo",),
    "pose": ("PoseStamped",),
    "odometry": ("Odometry",),
    "tf": ("TFMessage",),
}


class BagSource:
    """Frames of one bag, by the topics of config.input; iterate it as often as you like."""

    def __init__(self, path: Path, config: MossConfig) -> None:
        """Checks that the topics are there. Raises BagError."""
        self.path = Path(path)
        self._config = config
        self._builder = FrameBuilder(config)
        with open_bag(self.path) as reader:
            self._connections(reader)
            topic = reader.topics[config.input.color_topic]
            self.frame_count = topic.msgcount  # about: some images may find no partner or pose
            self.duration_s = reader.duration / 1e9

    @property
    def received(self) -> int:
        """Colour images read so far."""
        return self._builder.received

    @property
    def used(self) -> int:
        """Frames given out so far."""
        return self._builder.used

    @property
    def drops(self) -> Counter[str]:
        """Messages that gave no frame, by reason."""
        return self._builder.drops

    @property
    def last_message(self) -> dict[str, str]:
        """The last message of each reason; it names the fix."""
        return self._builder.last_message

    def __iter__(self) -> Iterator[Frame]:
        self._builder = FrameBuilder(self._config)
        with open_bag(self.path) as reader:
            handlers = self._connections(reader)
            self._read_static(reader, handlers)
            try:
                for connection, _, raw in reader.messages(connections=[c for c, _ in handlers.values()]):
                    if connection.topic == "/tf_static":
                        continue
                    yield from self._handle(reader, connection, raw, handlers[connection.id][1])
            except Exception as error:  # rosbags lets errors of sqlite, struct and zstd through
                raise BagError(
                    f"{self.path} breaks off ({type(error).__name__}: {error}): the frames before it were used; "
                    "repair the bag with `ros2 bag reindex` or `mcap recover`"
                ) from error
        yield from self._builder.flush()

    def _handle(self, reader: AnyReader, connection: Connection, raw: Any, handlers: list[Handler]) -> list[Frame]:
        try:
            message = reader.deserialize(raw, connection.msgtype)
        except Exception as error:  # a damaged message must not end the replay, whatever its bytes do
            self._builder.drop_log.add(
                "corrupt_message",
                f"a message on {connection.topic} cannot be read ({type(error).__name__}: {error}): the recording "
                "is damaged there",
            )
            return []
        return [frame for handler in handlers for frame in handler(message)]

    def _read_static(self, reader: AnyReader, handlers: dict[int, Any]) -> None:
        """Static transforms hold for the whole bag, also before they were recorded."""
        static = [c for c, _ in handlers.values() if c.topic == "/tf_static"]
        for connection, _, raw in reader.messages(connections=static) if static else ():
            self._handle(reader, connection, raw, handlers[connection.id][1])

    def _connections(self, reader: AnyReader) -> dict[int, tuple[Connection, list[Handler]]]:
        """{connection id: (connection, where its messages go)}. Raises BagError for a missing or unfit topic."""
        out: dict[int, tuple[Connection, list[Handler]]] = {}
        for topic, kind, handler in self._topics():
            connections = [c for c in reader.connections if c.topic == topic]
            if not connections and topic != "/tf_static":
                raise BagError(f"no topic {topic} in {self.path}; the topics there are: {_listed(reader)}")
            for connection in connections:
                if _short(connection) not in _TYPES[kind]:
                    raise BagError(
                        f"{topic} is a {connection.msgtype}, not {' or '.join(_TYPES[kind])}; the topics there "
                        f"are: {_listed(reader)}"
                    )
                # One camera_info may serve both images.
                out.setdefault(connection.id, (connection, []))[1].append(handler)
        return out

    def _topics(self) -> list[tuple[str, str, Handler]]:
        """(topic, kind, handler) of everything the configuration wants to read."""
        builder, c = self._builder, self._config.input
        topics: list[tuple[str, str, Handler]] = [
            (c.color_topic, "color", builder.add_color),
            (c.depth_topic, "depth", builder.add_depth),
            (c.color_info_topic, "info", builder.add_color_info),
        ]
        if c.depth_info_topic:
            topics.append((c.depth_info_topic, "info", builder.add_depth_info))
        if c.pose_source == "pose":
            topics.append((c.pose_topic, "pose", builder.add_pose))
        elif c.pose_source == "odometry":
            topics.append((c.pose_topic, "odometry", builder.add_odometry))
        else:
            topics.append(("/tf", "tf", builder.add_tf))
            topics.append(("/tf_static", "tf", lambda msg: builder.add_tf(msg, static=True)))
        return topics


def guess_topics(path: Path) -> dict[str, Any]:
    """Configuration values ({"input.color_topic": ...}) that fit the topics of a bag, by their types and names.

    Raises BagError when there is no colour or depth.
    """
    with open_bag(Path(path)) as reader:
        return guess(reader, path)


def _short(connection: Connection) -> str:
    return connection.msgtype.rsplit("/", 1)[-1]


def _listed(reader: AnyReader) -> str:
    return ", ".join(sorted(f"{c.topic} ({_short(c)})" for c in reader.connections)) or "none"
