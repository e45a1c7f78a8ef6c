"""What every way of lifting gets, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from moss_ros.masks2d.evidence import EvidenceStore
from moss_ros.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class PeerViews:
    """The 2D masks of the keyframes on the N voxels of the map."""

    evidence: EvidenceStore
    slots: list[int]  # of the keyframes, by their stamps
    solid: np.ndarray  # (N,) bool
    superpoints: np.ndarray  # (N,) int32, -1 = none
    neighbours: np.ndarray  # (N, 26) int32, -1 = none

    @classmethod
    def of(cls, pipeline: Pipeline) -> PeerViews:
        """Of a map that was segmented."""
        stamps = pipeline.keyframes.stamps_ns()
        slots = sorted(pipeline.keyframes.evidence.slots(), key=lambda s: stamps[s])
        voxels = pipeline.voxels
        return cls(
            pipeline.keyframes.evidence, slots, pipeline.normals.solid, pipeline.superpoints.labels, voxels.neighbours
        )


@dataclass(frozen=True, slots=True)
class LiftedThings:
    """K things; their voxels may overlap."""

    voxels: list[np.ndarray]  # ascending ids
    votes: np.ndarray  # (K,) views behind each
