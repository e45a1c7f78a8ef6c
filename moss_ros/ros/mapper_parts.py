"""What the mapper consists of while it is configured: matcher -> worker (pipeline) -> publishers."""

from __future__ import annotations

import time
from concurrent.futures import Future

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.timer import Timer

from moss_ros.config import MossConfig
from moss_ros.records import Snapshot
from moss_ros.ros.diagnostics import Health, HealthReport
from moss_ros.ros.frame_source import FrameSource
from moss_ros.ros.outputs import Outputs
from moss_ros.ros.worker import MappingPipeline, Worker
from moss_ros.source.frame_builder import FrameBuilder

_FORGET_S = 60.0


class MapperParts:
    """Made inactive: requests are served, but no camera is heard before activate. Callbacks only hand over."""

    def __init__(self, node: Node, config: MossConfig, pipeline: MappingPipeline) -> None:
        self._node = node
        self._config = config
        self._builder = FrameBuilder(config)
        self.frame = config.input.map_frame
        self._outputs = Outputs(node, self.frame)
        drops, build = self._builder.drop_log, self._builder.build
        self.worker = Worker(pipeline, config, drops, build, self._publish)
        self.worker.pause()
        self._source: FrameSource | None = None
        self._report = HealthReport(
            node.get_fully_qualified_name(), config.input.color_topic, config.node.warn_period_s
        )
        self._diagnostics = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._cloud_request: Future[None] | None = None
        self._timers = self._start_timers()
        self.worker.start()

    def activate(self) -> None:
        """Subscribe and map. Raises ConfigError when a package for the pose source is missing."""
        self._source = FrameSource(self._node, self._config.input, self._builder.matcher, self.worker.put)
        self.worker.resume()

    def deactivate(self) -> None:
        """Ignore the camera; the map stays, and what was mapped is segmented when it goes on."""
        if self._source is not None:
            complete = self._source.close()
            if complete:
                self._builder.drop_log.add("inactive", "the node was deactivated while these images waited", complete)
            self._source = None
        self.worker.pause()

    def drop_map(self) -> None:
        """Empty the map, and wait until the listeners know."""
        self.worker.submit(self.forget_map).result(_FORGET_S)
        self._outputs.wait_until_heard()

    def close(self) -> bool:
        """End the thread and leave the graph; False when the thread does not come back."""
        self.deactivate()
        ended = self.worker.stop()  # first, so that no callback waits for the work any more
        for timer in self._timers:
            self._node.destroy_timer(timer)
        self._outputs.close()
        self._node.destroy_publisher(self._diagnostics)
        return ended

    def _start_timers(self) -> list[Timer]:
        # Wall time: a paused bag must not stop diagnostics and displays. In the node's default group, as its
        # transitions: no timer runs while they take publishers away.
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        periods = self._config.node
        return [
            self._node.create_timer(period_s, call, clock=clock)
            for period_s, call in (
                (periods.marker_period_s, self._outputs.markers),
                (periods.cloud_period_s, self._publish_cloud),
                (periods.diagnostics_period_s, self._publish_diagnostics),
            )
        ]

    def _publish(self, snapshot: Snapshot) -> None:
        """In the worker's thread, after each segmentation."""
        self._outputs.events(self.worker.pipeline.instances.take_events())
        self._outputs.snapshot(snapshot)

    def forget_map(self) -> None:
        """Empty the map, and tell the listeners. Runs in the worker's thread (submit it)."""
        old = self.worker.snapshot
        if old is not None:
            self.worker.pipeline.instances.lose_all(old.stamp_ns)
            self._outputs.events(self.worker.pipeline.instances.take_events())
        self.worker.reset()
        if old is not None:
            self._outputs.cleared(old.stamp_ns, frozenset(i.id for i in old.instances))

    def _publish_cloud(self) -> None:
        if not self._outputs.cloud_is_wanted or (self._cloud_request and not self._cloud_request.done()):
            return
        self._cloud_request = self.worker.submit(self._cloud_work)

    def _cloud_work(self) -> None:
        snapshot = self.worker.snapshot
        if snapshot is not None:
            self._outputs.cloud(self.worker.pipeline.cloud(), snapshot.stamp_ns)

    def _publish_diagnostics(self) -> None:
        snapshot = self.worker.snapshot
        health = Health(
            received=self._builder.received,
            used=self.worker.stepped,
            drops=self._builder.drops,
            messages=self._builder.last_message,
            stages=self.worker.summary,
            worker_alive=self.worker.is_alive,
            instances=len(snapshot.instances) if snapshot else 0,
            active=self._source is not None,
        )
        self._diagnostics.publish(self._report.message(health, self._node.get_clock().now().to_msg()))
        for sentence in self._report.warnings(health, time.monotonic()):
            self._node.get_logger().warning(sentence)


def not_configured(node_name: str) -> str:
    """What every service answers while the node consists of nothing."""
    return f"the node is not configured: ros2 lifecycle set {node_name} configure"
