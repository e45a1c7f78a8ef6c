from __future__ import annotations

from pathlib import Path

import pytest
from tiny_wordnet import write_tiny_wordnet

from moss_ros.train.words.wordnet import WordNet


@pytest.fixture
def tiny_folder(tmp_path: Path) -> Path:
    return write_tiny_wordnet(tmp_path)


@pytest.fixture
def tiny(tiny_folder: Path) -> WordNet:
    return WordNet.load(tiny_folder)
