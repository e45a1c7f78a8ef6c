"""Image files as pixels and as messages."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from moss_ros.messages.errors import MessageError

_COLOR_FLAGS = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION  # an EXIF turn would not fit the intrinsics


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image as it is in the file, and decoded."""

    data: bytes
    pixels: np.ndarray  # (H, W, 3) uint8 BGR of colour, (H, W) uint16 of depth


def read_color(path: Path) -> ImageFile:
    """Colour image. Raises MessageError: missing_file, bad_compression."""
    return _read(path, _COLOR_FLAGS)


def read_depth(path: Path) -> ImageFile:
    """16-bit depth image in the units of the recording. Raises MessageError: the same, and bad_encoding."""
    image = _read(path, cv2.IMREAD_UNCHANGED)
    if image.pixels.dtype != np.uint16 or image.pixels.ndim != 2:
        raise MessageError(
            "bad_encoding",
            f"{path} holds {image.pixels.dtype} of shape {image.pixels.shape}, not 16-bit grey: save depth as a 16-bit "
            "PNG; an 8-bit picture of depth has lost it",
        )
    return image


def _read(path: Path, flags: int) -> ImageFile:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MessageError(
            "missing_file", f"{path} cannot be read ({error.strerror}): copy the file, or take it out of the list"
        ) from None
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error:
        pixels = None
    if pixels is None:
        raise MessageError(
            "bad_compression", f"{path} ({len(data)} bytes) is no image that can be decoded: copy or export it again"
        )
    return ImageFile(data, pixels)
