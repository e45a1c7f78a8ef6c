"""Subscriptions by configuration; callbacks only hand messages to the matcher."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from types import SimpleNamespace
from typing import Any

from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from moss_ros.config import ConfigError, InputConfig
from moss_ros.ros.tf2_lookup import Tf2Lookup, find_tf2
from moss_ros.source.matcher import Match, Matcher

_POSE_DEPTH = 200


class FrameSource:
    """Feeds a matcher from topics, until it is closed; every match goes to ``on_match``."""

    def __init__(self, node: Node, config: InputConfig, matcher: Matcher, on_match: Callable[[Match], None]) -> None:
        """Raises ConfigError when a package for the pose source is missing."""
        self._node = node
        self._matcher = matcher
        self._on_match = on_match
        # One group: the matcher is not thread-safe. The lock is for close, which comes from another thread.
        self._group = MutuallyExclusiveCallbackGroup()
        self._lock = Lock()
        self._is_open = True
        self._subscriptions: list[Subscription] = []
        self._tf2: Tf2Lookup | None = None
        reliable = config.reliability == "reliable"
        images = _qos(config.queue_size, reliable)
        # Best effort hears both kinds of publishers.
        infos = _qos(config.queue_size, reliable=False)
        self._subscribe_poses(config)
        self._subscribe(_image_type(config.color_topic), config.color_topic, matcher.add_color, images)
        self._subscribe(_image_type(config.depth_topic), config.depth_topic, matcher.add_depth, images)
        self._subscribe(CameraInfo, config.color_info_topic, lambda m: matcher.add_info("color", m), infos)
        if config.depth_info_topic:
            self._subscribe(CameraInfo, config.depth_info_topic, lambda m: matcher.add_info("depth", m), infos)

    def close(self) -> int:
        """Listen no more. Images that wait for a partner or a pose are forgotten; returns the complete ones of them."""
        with self._lock:
            self._is_open = False
            complete = len(self._matcher.flush())
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        if self._tf2 is not None:
            self._tf2.close()
        return complete

    def _subscribe_poses(self, config: InputConfig) -> None:
        matcher = self._matcher
        if config.pose_source == "pose":
            self._subscribe(PoseStamped, config.pose_topic, matcher.add_pose, _qos(_POSE_DEPTH, reliable=False))
        elif config.pose_source == "odometry":
            self._subscribe(Odometry, config.pose_topic, matcher.add_odometry, _qos(_POSE_DEPTH, reliable=False))
        elif (tf2_ros := find_tf2(config.tf_buffer)) is not None:
            self._listen_with_tf2(Tf2Lookup(tf2_ros, int(config.pose_gap_s * 1e9), int(config.sync_wait_s * 1e9)))
        else:
            self._subscribe_tf()

    def _listen_with_tf2(self, lookup: Tf2Lookup) -> None:
        matcher = self._matcher

        def receive(transform: Any, static: bool) -> None:
            self._hand_over(lambda t: matcher.add_tf(t, static), SimpleNamespace(transforms=[transform]))

        matcher.poses.use_transforms(lookup)
        lookup.listen(self._node, self._group, receive)
        self._tf2 = lookup

    def _subscribe_tf(self) -> None:
        try:
            from tf2_msgs.msg import TFMessage
        except ImportError as error:
            raise ConfigError(
                "input.pose_source is tf but tf2_msgs is not installed: run the set-up again, or use pose_source pose "
                "or odometry"
            ) from error
        matcher = self._matcher
        latched = _qos(_POSE_DEPTH, reliable=True)
        latched.durability = DurabilityPolicy.TRANSIENT_LOCAL
        self._subscribe(TFMessage, "/tf_static", lambda m: matcher.add_tf(m, static=True), latched)
        self._subscribe(TFMessage, "/tf", matcher.add_tf, _qos(_POSE_DEPTH, reliable=True))

    def _subscribe(self, kind: type, topic: str, add: Callable[[Any], list[Match]], qos: QoSProfile) -> None:
        made = self._node.create_subscription(
            kind, topic, lambda msg: self._hand_over(add, msg), qos, callback_group=self._group
        )
        self._subscriptions.append(made)

    def _hand_over(self, add: Callable[[Any], list[Match]], msg: Any) -> None:
        with self._lock:
            if self._is_open:
                for match in add(msg):
                    self._on_match(match)


def _image_type(topic: str) -> type:
    return CompressedImage if topic.endswith(("/compressed", "/compressedDepth")) else Image


def _qos(depth: int, reliable: bool) -> QoSProfile:
    policy = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
    return QoSProfile(depth=depth, reliability=policy)
