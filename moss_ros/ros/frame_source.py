"""Subscriptions by configuration; callbacks only hand messages to the matcher."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from moss_ros.config import ConfigError, InputConfig
from moss_ros.source.matcher import Match, Matcher

_POSE_DEPTH = 200


class FrameSource:
    """Feeds a matcher from topics; every match goes to ``on_match``."""

    def __init__(self, node: Node, config: InputConfig, matcher: Matcher, on_match: Callable[[Match], None]) -> None:
        """Raises ConfigError when a message package for the pose source is missing."""
        self._node = node
        self._on_match = on_match
        # One group: the matcher is not thread-safe.
        self._group = MutuallyExclusiveCallbackGroup()
        reliable = config.reliability == "reliable"
        images = _qos(config.queue_size, reliable)
        # Best effort hears both kinds of publishers.
        infos = _qos(config.queue_size, reliable=False)
        self._subscribe(_image_type(config.color_topic), config.color_topic, matcher.add_color, images)
        self._subscribe(_image_type(config.depth_topic), config.depth_topic, matcher.add_depth, images)
        self._subscribe(CameraInfo, config.color_info_topic, lambda m: matcher.add_info("color", m), infos)
        if config.depth_info_topic:
            self._subscribe(CameraInfo, config.depth_info_topic, lambda m: matcher.add_info("depth", m), infos)
        if config.pose_source == "pose":
            self._subscribe(PoseStamped, config.pose_topic, matcher.add_pose, _qos(_POSE_DEPTH, reliable=False))
        elif config.pose_source == "odometry":
            self._subscribe(Odometry, config.pose_topic, matcher.add_odometry, _qos(_POSE_DEPTH, reliable=False))
        else:
            self._subscribe_tf(matcher)

    def _subscribe_tf(self, matcher: Matcher) -> None:
        try:
            from tf2_msgs.msg import TFMessage
        except ImportError as error:
            raise ConfigError(
                "input.pose_source is tf but tf2_msgs is not installed: run the set-up again, or use pose_source pose "
                "or odometry"
            ) from error
        latched = _qos(_POSE_DEPTH, reliable=True)
        latched.durability = DurabilityPolicy.TRANSIENT_LOCAL
        self._subscribe(TFMessage, "/tf_static", lambda m: matcher.add_tf(m, static=True), latched)
        self._subscribe(TFMessage, "/tf", matcher.add_tf, _qos(_POSE_DEPTH, reliable=True))

    def _subscribe(self, kind: type, topic: str, add: Callable[[Any], list[Match]], qos: QoSProfile) -> None:
        def receive(msg: Any) -> None:
            for match in add(msg):
                self._on_match(match)

        self._node.create_subscription(kind, topic, receive, qos, callback_group=self._group)


def _image_type(topic: str) -> type:
    return CompressedImage if topic.endswith(("/compressed", "/compressedDepth")) else Image


def _qos(depth: int, reliable: bool) -> QoSProfile:
    policy = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
    return QoSProfile(depth=depth, reliability=policy)
