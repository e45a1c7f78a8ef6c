"""The voxel map: running means of position and colour on a sparse grid, with stable voxel ids."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numba import njit

from moss_ros.config import InputConfig, MappingConfig
from moss_ros.geometry.camera import Camera
from moss_ros.geometry.projection import (
    back_project,
    blocks_in_view,
    look_up,
    project_visible,
    reliable_depth,
    to_grid,
)
from moss_ros.geometry.transforms import inverse
from moss_ros.geometry.voxels import (
    BLOCK_BITS,
    BLOCK_SIDE,
    VoxelIndex,
    block_key,
    block_of_key,
    find_block,
    link_neighbours,
)
from moss_ros.records import Frame


@dataclass(frozen=True, slots=True)
class Integration:
    """What one frame did to the map."""

    pixels: int  # reliable pixels that were integrated
    new_pixels: int  # those of them that fell on voxels not hit before
    new_voxels: int


@dataclass(frozen=True, slots=True)
class View:
    """The voxels that one image sees."""

    visible: np.ndarray  # (n,) int32 voxel ids
    pixels: np.ndarray  # (n,) int32 flat depth pixels
    through: np.ndarray  # (m,) int32 voxel ids that the camera looked through


_COLUMNS = {
    "grid": (3, np.int32),  # grid coordinates
    "position": (3, np.float32),  # mean point, m, world
    "color": (3, np.float32),  # mean colour, RGB 0..255
    "viewpoint": (3, np.float32),  # mean camera position, m, world: tells the outside of a surface
    "weight": (0, np.float32),  # summed pixel weights, capped
    "hits": (0, np.int32),  # frames that hit the voxel
    "last_frame": (0, np.int32),  # number of the last frame that hit it
    "through": (0, np.int32),  # keyframes that saw through it since it was last hit
    "touched": (0, bool),  # changed since take_touched()
    "block": (0, np.int32),
    "neighbours": (26, np.int32),
}


class VoxelMap:
    """Growing arrays, one row per voxel id; ``count`` rows are in use. See _COLUMNS for their meaning."""

    def __init__(self, config: MappingConfig, depth_range: InputConfig | None = None) -> None:
        self._config = config
        self._range = depth_range or InputConfig()
        self.voxel_size_m = config.voxel_size_m
        self.index = VoxelIndex()
        self.count = 0
        self.frame_number = 0
        self._arrays = {n: np.zeros((4096, d) if d else 4096, t) for n, (d, t) in _COLUMNS.items()}

    def __getattr__(self, name: str) -> np.ndarray:
        if name in _COLUMNS:
            return self._arrays[name][: self.count]
        raise AttributeError(name)

    def integrate(self, frame: Frame) -> Integration:
        """Add one frame; only the voxels it hits are touched."""
        c = self._config
        ok = self.reliable(frame.depth_m)
        pose = frame.world_from_camera
        points, pixels = back_project(frame.depth_m, ok, pose, frame.depth_camera.matrix, c.pixel_stride)
        grid = to_grid(points, c.voxel_size_m)
        self.index.ensure_blocks(grid)
        self._reserve(self.count + len(grid))
        before = self.count
        a = self._arrays
        self.count, new_pixels = _accumulate(
            points,
            pixels,
            grid,
            frame.depth_m.ravel(),
            color_at_depth(frame).reshape(-1, 3),
            pose[:3, 3],
            self.index.keys,
            self.index.blocks,
            self.index.ids,
            self.count,
            self.frame_number,
            np.float32(c.max_weight),
            a["grid"],
            a["position"],
            a["color"],
            a["viewpoint"],
            a["weight"],
            a["hits"],
            a["last_frame"],
            a["through"],
            a["touched"],
            a["block"],
        )
        link_neighbours(
            self.index.keys, self.index.blocks, self.index.ids, a["grid"], a["neighbours"], before, self.count
        )
        self.frame_number += 1
        return Integration(pixels=len(pixels), new_pixels=new_pixels, new_voxels=self.count - before)

    def reliable(self, depth_m: np.ndarray) -> np.ndarray:
        """(H, W) bool: measured pixels in range that do not lie on a depth edge."""
        c, r = self._config, self._range
        return reliable_depth(depth_m, r.depth_min_m, r.depth_max_m, c.edge_base_m, c.edge_slope)

    def voxel_image(self, depth_m: np.ndarray, world_from_camera: np.ndarray, camera: Camera) -> np.ndarray:
        """(H, W) int32: the voxel that holds each reliable pixel's point, -1 where there is none."""
        index = self.index
        return look_up(
            index.keys,
            index.blocks,
            index.ids,
            depth_m,
            self.reliable(depth_m),
            world_from_camera,
            camera.matrix,
            self.voxel_size_m,
        )

    def view(self, frame: Frame) -> View:
        """Which voxels this frame sees and which it sees through; one block-culled projection."""
        c = self._config
        camera_from_world = inverse(frame.world_from_camera)
        k = frame.depth_camera.matrix
        radius = BLOCK_SIDE * c.voxel_size_m * np.sqrt(3) / 2
        height, width = frame.depth_m.shape
        in_view = blocks_in_view(
            self.block_centers(), radius, camera_from_world, k, width, height, self._range.depth_max_m
        )
        return View(
            *project_visible(
                self.position,
                self.block,
                in_view,
                camera_from_world,
                k,
                frame.depth_m,
                0.05,
                0.02,
                c.see_through_base_m,
                c.see_through_slope,
            )
        )

    def count_see_through(self, view: View) -> None:
        """Remember that a keyframe looked through these voxels."""
        self.through[view.through] += 1
        self.touched[view.through] = True

    def solid(self) -> np.ndarray:
        """(count,) bool: voxels hit often enough and not seen through more often than that allows."""
        c = self._config
        return (self.hits >= c.min_hits) & (self.through <= c.see_through_ratio * self.hits)

    def take_touched(self) -> np.ndarray:
        """(count,) bool: voxels changed since the last call."""
        touched = self.touched.copy()
        self.touched[:] = False
        return touched

    def block_centers(self) -> np.ndarray:
        """(B, 3) float64 world: the middle of each block of the index."""
        keys, blocks = self.index.keys, self.index.blocks
        used = np.flatnonzero(keys != -1)
        corner = np.stack(block_of_key(keys[used]), 1)
        centers = np.empty((self.index.block_count, 3))
        centers[blocks[used]] = (corner + 0.5) * BLOCK_SIDE * self.voxel_size_m
        return centers

    def _reserve(self, rows: int) -> None:
        have = len(self._arrays["weight"])
        if rows <= have:
            return
        size = max(rows, have + have // 2)
        for name, old in self._arrays.items():
            grown = np.zeros((size, *old.shape[1:]), old.dtype)
            grown[: self.count] = old[: self.count]
            self._arrays[name] = grown


def color_at_depth(frame: Frame) -> np.ndarray:
    """Colour (h, w, 3) uint8 resampled to the depth image; both share one optical frame."""
    c, d = frame.color_camera, frame.depth_camera
    if c == d:
        return frame.color_rgb
    u = (np.arange(d.width) - d.cx) / d.fx * c.fx + c.cx
    v = (np.arange(d.height) - d.cy) / d.fy * c.fy + c.cy
    map_u = np.broadcast_to(u.astype(np.float32), (d.height, d.width))
    map_v = np.broadcast_to(v.astype(np.float32)[:, None], (d.height, d.width))
    return cv2.remap(
        frame.color_rgb,
        np.ascontiguousarray(map_u),
        np.ascontiguousarray(map_v),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


@njit(cache=True, nogil=True)
def _accumulate(
    points,
    pixels,
    grid,
    depth,
    color,
    eye,
    keys,
    blocks,
    ids,
    count,
    frame_number,
    max_weight,
    out_grid,
    position,
    mean_color,
    viewpoint,
    weight,
    hits,
    last_frame,
    through,
    touched,
    block_of,
):
    """Running means over the pixels of one frame; returns the new voxel count and the pixels on new voxels."""
    m = BLOCK_SIDE - 1
    first_new = count
    new_pixels = 0
    last_key = -1
    block = -1
    for i in range(len(points)):
        x, y, z = grid[i, 0], grid[i, 1], grid[i, 2]
        key = block_key(x >> BLOCK_BITS, y >> BLOCK_BITS, z >> BLOCK_BITS)
        if key != last_key:
            last_key = key
            block = find_block(keys, blocks, key)
        cell = ((x & m) << (2 * BLOCK_BITS)) | ((y & m) << BLOCK_BITS) | (z & m)
        g = ids[block, cell]
        if g < 0:
            g = count
            count += 1
            ids[block, cell] = g
            block_of[g] = block
            last_frame[g] = -1
            for a in range(3):
                out_grid[g, a] = grid[i, a]
        touched[g] = True
        if g >= first_new:
            new_pixels += 1
        # Depth noise grows with (z - 0.4)^2: weights follow the inverse variance.
        noise = 1.0 + 1.9 * (depth[pixels[i]] - 0.4) ** 2
        w = np.float32(1.0 / (noise * noise))
        if last_frame[g] != frame_number:
            last_frame[g] = frame_number
            hits[g] += 1
            through[g] = max(0, through[g] - 1)
        weight[g] = min(weight[g] + w, max_weight)
        share = w / weight[g]
        for a in range(3):
            position[g, a] += share * (points[i, a] - position[g, a])
            mean_color[g, a] += share * (color[pixels[i], a] - mean_color[g, a])
            viewpoint[g, a] += share * (eye[a] - viewpoint[g, a])
    return count, new_pixels
