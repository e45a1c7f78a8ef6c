"""Light baked at the shading points: area lamps with soft shadows, one bounce and ambient occlusion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moss_ros.sim.rays import RayScene
from moss_ros.sim.scene import Light
from moss_ros.sim.triangles import Triangles

AMBIENT = 0.10  # light that comes from where no ray finds a lamp
AMBIENT_REACH_M = 0.8  # nearer surfaces hold ambient light off
CHUNK = 65536


@dataclass(frozen=True, slots=True)
class LightQuality:
    """How many rays the light of one shading point takes."""

    lamp_grid: int = 3  # lamp_grid^2 rays to each lamp
    bounces: int = 20  # rays to other surfaces


FINE = LightQuality()


def direct(
    rays: RayScene,
    points_m: np.ndarray,
    normals: np.ndarray,
    lights: tuple[Light, ...],
    rng: np.random.Generator,
    grid: int,
) -> np.ndarray:
    """(S, 3) float32 irradiance from grid x grid jittered places on each lamp."""
    out = np.zeros((len(points_m), 3), np.float32)
    for light in lights:
        area = float(np.linalg.norm(np.cross(light.along_m, light.up_m)))
        for i in range(grid):
            for j in range(grid):
                share = (np.array([i, j]) + rng.random((len(points_m), 2))) / grid - 0.5
                spot = np.array(light.center_m) + share[:, :1] * light.along_m + share[:, 1:] * light.up_m
                to_lamp = spot - points_m
                squared = (to_lamp**2).sum(1)
                unit = to_lamp / np.sqrt(squared)[:, None]
                weight = np.maximum((unit * normals).sum(1), 0) * np.maximum(-(unit * np.array(light.normal)).sum(1), 0)
                weight *= area / (squared + 0.05) / grid**2
                lit = np.flatnonzero(weight > 1e-5)
                lit = lit[~rays.blocked(points_m[lit], to_lamp[lit] * 0.99)]
                out[lit] += weight[lit, None].astype(np.float32) * np.array(light.radiance_rgb, np.float32)
    return out / np.float32(np.pi)


def bounced(
    rays: RayScene,
    points_m: np.ndarray,
    normals: np.ndarray,
    sent_rgb: np.ndarray,
    rng: np.random.Generator,
    count: int,
) -> np.ndarray:
    """(S, 3) float32 light from other surfaces; sent_rgb (T, 3) is what each triangle sends back."""
    helper = np.where(np.abs(normals[:, :1]) > 0.9, [[0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]])
    side = np.cross(normals, helper)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(normals, side)
    out = np.zeros((len(points_m), 3), np.float32)
    offset = rng.random((len(points_m), 2))
    for k in range(count):
        # A golden-ratio sequence with a random start for each point covers the hemisphere evenly.
        a, b = (offset + np.array([(k + 0.5) / count, k * 0.6180339887])).T % 1.0
        radius, up, angle = np.sqrt(a), np.sqrt(1 - a), 2 * np.pi * b
        ray = (
            side * (radius * np.cos(angle))[:, None] + other * (radius * np.sin(angle))[:, None] + normals * up[:, None]
        )
        hits = rays.cast(points_m, ray)
        found = hits.triangle >= 0
        ambient = AMBIENT * np.clip(hits.distance / AMBIENT_REACH_M, 0.12, 1)[:, None]
        out += np.where(found[:, None], sent_rgb[hits.triangle] + 0.9 * ambient, AMBIENT)
    return out / count


def smoothed(values: np.ndarray, triangles: Triangles, rounds: int) -> np.ndarray:
    """(S, 3) float32: values averaged over the triangles around each shading point, which takes out ray noise."""
    flat = triangles.point.reshape(-1)
    count = np.maximum(np.bincount(flat, minlength=len(values)), 1)
    for _ in range(rounds):
        mean = values[triangles.point].mean(1)
        values = np.stack([np.bincount(flat, np.repeat(mean[:, c], 3), len(values)) for c in range(3)], 1)
        values = values / count[:, None]
    return values.astype(np.float32)
