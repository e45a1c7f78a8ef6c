"""The live graph: mapper and player as two processes over DDS, the kitchen bag at 10 Hz and at 30 Hz."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.inputs import REAL_KITCHEN, bag_folder, configuration, recording
from benchmarks.table import Bar, Table, Unavailable
from moss_ros.config import MossConfig, to_flat
from moss_ros.pipeline import Pipeline
from moss_ros.warm_up import warm_up

_RECORDED_HZ = 10
_START_S = 180.0  # the first start compiles the kernels
_BASELINE = "step() of the same frames in this process, without ROS and without segment()"


def run(quick: bool = False) -> Table:
    """Frames received, used and dropped as the mapper itself counts them on /diagnostics."""
    bag = bag_folder(REAL_KITCHEN)
    for module in ("rclpy", "moss_msgs", "moss_ros.ros.mapper_node", "moss_ros.ros.player_node"):
        if importlib.util.find_spec(module) is None:
            raise Unavailable(f"no module {module}: the live graph needs ROS and the built messages")
    config = configuration(REAL_KITCHEN)
    offline_ms = _offline_integrate_ms(config)
    table = Table(
        "live",
        f"{REAL_KITCHEN}, {recording(REAL_KITCHEN).frame_count} frames, default configuration",
        _BASELINE,
    )
    for hertz in (30,) if quick else (10, 30):
        status, seconds = play(bag, config, hertz / _RECORDED_HZ)
        _rows(table, hertz, status, seconds, offline_ms)
    return table


def _rows(table: Table, hertz: int, status: dict[str, str], seconds: float, offline_ms: float) -> None:
    drops = {key.removeprefix("dropped "): int(n) for key, n in status.items() if key.startswith("dropped ")}
    barred = hertz == _RECORDED_HZ
    table.add(f"{hertz} Hz: frames received", int(status["received"]), note=f"played in {seconds:.1f} s")
    table.add("  frames used", int(status["used"]))
    why = ", ".join(f"{reason} {count}" for reason, count in drops.items() if count)
    table.add("  frames dropped", sum(drops.values()), "", Bar(0) if barred else None, why)
    stages = _stages(status)
    for name in ("integrate", "keyframe"):
        if name not in stages:
            table.add(f"  {name}", None, "ms", note="no frame came so far")
            continue
        median, p95 = stages.pop(name)
        note = f"p95 {p95:.1f}" + (f"; without ROS {offline_ms:.1f}" if name == "integrate" else "")
        table.add(f"  {name}", median, "ms", Bar(30) if barred and name == "integrate" else None, note)
    table.add("  segment(), sum of medians", sum(median for median, _ in stages.values()), "ms")
    table.add("  peak memory", float(status["peak_rss_mb"]), "MB")


def _stages(status: dict[str, str]) -> dict[str, tuple[float, float]]:
    """Median and 95th percentile (ms) of each stage."""
    from moss_ros.ros.diagnostics import STAGE_FIGURES, STAGE_SUFFIX

    out = {}
    for key, value in status.items():
        if key.endswith(STAGE_SUFFIX):
            figures = dict(zip(STAGE_FIGURES, map(float, value.split(",")), strict=True))
            out[key.removesuffix(STAGE_SUFFIX)] = figures["median_ms"], figures["p95_ms"]
    return out


def _offline_integrate_ms(config: MossConfig) -> float:
    warm_up()
    pipeline = Pipeline(config)
    for frame in recording(REAL_KITCHEN, limit=100):
        pipeline.step(frame)
    return pipeline.timings.summary()["integrate"]["median_ms"]


def play(
    bag: Path, config: MossConfig, rate: float, subscribe: Callable[[Any], None] = lambda node: None
) -> tuple[dict[str, str], float]:
    """Play a bag to a fresh mapper; returns its last diagnostics and how long the player ran.

    subscribe: adds what else is to be heard to the node that listens.
    """
    os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)  # away from other graphs
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    defaults = to_flat(MossConfig())
    changed = {name: value for name, value in to_flat(config).items() if value != defaults[name]}
    with _Listener() as listener, _node("mapper_node", changed) as mapper:
        subscribe(listener.node)
        listener.wait_for_mapper(mapper)
        start = time.perf_counter()
        with _node("player_node", {"bag": str(bag), "rate": rate}) as player:
            while player.poll() is None:
                listener.spin(0.1)
            seconds = time.perf_counter() - start
            if player.returncode:
                raise RuntimeError(f"the player ended with exit code {player.returncode}")
        for _ in range(30):  # the last diagnostics
            listener.spin(0.1)
        if not listener.status:
            raise RuntimeError("no diagnostics of the mapper came")
        return listener.status, seconds


@contextmanager
def _node(module: str, parameters: dict[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    """A node as a process of its own, interrupted at the end."""
    command = [sys.executable, "-m", f"moss_ros.ros.{module}", "--ros-args"]
    for name, value in parameters.items():
        command += ["-p", f"{name}:={list(value) if isinstance(value, tuple) else value}"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            failed = process.poll()
            _stop(process)
            if failed:
                log.seek(0)
                sys.stderr.write(f"{module}:\n{log.read().decode(errors='replace')[-2000:]}\n")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class _Listener:
    """Keeps the newest diagnostics of the mapper."""

    def __enter__(self) -> _Listener:
        import rclpy
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.executors import SingleThreadedExecutor
        from std_srvs.srv import Trigger

        self.status: dict[str, str] = {}
        self._context = rclpy.Context()
        rclpy.init(context=self._context)
        self.node = rclpy.create_node("benchmark", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)
        self._segment: Any = self.node.create_client(Trigger, "/mapper/segment")
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        self._context.try_shutdown()

    def spin(self, seconds: float) -> None:
        """Handle what arrives within so many seconds."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)

    def wait_for_mapper(self, mapper: subprocess.Popen[bytes]) -> None:
        """Until its services are there, that is, its kernels are compiled."""
        deadline = time.monotonic() + _START_S
        while not self._segment.service_is_ready():
            self.spin(0.2)
            if mapper.poll() is not None:
                raise RuntimeError(f"the mapper ended at start with exit code {mapper.returncode}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"the mapper did not answer within {_START_S:.0f} s")

    def _on_diagnostics(self, message: Any) -> None:
        for status in message.status:
            if status.name == "/mapper":
                self.status = {item.key: item.value for item in status.values}
