"""The id buffer of a view: which voxel owns each pixel, from a sparse map made dense.

A pixel with depth looks up its voxel. What stays open is taken by density-based directional expansion of the
visible voxels: an ellipse per voxel, as wide as the local spacing and foreshortened as its surface, that reaches
far along the surface and short over a rim, stops at measured depth edges, and competes with all other voxels.
Ids are expanded, not labels, so one buffer serves all masks of the view, also masks that overlap.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

from moss_ros.config import ConfigError, LiftingConfig
from moss_ros.lifting.density import DensityMap
from moss_ros.lifting.growth import grow
from moss_ros.lifting.growth_opencv import grow_nearest
from moss_ros.lifting.look_up import nearest_voxels
from moss_ros.lifting.surfels import Surfels, visible_surfels
from moss_ros.lifting.target_view import TargetView
from moss_ros.mapping.voxel_map import VoxelMap

# Gives the open pixels (-1) of an id buffer (H, W) to surfels; the second image is depth, m, 0 = not measured.
Grow = Callable[[Surfels, np.ndarray, np.ndarray, LiftingConfig], np.ndarray]


def configured_grow(config: LiftingConfig) -> Grow:
    """The configured way to fill open pixels. Raises ConfigError when torch is asked for and missing."""
    if config.backend == "torch":
        if find_spec("torch") is None:
            raise ConfigError("lifting.backend is torch, which is not installed: pip install torch, or take numba")
        from moss_ros.lifting.expansion_torch import grow as grow_torch

        return grow_torch
    return grow_nearest if config.backend == "opencv" else grow


class Expansion:
    """Id buffers of views of one map; keeps the density cues of the map between calls."""

    def __init__(self, config: LiftingConfig) -> None:
        self._config = config
        self._grow = configured_grow(config)
        self.density = DensityMap(config)

    def id_buffer(self, voxels: VoxelMap, view: TargetView) -> np.ndarray:
        """(H, W) int32: the solid voxel that owns each pixel of the view, -1 = none."""
        self.density.update(voxels)
        ids, depth_m = self._looked_up(voxels, view)
        surfels = visible_surfels(
            voxels, self.density, view.camera, view.world_from_camera, depth_m, ids < 0, self._config
        )
        return self._grow(surfels, ids, depth_m, self._config)

    def _looked_up(self, voxels: VoxelMap, view: TargetView) -> tuple[np.ndarray, np.ndarray]:
        """Ids and depth at the target's pixels; a view without depth has no measured pixel."""
        shape = (view.camera.height, view.camera.width)
        if view.depth_m is None:
            return np.full(shape, -1, np.int32), np.zeros(shape, np.float32)
        camera = view.depth_camera or view.camera
        reach = self._config.look_up_reach
        ids = nearest_voxels(voxels, self.density.solid, view.depth_m, view.world_from_camera, camera, reach)
        return view.at_target(ids, -1), view.at_target(view.depth_m, 0.0)
