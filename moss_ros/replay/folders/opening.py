"""Which layout a folder has, and whether its images, intrinsics and scale go together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from moss_ros.config import InputConfig
from moss_ros.messages.camera_info import lens_of
from moss_ros.messages.errors import MessageError
from moss_ros.replay.folders import manifest, replica, scannet, tum
from moss_ros.replay.folders.images import ImageFile, read_color, read_depth
from moss_ros.replay.folders.messages import info_message
from moss_ros.replay.folders.recording import FolderError, Optics, Recording, Shot
from moss_ros.replay.message_maker import MessageMaker

_NEAREST_M, _FARTHEST_M = 0.02, 100.0  # a median depth beyond is no room: the unit is wrong


class Layout(NamedTuple):
    """One way to store a recording."""

    name: str
    files: str  # for the message when nothing fits
    fits: Callable[[Path], bool]
    read: Callable[[Path, InputConfig], Recording]


# A manifest is the user's own word and comes first.
LAYOUTS = (
    Layout("manifest", manifest.FILES, manifest.fits, manifest.read),
    Layout("ScanNet", scannet.FILES, scannet.fits, scannet.read),
    Layout("Replica", replica.FILES, replica.fits, replica.read),
    Layout("TUM RGB-D", tum.FILES, tum.fits, tum.read),
)


def layout_of(folder: Path) -> Layout | None:
    """The first layout that fits."""
    return next((layout for layout in LAYOUTS if layout.fits(folder)), None)


def open_folder(folder: Path, config: InputConfig) -> Recording:
    """Reads everything but the images, and one of those for its size. Raises FolderError."""
    layout = layout_of(folder)
    if layout is None:
        raise FolderError(f"{folder} is no recording that can be read; known layouts:\n{known_layouts()}")
    recording = layout.read(folder, config)
    if not recording.shots:
        raise FolderError(f"{folder}: no colour image has both depth and a pose{_reasons(recording)}")
    return _checked(recording)


def known_layouts() -> str:
    """One line for each layout."""
    return "\n".join(f"  {layout.name}: {layout.files}" for layout in LAYOUTS)


def _reasons(recording: Recording) -> str:
    counts, messages = recording.drops.counts, recording.drops.messages
    lines = [f"  {reason} ({counts[reason]}), the last: {messages[reason]}" for reason in sorted(counts)]
    return "; found:\n" + "\n".join(lines) if lines else ": there are no images"


def _checked(recording: Recording) -> Recording:
    """The recording with the sizes of its images."""
    maker = MessageMaker()
    shot, color, depth = _first_readable(recording)
    _check_scale(shot.depth, depth, recording.depth_scale)
    color_size, depth_size = (image.pixels.shape[1::-1] for image in (color, depth))
    color_optics = _fitting(maker, shot.color, recording.color, color_size)
    if recording.depth is None:
        _fitting(maker, shot.depth, color_optics, depth_size)
        depth_optics = color_optics.resized(*depth_size)
    else:
        depth_optics = _fitting(maker, shot.depth, recording.depth, depth_size)
    return replace(recording, color=color_optics, depth=depth_optics)


def _first_readable(recording: Recording) -> tuple[Shot, ImageFile, ImageFile]:
    """The first shot whose images can be read. One bad file is no reason to stop, but depth of a wrong type is."""
    first: MessageError | None = None
    for shot in recording.shots:
        try:
            return shot, read_color(shot.color), read_depth(shot.depth)
        except MessageError as error:
            if error.reason == "bad_encoding":
                raise FolderError(error.text) from None
            first = first or error
    raise FolderError(f"no image of {recording.path} can be read, the first is: {first}")


def _check_scale(path: Path, depth: ImageFile, depth_scale: float) -> None:
    known = depth.pixels[depth.pixels > 0]
    middle_m = float(np.median(known)) / depth_scale if len(known) else 1.0
    if not _NEAREST_M < middle_m < _FARTHEST_M:
        raise FolderError(
            f"{path}: the median depth is {middle_m:.4g} m with {depth_scale:g} units per metre: correct the depth "
            "scale (1000 for millimetres)"
        )


def _fitting(maker: MessageMaker, image: Path, optics: Optics, size: tuple[int, ...]) -> Optics:
    """Optics of images of size (width, height). Raises FolderError when they do not belong to these."""
    width, height = size
    sized = optics.sized(width, height)
    if not (0 < sized.cx < sized.width and 0 < sized.cy < sized.height):
        raise FolderError(
            f"{image} is {width} x {height}, but the centre of its intrinsics is at {sized.cx:g}, {sized.cy:g}: they "
            "are of another resolution; scale them, or use the original images"
        )
    try:
        lens_of(info_message(maker, 1, sized), width, height)  # the rules that each frame is held to
    except (MessageError, ValueError) as error:
        raise FolderError(f"{image} is {width} x {height} and does not fit its intrinsics: {error}") from None
    return sized if (sized.width, sized.height) == (width, height) else sized.resized(width, height)
