"""How long after a thing is first well seen it is on the published map: the simulated home, played live at 10 Hz.

Messages carry boxes, not points. The points come from doing the same again here: the same frames, segmented after the
same stamps, give the same instances, which is checked against every message.
"""

from __future__ import annotations

import importlib.util
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.spatial import cKDTree

from benchmarks.inputs import LIVING_KITCHEN, bag_folder, configuration, recording
from benchmarks.live import play
from benchmarks.table import Bar, Table, Unavailable
from moss_ros.config import MossConfig
from moss_ros.evaluation.ground_truth import GroundTruth, load_folder
from moss_ros.pipeline import Pipeline
from moss_ros.records import Frame, Snapshot
from moss_ros.warm_up import warm_up

_WELL_SEEN_PX = 500  # with depth in range
_MATCH_IOU = 0.25
_REACH_M = 0.03
_BAR_S = 2.0


@dataclass(slots=True)
class Heard:
    """What a listener of the graph noted; wall times in s."""

    rate: float = 1.0  # playing speed
    frame_s: dict[int, float] = field(default_factory=dict)  # stamp of a frame -> when it came
    messages: list[tuple[int, float, dict[int, int]]] = field(default_factory=list)  # stamp, when, points by id

    def came_s(self, stamp_ns: int) -> float:
        """When a frame came; of one that was played before this listener was found, by the pace of the player."""
        if stamp_ns not in self.frame_s:
            starts = [when - stamp / 1e9 / self.rate for stamp, when in self.frame_s.items()]
            return float(np.median(starts)) + stamp_ns / 1e9 / self.rate
        return self.frame_s[stamp_ns]

    def subscribe(self, node: Any, config: MossConfig) -> None:
        """Listen to camera_info, which comes with each image, and to the instances."""
        from moss_msgs.msg import InstanceArray
        from rclpy.qos import DurabilityPolicy, QoSProfile
        from sensor_msgs.msg import CameraInfo

        latched = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        node.create_subscription(CameraInfo, config.input.color_info_topic, self._on_info, 100)
        node.create_subscription(InstanceArray, "/mapper/instances", self._on_instances, latched)

    def _on_info(self, message: Any) -> None:
        self.frame_s.setdefault(_ns(message.header.stamp), time.monotonic())

    def _on_instances(self, message: Any) -> None:
        points = {i.id: i.point_count for i in message.instances}
        self.messages.append((_ns(message.header.stamp), time.monotonic(), points))


@dataclass(slots=True)
class Story:
    """Of each true thing: the stamp at which it was first well seen, and the first message that has it."""

    seen_ns: dict[int, int] = field(default_factory=dict)
    on_map: dict[int, int] = field(default_factory=dict)  # number of the message, by IoU
    touched: dict[int, int] = field(default_factory=dict)  # same, an instance that lies mostly in it is enough
    reproduced: int = 0  # messages that came out the same here


def run(quick: bool = False) -> Table:
    """Seconds from the first good view of a thing to the first ~/instances message that has it."""
    bag = bag_folder(LIVING_KITCHEN)
    for module in ("rclpy", "moss_msgs"):
        if importlib.util.find_spec(module) is None:
            raise Unavailable(f"no module {module}: the live graph needs ROS and the built messages")
    config = configuration(LIVING_KITCHEN)
    heard = Heard(rate=3.0 if quick else 1.0)
    status, _ = play(bag, config, heard.rate, lambda node: heard.subscribe(node, config))
    truth = load_folder(bag.parent)
    story = tell(config, heard, truth, bag.parent)
    table = Table(
        "live_latency",
        f"{LIVING_KITCHEN} at {30 if quick else 10} Hz, default configuration; well seen: {_WELL_SEEN_PX} px with "
        f"depth in range; on the map: IoU >= {_MATCH_IOU} with what is mapped of it by then",
        "",
    )
    _rows(table, heard, story, status)
    return table


def tell(config: MossConfig, heard: Heard, truth: GroundTruth, folder: Path) -> Story:
    """Do what the mapper did once more, and compare each message with the truth."""
    warm_up()
    pipeline, story = Pipeline(config), Story()
    judge = Judge(truth, pipeline)
    things = set(truth.evaluated_ids.tolist())
    images = IdImages(folder)
    waiting = list(enumerate(heard.messages))
    for frame in recording(LIVING_KITCHEN):
        pipeline.step(frame)
        for thing in images.well_seen(frame) & things:
            story.seen_ns.setdefault(thing, frame.stamp_ns)
        while waiting and waiting[0][1][0] == frame.stamp_ns:
            number, (_, _, points) = waiting.pop(0)
            snapshot = pipeline.segment()
            story.reproduced += {i.id: len(i.points_m) for i in snapshot.instances} == points
            matched, touched = judge.found(snapshot)
            for thing in matched & things:
                story.on_map.setdefault(thing, number)
            for thing in touched & things:
                story.touched.setdefault(thing, number)
    return story


