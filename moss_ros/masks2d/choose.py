"""The segmenter that the configuration names; the only place that knows them all."""

from __future__ import annotations

from moss_ros.config import MasksConfig
from moss_ros.masks2d.geometric import GeometricSegmenter
from moss_ros.masks2d.learned import LearnedMasks
from moss_ros.masks2d.segmenter import Segmenter


def configured_segmenter(config: MasksConfig) -> Segmenter:
    """Raises ConfigError, with what to do, when weights or libraries are missing."""
    return LearnedMasks(config) if config.segmenter == "learned" else GeometricSegmenter(config)
