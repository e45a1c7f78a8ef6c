"""Pictures of a lit scene by ray casting: colour, depth, ids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moss_ros.geometry.camera import Camera
from moss_ros.sim.rays import Hits, RayScene
from moss_ros.sim.shading import LINEAR, shade
from moss_ros.sim.triangles import Triangles


@dataclass(frozen=True, slots=True)
class View:
    """One ideal picture, without noise."""

    color_linear: np.ndarray  # (H, W, 3) float32
    depth_m: np.ndarray  # (H, W) float32 along the optical axis, 0 = nothing
    instance: np.ndarray  # (H, W) uint8
    facing: np.ndarray  # (H, W) float32 cosine between ray and surface normal
    hidden: np.ndarray  # (H, W) bool: the depth sensor's projector does not reach it


class Renderer:
    """Casts the rays of whole images at one lit scene."""

    def __init__(self, triangles: Triangles, rays: RayScene, light_rgb: np.ndarray, lamps_m: np.ndarray) -> None:
        """light_rgb: (S, 3) float32 baked light; lamps_m: (L, 3) places that make highlights."""
        self._triangles = triangles
        self._rays = rays
        self._light = light_rgb
        self._lamps = lamps_m.astype(np.float32)
        self._normals = triangles.face_normals

    def view(self, camera: Camera, world_from_camera: np.ndarray, projector_m: float = 0.075) -> View:
        """A picture; the projector sits projector_m to the right of the camera."""
        directions = pixel_rays(camera, world_from_camera)
        origin = world_from_camera[:3, 3].astype(np.float32)
        hits = self._cast(origin, directions)
        color = self._color(hits, origin, directions, camera).reshape(camera.height, camera.width, 3)
        # Four more samples at pixel corners, shared by neighbours, take the stairs off edges.
        wider = Camera(camera.fx, camera.fy, camera.cx + 0.5, camera.cy + 0.5, camera.width + 1, camera.height + 1)
        at_corners = pixel_rays(wider, world_from_camera)
        corner = self._color(self._cast(origin, at_corners), origin, at_corners, camera)
        corner = corner.reshape(wider.height, wider.width, 3)
        around = corner[1:, 1:] + corner[:-1, 1:] + corner[1:, :-1] + corner[:-1, :-1]
        shape = (camera.height, camera.width)
        found = hits.triangle >= 0
        depth = np.where(found, hits.distance, 0).astype(np.float32)
        normal = self._normals[hits.triangle]
        facing = np.abs((normal * directions).sum(1)) / np.linalg.norm(directions, axis=1)
        instance = np.where(found, self._triangles.instance[hits.triangle], 0).astype(np.uint8)
        side = world_from_camera[:3, 0] * projector_m
        hidden = self._hidden(origin, directions, depth, normal, side)
        return View(
            0.5 * color + 0.125 * around,
            depth.reshape(shape),
            instance.reshape(shape),
            facing.astype(np.float32).reshape(shape),
            hidden.reshape(shape),
        )

    def _cast(self, origin: np.ndarray, directions: np.ndarray) -> Hits:
        return self._rays.cast(np.broadcast_to(origin, directions.shape), directions)

    def _color(self, hits: Hits, origin: np.ndarray, directions: np.ndarray, camera: Camera) -> np.ndarray:
        t, x = self._triangles, self._triangles.textures
        color = shade(
            hits.triangle,
            hits.u,
            hits.v,
            hits.distance,
            directions,
            origin,
            t.uv,
            t.texture,
            t.density,
            t.point,
            self._light,
            t.point_normal,
            x.texels,
            x.level_start,
            x.level_size,
            x.gloss,
            x.glow,
            self._lamps,
            LINEAR,
            float(camera.fx),
        )
        return np.minimum(color, 1.6)

    def _hidden(
        self,
        origin: np.ndarray,
        directions: np.ndarray,
        depth: np.ndarray,
        normal: np.ndarray,
        side_m: np.ndarray,
    ) -> np.ndarray:
        """(N,) bool: the way from the surface to the projector is blocked."""
        facing = -np.sign((normal * directions).sum(1, keepdims=True))
        surface = origin + directions * depth[:, None] + normal * facing * 0.002
        return self._rays.blocked(surface, (origin + side_m).astype(np.float32) - surface, 0.995)


def pixel_rays(camera: Camera, world_from_camera: np.ndarray) -> np.ndarray:
    """(H * W, 3) float32 directions in map with length one along the optical axis."""
    # Rows and columns add up separately; a matrix product would wake threads that the processes fight over.
    turn = world_from_camera[:3, :3]
    across = ((np.arange(camera.width) - camera.cx) / camera.fx)[:, None] * turn[:, 0] + turn[:, 2]
    down = ((np.arange(camera.height) - camera.cy) / camera.fy)[:, None] * turn[:, 1]
    return (down.astype(np.float32)[:, None] + across.astype(np.float32)[None]).reshape(-1, 3)


def tone_curve(linear: np.ndarray, exposure: float) -> np.ndarray:
    """Linear light to display values in [0, 1] with a soft shoulder."""
    x = np.maximum(linear * np.float32(exposure), 0)
    return np.clip(x * (1 + x / 2.4) / (1 + x), 0, 1) ** np.float32(1 / 2.2)
