"""A folder of images becomes a bag that gives the same frames."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from moss_ros.config import InputConfig
from moss_ros.messages.errors import MessageError
from moss_ros.replay.bag_writer import COLOR_INFO, DEPTH, DEPTH_INFO, DEPTH_RAW, TOPICS, RgbdBagWriter
from moss_ros.replay.folders.images import ImageFile, read_color, read_depth
from moss_ros.replay.folders.messages import (
    MILLIMETRES,
    compressed_color,
    compressed_depth,
    depth_message,
    info_message,
)
from moss_ros.replay.folders.opening import open_folder
from moss_ros.replay.folders.recording import FolderError, Recording, Shot


@dataclass(frozen=True, slots=True)
class Converted:
    """What is in the bag and what is not."""

    written: int  # frames
    drops: Counter[str]  # images of the folder that could not be used, by reason
    last_message: dict[str, str]  # of each reason; it names the fix


def convert(folder: Path, bag: Path, config: InputConfig, every: int = 1, progress: bool = True) -> Converted:
    """Write every n-th frame of a folder into a new bag; all messages of a frame have the stamp of the colour image.

    Image files are copied as they are. Depth that is not in millimetres is written as 32FC1, so that nothing is
    rounded. Raises FolderError.
    """
    if every < 1:
        raise FolderError(f"--every is {every}: take every n-th frame with n from 1")
    if bag.exists():
        raise FolderError(f"{bag} exists already: choose a new folder or remove it")
    recording = open_folder(folder, config)
    shots = recording.shots[::every]
    written = 0
    with _open_bag(bag, shots[0].stamp_ns, recording.depth_scale) as writer:
        for shot in tqdm(shots, unit="frame", disable=not progress):
            try:
                images = read_color(shot.color), read_depth(shot.depth)
            except MessageError as error:
                recording.drops.add(error.reason, error.text)
                continue
            _write(writer, recording, shot, *images)
            written += 1
    return Converted(written, recording.drops.counts, recording.drops.messages)


def _open_bag(bag: Path, start_ns: int, depth_scale: float) -> RgbdBagWriter:
    if depth_scale == MILLIMETRES:
        return RgbdBagWriter(bag, start_ns)
    topics = {DEPTH_RAW if topic == DEPTH else topic: kind for topic, kind in TOPICS.items()}
    return RgbdBagWriter(bag, start_ns, {**topics, DEPTH_RAW: "sensor_msgs/msg/Image"}, zstd=True)


def _write(writer: RgbdBagWriter, recording: Recording, shot: Shot, color: ImageFile, depth: ImageFile) -> None:
    stamp_ns, maker = shot.stamp_ns, writer.messages
    writer.write_pose(stamp_ns, shot.world_from_camera)
    writer.write(COLOR_INFO, stamp_ns, info_message(maker, stamp_ns, recording.color))
    writer.write(DEPTH_INFO, stamp_ns, info_message(maker, stamp_ns, recording.depth_optics))
    writer.write_color(stamp_ns, *compressed_color(color))
    if recording.depth_scale == MILLIMETRES:
        writer.write_depth_png(stamp_ns, compressed_depth(depth))
    else:
        writer.write(DEPTH_RAW, stamp_ns, depth_message(maker, stamp_ns, depth, recording.depth_scale))
