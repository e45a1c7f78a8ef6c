"""What remains of the room without its structure: supports with objects on them, and furniture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moss_ros.config import ProposalConfig
from moss_ros.geometry.components import ComponentMap, sort_by_label
from moss_ros.mapping.structure import Structure
from moss_ros.proposals.above_supports import AboveSupports
from moss_ros.proposals.furniture import FurnitureMap
from moss_ros.proposals.objects import find_objects
from moss_ros.proposals.solid_voxels import SolidVoxels
from moss_ros.records import MaskProposals


@dataclass(frozen=True, slots=True)
class Parts:
    """Objects, furniture, and what the image stage should treat as background."""

    objects: tuple[np.ndarray, ...]  # voxel ids each
    furniture: tuple[np.ndarray, ...]
    background: np.ndarray  # (N,) bool: structure, supports and their rims, and voxels that are not solid


class PartMap:
    """Partition of the solid voxels that are not structure; only what a change touches is worked out anew."""

    def __init__(self, config: ProposalConfig) -> None:
        self._config = config
        self._above = AboveSupports(config)
        self._candidates = ComponentMap()
        self._furniture = FurnitureMap(config)
        self._last: tuple[Structure, Parts] | None = None

    def update(self, voxels: SolidVoxels, structure: Structure, changed: np.ndarray) -> Parts:
        """changed (N,) bool: voxels whose position or solidity changed since the last call."""
        if self._last and self._last[0] is structure and not changed.any():
            return self._last[1]
        free = voxels.solid & ~structure.is_structure
        rest = free & (structure.support_of == 0)
        candidate = self._above.update(voxels, structure.supports, rest, changed)
        self._candidates.update(voxels.neighbours, candidate, voxels.position[:, 2])
        objects = find_objects(voxels, structure, rest, candidate, self._candidates.root, self._config)
        furniture = self._furniture.update(voxels, free & (objects == 0), changed)
        background = ~voxels.solid | structure.is_structure | (structure.support_of > 0) | (candidate < 0)
        parts = Parts(_groups(objects), _groups(furniture, self._config.object_min_voxels), background)
        self._last = (structure, parts)
        return parts


def object_proposals(parts: Parts) -> MaskProposals:
    """Objects first, then furniture; scores are set by the union."""
    voxels = parts.objects + parts.furniture
    sources = ("object",) * len(parts.objects) + ("furniture",) * len(parts.furniture)
    return MaskProposals(voxels, np.ones(len(voxels), np.float32), sources)


def _groups(label: np.ndarray, minimum: int = 1) -> tuple[np.ndarray, ...]:
    """Voxel ids of each positive label with at least so many voxels, by label."""
    order, ends = sort_by_label(label, int(label.max(initial=0)))
    bounds = zip(ends[:-1], ends[1:], strict=True)
    return tuple(order[a:b] for a, b in bounds if b - a >= max(minimum, 1))
