"""Plays a rosbag2 folder onto its topics, with /clock; needs no rosbag2 installation."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rclpy
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.duration import Duration
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile
from rosbags.highlevel import AnyReader
from rosgraph_msgs.msg import Clock

from moss_ros.messages.bag_file import open_bag
from moss_ros.ros.conversions import time_msg

_CLOCK_STEP_S = 0.01
_SETTLE_S = 0.5  # the listeners count as complete when none came for so long
_IMAGES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """Parameters of the player."""

    bag: str
    rate: float
    loop: bool
    start_s: float
    duration_s: float
    wait_for_subscribers: float


class Stopped(Exception):
    """The context was shut down."""


class PlayerNode(Node):
    """One publisher for each topic of the bag."""

    def __init__(self) -> None:
        super().__init__("player")
        self.options = self._declare()
        self._clock_publisher = self.create_publisher(Clock, "/clock", 10)
        self._topics: dict[str, Publisher] = {}

    def play(self) -> None:
        """Play to the end (for ever with loop). Raises BagError; Stopped on shutdown."""
        with open_bag(Path(self.options.bag)) as reader:
            self._advertise(reader)
            if self.options.wait_for_subscribers > 0:
                self._wait_for_subscribers(reader)
            while True:
                count = self._play_once(reader)
                self.get_logger().info(f"played {count} messages of {self.options.bag}")
                if not self.options.loop or count == 0:
                    break
        for publisher in self._topics.values():
            publisher.wait_for_all_acked(Duration(seconds=2))

    def _declare(self) -> PlayOptions:
        out = PlayOptions(
            bag=self.declare_parameter("bag", "").value,
            rate=float(self._number("rate", 1.0)),
            loop=self.declare_parameter("loop", False).value,
            start_s=float(self._number("start_s", 0.0)),
            duration_s=float(self._number("duration_s", 0.0)),
            wait_for_subscribers=float(self._number("wait_for_subscribers", 10.0)),
        )
        if not out.bag:
            raise ValueError("give the bag to play: --ros-args -p bag:=FOLDER")
        if out.rate <= 0:
            raise ValueError(f"rate must be positive, got {out.rate}")
        return out

    def _number(self, name: str, default: float) -> float:
        value: Any = self.declare_parameter(name, default, ParameterDescriptor(dynamic_typing=True)).value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"{name} must be a number, got {value!r}")
        return value

    def _advertise(self, reader: AnyReader) -> None:
        for connection in reader.connections:
            if connection.topic in self._topics or connection.topic == "/clock":
                continue
            kind = _message_class(connection.msgtype)
            if kind is None:
                self.get_logger().warning(f"{connection.topic} is left out: {connection.msgtype} is not installed")
                continue
            qos = QoSProfile(depth=100 if connection.msgtype not in _IMAGES else 10)
            if connection.topic.endswith("tf_static"):
                qos.durability = DurabilityPolicy.TRANSIENT_LOCAL
            self._topics[connection.topic] = self.create_publisher(kind, connection.topic, qos)

    def _wait_for_subscribers(self, reader: AnyReader) -> None:
        """Until somebody listens to an image and no listener was added for a moment, at most so long as asked."""
        images = {c.topic for c in reader.connections if c.msgtype in _IMAGES}
        end = time.monotonic() + self.options.wait_for_subscribers
        counts: dict[str, int] = {}
        since = time.monotonic()
        while time.monotonic() < end:
            now = {topic: p.get_subscription_count() for topic, p in self._topics.items()}
            if now != counts:
                counts, since = now, time.monotonic()
            heard = not images or any(counts.get(topic) for topic in images)
            if heard and any(counts.values()) and time.monotonic() - since > _SETTLE_S:
                return
            _sleep(0.05)
        self.get_logger().warning("nobody subscribes to the images of this bag; playing all the same")

    def _play_once(self, reader: AnyReader) -> int:
        first_ns: int | None = None
        start = time.monotonic()
        count = 0
        for topic, stamp_ns, raw in self._messages(reader):
            if first_ns is None:
                first_ns = stamp_ns
            self._wait_until(start, first_ns, stamp_ns)
            self._topics[topic].publish(raw)
            count += 1
        return count

    def _messages(self, reader: AnyReader) -> Iterator[tuple[str, int, bytes]]:
        """(topic, receive time, serialized message) of the part asked for; static transforms always."""
        begin = reader.start_time + int(self.options.start_s * 1e9)
        end = begin + int(self.options.duration_s * 1e9) if self.options.duration_s > 0 else reader.end_time + 1
        connections = [c for c in reader.connections if c.topic in self._topics]
        static = [c for c in connections if c.topic.endswith("tf_static")]
        for connection, _, raw in reader.messages(connections=static, stop=begin) if static else ():
            yield connection.topic, begin, bytes(raw)
        if connections:
            for connection, stamp_ns, raw in reader.messages(connections=connections, start=begin, stop=end):
                yield connection.topic, stamp_ns, bytes(raw)

    def _wait_until(self, start: float, first_ns: int, stamp_ns: int) -> None:
        """Sleep to the moment of the message, with the clock running."""
        goal = start + (stamp_ns - first_ns) / 1e9 / self.options.rate
        while (left := goal - time.monotonic()) > _CLOCK_STEP_S:
            self._tell_time(stamp_ns - int(left * 1e9 * self.options.rate))
            _sleep(_CLOCK_STEP_S)
        _sleep(max(0.0, left))
        self._tell_time(stamp_ns)

    def _tell_time(self, stamp_ns: int) -> None:
        self._clock_publisher.publish(Clock(clock=time_msg(stamp_ns)))


def _sleep(seconds: float) -> None:
    if not rclpy.ok():
        raise Stopped
    time.sleep(seconds)


def _message_class(name: str) -> Any:
    """Class of "package/msg/Type"; None when the package is not installed."""
    package, _, kind = name.split("/")
    try:
        return getattr(importlib.import_module(f"{package}.msg"), kind, None)
    except ImportError:
        return None


def main(arguments: list[str] | None = None) -> int:
    """Entry point; 0 at the end of the bag and on Ctrl-C or SIGTERM, 2 when the user can fix it."""
    rclpy.init(args=arguments)
    node: PlayerNode | None = None
    try:
        node = PlayerNode()
        node.play()
    except (KeyboardInterrupt, ExternalShutdownException, Stopped):
        pass
    except ValueError as error:
        print(f"player: {error}", file=sys.stderr)
        return 2
    except Exception:
        if rclpy.ok():  # publishing into a context that is shut down raises: that is the normal end
            raise
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
