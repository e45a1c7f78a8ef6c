"""What joins the views of a thing; the configuration names one source, the rest of the pipeline sees only groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from moss_ros.config import ProposalConfig
from moss_ros.masks2d.evidence import EvidenceStore
from moss_ros.proposals.affinity import AffinityMap, AffinityProposals
from moss_ros.proposals.consensus import ConsensusMap
from moss_ros.proposals.solid_voxels import SolidVoxels
from moss_ros.records import MaskProposals


@dataclass(frozen=True, slots=True)
class JoinedViews:
    """Things as the views show them."""

    proposals: MaskProposals
    affinity: AffinityProposals | None = None  # what the merge tree says about them, where it is the source


class Views(Protocol):
    """Not thread-safe; keeps what did not change since the last call."""

    def update(self, evidence: EvidenceStore, voxels: SolidVoxels) -> JoinedViews:
        """Proposals of the evidence as it is now, on the solid voxels."""
        ...


class ConsensusViews:
    """2D masks that agree."""

    def __init__(self, config: ProposalConfig) -> None:
        self._map = ConsensusMap(config)

    def update(self, evidence: EvidenceStore, voxels: SolidVoxels) -> JoinedViews:
        """See Views."""
        return JoinedViews(self._map.update(evidence, voxels.solid))


class AffinityViews:
    """Pixel pairs averaged in 3D; the evidence must hold them (needs_pairs)."""

    def __init__(self, config: ProposalConfig) -> None:
        self._map = AffinityMap(config)

    def update(self, evidence: EvidenceStore, voxels: SolidVoxels) -> JoinedViews:
        """See Views."""
        found = self._map.update(evidence, voxels)
        return JoinedViews(found.proposals, found)


def configured_views(config: ProposalConfig) -> Views:
    """The source that proposals.views names."""
    return AffinityViews(config) if config.views == "affinity" else ConsensusViews(config)


def needs_pairs(config: ProposalConfig) -> bool:
    """Whether the keyframes must keep their pixel pairs, some megabytes each, for that source."""
    return config.views == "affinity"
