"""Stable identities: proposals of each segmentation are matched to the instances known before."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.optimize import linear_sum_assignment

from moss_ros.config import InstanceConfig
from moss_ros.instances.boxes import oriented_box
from moss_ros.records import IdentityEvent, Instance, InstanceState, MaskProposals, OrientedBox, Snapshot

_VISIBLE_M = 1e-3  # boxes that moved less are the same to a listener
_EVENTS_KEPT = 10_000  # lines of the log that wait to be taken; older ones are gone then, as their numbers tell


@dataclass(frozen=True, slots=True)
class LoggedEvent(IdentityEvent):
    """A line with its place in the log. Kinds: "new", "merge" (of others into id), "split" (id out of others),
    "confirmed", "lost"."""

    segmentation: int = 0  # which segmentation of this map, from 1
    number: int = 0  # of the line, from 1 without gaps: a gap tells a reader that lines were missed


@dataclass(frozen=True, slots=True)
class _Body:
    """What the voxels of an instance say of it."""

    box: OrientedBox
    centroid_m: np.ndarray  # (3,)
    points_m: np.ndarray  # (n, 3) float32
    colors_rgb: np.ndarray  # (n, 3) uint8

    @classmethod
    def of(cls, voxels: np.ndarray, position: np.ndarray, color: np.ndarray) -> _Body:
        points = position[voxels]
        colors = np.clip(np.rint(color[voxels]), 0, 255).astype(np.uint8)
        return cls(oriented_box(points), points.astype(np.float64).mean(0), points, colors)


@dataclass(frozen=True, slots=True)
class _Told:
    """What a listener sees of an instance."""

    voxels: int
    state: InstanceState
    center_m: np.ndarray
    size_m: np.ndarray

    def differs_from(self, other: _Told) -> bool:
        """Whether it is worth telling: a mean that settles by tenths of a millimetre is not."""
        if (self.voxels, self.state) != (other.voxels, other.state):
            return True
        moved_m = np.abs(self.center_m - other.center_m).max()
        grown_m = np.abs(self.size_m - other.size_m).max()
        return bool(max(moved_m, grown_m) > _VISIBLE_M)


@dataclass(slots=True)
class _Track:
    """What is remembered of an instance between segmentations."""

    id: int
    voxels: np.ndarray
    first_seen_ns: int
    last_seen_ns: int
    observations: int
    state: InstanceState
    told: _Told | None  # what the listeners know of it
    body: _Body | None = None


class InstanceMap:
    """Gives ids that last, confirms what is seen often enough, logs merges and splits."""

    def __init__(self, config: InstanceConfig) -> None:
        self._config = config
        self._tracks: dict[int, _Track] = {}
        self._next_id = 1
        self._segmentations = 0
        self._logged = 0
        self.events: deque[LoggedEvent] = deque(maxlen=_EVENTS_KEPT)  # not yet taken, oldest first
        self.owner = np.zeros(0, np.int32)  # (N,) instance id that owns each voxel, 0 = none

    def update(
        self,
        proposals: MaskProposals,
        position: np.ndarray,
        color: np.ndarray,
        seen: np.ndarray,
        slot_stamp_ns: dict[int, int],
        stamp_ns: int,
        moved: np.ndarray | None = None,
    ) -> Snapshot:
        """Match exclusive proposals to the known instances and describe the result.

        seen (N, W) uint64 keyframe bits per voxel; slot_stamp_ns the stamp of each keyframe slot; moved (N,) bool:
        voxels whose position or colour changed since the last call, None = any may have.
        """
        self._segmentations += 1
        owner = np.zeros(len(position), np.int32)
        owner[: len(self.owner)] = self.owner
        ids, parents = self._match(proposals, owner)
        tracks: dict[int, _Track] = {}
        instances = []
        changed = set()
        for row, instance_id in enumerate(ids):
            voxels = proposals.voxels[row]
            track, is_new = self._track(instance_id, voxels, seen, slot_stamp_ns, stamp_ns)
            track.body = self._body(self._tracks.get(instance_id), voxels, position, color, moved)
            instance = self._describe(track, track.body, proposals, row)
            told = _Told(len(voxels), track.state, instance.box.center_m, instance.box.size_m)
            if is_new or track.told is None or told.differs_from(track.told):
                changed.add(instance_id)
                track.told = told
            tracks[instance_id] = track
            instances.append(instance)
        removed = frozenset(self._tracks.keys() - tracks.keys())
        self._log(ids, parents, tracks, stamp_ns)
        self._tracks = tracks
        self.owner = np.zeros(len(position), np.int32)
        for row, instance_id in enumerate(ids):
            self.owner[proposals.voxels[row]] = instance_id
        instances.sort(key=lambda i: i.id)
        return Snapshot(stamp_ns, tuple(instances), frozenset(changed), removed)

    def take_events(self) -> list[LoggedEvent]:
        """The lines of the log since the last call, oldest first."""
        out = list(self.events)
        self.events.clear()
        return out

    def lose_all(self, stamp_ns: int) -> None:
        """Log the end of every instance, before the map is forgotten."""
        self._segmentations += 1
        for instance_id in sorted(self._tracks):
            self._add_event(stamp_ns, "lost", instance_id)
        self._tracks = {}
        self.owner = np.zeros(0, np.int32)

    def _match(self, proposals: MaskProposals, owner: np.ndarray) -> tuple[list[int], list[dict[int, int]]]:
        """Id of each proposal, and the known instances it overlaps (id -> shared voxels)."""
        parents = []
        for voxels in proposals.voxels:
            owners, shared = np.unique(owner[voxels], return_counts=True)
            parents.append({int(i): int(n) for i, n in zip(owners, shared, strict=True) if i > 0})
        known = sorted(self._tracks)
        column = {instance_id: j for j, instance_id in enumerate(known)}
        iou = np.zeros((len(parents), len(known)))
        for row, overlaps in enumerate(parents):
            for instance_id, shared_count in overlaps.items():
                union = len(proposals.voxels[row]) + len(self._tracks[instance_id].voxels) - shared_count
                iou[row, column[instance_id]] = shared_count / union
        ids = [0] * len(parents)
        for row, j in zip(*linear_sum_assignment(-iou), strict=True):
            if iou[row, j] >= self._config.match_iou:
                ids[row] = known[j]
        for row in range(len(ids)):
            if ids[row] == 0:
                ids[row] = self._next_id
                self._next_id += 1
        return ids, parents

    def _track(
        self,
        instance_id: int,
        voxels: np.ndarray,
        seen: np.ndarray,
        slot_stamp_ns: dict[int, int],
        stamp_ns: int,
    ) -> tuple[_Track, bool]:
        stamps = _observation_stamps(voxels, seen, slot_stamp_ns)
        observations = len(stamps)
        old = self._tracks.get(instance_id)
        if old is None:
            stamps = stamps or [stamp_ns]
            track = _Track(instance_id, voxels, min(stamps), max(stamps), observations, InstanceState.TENTATIVE, None)
        else:  # keyframes are forgotten, what they told is not
            track = _Track(
                instance_id,
                voxels,
                min([old.first_seen_ns, *stamps]),
                max([old.last_seen_ns, *stamps]),
                max(old.observations, observations),
                old.state,
                old.told,
            )
        if track.observations >= self._config.confirm_observations:
            track.state = InstanceState.CONFIRMED
        return track, old is None

    @staticmethod
    def _body(
        old: _Track | None, voxels: np.ndarray, position: np.ndarray, color: np.ndarray, moved: np.ndarray | None
    ) -> _Body:
        """The one it had, where neither the voxels nor anything about them changed."""
        if old is None or old.body is None or moved is None:
            return _Body.of(voxels, position, color)
        if np.array_equal(old.voxels, voxels) and not moved[voxels].any():
            return old.body
        return _Body.of(voxels, position, color)

    @staticmethod
    def _describe(track: _Track, body: _Body, proposals: MaskProposals, row: int) -> Instance:
        return Instance(
            id=track.id,
            state=track.state,
            box=body.box,
            centroid_m=body.centroid_m,
            points_m=body.points_m,
            colors_rgb=body.colors_rgb,
            score=float(proposals.scores[row]),
            label="object",
            label_score=0.0,
            first_seen_ns=track.first_seen_ns,
            last_seen_ns=track.last_seen_ns,
            observations=track.observations,
            source=proposals.sources[row],
        )

    def _log(self, ids: list[int], parents: list[dict[int, int]], tracks: dict[int, _Track], stamp_ns: int) -> None:
        """By id: how it came, what it swallowed, whether it is sure now; then who is gone.

        Merge: a lost instance lies mostly in another. Split: a new one comes mostly from a living one.
        """
        absorbed = set()
        for instance_id, overlaps in sorted(zip(ids, parents, strict=True), key=lambda pair: pair[0]):
            old = self._tracks.get(instance_id)
            if old is None:
                size = sum(overlaps.values())
                origin = sorted(i for i, n in overlaps.items() if i in tracks and n > 0.5 * size)
                self._add_event(stamp_ns, "split" if origin else "new", instance_id, origin)
            gone = sorted(i for i, n in overlaps.items() if i not in tracks and n > 0.5 * len(self._tracks[i].voxels))
            if gone:
                self._add_event(stamp_ns, "merge", instance_id, gone)
                absorbed.update(gone)
            was_sure = old is not None and old.state is InstanceState.CONFIRMED
            if tracks[instance_id].state is InstanceState.CONFIRMED and not was_sure:
                self._add_event(stamp_ns, "confirmed", instance_id)
        for instance_id in sorted(self._tracks.keys() - tracks.keys() - absorbed):
            self._add_event(stamp_ns, "lost", instance_id)

    def _add_event(self, stamp_ns: int, kind: str, instance_id: int, others: Sequence[int] = ()) -> None:
        self._logged += 1
        self.events.append(LoggedEvent(stamp_ns, kind, instance_id, tuple(others), self._segmentations, self._logged))


def _observation_stamps(voxels: np.ndarray, seen: np.ndarray, slot_stamp_ns: dict[int, int]) -> list[int]:
    """Stamps of the keyframes that saw at least a tenth of the voxels."""
    counts = _count_bits(voxels, seen)
    return [
        stamp for slot, stamp in slot_stamp_ns.items() if slot < len(counts) and 0 < counts[slot] >= 0.1 * len(voxels)
    ]


@njit(cache=True, nogil=True)
def _count_bits(voxels, seen):
    """(64 W,) int64: how many of the voxels carry each bit."""
    words = seen.shape[1]
    out = np.zeros(64 * words, np.int64)
    for v in voxels:
        for w in range(words):
            bits = seen[v, w]
            slot = 64 * w
            while bits:
                if bits & np.uint64(1):
                    out[slot] += 1
                bits = bits >> np.uint64(1)
                slot += 1
    return out
