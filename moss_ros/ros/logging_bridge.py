"""The core logs with the standard library; this sends its records to the ROS log."""

from __future__ import annotations

import logging
from typing import Any


class RosLogHandler(logging.Handler):
    """Handler that writes to a ROS logger."""

    def __init__(self, logger: Any) -> None:
        super().__init__()
        self._logger = logger
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record with its severity."""
        text = self.format(record)
        # One call site for each severity: rclpy binds the severity to the line that calls it.
        if record.levelno >= logging.ERROR:
            self._logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(text)
        elif record.levelno >= logging.INFO:
            self._logger.info(text)
        else:
            self._logger.debug(text)


def forward_core_logs(logger: Any) -> RosLogHandler:
    """Send everything the package logs (INFO and above) to a ROS logger; returns the handler to remove at the end."""
    handler = RosLogHandler(logger)
    core = logging.getLogger("moss_ros")
    core.addHandler(handler)
    core.setLevel(logging.INFO)
    return handler
