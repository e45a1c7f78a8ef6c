"""The messages that a camera would have sent for a shot."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from moss_ros.replay.bag_writer import OPTICAL_FRAME
from moss_ros.replay.folders.images import ImageFile
from moss_ros.replay.folders.recording import Optics
from moss_ros.replay.message_maker import NO_DISTORTION, MessageMaker

MILLIMETRES = 1000.0  # units per metre of 16UC1
_PNG, _JPEG = b"\x89PNG", b"\xff\xd8\xff"


def color_message(maker: MessageMaker, stamp_ns: int, image: ImageFile) -> Any:
    """Raw colour Image, which needs no second decoding."""
    return maker.image(stamp_ns, OPTICAL_FRAME, "bgr8", image.pixels)


def depth_message(maker: MessageMaker, stamp_ns: int, image: ImageFile, depth_scale: float) -> Any:
    """Raw depth Image: 16UC1 where the file holds millimetres, else 32FC1, which loses nothing."""
    if depth_scale == MILLIMETRES:
        return maker.image(stamp_ns, OPTICAL_FRAME, "16UC1", image.pixels)
    return maker.image(stamp_ns, OPTICAL_FRAME, "32FC1", (image.pixels / depth_scale).astype(np.float32))


def info_message(maker: MessageMaker, stamp_ns: int, optics: Optics) -> Any:
    """CameraInfo."""
    distortion = optics.distortion or NO_DISTORTION
    return maker.camera_info(stamp_ns, OPTICAL_FRAME, optics.camera, distortion, optics.distortion_model)


def compressed_color(image: ImageFile) -> tuple[str, bytes]:
    """("jpeg" or "png", bytes) of a colour image; the file as it is where it is one of those."""
    if image.data.startswith(_JPEG):
        return "jpeg", image.data
    return "png", image.data if image.data.startswith(_PNG) else _png(image.pixels)


def compressed_depth(image: ImageFile) -> bytes:
    """PNG of a depth image."""
    return image.data if image.data.startswith(_PNG) else _png(image.pixels)


def _png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()
