"""Keyframes: which frames are worth 2D masks, and which of them to forget when the budget is full."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from moss_ros.config import MappingConfig
from moss_ros.geometry.camera import Camera
from moss_ros.geometry.transforms import rotation_angle_rad
from moss_ros.records import Frame


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A stored view, compact: depth in tenths of a millimetre, colour as JPEG."""

    slot: int  # bit number in the evidence of the voxels; reused after the keyframe was dropped
    stamp_ns: int
    world_from_camera: np.ndarray  # (4, 4) float64
    camera: Camera  # of depth
    color_camera: Camera
    depth_mm10: np.ndarray  # (h, w) uint16, 0.1 mm
    color_jpeg: bytes
    sharpness: float

    @property
    def depth_m(self) -> np.ndarray:
        """(h, w) float32 metres."""
        return self.depth_mm10.astype(np.float32) * np.float32(1e-4)

    @property
    def color_rgb(self) -> np.ndarray:
        """(H, W, 3) uint8."""
        bgr = cv2.imdecode(np.frombuffer(self.color_jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert bgr is not None  # we encoded it
        return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


class KeyframeGate:
    """Accepts a frame after enough motion or new surface, unless a sharper one is about to come."""

    def __init__(self, config: MappingConfig) -> None:
        self._config = config
        self._last_pose: np.ndarray | None = None
        self._sharpness = 0.0  # running mean: what this camera gives when it is still

    def accepts(self, frame: Frame, sharpness: float, new_surface: float) -> bool:
        """new_surface: share of the frame's pixels that fell on new voxels, [0, 1]."""
        c = self._config
        self._sharpness = sharpness if self._last_pose is None else 0.9 * self._sharpness + 0.1 * sharpness
        if self._last_pose is None:
            self._last_pose = frame.world_from_camera
            return True
        distance = np.linalg.norm(frame.world_from_camera[:3, 3] - self._last_pose[:3, 3])
        angle = np.degrees(rotation_angle_rad(frame.world_from_camera, self._last_pose))
        motion = max(distance / c.keyframe_distance_m, angle / c.keyframe_angle_deg)
        if motion < 1 and new_surface < c.keyframe_new_surface:
            return False
        # A blurred frame may wait for a sharper one, but not for twice the motion.
        if sharpness < 0.5 * self._sharpness and motion < 2:
            return False
        self._last_pose = frame.world_from_camera
        return True


def sharpness(color_rgb: np.ndarray) -> float:
    """Mean squared Laplacian of the grey image at quarter size: falls with motion blur."""
    small = cv2.resize(color_rgb, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    return float(np.square(cv2.Laplacian(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), cv2.CV_32F)).mean())


def make_keyframe(frame: Frame, slot: int, sharpness_: float) -> Keyframe:
    """Store a frame compactly."""
    bgr = cv2.cvtColor(frame.color_rgb, cv2.COLOR_RGB2BGR)
    _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 90])
    depth = np.where(frame.depth_m < 6.5, frame.depth_m, 0)  # uint16 ends at 6.5535 m, beyond use here
    return Keyframe(
        slot=slot,
        stamp_ns=frame.stamp_ns,
        world_from_camera=frame.world_from_camera,
        camera=frame.depth_camera,
        color_camera=frame.color_camera,
        depth_mm10=np.round(depth * 1e4).astype(np.uint16),
        color_jpeg=jpeg.tobytes(),
        sharpness=sharpness_,
    )
