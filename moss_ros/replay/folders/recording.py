"""What a folder with RGB-D images holds, in the same form for every layout."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from moss_ros.geometry.camera import Camera
from moss_ros.source.drops import DropLog


class FolderError(ValueError):
    """A folder cannot be read; the message names the file, the line where there is one, and the fix."""


@dataclass(frozen=True, slots=True)
class Optics:
    """Pinhole intrinsics in pixels (pixel centres are integers) and lens distortion; size 0 x 0: as the images."""

    fx: float
    fy: float
    cx: float
    cy: float
    width: int = 0
    height: int = 0
    distortion: tuple[float, ...] = ()  # coefficients in OpenCV's order, as in CameraInfo
    distortion_model: str = "plumb_bob"

    def sized(self, width: int, height: int) -> Optics:
        """The same, with the size of its images where none was stated."""
        return self if self.width else replace(self, width=width, height=height)

    def resized(self, width: int, height: int) -> Optics:
        """The same lens in front of a sensor of another resolution."""
        camera = self.camera.resized(width, height)
        return Optics(camera.fx, camera.fy, camera.cx, camera.cy, width, height, self.distortion, self.distortion_model)

    @property
    def camera(self) -> Camera:
        """Camera of the stated size. Raises ValueError without a size or with a focal length that is not positive."""
        return Camera(self.fx, self.fy, self.cx, self.cy, self.width, self.height)


@dataclass(frozen=True, slots=True)
class Shot:
    """Files of one colour and depth image, and the pose of the colour camera."""

    stamp_ns: int
    color: Path
    depth: Path
    world_from_camera: np.ndarray  # (4, 4) float64, rigid


@dataclass(frozen=True, slots=True)
class Recording:
    """Shots in the order of their stamps; depth is registered to the colour camera."""

    path: Path
    shots: tuple[Shot, ...]
    color_count: int  # colour images in the folder, also those that gave no shot
    color: Optics
    depth: Optics | None  # None: the colour camera, scaled to the depth size
    depth_scale: float  # units of the depth images per metre
    drops: DropLog  # images that gave no shot, by reason

    @property
    def depth_optics(self) -> Optics:
        """Optics of the depth images."""
        return self.depth or self.color
