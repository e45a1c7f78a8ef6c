"""The small scene as folders."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from small_scene import write_run, write_scene  # noqa: E402


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """Folder of the small scene."""
    return write_scene(tmp_path / "scene")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Folder of a run in that scene."""
    return write_run(tmp_path / "run")
