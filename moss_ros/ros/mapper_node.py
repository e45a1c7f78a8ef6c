"""The live node: topics in, instances out. Callbacks only hand over; the worker does the work."""

from __future__ import annotations

import logging
import sys
import time
from concurrent.futures import Future
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from moss_ros.pipeline import Pipeline
from moss_ros.ros.diagnostics import Health, HealthReport
from moss_ros.ros.frame_source import FrameSource
from moss_ros.ros.logging_bridge import forward_core_logs
from moss_ros.ros.outputs import Outputs
from moss_ros.ros.parameters import declare_config
from moss_ros.ros.run_node import run_node
from moss_ros.ros.services import Services
from moss_ros.ros.worker import MappingPipeline, Worker
from moss_ros.source.frame_builder import FrameBuilder
from moss_ros.warm_up import warm_up


class MapperNode(Node):
    """Puts the parts together: subscriptions -> matcher -> worker (pipeline) -> publishers."""

    def __init__(self, pipeline: MappingPipeline | None = None, **node_options: Any) -> None:
        """pipeline: another one than the real pipeline of the configuration (tests). Raises ConfigError."""
        super().__init__("mapper", **node_options)
        config = declare_config(self)
        frame = config.input.map_frame
        self._log_handler = forward_core_logs(self.get_logger())
        self._builder = FrameBuilder(config)
        self._outputs = Outputs(self, frame)
        self._worker = Worker(
            pipeline or _ready_pipeline(self, config),
            config,
            self._builder.drop_log,
            self._builder.build,
            self._outputs.snapshot,
        )
        self._source = FrameSource(self, config.input, self._builder.matcher, self._worker.put)
        self._answering = Services(self, self._worker, self._outputs, frame)
        self._report = HealthReport(
            self.get_fully_qualified_name(), config.input.color_topic, config.node.warn_period_s
        )
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._cloud_request: Future[None] | None = None
        self._start_timers(config.node)
        self._worker.start()
        self.get_logger().info(
            f"mapping {config.input.color_topic} and {config.input.depth_topic} in {frame!r}, poses from "
            f"{config.input.pose_topic if config.input.pose_source != 'tf' else '/tf'}"
        )

    def stop(self) -> None:
        """End the worker; call it before destroy_node."""
        if not self._worker.stop():
            self.get_logger().error("the mapping thread does not end")
        logging.getLogger("moss_ros").removeHandler(self._log_handler)

    def _start_timers(self, periods: Any) -> None:
        # Wall time: a paused bag must not stop diagnostics and displays.
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        group = MutuallyExclusiveCallbackGroup()
        for period_s, call in (
            (periods.marker_period_s, self._outputs.markers),
            (periods.cloud_period_s, self._publish_cloud),
            (periods.diagnostics_period_s, self._publish_diagnostics),
        ):
            self.create_timer(period_s, call, callback_group=group, clock=clock)

    def _publish_cloud(self) -> None:
        if not self._outputs.cloud_is_wanted or (self._cloud_request and not self._cloud_request.done()):
            return
        self._cloud_request = self._worker.submit(self._cloud_work)

    def _cloud_work(self) -> None:
        snapshot = self._worker.snapshot
        if snapshot is not None:
            self._outputs.cloud(self._worker.pipeline.cloud(), snapshot.stamp_ns)

    def _publish_diagnostics(self) -> None:
        snapshot = self._worker.snapshot
        health = Health(
            received=self._builder.received,
            used=self._worker.stepped,
            drops=self._builder.drops,
            messages=self._builder.last_message,
            stages=self._worker.summary,
            worker_alive=self._worker.is_alive,
            instances=len(snapshot.instances) if snapshot else 0,
        )
        self._diagnostics.publish(self._report.message(health, self.get_clock().now().to_msg()))
        for sentence in self._report.warnings(health, time.monotonic()):
            self.get_logger().warning(sentence)


def _ready_pipeline(node: Node, config: Any) -> Pipeline:
    """The real pipeline, compiled before the first image comes, so that none is lost to it."""
    start = time.monotonic()
    node.get_logger().info("compiling (a minute the first time, a second later on)")
    warm_up()
    node.get_logger().info(f"ready after {time.monotonic() - start:.1f} s")
    return Pipeline(config)


def main(arguments: list[str] | None = None) -> int:
    """Entry point."""
    return run_node(MapperNode, arguments)


if __name__ == "__main__":
    sys.exit(main())
