"""One recording that several tests read."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_home import record_small

from moss_ros.sim.run import Plan


@pytest.fixture(scope="session")
def small_recording(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Plan]:
    """Folder and plan of one recording."""
    folder = tmp_path_factory.mktemp("sim") / "small"
    return folder, record_small(folder)
