"""Cheap pictures of simulated homes with exact ids: a few lamps with shadows and ambient light for each view."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numba import njit

from moss_ros.geometry.camera import Camera
from moss_ros.sim.camera_path import walk
from moss_ros.sim.layout import make_home
from moss_ros.sim.rays import RayScene
from moss_ros.sim.render import pixel_rays, tone_curve
from moss_ros.sim.scene import Scene
from moss_ros.sim.shading import LINEAR, sample
from moss_ros.train.pictures.home_model import HomeModel, ThingFacts, build_model

HEIGHT, WIDTH = 480, 640
WALK_FRAMES = 90  # of the walk that a recording would take
LAMP_POINTS = 2


@dataclass(frozen=True, slots=True)
class HomeView:
    """One picture."""

    color_rgb: np.ndarray  # (480, 640, 3) uint8
    instance: np.ndarray  # (480, 640) uint8 ids of the facts, 0 = nothing


def home_views(seed: int, count: int) -> tuple[tuple[ThingFacts, ...], Iterator[HomeView]]:
    """Facts of the things of a home and pictures from a walk through it."""
    rng = np.random.default_rng([seed, 401])
    scene = make_home(seed)
    poses = walk(scene, WALK_FRAMES, rng)
    model = build_model(scene, rng)
    first = rng.uniform(0, 1)
    chosen = [poses[int((k + first) * len(poses) / count) % len(poses)] for k in range(count)]
    return model.facts, _views(scene, model, chosen, rng)


def _views(scene: Scene, model: HomeModel, poses: list[np.ndarray], rng: np.random.Generator) -> Iterator[HomeView]:
    rays = RayScene(model.corners_m)
    for pose in poses:
        yield draw(scene, model, rays, random_camera(rng), pose, rng)


def random_camera(rng: np.random.Generator) -> Camera:
    """Near the usual depth cameras."""
    focal = float(rng.uniform(500, 620))
    return Camera(focal, focal, (WIDTH - 1) / 2, (HEIGHT - 1) / 2, WIDTH, HEIGHT)


def draw(
    scene: Scene,
    model: HomeModel,
    rays: RayScene,
    camera: Camera,
    world_from_camera: np.ndarray,
    rng: np.random.Generator,
) -> HomeView:
    """One picture under random lamps."""
    directions = pixel_rays(camera, world_from_camera)
    origin = world_from_camera[:3, 3].astype(np.float32)
    hits = rays.cast(np.broadcast_to(origin, directions.shape), directions)
    found = hits.triangle >= 0
    points = origin + directions * np.where(found, hits.distance, 0)[:, None]
    lamps, power = _lamps(scene, rng)
    back = points - directions * (0.003 / np.maximum(np.linalg.norm(directions, axis=1), 1e-6))[:, None]
    lit = np.ones((len(points), len(lamps)), np.float32)
    for k, lamp in enumerate(lamps):
        lit[:, k] = ~rays.blocked(back, (lamp + rng.normal(0, 0.03, points.shape).astype(np.float32) - back) * 0.98)
    ambient = rng.uniform(0.15, 0.5) * rng.uniform(0.9, 1.1, 3)
    color = lit_color(
        hits.triangle, hits.u, hits.v, hits.distance, directions, points,
        model.uv, model.normal, model.material, model.density, model.texels, model.start, model.size,
        model.gloss, model.glow, lamps, power, lit, ambient.astype(np.float32), LINEAR, float(camera.fx),
    ).reshape(HEIGHT, WIDTH, 3)  # fmt: skip
    # Shadows of small lamps are grainy; a blur of the whole picture also stands for the lens and soft edges.
    color = cv2.GaussianBlur(color, (0, 0), float(rng.uniform(0.45, 0.8)))
    mean = float(np.exp(np.log(color.mean(2) + 0.01).mean()))
    display = tone_curve(color, float(rng.uniform(0.18, 0.32) / mean))
    instance = np.where(found, model.instance[hits.triangle], 0).astype(np.uint8)
    return HomeView((display * 255 + 0.5).astype(np.uint8), instance.reshape(HEIGHT, WIDTH))


def _lamps(scene: Scene, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(L, 3) places and (L, 3) power: points of the home's own lights, with other strengths."""
    places, power = [], []
    for _ in range(LAMP_POINTS):
        light = scene.lights[int(rng.integers(len(scene.lights)))]
        share = rng.uniform(-0.5, 0.5, 2)
        spread = share[0] * np.array(light.along_m) + share[1] * np.array(light.up_m)
        places.append(np.array(light.center_m) + 0.2 * np.array(light.normal) + spread)
        power.append(rng.uniform(0.5, 2.2) * rng.uniform(0.9, 1.1, 3))
    return np.array(places, np.float32), np.array(power, np.float32)


