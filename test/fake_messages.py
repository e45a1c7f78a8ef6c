"""Messages with the ROS 2 fields, without ROS: the decoding looks at fields only."""

from __future__ import annotations

import struct
from types import SimpleNamespace as Message

import cv2
import numpy as np

S = 1_000_000_000


def header(stamp_ns: int = S, frame_id: str = "camera") -> Message:
    return Message(stamp=Message(sec=stamp_ns // S, nanosec=stamp_ns % S), frame_id=frame_id)


def image(array: np.ndarray, encoding: str, stamp_ns: int = S, padding: int = 0, big_endian: bool = False) -> Message:
    """Raw image of an array (H, W[, C]) with padding bytes (0xAA) at the end of each row."""
    height, width = array.shape[:2]
    if big_endian:
        array = array.astype(array.dtype.newbyteorder(">"))
    rows = np.ascontiguousarray(array).view(np.uint8).reshape(height, -1)
    data = np.pad(rows, ((0, 0), (0, padding)), constant_values=0xAA)
    return Message(
        header=header(stamp_ns),
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=int(big_endian),
        step=data.shape[1],
        data=data.tobytes(),
    )


def compressed(array: np.ndarray, form: str, suffix: str, stamp_ns: int = S, prefix: bytes = b"") -> Message:
    """CompressedImage of an array in OpenCV's channel order."""
    return Message(header=header(stamp_ns), format=form, data=prefix + cv2.imencode(suffix, array)[1].tobytes())


def compressed_depth(millimetres: np.ndarray, stamp_ns: int = S) -> Message:
    return compressed(millimetres, "16UC1; compressedDepth png", ".png", stamp_ns, bytes(12))


def quantised_depth(inverse: np.ndarray, quant_a: float, quant_b: float) -> Message:
    prefix = struct.pack("<iff", 0, quant_a, quant_b)
    return compressed(inverse, "32FC1; compressedDepth png", ".png", prefix=prefix)


def camera_info(
    width: int, height: int, f: float = 100.0, d: tuple[float, ...] = (), model: str = "plumb_bob", p: float = 0.0
) -> Message:
    cx, cy = (width - 1) / 2, (height - 1) / 2
    return Message(
        header=header(),
        width=width,
        height=height,
        distortion_model=model,
        d=np.array(d),
        k=np.array([f, 0, cx, 0, f, cy, 0, 0, 1.0]),
        p=np.array([p, 0, cx, 0, 0, p, cy, 0, 0, 0, 1.0, 0]),
    )


def _pose(xyz: tuple[float, ...], xyzw: tuple[float, ...]) -> Message:
    return Message(position=Message(**dict(zip("xyz", xyz, strict=True))), orientation=_quaternion(xyzw))


def _quaternion(xyzw: tuple[float, ...]) -> Message:
    return Message(**dict(zip("xyzw", xyzw, strict=True)))


UPRIGHT = (0.0, 0.0, 0.0, 1.0)


def pose(stamp_ns: int, xyz=(0.0, 0.0, 0.0), xyzw=UPRIGHT, frame_id: str = "map") -> Message:
    return Message(header=header(stamp_ns, frame_id), pose=_pose(xyz, xyzw))


def odometry(stamp_ns: int, xyz=(0.0, 0.0, 0.0), xyzw=UPRIGHT, frame_id: str = "map") -> Message:
    return Message(header=header(stamp_ns, frame_id), pose=Message(pose=_pose(xyz, xyzw)), child_frame_id="base")


def tf(stamp_ns: int, parent: str, child: str, xyz=(0.0, 0.0, 0.0), xyzw=UPRIGHT) -> Message:
    move = Message(translation=Message(**dict(zip("xyz", xyz, strict=True))), rotation=_quaternion(xyzw))
    return Message(
        transforms=[Message(header=header(stamp_ns, parent), child_frame_id=child, transform=move)],
    )
