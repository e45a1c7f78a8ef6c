"""Shared fixtures."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("MOSS_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """``shared_data("real_redkitchen/bag")``: that path below MOSS_DATA; skips the test if missing."""

    def find(name: str) -> Path:
        path = DATA / name
        if not path.exists():
            pytest.skip(f"needs {name} in the folder MOSS_DATA (default ../shared/data)")
        return path

    return find
