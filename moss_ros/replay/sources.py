"""A recording by its path: a bag or a folder of images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from moss_ros.config import MossConfig
from moss_ros.messages.bag_file import BagError
from moss_ros.replay.bag import BagSource, guess_topics
from moss_ros.replay.folders.opening import known_layouts, layout_of
from moss_ros.replay.folders.source import FolderSource


def open_source(
    path: Path, configure: Callable[[dict[str, Any]], MossConfig]
) -> tuple[BagSource | FolderSource, MossConfig]:
    """Frames of the recording, and its configuration.

    configure makes it from the values that the recording suggests. Raises BagError, FolderError.
    """
    path = Path(path)
    if not (path / "metadata.yaml").exists() and layout_of(path) is not None:
        config = configure({})
        return FolderSource(path, config), config
    try:
        config = configure(guess_topics(path))
    except BagError as error:
        if path.is_dir() and not _holds_bag_files(path):
            raise BagError(f"{error}\nA folder of images needs one of these layouts:\n{known_layouts()}") from None
        raise
    return BagSource(path, config), config


def _holds_bag_files(path: Path) -> bool:
    return any((path / "metadata.yaml").exists() or p.suffix in (".mcap", ".db3") for p in path.iterdir())
