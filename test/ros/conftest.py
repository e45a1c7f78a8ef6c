"""Own ROS domain for each test process, images that fit into shared memory, and test/ on the path."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test"))
os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)  # workers side by side must not hear each other
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
os.environ["FASTDDS_DEFAULT_PROFILES_FILE"] = str(ROOT / "config" / "fastdds_shm.xml")


@pytest.fixture
def context():
    """A ROS context of its own."""
    import rclpy

    out = rclpy.Context()
    rclpy.init(context=out)
    yield out
    rclpy.try_shutdown(context=out)
