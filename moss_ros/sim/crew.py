"""One lit scene and the processes that cast its rays. Results do not depend on how many there are."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from moss_ros.sim.light import CHUNK, FINE, LightQuality, bounced, direct, smoothed
from moss_ros.sim.rays import RayScene
from moss_ros.sim.render import Renderer
from moss_ros.sim.scene import Light
from moss_ros.sim.shading import LINEAR, albedo
from moss_ros.sim.triangles import Triangles


@dataclass(slots=True)
class _State:
    """What a process knows; rays cannot be shared between processes."""

    triangles: Triangles
    lights: tuple[Light, ...]
    rays: RayScene
    seed: int
    renderer: Renderer | None = None
    sent_rgb: np.ndarray | None = None


_state: _State | None = None


def _start(triangles: Triangles, lights: tuple[Light, ...], seed: int) -> None:
    global _state
    _state = _State(triangles, lights, RayScene(triangles.corners_m), seed)


def _start_process(triangles: Triangles, lights: tuple[Light, ...], seed: int) -> None:
    cv2.setNumThreads(1)  # the processes share the cores already
    _start(triangles, lights, seed)


def _known() -> _State:
    if _state is None:
        raise RuntimeError("the process holds no scene: work goes through a Crew")
    return _state


def _direct(task: tuple[int, int]) -> np.ndarray:
    s, (chunk, grid) = _known(), task
    rows = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
    rng = np.random.default_rng([s.seed, 31, chunk])
    return direct(s.rays, s.triangles.point_m[rows], s.triangles.point_normal[rows], s.lights, rng, grid)


def _bounced(task: tuple[int, str, int]) -> np.ndarray:
    s, (chunk, sent_file, count) = _known(), task
    if s.sent_rgb is None:
        s.sent_rgb = np.load(sent_file)
    rows = slice(chunk * CHUNK, (chunk + 1) * CHUNK)
    rng = np.random.default_rng([s.seed, 32, chunk])
    return bounced(s.rays, s.triangles.point_m[rows], s.triangles.point_normal[rows], s.sent_rgb, rng, count)


def _with_renderer(task: tuple[str, Callable[[Renderer, Any], Any], Any]) -> Any:
    light_file, function, argument = task
    s = _known()
    if s.renderer is None:
        lamps = np.array([light.center_m for light in s.lights]).reshape(-1, 3)
        s.renderer = Renderer(s.triangles, s.rays, np.load(light_file), lamps)
    return function(s.renderer, argument)


class Crew:
    """Use as a context manager: ``bake`` once, then ``render`` many."""

    def __init__(self, triangles: Triangles, lights: tuple[Light, ...], seed: int, workers: int) -> None:
        self._triangles = triangles
        self._folder = tempfile.TemporaryDirectory(prefix="moss_sim_")
        self._pool: Any = None
        if workers > 1:
            # A fresh interpreter: a copy of this process could inherit locks of its running threads.
            context = multiprocessing.get_context("spawn")
            self._pool = context.Pool(workers, _start_process, (triangles, lights, seed))
        else:
            _start(triangles, lights, seed)

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        global _state
        if self._pool is not None:
            self._pool.terminate()
            self._pool.join()
        else:
            _state = None
        self._folder.cleanup()

    def _map(self, function: Callable[[Any], Any], tasks: list[Any]) -> Iterator[Any]:
        return self._pool.imap(function, tasks) if self._pool is not None else map(function, tasks)

    def bake(self, quality: LightQuality = FINE) -> np.ndarray:
        """(S, 3) float32 light at the shading points; kept for rendering."""
        t, x = self._triangles, self._triangles.textures
        chunks = range(-(-len(t.point_m) // CHUNK))
        lit = np.concatenate(list(self._map(_direct, [(c, quality.lamp_grid) for c in chunks])))
        color = albedo(t.uv, t.texture, x.texels, x.level_start, x.level_size, LINEAR)
        sent_file = str(Path(self._folder.name) / "sent.npy")
        np.save(sent_file, (color * (lit[t.point].mean(1) + x.glow[t.texture][:, None])).astype(np.float32))
        around = np.concatenate(list(self._map(_bounced, [(c, sent_file, quality.bounces) for c in chunks])))
        light = smoothed(lit, t, 1) + smoothed(around, t, 4)
        np.save(self._light_file, light)
        return light

    @property
    def _light_file(self) -> str:
        return str(Path(self._folder.name) / "light.npy")

    def render(self, function: Callable[[Renderer, Any], Any], arguments: list[Any]) -> Iterator[Any]:
        """function(renderer, argument) for each argument, in order; the function must be importable."""
        return self._map(_with_renderer, [(self._light_file, function, a) for a in arguments])
