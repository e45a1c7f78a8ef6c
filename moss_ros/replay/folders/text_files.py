"""Numbers in text files; what is wrong is named with file and line."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np

from moss_ros.replay.folders.recording import FolderError, Optics

Row = tuple[int, list[str]]  # line number from 1, words

_DISTORTIONS = (0, 4, 5, 8, 12, 14)  # lengths that OpenCV knows


def read_rows(path: Path, fix: str) -> list[Row]:
    """Lines with their words; blank lines and # comments are left out. fix: what to do when the file is missing."""
    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError as error:
        raise FolderError(f"{path} cannot be read ({error.strerror}): {fix}") from None
    lines = (line.split("#", 1)[0].replace(",", " ").split() for line in text.splitlines())
    return [(number, words) for number, words in enumerate(lines, 1) if words]


def numbers(path: Path, row: Row, counts: tuple[int, ...], what: str) -> np.ndarray:
    """(n,) float64 of a line; n must be one of counts, and what says what they are. NaN and inf are allowed."""
    line, words = row
    if len(words) not in counts:
        allowed = " or ".join(map(str, counts))
        raise FolderError(f"{path}:{line}: {len(words)} numbers instead of {allowed}: write {what}")
    try:
        return np.array([float(word) for word in words])
    except ValueError:
        bad = next(word for word in words if not _is_number(word))
        raise FolderError(f"{path}:{line}: {bad!r} is not a number: write {what}") from None


def stamp_ns(path: Path, line: int, word: str) -> int:
    """Nanoseconds of a time in seconds, without the rounding of a float."""
    try:
        return int((Decimal(word) * 1_000_000_000).to_integral_value())
    except (InvalidOperation, ValueError, OverflowError):
        raise FolderError(f"{path}:{line}: {word!r} is not a time: write seconds, e.g. 1305031102.175304") from None


def read_matrix(path: Path, sizes: tuple[int, ...], fix: str) -> np.ndarray:
    """Square matrix of a file with one row a line; its size is one of sizes."""
    rows = read_rows(path, fix)
    if len(rows) not in sizes:
        allowed = " or ".join(map(str, sizes))
        raise FolderError(f"{path}: {len(rows)} lines of numbers instead of {allowed}: write one matrix row a line")
    width = len(rows)
    return np.array([numbers(path, row, (width,), f"a {width} x {width} matrix") for row in rows])


def optics_of_matrix(path: Path, fix: str) -> Optics:
    """Intrinsics of a matrix file (3x3 or 4x4)."""
    matrix = read_matrix(path, (3, 4), fix)
    return checked_optics(path, matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2])


def read_optics(path: Path, fix: str) -> Optics:
    """Intrinsics of a file with a matrix, or with one line ``fx fy cx cy [distortion]``."""
    rows = read_rows(path, fix)
    if len(rows) != 1:
        return optics_of_matrix(path, fix)
    counts = tuple(4 + n for n in _DISTORTIONS)
    fx, fy, cx, cy, *distortion = numbers(path, rows[0], counts, "fx fy cx cy and no or 5 distortion coefficients")
    return checked_optics(path, fx, fy, cx, cy, distortion)


def checked_optics(path: Path, fx: float, fy: float, cx: float, cy: float, distortion: Sequence[float] = ()) -> Optics:
    """Optics of numbers that came from a file. Raises FolderError when they cannot be intrinsics."""
    values = [float(v) for v in (fx, fy, cx, cy)]
    lens = tuple(float(v) for v in distortion)
    if not np.isfinite([*values, *lens]).all() or min(values) <= 0:
        raise FolderError(
            f"{path}: fx {fx:g}, fy {fy:g}, cx {cx:g}, cy {cy:g} are no intrinsics: write pixels, all positive"
        )
    return Optics(values[0], values[1], values[2], values[3], distortion=lens)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
