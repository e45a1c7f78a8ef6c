"""A ScanNet scene as the exporter of its .sens file writes it.

color/N.jpg, depth/N.png (16 bit, mm), pose/N.txt (4x4 world_from_camera), intrinsic/intrinsic_color.txt and
intrinsic_depth.txt (4x4). Colour and depth have different sizes; both are seen from the same place.
"""

from __future__ import annotations

from pathlib import Path

from moss_ros.config import InputConfig
from moss_ros.replay.folders.by_number import join, stamp_of_number
from moss_ros.replay.folders.poses import read_pose
from moss_ros.replay.folders.recording import Recording
from moss_ros.replay.folders.text_files import optics_of_matrix
from moss_ros.source.drops import DropLog

FILES = "color/N.jpg, depth/N.png, pose/N.txt, intrinsic/intrinsic_color.txt, intrinsic/intrinsic_depth.txt"
DEPTH_SCALE = 1000.0
_FIX = "export the scene again with its intrinsics (--export_intrinsics)"


def fits(folder: Path) -> bool:
    """Whether the folder looks like this layout."""
    return all((folder / name).is_dir() for name in ("color", "depth", "pose"))


def read(folder: Path, config: InputConfig) -> Recording:
    """The scene's shots. Raises FolderError."""
    color_optics = optics_of_matrix(folder / "intrinsic" / "intrinsic_color.txt", _FIX)
    depth_optics = optics_of_matrix(folder / "intrinsic" / "intrinsic_depth.txt", _FIX)
    color = _numbered(folder / "color", (".jpg", ".jpeg", ".png"))
    depth = _numbered(folder / "depth", (".png",))
    poses = {n: read_pose(path) for n, path in _numbered(folder / "pose", (".txt",)).items()}
    drops = DropLog()
    shots = join(color, depth, poses, stamp_of_number, drops)
    return Recording(folder, shots, len(color), color_optics, depth_optics, DEPTH_SCALE, drops)


def _numbered(folder: Path, suffixes: tuple[str, ...]) -> dict[int, Path]:
    """{N: file} of the files named N."""
    files = (p for p in folder.iterdir() if p.suffix.lower() in suffixes and p.stem.isdecimal())
    return {int(p.stem): p for p in files}