class Judge:
    """Which true things the instances of a pipeline are at the moment."""

    def __init__(self, truth: GroundTruth, pipeline: Pipeline) -> None:
        self._tree = cKDTree(truth.points_m, balanced_tree=False, compact_nodes=False)
        self._truth = np.append(truth.instance, 0)
        self._pipeline = pipeline
        self._label = np.zeros(0, np.int32)  # true id of each voxel that has appeared so far, 0 = void

    def found(self, snapshot: Snapshot) -> tuple[set[int], set[int]]:
        """Ids with an instance of enough overlap; ids that hold most of an instance. Void counts for nothing."""
        voxels = self._pipeline.voxels
        new = voxels.position[len(self._label) : voxels.count]
        rows = self._tree.query(new, distance_upper_bound=_REACH_M)[1]
        self._label = np.append(self._label, self._truth[rows])
        label, owner = self._label, self._pipeline.instances.owner
        mapped = np.bincount(label[voxels.solid()], minlength=256)
        matched, touched = set(), set()
        for instance in snapshot.instances:
            share = np.bincount(label[: len(owner)][owner == instance.id], minlength=256)
            share[0] = 0
            union = np.maximum(share.sum() + mapped - share, 1)
            matched |= set(np.flatnonzero(share / union >= _MATCH_IOU).tolist())
            touched |= set(np.flatnonzero(share > 0.5 * share.sum()).tolist())
        return matched, touched | matched


class IdImages:
    """The true instance of each pixel, by stamp."""

    def __init__(self, folder: Path) -> None:
        self._archive = zipfile.ZipFile(folder / "instance_masks.zip")
        with np.load(folder / "gt_points.npz") as arrays:
            self._number = {int(stamp): i for i, stamp in enumerate(arrays["stamps_ns"])}

    def well_seen(self, frame: Frame) -> set[int]:
        """Ids with enough pixels whose depth is in range."""
        data = np.frombuffer(self._archive.read(f"{self._number[frame.stamp_ns]:04d}.png"), np.uint8)
        ids = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
        counts = np.bincount(ids[frame.depth_m > 0], minlength=256)
        return set(np.flatnonzero(counts >= _WELL_SEEN_PX).tolist()) - {0}


def _rows(table: Table, heard: Heard, story: Story, status: dict[str, str]) -> None:
    dropped = sum(int(n) for key, n in status.items() if key.startswith("dropped "))
    table.add("things well seen", len(story.seen_ns))
    never = sorted(story.seen_ns.keys() - story.on_map.keys())
    note = f"{len(never)} never: ids {never}" if never else ""
    table.add("  of them on the map at some time", len(story.seen_ns.keys() & story.on_map.keys()), note=note)
    _delays(table, "first message that has it, received", heard, story.seen_ns, story.on_map, barred=True)
    _delays(table, "an instance that lies mostly in it is enough", heard, story.seen_ns, story.touched)
    _delays(table, "image time of that message", heard, story.seen_ns, story.on_map, image_time=True)
    periods = np.diff([when for _, when, _ in heard.messages])
    table.add("between two messages, median", float(np.median(periods)) if len(periods) else None, "s")
    same = f"{story.reproduced} of {len(heard.messages)} came out the same without ROS"
    table.add("messages", len(heard.messages), note=same)
    table.add("frames dropped", dropped, note=f"{status['used']} of {status['received']} used")


def _delays(
    table: Table,
    title: str,
    heard: Heard,
    seen_ns: dict[int, int],
    found: dict[int, int],
    barred: bool = False,
    image_time: bool = False,
) -> None:
    """Median, 90th percentile and share of at most 2 s, over the things that are found at some time."""
    delays = []
    for thing, number in found.items():
        if thing in seen_ns:
            stamp_ns, when_s, _ = heard.messages[number]
            since_s = (stamp_ns - seen_ns[thing]) / 1e9 if image_time else when_s - heard.came_s(seen_ns[thing])
            delays.append(since_s)
    delay = np.maximum(np.array(delays), 0.0)  # less: it was there before it was well seen
    if not len(delay):
        table.add(f"{title}: median", None, "s", note="nothing was found")
        return
    table.add(f"{title}: median", float(np.median(delay)), "s", Bar(_BAR_S) if barred else None)
    table.add("  p90", float(np.percentile(delay, 90)), "s", Bar(_BAR_S) if barred else None)
    table.add(f"  at most {_BAR_S:g} s", 100.0 * float((delay <= _BAR_S).mean()), "%", note=f"of {len(delay)}")


def _ns(stamp: Any) -> int:
    return stamp.sec * 1_000_000_000 + stamp.nanosec
