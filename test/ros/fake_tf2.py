"""What the mapper uses of tf2_ros, with the documented names and errors, on scipy instead of the C++ library."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace

import numpy as np
from rclpy.qos import DurabilityPolicy, QoSProfile
from scipy.spatial.transform import Rotation, Slerp
from tf2_msgs.msg import TFMessage


class TransformException(Exception):
    pass


class LookupException(TransformException):
    pass


class ConnectivityException(TransformException):
    pass


class ExtrapolationException(TransformException):
    pass


class Buffer:
    """Interpolates over any gap, never extrapolates, keeps cache_time behind the newest transform of an edge."""

    def __init__(self, cache_time=None, node=None):
        self._cache_ns = cache_time.nanoseconds if cache_time else 10 * 10**9
        self._parent = {}
        self._static = {}
        self._moving = {}  # child -> {stamp: 4x4}
        self.clears = 0

    def set_transform(self, transform, authority):
        child = self._link(transform)
        stamps = self._moving.setdefault(child, {})
        stamp = transform.header.stamp.sec * 10**9 + transform.header.stamp.nanosec
        if stamps and stamp < max(stamps) - self._cache_ns:
            return  # TF_OLD_DATA
        stamps[stamp] = _matrix(transform.transform)
        for old in [s for s in stamps if s < max(stamps) - self._cache_ns]:
            del stamps[old]

    def set_transform_static(self, transform, authority):
        self._static[self._link(transform)] = _matrix(transform.transform)

    def clear(self):
        """Static transforms stay, as in the C++ library."""
        self._moving.clear()
        self.clears += 1

    def lookup_transform_core(self, target_frame, source_frame, time):
        for frame in (target_frame, source_frame):
            if frame not in self._parent and frame not in self._parent.values():
                raise LookupException(f'"{frame}" passed to lookupTransform argument does not exist')
        target, source = self._chain(target_frame), self._chain(source_frame)
        if target[-1] != source[-1]:
            raise ConnectivityException("the frames are not part of the same tree")
        while len(target) > 1 and len(source) > 1 and target[-2] == source[-2]:
            del target[-1], source[-1]
        found = np.linalg.inv(self._up(target, time.nanoseconds)) @ self._up(source, time.nanoseconds)
        x, y, z, w = Rotation.from_matrix(found[:3, :3]).as_quat()
        move = SimpleNamespace(x=found[0, 3], y=found[1, 3], z=found[2, 3])
        return SimpleNamespace(
            transform=SimpleNamespace(translation=move, rotation=SimpleNamespace(x=x, y=y, z=z, w=w))
        )

    def lookup_transform(self, target_frame, source_frame, time, timeout=None):
        return self.lookup_transform_core(target_frame, source_frame, time)

    def _link(self, transform):
        child = transform.child_frame_id.lstrip("/")
        self._parent[child] = transform.header.frame_id.lstrip("/")
        return child

    def _chain(self, frame):
        out = [frame]
        while out[-1] in self._parent:
            out.append(self._parent[out[-1]])
        return out

    def _up(self, chain, stamp):
        out = np.eye(4)
        for child in chain[:-1]:
            out = (self._static[child] if child in self._static else self._at(child, stamp)) @ out
        return out

    def _at(self, child, stamp):
        known = sorted(self._moving.get(child, {}))
        if not known or not known[0] <= stamp <= known[-1]:
            way = "future" if known and stamp > known[-1] else "past"
            raise ExtrapolationException(f"Lookup would require extrapolation into the {way}")
        if len(known) == 1:
            return self._moving[child][stamp]
        poses = np.stack([self._moving[child][s] for s in known])
        times = np.array([s - known[0] for s in known], np.float64)
        out = np.eye(4)
        out[:3, :3] = Slerp(times, Rotation.from_matrix(poses[:, :3, :3]))(stamp - known[0]).as_matrix()
        out[:3, 3] = [np.interp(stamp - known[0], times, poses[:, axis, 3]) for axis in range(3)]
        return out


class TransformListener:
    """Subscribes to /tf and /tf_static."""

    def __init__(self, buffer, node, *, spin_thread=False, qos=None, static_qos=None):
        latched = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._node = node
        self._subscriptions = [
            node.create_subscription(
                TFMessage, "/tf", lambda m: [buffer.set_transform(t, "default_authority") for t in m.transforms], 100
            ),
            node.create_subscription(
                TFMessage,
                "/tf_static",
                lambda m: [buffer.set_transform_static(t, "default_authority") for t in m.transforms],
                latched,
            ),
        ]

    def unregister(self):
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)


def _matrix(transform):
    out = np.eye(4)
    move, turn = transform.translation, transform.rotation
    out[:3, :3] = Rotation.from_quat([turn.x, turn.y, turn.z, turn.w]).as_matrix()
    out[:3, 3] = move.x, move.y, move.z
    return out


def module() -> ModuleType:
    """A stand-in for sys.modules["tf2_ros"]."""
    out = ModuleType("tf2_ros")
    for part in (
        Buffer,
        TransformListener,
        TransformException,
        LookupException,
        ConnectivityException,
        ExtrapolationException,
    ):
        setattr(out, part.__name__, part)
    return out
