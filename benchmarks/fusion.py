"""integrate() beside Open3D's voxel block grid on the same frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.inputs import REAL_KITCHEN, configuration, recording
from benchmarks.stages import NumpyVoxelGrid
from benchmarks.table import Bar, Table
from moss_ros.config import MossConfig
from moss_ros.geometry.transforms import inverse
from moss_ros.mapping.voxel_map import VoxelMap
from moss_ros.records import Frame
from moss_ros.timings import Timings
from moss_ros.warm_up import warm_up

_NOTES = {
    "numpy voxel grid": "the same pixels",
    "Open3D VoxelBlockGrid": "all pixels; fuses the whole truncation band, not only the hit voxels",
}
_BASELINE = "Open3D VoxelBlockGrid (TSDF and colour, 16^3 blocks, all cores) and the numpy voxel grid"


def run(quick: bool = False) -> Table:
    """Every frame goes to all rivals in turn; medians per frame without the first three."""
    frames = recording(REAL_KITCHEN, stride=5, limit=12 if quick else 60)
    config = configuration(REAL_KITCHEN)
    warm_up()
    voxels = VoxelMap(config.mapping, config.input)
    rivals: dict[str, Callable[[Frame], Any]] = {
        "integrate()": voxels.integrate,
        "numpy voxel grid": NumpyVoxelGrid(config).integrate,
    }
    missing = ""
    try:
        grid = Open3dGrid(config)
        rivals["Open3D VoxelBlockGrid"] = grid.integrate
    except ImportError as reason:
        missing = f"skipped: {reason}"
    milliseconds = _feed(frames, rivals)
    sizes = f"{voxels.count} voxels" + ("" if missing else f", Open3D {grid.blocks()} blocks of 4096")
    table = Table("fusion", f"{frames.label}; {config.mapping.voxel_size_m} m voxels, {sizes}", _BASELINE)
    ours = milliseconds["integrate()"]
    table.add(
        "integrate()",
        ours,
        "ms",
        Bar(30),
        f"reliable pixels, stride {config.mapping.pixel_stride}",
    )
    for name in ("numpy voxel grid", "Open3D VoxelBlockGrid"):
        value = milliseconds.get(name)
        table.add(name, value, "ms", note=missing if value is None else _NOTES[name])
        table.add(f"  integrate() faster than {name}", value and value / ours, "x")
    return table


def _feed(frames, rivals: dict[str, Callable[[Frame], Any]]) -> dict[str, float]:
    """Median milliseconds per rival."""
    timings = Timings()
    for number, frame in enumerate(frames):
        if number == 3:  # the first frames fill empty maps and warm up
            timings = Timings()
        for name, integrate in rivals.items():
            with timings.stage(name):
                integrate(frame)
    return {name: stage["median_ms"] for name, stage in timings.summary().items()}


class Open3dGrid:
    """Open3D's truncated signed distance grid with its usual settings."""

    def __init__(self, config: MossConfig) -> None:
        import open3d

        self._o3d = open3d
        core = open3d.core
        self._far = config.input.depth_max_m
        self._grid = open3d.t.geometry.VoxelBlockGrid(
            attr_names=("tsdf", "weight", "color"),
            attr_dtypes=(core.float32, core.float32, core.float32),
            attr_channels=((1), (1), (3)),
            voxel_size=config.mapping.voxel_size_m,
            block_resolution=16,
            block_count=20_000,
        )

    def integrate(self, frame: Frame) -> None:
        """Add one frame: activate the blocks it touches, then fuse depth and colour."""
        image, tensor = self._o3d.t.geometry.Image, self._o3d.core.Tensor
        depth = image(tensor(frame.depth_m))
        color = image(tensor(frame.color_rgb.astype(np.float32) / 255))
        k, pose = tensor(frame.depth_camera.matrix), tensor(inverse(frame.world_from_camera))
        blocks = self._grid.compute_unique_block_coordinates(depth, k, pose, 1.0, self._far)
        self._grid.integrate(blocks, depth, color, k, pose, 1.0, self._far)

    def blocks(self) -> int:
        """Blocks in use."""
        return int(self._grid.hashmap().size())
