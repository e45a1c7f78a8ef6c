"""Poses of files as rigid transforms."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from moss_ros.geometry.transforms import from_translation_quaternion
from moss_ros.replay.folders.recording import FolderError
from moss_ros.replay.folders.text_files import read_matrix

_NOT_RIGID = 0.01  # farther from a rotation than rounding in a text file explains

TUM_LINE = "stamp tx ty tz qx qy qz qw (seconds, metres, unit quaternion)"
MATRIX_LINE = "a 4 x 4 matrix as 16 numbers, row by row"


def read_pose(path: Path) -> np.ndarray | None:
    """4x4 world_from_camera of a matrix file; None when its numbers are not finite (tracking was lost)."""
    return rigid(read_matrix(path, (4,), "write one 4 x 4 matrix"), str(path))


def rigid(matrix: np.ndarray, where: str) -> np.ndarray | None:
    """The rigid transform nearest to a 4x4 matrix; None when it is not finite. where: file and line, for the error.

    Text files round: without this a rotation would change a little each time it becomes a quaternion.
    """
    if not np.isfinite(matrix).all():
        return None
    rotation = matrix[:3, :3]
    error = max(
        float(np.abs(rotation.T @ rotation - np.eye(3)).max()),
        float(np.abs(matrix[3] - (0, 0, 0, 1)).max()),
    )
    if error > _NOT_RIGID or np.linalg.det(rotation) < 0:
        raise FolderError(
            f"{where}: this is not a rotation and a translation: write world_from_camera row by row, the "
            "translation in the last column, without scale or mirror"
        )
    left, _, right = np.linalg.svd(rotation)
    out = np.eye(4)
    out[:3, :3] = left @ right
    out[:3, 3] = matrix[:3, 3]
    return out


def of_tum_numbers(values: np.ndarray) -> np.ndarray | None:
    """4x4 of ``tx ty tz qx qy qz qw``; None when they are not finite or the quaternion is zero."""
    try:
        return from_translation_quaternion(values[:3], values[3:])
    except ValueError:
        return None
