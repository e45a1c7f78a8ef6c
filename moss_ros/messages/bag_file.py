"""Opening a rosbag2 folder (MCAP or sqlite3) without ROS, with errors that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore


class BagError(ValueError):
    """A bag cannot be read; the message names the fix."""


@contextmanager
def open_bag(path: Path) -> Iterator[AnyReader]:
    """Reader of a rosbag2 folder. Raises BagError for a missing, foreign or broken bag."""
    path = Path(path)
    if not path.exists():
        raise BagError(f"{path} does not exist: give the folder that `ros2 bag record` wrote")
    if not path.is_dir() or not (path / "metadata.yaml").exists():
        raise BagError(
            f"{path} is not a rosbag2 folder: there is no metadata.yaml in it; give the folder and not the file, "
            "or run `ros2 bag reindex` on it"
        )
    reader = AnyReader([path], default_typestore=get_typestore(Stores.ROS2_KILTED))
    try:
        reader.open()
    except Exception as error:  # rosbags lets errors of yaml, sqlite and struct through
        raise BagError(
            f"{path} cannot be opened ({type(error).__name__}: {error}): the recording is cut off or damaged; try "
            "`ros2 bag reindex`, or `mcap recover` for an MCAP file"
        ) from error
    try:
        yield reader
    finally:
        reader.close()