@njit(cache=True, nogil=True)
def lit_color(
    triangle, bary_u, bary_v, distance, directions, points, uv, normal, material, density, texels, start, size,
    gloss, glow, lamps, power, lit, ambient, linear, focal_px,
):  # fmt: skip
    """(N, 3) float32 linear colour of N hits; lamps (L, 3), lit (N, L) 1 where a lamp is seen."""
    out = np.zeros((len(triangle), 3), np.float32)
    base = np.zeros(3, np.float32)
    n = np.zeros(3)
    for i in range(len(triangle)):
        t = triangle[i]
        if t < 0:
            continue
        b1, b2 = bary_u[i], bary_v[i]
        b0 = 1 - b1 - b2
        m = material[t]
        u = uv[t, 0, 0] * b0 + uv[t, 1, 0] * b1 + uv[t, 2, 0] * b2
        v = uv[t, 0, 1] * b0 + uv[t, 1, 1] * b1 + uv[t, 2, 1] * b2
        lod = np.log2(max(density[t] * distance[i] / focal_px, 1.0))
        level = min(int(lod + 0.5), start.shape[1] - 1)
        sample(texels, start[m, level], size[m, level, 0], size[m, level, 1], u, v, linear, base)
        for c in range(3):
            n[c] = normal[t, 0, c] * b0 + normal[t, 1, c] * b1 + normal[t, 2, c] * b2
        length = max(np.sqrt(n[0] ** 2 + n[1] ** 2 + n[2] ** 2), 1e-6)
        d = directions[i]
        far = np.sqrt(d[0] ** 2 + d[1] ** 2 + d[2] ** 2)
        side = -1.0 if n[0] * d[0] + n[1] * d[1] + n[2] * d[2] > 0 else 1.0
        n *= side / length
        sky = 0.75 + 0.25 * n[2] + glow[m]
        shine = 0.0
        for c in range(3):
            out[i, c] = ambient[c] * sky + glow[m]
        for k in range(len(lamps)):
            if lit[i, k] <= 0:
                continue
            lx = lamps[k, 0] - points[i, 0]
            ly = lamps[k, 1] - points[i, 1]
            lz = lamps[k, 2] - points[i, 2]
            ll = max(np.sqrt(lx * lx + ly * ly + lz * lz), 1e-3)
            cosine = (lx * n[0] + ly * n[1] + lz * n[2]) / ll
            if cosine <= 0:
                continue
            for c in range(3):
                out[i, c] += power[k, c] * cosine / (0.6 + 0.25 * ll * ll)
            hx, hy, hz = lx / ll - d[0] / far, ly / ll - d[1] / far, lz / ll - d[2] / far
            hh = max(np.sqrt(hx * hx + hy * hy + hz * hz), 1e-6)
            shine += max((hx * n[0] + hy * n[1] + hz * n[2]) / hh, 0.0) ** 48
        for c in range(3):
            out[i, c] = out[i, c] * (base[c] + 0.5 * gloss[m] * shine)
    return out
