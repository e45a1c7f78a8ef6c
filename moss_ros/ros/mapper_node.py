"""The live node: topics in, instances out, managed by the ROS life cycle.

configure: read the parameters, compile, publish and answer. activate: subscribe and map. deactivate: ignore the
camera, keep the map. cleanup: drop the map. shutdown: end. By itself the node does the first two at its start.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from moss_ros.config import ConfigError, MossConfig
from moss_ros.pipeline import Pipeline
from moss_ros.ros.find_service import FindService
from moss_ros.ros.logging_bridge import forward_core_logs
from moss_ros.ros.mapper_parts import MapperParts
from moss_ros.ros.parameters import Parameters
from moss_ros.ros.run_node import run_node
from moss_ros.ros.services import Services
from moss_ros.ros.worker import MappingPipeline
from moss_ros.warm_up import warm_up


class MapperNode(LifecycleNode):
    """A transition that fails says why in the log, returns FAILURE and leaves the node as it was."""

    def __init__(self, pipeline: MappingPipeline | None = None, **node_options: Any) -> None:
        """pipeline: another one than the real pipeline of the configuration (tests).

        Raises ConfigError when the node starts by itself (node.autostart) and a parameter is wrong.
        """
        super().__init__("mapper", **node_options)
        self._given_pipeline = pipeline
        self._parts: MapperParts | None = None
        self._failure: Exception | None = None  # why the last transition failed
        self._log_handler = forward_core_logs(self.get_logger())
        self._settings = Parameters(self, may_change=lambda: self._parts is None)
        if self.get_parameter("node.autostart").value:
            self._start_by_itself()
        else:
            name = self.get_fully_qualified_name()
            self.get_logger().info(f"waiting to be configured: ros2 lifecycle set {name} configure")
        Services(self, lambda: self._parts)
        FindService(self, lambda: self._parts)

    def stop(self) -> None:
        """End the worker; call it before destroy_node."""
        self._close()
        logging.getLogger("moss_ros").removeHandler(self._log_handler)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Parameters, compilation, publishers and services."""
        return self._attempt("configure", self._configure)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscriptions and mapping."""
        return self._attempt("activate", self._activate)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Images are ignored, the map stays."""
        return self._attempt("deactivate", lambda: self._configured().deactivate())

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """The map is dropped."""
        return self._attempt("clean up", self._clean_up)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """The end; the process lives until it is interrupted."""
        return self._attempt("shut down", self._close)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """After an error inside rclpy: back to unconfigured."""
        return self._attempt("recover", self._close)

    def _start_by_itself(self) -> None:
        for trigger in (self.trigger_configure, self.trigger_activate):
            if trigger() != TransitionCallbackReturn.SUCCESS:
                self.stop()
                raise self._failure or RuntimeError("the node cannot start")

    def _attempt(self, what: str, work: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            work()
        except Exception as error:  # whatever it is, the node lives and may try again
            self._failure = error
            why = str(error) if isinstance(error, ConfigError) else traceback.format_exc()
            self.get_logger().error(f"cannot {what}: {why}")
            return TransitionCallbackReturn.FAILURE
        return TransitionCallbackReturn.SUCCESS

    def _configure(self) -> None:
        config = self._settings.config()
        self._parts = MapperParts(self, config, self._given_pipeline or self._ready_pipeline(config))

    def _ready_pipeline(self, config: MossConfig) -> Pipeline:
        """The real pipeline, compiled before the first image comes, so that none is lost to it."""
        start = time.monotonic()
        self.get_logger().info("compiling (a minute the first time, a second later on)")
        warm_up(config.masks)
        self.get_logger().info(f"ready after {time.monotonic() - start:.1f} s")
        return Pipeline(config)

    def _activate(self) -> None:
        self._configured().activate()
        given = self._settings.config().input
        self.get_logger().info(
            f"mapping {given.color_topic} and {given.depth_topic} in {given.map_frame!r}, poses from "
            f"{given.pose_topic if given.pose_source != 'tf' else '/tf'}"
        )

    def _clean_up(self) -> None:
        self._configured().drop_map()
        self._close()

    def _close(self) -> None:
        parts, self._parts = self._parts, None
        if parts is not None and not parts.close():
            self.get_logger().error("the mapping thread does not end")

    def _configured(self) -> MapperParts:
        if self._parts is None:
            raise RuntimeError("the node is not configured")
        return self._parts


def main(arguments: list[str] | None = None) -> int:
    """Entry point."""
    return run_node(MapperNode, arguments)


if __name__ == "__main__":
    sys.exit(main())
