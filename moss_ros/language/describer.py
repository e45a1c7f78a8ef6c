"""Contribution 1 in the pipeline: instances are read in their most telling views, with the whole image around them.

dense masks of a keyframe -> mask embeddings -> views of each instance -> mean, best view -> label
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from moss_ros.config import LanguageConfig
from moss_ros.language.encoders.encoder import ImageTextEncoder
from moss_ros.language.view_choice import ChosenView, Views
from moss_ros.language.view_store import ViewStore
from moss_ros.lifting.dense_masks import dense_masks
from moss_ros.lifting.expansion import Expansion
from moss_ros.lifting.target_view import TargetView
from moss_ros.mapping.keyframes import Keyframe
from moss_ros.mapping.voxel_map import VoxelMap
from moss_ros.records import Embeddings, Instance, Snapshot, rows_of

_MASKS_PX = 320  # columns that masks have at least, where the image has so many
_Due = tuple[int, ChosenView]  # instance id and the view to embed


@dataclass(frozen=True, slots=True)
class Sight:
    """What reading needs of the map: where the instances are, and the keyframes that saw them."""

    owner: np.ndarray  # (N,) instance id of each voxel, 0 = none
    voxels: VoxelMap
    keyframes: Mapping[int, Keyframe]  # by slot
    seen: np.ndarray  # (N, W) uint64 keyframe bits of each voxel
    expansion: Expansion


class Labeller(Protocol):
    """Gives names to instances."""

    def labels(self, instances: tuple[Instance, ...], embeddings: Embeddings) -> list[tuple[str, float]]:
        """Label and calibrated score, [0, 1], of each instance; the rows of embeddings are theirs, in order."""
        ...


class InstanceDescriber:
    """Keeps what the instances look like and are called; a pass reads a few keyframes, the most wanted first."""

    def __init__(self, encoder: ImageTextEncoder, labeller: Labeller, config: LanguageConfig) -> None:
        self.encoder = encoder
        self._labeller = labeller
        self._config = config
        self._store = ViewStore(config.views_per_instance)
        self._names: dict[int, tuple[str, float]] = {}
        self._told: dict[int, str] = {}  # the labels that went out last
        self.waiting = 0  # keyframes that hold missing views
        self.embeddings = self._store.embeddings(encoder.name, encoder.dimensions, [])

    def update(self, snapshot: Snapshot, sight: Sight, limit: int | None = None) -> None:
        """Embed the missing views of at most `limit` keyframes (None: of all), and name the instances anew."""
        members = members_of(sight.owner)
        ids = [i.id for i in snapshot.instances]
        self._store.keep_only(ids)
        due = self._due(ids, members, sight)
        order = sorted(due, key=lambda s: (-sum(v.weight for _, v in due[s]), s))[:limit]
        for slot in order:
            self._read(sight.keyframes[slot], due[slot], members, sight)
        self.waiting = len(due) - len(order)
        self.embeddings = self._store.embeddings(self.encoder.name, self.encoder.dimensions, ids)
        self.rename(snapshot)

    def rename(self, snapshot: Snapshot, labeller: Labeller | None = None) -> int:
        """Work the labels out again, from here on with another labeller if one is given; returns how many changed."""
        self._labeller = labeller or self._labeller
        names = dict(zip((i.id for i in snapshot.instances), self._labels(snapshot), strict=True))
        changed = sum(1 for i in names if names[i][0] != self._names.get(i, ("object", 0.0))[0])
        self._names = names
        return changed

    def named(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the labels known so far; what goes by another name than last time counts as changed."""
        instances = []
        changed = set(snapshot.changed_ids)
        for instance in snapshot.instances:
            label, score = self._names.get(instance.id, (instance.label, instance.label_score))
            if label != self._told.get(instance.id, "object"):
                changed.add(instance.id)
            instances.append(replace(instance, label=label, label_score=score))
        self._told = {i.id: i.label for i in instances}
        return replace(snapshot, instances=tuple(instances), changed_ids=frozenset(changed))

    def _labels(self, snapshot: Snapshot) -> list[tuple[str, float]]:
        if not snapshot.instances:
            return []
        known = rows_of(self.embeddings, [i.id for i in snapshot.instances])
        return self._labeller.labels(snapshot.instances, known)

    def _due(self, ids: list[int], members: Mapping[int, np.ndarray], sight: Sight) -> dict[int, list[_Due]]:
        """Views to embed, by keyframe slot."""
        views = Views(list(sight.keyframes.values()), sight.seen)
        due: dict[int, list[_Due]] = {}
        for instance_id in ids:
            mine = members.get(instance_id, np.zeros(0, np.int64))
            position_m, voxel_m = sight.voxels.position, sight.voxels.voxel_size_m
            wanted = views.choose(mine, position_m, voxel_m, self._config.views_per_instance)
            for view in self._store.due(instance_id, mine, wanted):
                due.setdefault(view.slot, []).append((instance_id, view))
        return due

    def _read(self, keyframe: Keyframe, due: list[_Due], members: Mapping[int, np.ndarray], sight: Sight) -> None:
        """Embed the due instances of one keyframe, all in one call of the model."""
        view = TargetView(keyframe.color_camera, keyframe.world_from_camera, keyframe.depth_m, keyframe.camera)
        view = view.coarser(mask_step(view.camera.width, view.camera.height))
        masks = dense_masks(sight.expansion.id_buffer(sight.voxels, view), [members[i] for i, _ in due])
        for (instance_id, chosen), row in zip(due, self.encoder.encode_masks(keyframe.color_rgb, masks), strict=True):
            self._store.put(instance_id, chosen, row, members[instance_id])


def mask_step(width: int, height: int) -> int:
    """How much coarser than an image its masks may be: models see them in patches of many pixels."""
    return max(s for s in range(1, max(width // _MASKS_PX, 1) + 1) if width % s == 0 and height % s == 0)


def members_of(owner: np.ndarray) -> dict[int, np.ndarray]:
    """Ascending voxel ids of each instance, from the instance id of each voxel (0 = none)."""
    owned = np.flatnonzero(owner)
    order = owned[np.argsort(owner[owned], kind="stable")]
    ids, first = np.unique(owner[order], return_index=True)
    return {int(i): part for i, part in zip(ids, np.split(order, first[1:]), strict=True)} if len(ids) else {}
