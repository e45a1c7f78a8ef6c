"""The image that the map is to be drawn into, and the depth that was measured there, if any."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moss_ros.geometry.camera import Camera


@dataclass(frozen=True, slots=True)
class TargetView:
    """Where the id buffer is wanted. Depth may have another resolution, holes, or be missing altogether."""

    camera: Camera  # of the id buffer, usually the colour camera
    world_from_camera: np.ndarray  # (4, 4) float64
    depth_m: np.ndarray | None = None  # (h, w) float32, 0 = no measurement; None: a view without depth
    depth_camera: Camera | None = None  # None: the depth image has the target's pixels

    def __post_init__(self) -> None:
        if self.depth_m is None:
            return
        camera = self.depth_camera or self.camera
        if self.depth_m.shape != (camera.height, camera.width):
            raise ValueError(f"depth image is {self.depth_m.shape}, its camera is {camera.height} x {camera.width}")

    def coarser(self, step: int) -> TargetView:
        """The same view in pixels step times as large; of depth, only as many pixels as are needed for them.

        Raises ValueError when the sides of the image are not whole multiples of step.
        """
        if self.camera.width % step or self.camera.height % step:
            raise ValueError(f"{self.camera.width} x {self.camera.height} pixels do not divide by {step}")
        camera = self.camera.resized(self.camera.width // step, self.camera.height // step)
        source = self.depth_camera or self.camera
        every = max(source.width // camera.width, 1)
        if self.depth_m is None or every == 1:
            return TargetView(camera, self.world_from_camera, self.depth_m, source)
        first = every // 2
        depth_m = np.ascontiguousarray(self.depth_m[first::every, first::every])
        height, width = depth_m.shape
        cx, cy = (source.cx - first) / every, (source.cy - first) / every
        thinned = Camera(source.fx / every, source.fy / every, cx, cy, width, height)
        return TargetView(camera, self.world_from_camera, depth_m, thinned)

    def at_target(self, depth_image: np.ndarray, outside: float) -> np.ndarray:
        """(H, W): values of an image with the pixels of depth, each target pixel from the nearest one.

        Both cameras share one optical frame. ``outside`` stands where the target sees more than the depth camera.
        """
        source, target = self.depth_camera or self.camera, self.camera
        if source == target:
            return depth_image
        column, column_ok = _nearest(target.width, target.fx, target.cx, source.fx, source.cx, source.width)
        row, row_ok = _nearest(target.height, target.fy, target.cy, source.fy, source.cy, source.height)
        out = depth_image[np.ix_(row, column)]
        out[~row_ok] = outside
        out[:, ~column_ok] = outside
        return out


def _nearest(count: int, f: float, c: float, source_f: float, source_c: float, size: int) -> tuple:
    """Source index of each of count target pixels along one axis, and whether the source has it."""
    index = np.floor((np.arange(count) - c) / f * source_f + source_c + 0.5).astype(np.int64)
    return index.clip(0, size - 1), (index >= 0) & (index < size)
