"""The only file that touches embreex: nearest hits and occlusion of rays against triangles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Hits:
    """N ray hits."""

    triangle: np.ndarray  # (N,) int32, -1 = nothing hit
    distance: np.ndarray  # (N,) float32 in lengths of the ray's direction vector
    u: np.ndarray  # (N,) float32 barycentric weight of the second corner
    v: np.ndarray  # (N,) float32 of the third corner


class RayScene:
    """Triangles that rays can be cast at; it must be used in the process that made it."""

    def __init__(self, corners_m: np.ndarray) -> None:
        """corners_m: (T, 3, 3) float32."""
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene

        self._scene = EmbreeScene()
        self._mesh = TriangleMesh(self._scene, np.ascontiguousarray(corners_m, np.float32))

    def cast(self, origins_m: np.ndarray, directions: np.ndarray) -> Hits:
        """Nearest hits of N rays; directions need not be unit vectors."""
        found = self._scene.run(
            np.ascontiguousarray(origins_m, np.float32),
            np.ascontiguousarray(directions, np.float32),
            output=True,
        )
        return Hits(found["primID"], found["tfar"], found["u"], found["v"])

    def blocked(self, origins_m: np.ndarray, directions: np.ndarray, reach: float = 1.0) -> np.ndarray:
        """(N,) bool: something lies on the ray within reach lengths of its direction vector."""
        limits = np.full(len(origins_m), reach, np.float32)
        return (
            self._scene.run(
                np.ascontiguousarray(origins_m, np.float32),
                np.ascontiguousarray(directions, np.float32),
                limits,
                query="OCCLUDED",
            )
            >= 0
        )
