"""The segmenter that the configuration names; the only place that knows them all."""

from __future__ import annotations

import logging
from importlib.util import find_spec

from moss_ros.config import MasksConfig
from moss_ros.masks2d.geometric import GeometricSegmenter
from moss_ros.masks2d.learned import LearnedMasks
from moss_ros.masks2d.sam.sam_segmenter import SamMasks
from moss_ros.masks2d.segmenter import Segmenter

_LOG = logging.getLogger(__name__)
_NEEDED = ("torch", "safetensors")


def configured_segmenter(config: MasksConfig) -> Segmenter:
    """auto takes the network where its libraries are installed.

    Raises ConfigError, with what to do, when a network is asked for and cannot be used.
    """
    if config.segmenter == "auto":
        missing = [name for name in _NEEDED if find_spec(name) is None]
        if missing:
            _LOG.warning("masks from depth steps only: pip install %s for the mask network", " ".join(missing))
            return GeometricSegmenter(config)
    if config.segmenter == "sam":
        return SamMasks(config)
    return GeometricSegmenter(config) if config.segmenter == "geometric" else LearnedMasks(config)
