import logging

from moss_ros.ros.logging_bridge import forward_core_logs


class Recorder:
    """Stands for a ROS logger."""

    def __init__(self):
        self.lines = []

    def __getattr__(self, severity):
        return lambda text: self.lines.append((severity, text))


def test_records_keep_their_severity():
    recorder = Recorder()
    handler = forward_core_logs(recorder)
    try:
        log = logging.getLogger("moss_ros.somewhere")
        log.debug("hidden")
        log.info("one %d", 1)
        log.warning("two")
        log.error("three")
    finally:
        logging.getLogger("moss_ros").removeHandler(handler)
    assert recorder.lines == [
        ("info", "moss_ros.somewhere: one 1"),
        ("warning", "moss_ros.somewhere: two"),
        ("error", "moss_ros.somewhere: three"),
    ]
