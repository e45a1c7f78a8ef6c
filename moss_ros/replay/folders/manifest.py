"""A plain folder of images that a manifest.yaml describes.

    color: color/*.jpg          # a pattern (files in the order of their numbers), a list of files, or a list file
    depth: depth/*.png          #   with lines "stamp path"
    depth_scale: 1000           # units of the depth images per metre
    intrinsics: {fx: 525.0, fy: 525.0, cx: 319.5, cy: 239.5}    # pixels; also distortion, distortion_model
    depth_intrinsics: {...}     # only where the depth camera differs by more than the resolution
    poses: poses.txt            # lines "stamp tx ty tz qx qy qz qw" or 16 numbers, or a pattern of 4x4 files
    rate: 30                    # images per second; or stamps: FILE with one time in seconds a line

Poses are world_from_camera of the colour camera, world z up. With ``stamps`` (or list files) a pose is interpolated
at the image's time; with ``rate``, or poses without a stamp, the n-th pose belongs to the n-th image.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from moss_ros.config import InputConfig
from moss_ros.replay.folders.by_number import join, stamp_of_number
from moss_ros.replay.folders.by_time import Timeline, associate, clock_shift_ns, require_increasing
from moss_ros.replay.folders.manifest_file import Manifest, is_list_file, load
from moss_ros.replay.folders.poses import MATRIX_LINE, TUM_LINE, of_tum_numbers, read_pose, rigid
from moss_ros.replay.folders.recording import FolderError, Recording, Shot
from moss_ros.replay.folders.text_files import Row, numbers, read_rows, stamp_ns
from moss_ros.replay.folders.tum import read_image_list, read_trajectory
from moss_ros.source.drops import DropLog

FILES = "manifest.yaml, which names the images, poses and intrinsics"
_TUM_NUMBERS, _MATRIX_NUMBERS = 8, 16


def fits(folder: Path) -> bool:
    """Whether the folder looks like this layout."""
    return (folder / "manifest.yaml").is_file()


def read(folder: Path, config: InputConfig) -> Recording:
    """The described shots. Raises FolderError."""
    manifest = load(folder / "manifest.yaml")
    drops = DropLog()
    if is_list_file(manifest.color):
        count, shots = _by_list_files(manifest, config, drops)
    else:
        count, shots = _by_order(manifest, config, drops)
    return Recording(folder, shots, count, manifest.intrinsics, manifest.depth_intrinsics, manifest.depth_scale, drops)


def _by_list_files(manifest: Manifest, config: InputConfig, drops: DropLog) -> tuple[int, tuple[Shot, ...]]:
    """Number of colour images, and shots of images that each have a stamp."""
    if not is_list_file(manifest.depth):
        raise FolderError(f"{manifest.path}: color is a list file with stamps: depth must be one too")
    color, depth = (read_image_list(paths[0]) for paths in (manifest.color, manifest.depth))
    return len(color.values), associate(color, depth, read_trajectory(_pose_file(manifest)), config, drops)


def _by_order(manifest: Manifest, config: InputConfig, drops: DropLog) -> tuple[int, tuple[Shot, ...]]:
    """Number of colour images, and shots of the n-th colour image with the n-th depth image."""
    color, depth = manifest.color, manifest.depth
    if len(depth) != len(color):
        raise FolderError(f"{manifest.path}: {len(color)} colour and {len(depth)} depth images: give as many of both")
    stamps = _stamps(manifest, len(color))
    if manifest.stamps is not None and _pose_numbers(manifest) == _TUM_NUMBERS:
        name = manifest.path.name
        lines = Timeline(f"{name} (color)", stamps, color), Timeline(f"{name} (depth)", stamps, depth)
        return len(color), associate(*lines, read_trajectory(manifest.poses[0]), config, drops)
    shift_ns = clock_shift_ns(stamps)
    poses = _poses_in_order(manifest)
    if len(poses) != len(color):
        raise FolderError(
            f"{manifest.path}: {len(poses)} poses for {len(color)} images: give one pose for each image, or stamps"
        )
    shots = join(
        dict(enumerate(color)), dict(enumerate(depth)), dict(enumerate(poses)), lambda n: stamps[n] + shift_ns, drops
    )
    return len(color), shots


def _stamps(manifest: Manifest, count: int) -> list[int]:
    """Stamp of each colour image in nanoseconds."""
    path = manifest.stamps
    if path is None:
        assert manifest.rate_hz is not None  # a manifest has one of the two
        return [stamp_of_number(n, manifest.rate_hz) for n in range(count)]
    rows = read_rows(path, "write one time in seconds a line")
    if len(rows) != count:
        raise FolderError(f"{path}: {len(rows)} times for {count} images: write one line for each image")
    stamps = [stamp_ns(path, line, words[0]) for line, words in rows]
    require_increasing(path, stamps, [line for line, _ in rows])
    return stamps


def _poses_in_order(manifest: Manifest) -> list[np.ndarray | None]:
    """4x4 world_from_camera of each image; None where it is not finite."""
    if len(manifest.poses) > 1 or not _is_trajectory(manifest.poses[0]):
        return [read_pose(path) for path in manifest.poses]
    path = manifest.poses[0]
    return [_pose_of_line(path, row) for row in read_rows(path, _POSE_FIX)]


def _pose_of_line(path: Path, row: Row) -> np.ndarray | None:
    values = numbers(path, row, (_TUM_NUMBERS, _MATRIX_NUMBERS), f"{TUM_LINE}, or {MATRIX_LINE}")
    if len(values) == _TUM_NUMBERS:
        return of_tum_numbers(values[1:])
    return rigid(values.reshape(4, 4), f"{path}:{row[0]}")


_POSE_FIX = f"write lines {TUM_LINE}, or {MATRIX_LINE}"


def _pose_numbers(manifest: Manifest) -> int:
    """Numbers in a line of the pose file."""
    rows = read_rows(manifest.poses[0], _POSE_FIX) if len(manifest.poses) == 1 else []
    return len(rows[0][1]) if rows else 0


def _is_trajectory(path: Path) -> bool:
    """Whether each line is a pose; otherwise the file is one 4x4 matrix."""
    rows = read_rows(path, _POSE_FIX)
    return not rows or len(rows[0][1]) > 4


def _pose_file(manifest: Manifest) -> Path:
    if len(manifest.poses) != 1:
        raise FolderError(f"{manifest.path}: color is a list file with stamps: poses must be one file of {TUM_LINE}")
    return manifest.poses[0]
