"""Start, spin and end a node so that Ctrl-C and SIGTERM leave with exit code 0."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Protocol

import rclpy
from rclpy.executors import Executor, ExternalShutdownException, MultiThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation

from moss_ros.config import ConfigError


class StoppableNode(Protocol):
    """A node that must end its own thread before it is destroyed."""

    def stop(self) -> None:
        """End the thread."""
        ...

    def destroy_node(self) -> None:
        """Take it out of the graph."""
        ...


def spin(executor: Executor) -> None:
    """Spin until shutdown, also while another thread takes subscriptions away.

    A managed node does that when it is deactivated: rclpy then meets a handle that is gone while it waits, and raises.
    That turn of waiting is lost, nothing else.
    """
    while executor.context.ok() and not executor._is_shutdown:
        try:
            executor.spin_once()
        except rclpy_implementation.InvalidHandle:
            continue


def run_node(make: Callable[[], Any], arguments: list[str] | None = None, threads: int = 4) -> int:
    """Make the node, spin it until shutdown, destroy it. Returns the exit code; 2 when the user can fix it."""
    rclpy.init(args=arguments)
    node: StoppableNode | None = None
    executor: MultiThreadedExecutor | None = None
    try:
        made = make()
        node = made
        executor = MultiThreadedExecutor(num_threads=threads)
        executor.add_node(made)
        spin(executor)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (ConfigError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except Exception:
        if rclpy.ok():  # a wait set of a context that is already shut down raises too; that one is the normal end
            raise
    finally:
        if node is not None:
            node.stop()  # first, so that no callback waits for the work any more
        if executor is not None:
            executor.shutdown(timeout_sec=5.0)
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
    return 0
