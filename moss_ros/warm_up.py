"""Compile every numba kernel on a tiny made-up room, so that the first real frame is not late."""

from __future__ import annotations

import numpy as np

from moss_ros.config import LanguageConfig, MasksConfig, MossConfig
from moss_ros.geometry.camera import Camera
from moss_ros.pipeline import Pipeline
from moss_ros.records import Frame

_CAMERA = Camera(fx=80.0, fy=80.0, cx=47.5, cy=35.5, width=96, height=72)


def warm_up(masks: MasksConfig | None = None) -> None:
    """Run step() and segment() on frames of a table with a box seen from above; takes seconds once cached.

    masks: what will be used, so that its model is loaded too. Raises ConfigError when that cannot be.
    """
    pipeline = Pipeline(MossConfig(masks=masks or MasksConfig(), language=LanguageConfig(enabled="never")))
    for shift_m in (0.0, 0.12, 0.24):
        pipeline.step(_frame(shift_m))
    snapshot = pipeline.segment(full=True)
    pipeline.step(_frame(0.36))
    pipeline.segment()
    pipeline.cloud()
    for instance in snapshot.instances[:1]:
        pipeline.evidence_jpeg(instance.id)


def _frame(shift_m: float) -> Frame:
    """Looking straight down from 2 m on a floor, a table of 0.7 m height and a box on it."""
    v, u = np.mgrid[0 : _CAMERA.height, 0 : _CAMERA.width]
    depth = np.full(u.shape, 2.0, np.float32)
    for height_m, half_m in ((0.7, 0.45), (0.85, 0.08)):
        z = 2.0 - height_m
        x = (u - _CAMERA.cx) / _CAMERA.fx * z + shift_m
        y = (v - _CAMERA.cy) / _CAMERA.fy * z
        depth[(np.abs(x) < half_m) & (np.abs(y) < half_m)] = z
    pose = np.array([[1.0, 0, 0, shift_m], [0, -1.0, 0, 0], [0, 0, -1.0, 2.0], [0, 0, 0, 1.0]])
    color = np.full((*u.shape, 3), 128, np.uint8)
    return Frame(int(shift_m * 1e9), color, _CAMERA, depth, _CAMERA, pose)
