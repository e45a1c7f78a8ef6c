"""Image and CompressedImage messages -> arrays. Duck-typed: the classes of rclpy and rosbags both fit.

Colour becomes (H, W, 3) uint8 RGB, depth (H, W) float32 metres with 0 = no measurement.
"""

from __future__ import annotations

import struct
from typing import Any

import cv2
import numpy as np

from moss_ros.messages.errors import MessageError

# encoding -> (bytes per channel, channels, OpenCV conversion to RGB or None)
_COLOR = {
    "rgb8": (3, None),
    "bgr8": (3, cv2.COLOR_BGR2RGB),
    "8UC3": (3, cv2.COLOR_BGR2RGB),  # OpenCV's own order, as cv_bridge reads it
    "rgba8": (4, cv2.COLOR_RGBA2RGB),
    "bgra8": (4, cv2.COLOR_BGRA2RGB),
    "8UC4": (4, cv2.COLOR_BGRA2RGB),
    "mono8": (1, cv2.COLOR_GRAY2RGB),
    "8UC1": (1, cv2.COLOR_GRAY2RGB),
}
_DEPTH = {"16UC1": np.uint16, "mono16": np.uint16, "32FC1": np.float32}
_PNG = b"\x89PNG"
_DEPTH_HEADER = struct.Struct("<iff")  # compressedDepth: format, quantA, quantB
_FAR_M = 100.0  # a median depth beyond this is no room: the unit is wrong
_NEAR_M = 0.02  # a median depth below this is no measurement of a camera: the unit is wrong


def decode_color(msg: Any) -> np.ndarray:
    """(H, W, 3) uint8 RGB of an Image or CompressedImage (JPEG, PNG).

    Raises MessageError: bad_encoding, bad_size, bad_compression.
    """
    if _is_raw(msg):
        if msg.encoding not in _COLOR:
            raise MessageError(
                "bad_encoding",
                f"colour encoding {msg.encoding!r} is not one of {', '.join(_COLOR)}: "
                "let the driver publish rgb8, or check input.color_topic",
            )
        channels, conversion = _COLOR[msg.encoding]
        pixels = _pixels(msg, np.dtype(np.uint8), channels)
        return pixels.copy() if conversion is None else cv2.cvtColor(pixels, conversion)
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION  # an EXIF turn would not fit camera_info
    return cv2.cvtColor(_decompressed(np.frombuffer(msg.data, np.uint8), flags, msg.format), cv2.COLOR_BGR2RGB)


def decode_depth(msg: Any) -> np.ndarray:
    """(H, W) float32 metres of an Image or CompressedImage (compressedDepth or a plain 16-bit PNG).

    NaN, infinite and negative values become 0. Raises MessageError: bad_encoding, bad_size, bad_compression,
    depth_unit.
    """
    if _is_raw(msg):
        if msg.encoding not in _DEPTH:
            raise MessageError(
                "bad_encoding",
                f"depth encoding {msg.encoding!r} is not one of {', '.join(_DEPTH)}: "
                "publish 16UC1 (millimetres) or 32FC1 (metres), or check input.depth_topic",
            )
        values = _pixels(msg, np.dtype(_DEPTH[msg.encoding]), 1)
        in_millimetres = values.dtype.kind == "u"
    else:
        values, in_millimetres = _compressed_depth(msg)
    depth = values.astype(np.float32)
    if in_millimetres:
        depth *= np.float32(0.001)
    else:
        depth[~(np.isfinite(depth) & (depth > 0))] = 0.0
    _check_unit(depth, in_millimetres)
    return depth


def _is_raw(msg: Any) -> bool:
    return getattr(msg, "encoding", None) is not None


def _pixels(msg: Any, dtype: np.dtype, channels: int) -> np.ndarray:
    """View of the buffer as (H, W) or (H, W, channels) in native byte order, without the row padding."""
    height, width, step = msg.height, msg.width, msg.step
    row = width * channels * dtype.itemsize
    data = np.frombuffer(msg.data, np.uint8)
    if height < 1 or width < 1 or step < row or len(data) < step * (height - 1) + row:
        raise MessageError(
            "bad_size",
            f"{msg.encoding} image says {width} x {height} with {step} bytes a row but holds "
            f"{len(data)} bytes ({row} a row are needed): the driver fills width, height, step or encoding wrongly",
        )
    if len(data) < step * height:  # the last row may come without its padding
        data = np.concatenate([data, np.zeros(step * height - len(data), np.uint8)])
    rows = data[: step * height].reshape(height, step)[:, :row]
    if dtype.itemsize > 1:
        rows = (
            np.ascontiguousarray(rows)
            .view(dtype.newbyteorder(">" if msg.is_bigendian else "<"))
            .astype(dtype, copy=False)
        )
    return np.ascontiguousarray(rows).reshape((height, width) if channels == 1 else (height, width, channels))


def _compressed_depth(msg: Any) -> tuple[np.ndarray, bool]:
    """Values (H, W) of a compressed depth message, and whether they are millimetres."""
    if "rvl" in msg.format.lower():
        raise MessageError(
            "bad_compression",
            "compressedDepth with RVL is not read: set the publisher's parameter compressedDepth.format to png",
        )
    data = np.frombuffer(msg.data, np.uint8)
    start = 0 if data[:4].tobytes() == _PNG else _DEPTH_HEADER.size
    flags = cv2.IMREAD_UNCHANGED
    values = _decompressed(data[start:], flags, msg.format)
    if values.dtype != np.uint16 or values.ndim != 2:
        raise MessageError(
            "bad_encoding",
            f"compressed depth ({msg.format!r}) holds {values.dtype} of shape {values.shape}, not "
            "16-bit grey: subscribe to the compressedDepth topic, not to the compressed one",
        )
    if start == 0 or "32FC1" not in msg.format:
        return values, True
    _, quant_a, quant_b = _DEPTH_HEADER.unpack(data[:start].tobytes())
    depth = np.zeros(values.shape, np.float32)
    known = values > 0
    with np.errstate(divide="ignore", invalid="ignore"):  # infinite values are cleared with the NaN ones
        depth[known] = np.float32(quant_a) / (values[known].astype(np.float32) - np.float32(quant_b))
    return depth, False


def _decompressed(data: np.ndarray, flags: int, form: str) -> np.ndarray:
    try:
        image = cv2.imdecode(data, flags) if len(data) else None
    except cv2.error:
        image = None
    if image is None:
        raise MessageError(
            "bad_compression",
            f"compressed image ({form!r}, {len(data)} bytes) cannot be decoded: JPEG and PNG are "
            "read; check that the topic is an image and that no bytes get lost",
        )
    return image


def _check_unit(depth: np.ndarray, in_millimetres: bool) -> None:
    sample = depth[::4, ::4]
    sample = sample[sample > 0]
    if not len(sample):
        return
    middle = float(np.median(sample))
    if middle > _FAR_M:
        raise MessageError(
            "depth_unit",
            f"the median depth is {middle:.0f} m: 32FC1 must be metres; millimetres belong into 16UC1",
        )
    if in_millimetres and middle < _NEAR_M:
        raise MessageError(
            "depth_unit",
            f"the median depth is {1000 * middle:.0f} mm: 16UC1 must be millimetres; metres belong into 32FC1",
        )
