"""The topics that the mapper publishes."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock
from typing import Any

from moss_msgs.msg import InstanceArray, InstanceEvent
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import PointCloud2
from visualization_msgs.msg import MarkerArray

from moss_ros.instances.instance_map import LoggedEvent
from moss_ros.records import Snapshot
from moss_ros.ros.clouds import cloud_msg
from moss_ros.ros.conversions import event_msg, header_msg, instance_array
from moss_ros.ros.detections import Detection3DArray, detection_array
from moss_ros.ros.markers import MarkerBoard

EVENTS_QOS = QoSProfile(depth=500, durability=DurabilityPolicy.TRANSIENT_LOCAL)  # a first look at a room is > 100 lines
_LAST_WORDS = Duration(seconds=1)


class Outputs:
    """Publishers. The worker's thread calls snapshot and cloud, a timer calls markers."""

    def __init__(self, node: Node, frame: str) -> None:
        self._node = node
        self._frame = frame
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._instances = node.create_publisher(InstanceArray, "~/instances", latched)
        self._events = node.create_publisher(InstanceEvent, "~/events", EVENTS_QOS)
        self._markers = node.create_publisher(MarkerArray, "~/markers", QoSProfile(depth=10))
        self._cloud = node.create_publisher(PointCloud2, "~/cloud", QoSProfile(depth=1))
        self._detections = (
            None if Detection3DArray is None else node.create_publisher(Detection3DArray, "~/detections", 10)
        )
        self._board = MarkerBoard(frame)
        self._board_lock = Lock()
        self._marker_listeners = 0

    def snapshot(self, snapshot: Snapshot) -> None:
        """Publish the instances; the markers follow at their own pace."""
        self._instances.publish(instance_array(snapshot, self._frame))
        if self._detections is not None:
            self._detections.publish(detection_array(snapshot, self._frame))
        with self._board_lock:
            self._board.update(snapshot)

    def events(self, events: Iterable[LoggedEvent]) -> None:
        """Publish lines of the log of identities."""
        for event in events:
            self._events.publish(event_msg(event))

    def cleared(self, stamp_ns: int, ids: frozenset[int]) -> None:
        """Tell everybody that the map is empty now."""
        self.snapshot(Snapshot(stamp_ns, (), frozenset(), ids))

    def wait_until_heard(self) -> None:
        """Give the listeners a second to receive what was published last."""
        self._instances.wait_for_all_acked(_LAST_WORDS)
        self._events.wait_for_all_acked(_LAST_WORDS)

    def close(self) -> None:
        """Take the topics out of the graph."""
        for publisher in (self._instances, self._events, self._markers, self._cloud, self._detections):
            if publisher is not None:
                self._node.destroy_publisher(publisher)

    def markers(self) -> None:
        """Publish the changed markers; all of them when somebody new listens."""
        listeners = self._markers.get_subscription_count()
        is_new = listeners > self._marker_listeners
        self._marker_listeners = listeners
        if not listeners:
            return
        with self._board_lock:
            message = self._board.take(everything=is_new)
        if message is not None:
            self._markers.publish(message)

    @property
    def cloud_is_wanted(self) -> bool:
        """Whether anybody listens to the cloud."""
        return self._cloud.get_subscription_count() > 0

    def cloud(self, cloud: Any, stamp_ns: int) -> None:
        """Publish the labelled cloud of the pipeline."""
        header = header_msg(stamp_ns, self._frame)
        self._cloud.publish(cloud_msg(header, cloud.points_m, cloud.colors_rgb, cloud.instance_ids))
