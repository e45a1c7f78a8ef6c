"""`make demo`: play a bag into the live mapper, as two processes over DDS, and write what comes out of its topics.

Nothing here looks into the pipeline: instances, points, pictures and timings all arrive as messages.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from moss_msgs.msg import InstanceArray, InstanceEvent
from moss_msgs.srv import FindObjects, GetInstance
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import PointCloud2
from std_srvs.srv import Trigger
from tqdm import tqdm

from moss_ros.output.map_file import write_map
from moss_ros.output.map_picture import write_map_picture
from moss_ros.output.run_folder import new_folder, table, write_events, write_instances, write_json
from moss_ros.ros.diagnostics import STAGE_FIGURES, STAGE_SUFFIX
from moss_ros.ros.find_client import answer_from_response
from moss_ros.ros.outputs import EVENTS_QOS
from moss_ros.ros.readback import cloud_from_message, event_from_message, instance_from_message

_DROPPED = "dropped "
_START_S = 180.0  # the first start compiles the kernels
_ANSWER_S = 60.0
_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class DemoError(ValueError):
    """The demo cannot go on; the message says why."""


def run_demo(
    bag: Path, parameters: dict[str, Any], out: Path, rate: float, questions: Sequence[str] = ()
) -> tuple[int, Path]:
    """Exit code (0: the live node made instances of the bag and stopped cleanly) and the folder written.

    questions: asked when the bag has ended; answers.json holds what the node said.
    """
    folder = new_folder(out)
    rclpy.init()
    listener = _Listener()
    mapper = _start("mapper_node", {**parameters, "use_sim_time": False}, folder / "mapper.log")
    try:
        print("starting the mapper (the first time it compiles for about a minute) ...", flush=True)
        listener.wait_until_ready(mapper)
        player = _start("player_node", {"bag": str(bag), "rate": rate}, folder / "player.log")
        listener.watch(player)
        code = _report(folder, listener, bag)
        listener.ask(folder, questions)
    finally:
        mapper_code = _stop(mapper)
        listener.close()
    if mapper_code != 0:
        print(f"the mapper ended with exit code {mapper_code}, see {folder / 'mapper.log'}")
    return code or mapper_code, folder


def _report(folder: Path, listener: _Listener, bag: Path) -> int:
    """Ask for everything, write the files, print the table."""
    listener.call(Trigger, "segment", Trigger.Request())
    instances, pictures = listener.instances()
    points, colors, ids = listener.cloud()
    facts = listener.diagnostics()
    write_instances(folder, instances)
    write_events(folder, sorted(map(event_from_message, listener.events), key=lambda event: event.number))
    rows = {i.id: np.flatnonzero(ids == i.id) for i in instances}
    write_map(folder, points, colors, rows, {i.id: i.score for i in instances})
    write_map_picture(
        folder / "map.png",
        points,
        colors,
        ids,
        instances,
        f"{bag.parent.name or bag.name}: {len(instances)} instances from above",
    )
    (folder / "evidence").mkdir(exist_ok=True)
    for instance_id, jpeg in pictures.items():
        (folder / "evidence" / f"{instance_id}.jpg").write_bytes(jpeg)
    write_json(folder / "run.json", facts)
    print(table(instances))
    frames = facts["frames"]
    dropped = sum(frames["dropped"].values())
    print(f"{frames['used']} of {frames['received']} frames used, {dropped} dropped {frames['dropped'] or ''}")
    print(f"wrote {folder}/map.png, instances.json, events.json, evidence/, run.json")
    return 0 if instances else 1


def _start(module: str, parameters: dict[str, Any], log: Path) -> subprocess.Popen[bytes]:
    arguments = [f"{name}:={_yaml(value)}" for name, value in parameters.items()]
    command = [sys.executable, "-m", f"moss_ros.ros.{module}", "--ros-args"]
    for argument in arguments:
        command += ["-p", argument]
    with log.open("wb") as stream:
        return subprocess.Popen(command, stdout=stream, stderr=subprocess.STDOUT)


def _yaml(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(str(v) for v in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _stop(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGINT)
    try:
        return process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


class _Listener(Node):
    """Hears the mapper's topics and calls its services."""

    def __init__(self) -> None:
        super().__init__("demo")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)
        self._array: InstanceArray | None = None
        self._cloud: PointCloud2 | None = None
        self._status: dict[str, str] = {}
        self.events: list[InstanceEvent] = []
        self.create_subscription(InstanceEvent, "/mapper/events", self.events.append, EVENTS_QOS)
        self.create_subscription(InstanceArray, "/mapper/instances", self._on_array, _LATCHED)
        self.create_subscription(PointCloud2, "/mapper/cloud", self._on_cloud, 2)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)
        self._get_instance: Any = self.create_client(GetInstance, "/mapper/get_instance")
        self._segment: Any = self.create_client(Trigger, "/mapper/segment")
        self._find: Any = self.create_client(FindObjects, "/mapper/find")

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self.destroy_node()
        rclpy.try_shutdown()

    def wait_until_ready(self, mapper: subprocess.Popen[bytes]) -> None:
        """Until the mapper's services answer."""
        deadline = time.monotonic() + _START_S
        while not (self._get_instance.service_is_ready() and self._segment.service_is_ready()):
            self._spin(0.1)
            if mapper.poll() is not None:
                raise DemoError(f"the mapper ended at start with exit code {mapper.returncode}, see mapper.log")
            if time.monotonic() > deadline:
                raise DemoError(f"the mapper did not answer within {_START_S:.0f} s, see mapper.log")

    def watch(self, player: subprocess.Popen[bytes]) -> None:
        """Show the frames that arrive until the player has ended."""
        with tqdm(unit="frame", desc="mapping live") as bar:
            while player.poll() is None:
                self._spin(0.1)
                self._show(bar)
            self._spin_for(2.0)  # the last diagnostics
            self._show(bar)
        if player.returncode != 0:
            raise DemoError(f"the player ended with exit code {player.returncode}, see player.log")

    def _show(self, bar: tqdm) -> None:
        bar.update(int(self._status.get("received", 0)) - bar.n)
        found = len(self._array.instances) if self._array else 0
        dropped = sum(int(v) for k, v in self._status.items() if k.startswith(_DROPPED))
        bar.set_postfix(instances=found, dropped=dropped)

    def call(self, kind: Any, name: str, request: Any) -> Any:
        """Answer of a service of the mapper; raises DemoError when there is none."""
        client = {Trigger: self._segment, GetInstance: self._get_instance, FindObjects: self._find}[kind]
        future = client.call_async(request)
        self._executor.spin_until_future_complete(future, timeout_sec=_ANSWER_S)
        if not future.done():
            raise DemoError(f"the mapper did not answer ~/{name} within {_ANSWER_S:.0f} s")
        return future.result()

    def instances(self) -> tuple[tuple[Any, ...], dict[int, bytes]]:
        """All instances with their points, and the JPEG of each best view."""
        self._spin_for(1.0)
        if self._array is None:
            return (), {}
        found, pictures = [], {}
        for message in self._array.instances:
            answer = self.call(GetInstance, "get_instance", GetInstance.Request(id=message.id))
            if answer.success:
                found.append(instance_from_message(answer.instance, answer.points))
                if len(answer.instance.evidence.data):
                    pictures[message.id] = bytes(answer.instance.evidence.data)
        return tuple(found), pictures

    def cloud(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Points (N, 3), colours (N, 3) and instance ids (N,) of the newest cloud."""
        self._cloud = None
        deadline = time.monotonic() + _ANSWER_S
        while self._cloud is None:
            self._spin(0.1)
            if time.monotonic() > deadline:
                raise DemoError("no cloud came on /mapper/cloud")
        return cloud_from_message(self._cloud)

    def ask(self, folder: Path, questions: Sequence[str]) -> None:
        """Write answers.json, when the node knows words."""
        if not questions or not self._find.service_is_ready():
            return
        answers = []
        for text in questions:
            response = self.call(FindObjects, "find", FindObjects.Request(text=text))
            if not response.success:
                print(f"no answers: {response.message}")
                return
            answers.append(answer_from_response(text, response))
        write_json(folder / "answers.json", {"answers": answers})

    def diagnostics(self) -> dict[str, Any]:
        """The mapper's own figures in the form of run.json."""
        dropped = {k.removeprefix(_DROPPED): int(v) for k, v in self._status.items() if k.startswith(_DROPPED)}
        stages = {}
        for key, value in self._status.items():
            if key.endswith(STAGE_SUFFIX):
                figures = (float(v) for v in value.split(","))
                stages[key.removesuffix(STAGE_SUFFIX)] = dict(zip(STAGE_FIGURES, figures, strict=True))
        frames = {
            "received": int(self._status.get("received", 0)),
            "used": int(self._status.get("used", 0)),
            "dropped": dropped,
        }
        return {"frames": frames, "stages": stages, "peak_rss_mb": float(self._status.get("peak_rss_mb", 0))}

    def _spin(self, seconds: float) -> None:
        self._executor.spin_once(timeout_sec=seconds)

    def _spin_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._spin(0.1)

    def _on_array(self, message: InstanceArray) -> None:
        self._array = message

    def _on_cloud(self, message: PointCloud2) -> None:
        self._cloud = message

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == "/mapper":
                self._status = {item.key: item.value for item in status.values}
