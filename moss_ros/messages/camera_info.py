"""CameraInfo -> pinhole camera, and the maps that take the lens distortion out of its images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from moss_ros.geometry.camera import Camera
from moss_ros.messages.errors import MessageError

_FISHEYE = ("equidistant", "fisheye")
_POLYNOMIAL = ("plumb_bob", "rational_polynomial", "")
_ASPECT_TOLERANCE = 0.02


@dataclass(frozen=True, slots=True)
class Lens:
    """Camera of the rectified image; the maps are None when there is nothing to take out."""

    camera: Camera
    map_x: np.ndarray | None  # (H, W) float32: column of the raw image that each rectified pixel comes from
    map_y: np.ndarray | None  # (H, W) float32: row

    def rectify_color(self, image: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 without distortion; black where the raw image has nothing."""
        return self._remap(image, cv2.INTER_LINEAR)

    def rectify_depth(self, image: np.ndarray) -> np.ndarray:
        """(H, W) without distortion; nearest pixel, because a mean of two surfaces is on neither."""
        return self._remap(image, cv2.INTER_NEAREST)

    def _remap(self, image: np.ndarray, interpolation: int) -> np.ndarray:
        if self.map_x is None or self.map_y is None:
            return image
        return cv2.remap(image, self.map_x, self.map_y, interpolation)


def lens_of(msg: Any, width: int, height: int, rectified: bool = False) -> Lens:
    """Lens of the images of width x height that the CameraInfo belongs to (it may state another resolution).

    rectified: the images are already without distortion (image_rect topics); P counts then, not K and D.
    Raises MessageError: camera_info, info_size, distortion_model.
    """
    k = np.asarray(msg.p, np.float64).reshape(3, 4)[:, :3] if rectified else np.asarray(msg.k, np.float64).reshape(3, 3)
    if not (np.isfinite(k).all() and k[0, 0] > 0 and k[1, 1] > 0):
        raise MessageError(
            "camera_info",
            f"camera_info has focal lengths {k[0, 0]}, {k[1, 1]}: the camera is not calibrated; give "
            "the driver a calibration file (camera_info_url) or publish camera_info with K filled",
        )
    stated = (int(msg.width) or width, int(msg.height) or height)
    if abs(width * stated[1] - height * stated[0]) > _ASPECT_TOLERANCE * width * stated[1]:
        raise MessageError(
            "info_size",
            f"camera_info is for {stated[0]} x {stated[1]}, the image is {width} x {height}: "
            "use the camera_info topic that the driver publishes beside this image",
        )
    full = Camera(float(k[0, 0]), float(k[1, 1]), float(k[0, 2]), float(k[1, 2]), *stated)
    camera = full if stated == (width, height) else full.resized(width, height)
    distortion = np.asarray(msg.d, np.float64).ravel()
    if rectified or not np.any(distortion):
        return Lens(camera, None, None)
    return Lens(camera, *_maps(msg.distortion_model, distortion, camera))


def _maps(model: str, distortion: np.ndarray, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    if not np.isfinite(distortion).all():
        raise MessageError("camera_info", "camera_info has a distortion that is not finite: calibrate the camera again")
    size = (camera.width, camera.height)
    k = camera.matrix
    if model in _FISHEYE and len(distortion) >= 4:
        return cv2.fisheye.initUndistortRectifyMap(k, distortion[:4], np.eye(3), k, size, cv2.CV_32FC1)
    if model in _POLYNOMIAL and len(distortion) in (4, 5, 8, 12, 14):
        return cv2.initUndistortRectifyMap(k, distortion, np.eye(3), k, size, cv2.CV_32FC1)
    raise MessageError(
        "distortion_model",
        f"distortion model {model!r} with {len(distortion)} numbers is not known: use plumb_bob, "
        "rational_polynomial or equidistant, or feed rectified images (an image_rect topic)",
    )
