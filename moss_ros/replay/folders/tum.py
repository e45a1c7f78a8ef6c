"""A sequence in the format of the TUM RGB-D benchmark.

rgb.txt and depth.txt (lines ``stamp path``), groundtruth.txt (lines ``stamp tx ty tz qx qy qz qw``), depth 16 bit with
5000 units per metre, registered to colour. https://cvg.cit.tum.de/data/datasets/rgbd-dataset/file_formats
"""

from __future__ import annotations

import re
from pathlib import Path

from moss_ros.config import InputConfig
from moss_ros.replay.folders.by_time import Timeline, associate
from moss_ros.replay.folders.poses import TUM_LINE
from moss_ros.replay.folders.recording import FolderError, Optics, Recording
from moss_ros.replay.folders.text_files import numbers, read_optics, read_rows, stamp_ns
from moss_ros.source.drops import DropLog

FILES = "rgb.txt, depth.txt, groundtruth.txt, and intrinsics.txt unless the name says freiburg1, 2 or 3"
DEPTH_SCALE = 5000.0

# The benchmark's own calibrations of its three cameras. It advises against undistorting because interpolated depth is
# wrong at edges; here depth is taken from the nearest pixel, with the same maps as colour, so the two stay registered.
_CAMERAS = {
    "1": Optics(517.3, 516.5, 318.6, 255.3, 640, 480, (0.2624, -0.9531, -0.0054, 0.0026, 1.1633)),
    "2": Optics(520.9, 521.0, 325.1, 249.7, 640, 480, (0.2312, -0.7849, -0.0033, -0.0001, 0.9172)),
    "3": Optics(535.4, 539.2, 320.1, 247.6, 640, 480),
}


def fits(folder: Path) -> bool:
    """Whether the folder looks like this layout."""
    return (folder / "rgb.txt").is_file()


def read(folder: Path, config: InputConfig) -> Recording:
    """The sequence's shots. Raises FolderError."""
    optics = _optics(folder)
    color = read_image_list(folder / "rgb.txt")
    depth = read_image_list(folder / "depth.txt")
    poses = read_trajectory(folder / "groundtruth.txt")
    drops = DropLog()
    shots = associate(color, depth, poses, config, drops)
    return Recording(folder, shots, len(color.values), optics, None, DEPTH_SCALE, drops)


def read_image_list(path: Path) -> Timeline:
    """Stamps and files of lines ``stamp path``; the path is relative to the folder of the list."""
    line_format = "stamp path, e.g. 1305031102.175304 rgb/1305031102.175304.png"
    stamps, files = [], []
    for line, words in read_rows(path, f"write lines {line_format}"):
        if len(words) != 2:
            raise FolderError(f"{path}:{line}: {len(words)} words instead of 2: write {line_format}")
        stamps.append(stamp_ns(path, line, words[0]))
        files.append(path.parent / words[1])
    return Timeline(path.name, stamps, files)


def read_trajectory(path: Path) -> Timeline:
    """Stamps and (7,) tx ty tz qx qy qz qw of lines in the benchmark's format."""
    rows = read_rows(path, f"write lines {TUM_LINE}")
    values = [numbers(path, row, (8,), TUM_LINE)[1:] for row in rows]
    return Timeline(path.name, [stamp_ns(path, line, words[0]) for line, words in rows], values)


def _optics(folder: Path) -> Optics:
    path = folder / "intrinsics.txt"
    if path.is_file():
        return read_optics(path, "")
    found = re.search(r"(?:freiburg|fr)([123])(?!\d)", folder.resolve().name, re.IGNORECASE)
    if found is None:
        raise FolderError(
            f"{path} is missing, and the folder's name does not say freiburg1, freiburg2 or freiburg3: write one line "
            "fx fy cx cy (pixels; 5 distortion coefficients may follow), or describe the folder in a manifest.yaml"
        )
    return _CAMERAS[found[1]]
