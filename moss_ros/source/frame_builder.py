"""Messages in, Frames out: pairing, pose at the image stamp, decoding, rectification. Used live and in replay.

Nothing here raises on bad input: what cannot be used is counted by reason in ``drops``, and the sentence that
names the fix stays in ``last_message``.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Any

import numpy as np

from moss_ros.config import InputConfig
from moss_ros.geometry.camera import Camera
from moss_ros.geometry.transforms import from_translation_quaternion
from moss_ros.messages.camera_info import Rectifier, make_rectifier
from moss_ros.messages.errors import MessageError
from moss_ros.messages.images import decode_color, decode_depth
from moss_ros.messages.stamps import stamp_ns
from moss_ros.records import Frame
from moss_ros.source.pairing import StampPairer
from moss_ros.source.poses import PoseHistory, TransformTree

_JUMP_NS = 1_000_000_000  # stamps this far back are a restarted clock or a looped bag


class FrameBuilder:
    """Add messages in the order they come; each add returns the Frames that became complete."""

    def __init__(self, config: InputConfig) -> None:
        self._config = config
        self.drops: Counter[str] = Counter()
        self.last_message: dict[str, str] = {}
        self.received = 0  # colour images
        self.used = 0  # frames made
        self._gap_ns = int(config.pose_gap_s * 1e9)
        self._wait_ns = int(config.sync_wait_s * 1e9)
        self._pairs = StampPairer(int(config.sync_tolerance_s * 1e9), config.queue_size, self._drop)
        self._poses = PoseHistory(self._gap_ns)
        self._tree = TransformTree(self._gap_ns)
        self._infos: dict[str, Any] = {}
        self._rectifiers: dict[str, Rectifier] = {}
        self._without_pose: deque[tuple[int, Any, Any]] = deque()
        self._newest_ns = 0
        self._body_from_camera: np.ndarray | None = None
        if config.pose_source == "odometry":
            self._body_from_camera = from_translation_quaternion(
                np.array(config.body_from_camera_xyz), np.array(config.body_from_camera_xyzw)
            )

    def add_color(self, message: Any) -> list[Frame]:
        """A colour Image or CompressedImage."""
        self.received += 1
        return self._add_image("color", message)

    def add_depth(self, message: Any) -> list[Frame]:
        """A depth Image or compressedDepth CompressedImage."""
        return self._add_image("depth", message)

    def add_camera_info(self, message: Any, kind: str = "color") -> list[Frame]:
        """CameraInfo of the colour or the depth camera; maps are made again only when it changes."""
        key = (tuple(np.ravel(getattr(message, "k", ()))), tuple(np.ravel(getattr(message, "d", ()))),
               message.width, message.height, message.distortion_model)
        if self._infos.get(kind) != key:
            try:
                self._rectifiers[kind] = make_rectifier(message)
                self._infos[kind] = key
            except (MessageError, ValueError) as error:
                self._drop(getattr(error, "reason", "camera_info"), str(error))
        return self._ready()

    def add_pose(self, message: Any) -> list[Frame]:
        """PoseStamped of the camera's optical frame in the map frame."""
        return self._add_pose(message, message.pose, None)

    def add_odometry(self, message: Any) -> list[Frame]:
        """Odometry of the body in the map frame; the fixed body_from_camera is applied."""
        return self._add_pose(message, message.pose.pose, self._body_from_camera)

    def add_tf(self, message: Any, is_static: bool = False) -> list[Frame]:
        """TFMessage of /tf or /tf_static."""
        for transform in message.transforms:
            t, q = transform.transform.translation, transform.transform.rotation
            try:
                matrix = from_translation_quaternion(np.array([t.x, t.y, t.z]), np.array([q.x, q.y, q.z, q.w]))
            except ValueError as error:
                self._drop("bad_pose", f"transform {transform.header.frame_id} -> {transform.child_frame_id}: {error}")
                continue
            self._tree.add(
                transform.header.frame_id, transform.child_frame_id, stamp_ns(transform), matrix, is_static
            )
        return self._ready()

    def flush(self) -> list[Frame]:
        """End of the stream: what still waits is given up and counted."""
        frames = self._ready()
        while self._without_pose:
            self._give_up(self._without_pose.popleft())
        self._pairs.clear()
        return frames

    def _add_image(self, kind: str, message: Any) -> list[Frame]:
        stamp = stamp_ns(message)
        if stamp == 0:
            self._drop("no_stamp", f"{kind} image has stamp 0; the driver must stamp its images")
            return []
        if stamp < self._newest_ns - _JUMP_NS:
            self._start_over(stamp)
        self._newest_ns = max(self._newest_ns, stamp)
        pair = self._pairs.add(kind, stamp, message)
        if pair is not None:
            self._without_pose.append(pair)
        return self._ready()

    def _start_over(self, stamp: int) -> None:
        """Time went back (bag loop, restarted clock): what waits belongs to another time."""
        lost = self._pairs.clear() + len(self._without_pose)
        self._without_pose.clear()
        self._poses = PoseHistory(self._gap_ns)
        self._tree.clear_moving()
        back_s = (self._newest_ns - stamp) / 1e9
        self._drop("time_jump", f"image time jumped back by {back_s:.1f} s; {lost} waiting images were forgotten. "
                   "Harmless when a bag starts again; else check the camera clock")
        self._newest_ns = stamp

    def _add_pose(self, message: Any, pose: Any, body_from_camera: np.ndarray | None) -> list[Frame]:
        frame = message.header.frame_id.lstrip("/")
        if frame != self._config.map_frame:
            self._drop("pose_frame", f"poses are in frame {frame!r}, not in {self._config.map_frame!r}; set "
                       "input.map_frame or choose the right pose topic")
            return []
        p, q = pose.position, pose.orientation
        try:
            matrix = from_translation_quaternion(np.array([p.x, p.y, p.z]), np.array([q.x, q.y, q.z, q.w]))
        except ValueError as error:
            self._drop("bad_pose", str(error))
            return []
        stamp = stamp_ns(message)
        newest = self._poses.newest_ns()
        if newest is not None and stamp < newest - _JUMP_NS:
            self._poses = PoseHistory(self._gap_ns)
        self._poses.add(stamp, matrix if body_from_camera is None else matrix @ body_from_camera)
        return self._ready()

    def _ready(self) -> list[Frame]:
        """Frames whose pose is known by now, in order of their stamps."""
        frames = []
        while self._without_pose and "color" in self._rectifiers:
            stamp, color, depth = self._without_pose[0]
            pose = self._pose_at(stamp, color)
            if pose is None:
                if self._newest_ns - stamp <= self._wait_ns and len(self._without_pose) <= self._config.queue_size:
                    break
                self._give_up(self._without_pose.popleft())
                continue
            self._without_pose.popleft()
            frame = self._build(stamp, color, depth, pose)
            if frame is not None:
                frames.append(frame)
        while len(self._without_pose) > self._config.queue_size:
            self._without_pose.popleft()
            self._drop("no_camera_info", f"no usable CameraInfo on {self._config.color_info_topic}; publish it or set "
                       "input.color_info_topic")
        return frames

    def _pose_at(self, stamp: int, color: Any) -> np.ndarray | None:
        c = self._config
        if c.pose_source != "tf":
            return self._poses.at(stamp)
        return self._tree.lookup(c.map_frame, c.camera_frame or color.header.frame_id, stamp)

    def _give_up(self, pair: tuple[int, Any, Any]) -> None:
        c = self._config
        if "color" not in self._rectifiers:
            self._drop("no_camera_info", f"no usable CameraInfo on {c.color_info_topic}")
        elif c.pose_source == "tf":
            camera = c.camera_frame or pair[1].header.frame_id
            self._drop("no_pose", f"no transform {c.map_frame} <- {camera} at the image stamp; frames known: "
                       f"{', '.join(self._tree.frames()[:12]) or 'none'}. Check localisation, or set input.pose_source")
        else:
            self._drop("no_pose", f"no two poses on {c.pose_topic} within input.pose_gap_s = {c.pose_gap_s} s around "
                       "the image stamp; check the pose source and its clock")

    def _build(self, stamp: int, color: Any, depth: Any, pose: np.ndarray) -> Frame | None:
        try:
            color_rgb, color_camera = self._color(color)
            depth_m, depth_camera = self._depth(depth, color_camera)
            frame = Frame(stamp, color_rgb, color_camera, depth_m, depth_camera, pose)
        except (MessageError, ValueError) as error:
            self._drop(getattr(error, "reason", "bad_input"), str(error))
            return None
        self.used += 1
        return frame

    def _color(self, message: Any) -> tuple[np.ndarray, Camera]:
        rectifier = self._rectifiers["color"]
        image = decode_color(message)
        _check_size("colour", image, rectifier.camera)
        return rectifier.color(image), rectifier.camera

    def _depth(self, message: Any, color_camera: Camera) -> tuple[np.ndarray, Camera]:
        """Depth within the configured range; without an own CameraInfo the colour camera is scaled to its size."""
        depth_m = decode_depth(message)
        height, width = depth_m.shape
        rectifier = self._rectifiers.get("depth")
        if rectifier is not None:
            _check_size("depth", depth_m, rectifier.camera)
            depth_m, camera = rectifier.depth(depth_m), rectifier.camera
        else:
            camera = color_camera if (height, width) == (color_camera.height, color_camera.width) else (
                color_camera.resized(width, height)
            )
        measured = depth_m[depth_m > 0]
        if len(measured) and float(np.median(measured)) > 100:
            raise MessageError("depth_unit", f"median depth is {np.median(measured):.0f} m: 32FC1 must be metres; "
                               "millimetres belong into 16UC1")
        in_range = (depth_m >= self._config.depth_min_m) & (depth_m <= self._config.depth_max_m)
        if not in_range.any():
            raise MessageError("depth_empty", f"no pixel has a depth in [{self._config.depth_min_m}, "
                               f"{self._config.depth_max_m}] m; check the unit (16UC1 mm, 32FC1 m), input.depth_min_m "
                               "and input.depth_max_m")
        return depth_m, camera

    def _drop(self, reason: str, text: str) -> None:
        self.drops[reason] += 1
        self.last_message[reason] = text


def _check_size(name: str, image: np.ndarray, camera: Camera) -> None:
    if image.shape[:2] != (camera.height, camera.width):
        raise MessageError("info_size", f"{name} image is {image.shape[1]} x {image.shape[0]} but its CameraInfo says "
                           f"{camera.width} x {camera.height}; choose the CameraInfo topic that belongs to it")
