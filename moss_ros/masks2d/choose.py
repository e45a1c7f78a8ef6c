"""The segmenter and the prompted model that the configuration names; the only place that knows them all."""

from __future__ import annotations

import logging
from importlib.util import find_spec

from moss_ros.config import MasksConfig
from moss_ros.masks2d.geometric import GeometricSegmenter
from moss_ros.masks2d.learned import LearnedMasks
from moss_ros.masks2d.sam.sam_model import configured_model
from moss_ros.masks2d.sam.sam_prompted import PromptedSegmenter
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


def configured_prompter(config: MasksConfig, segmenter: Segmenter, when: str) -> PromptedSegmenter | None:
    """What answers prompts; when: auto (where the segmenter has such a model), always, or never.

    The model of the segmenter is taken where it has one, so that an image is looked at once. Raises ConfigError, with
    what to do, when weights or libraries are missing.
    """
    if when == "never":
        return None
    if isinstance(segmenter, SamMasks):
        return segmenter.prompted
    if when == "auto":
        return None
    return PromptedSegmenter(configured_model(config), config.sam_batch, config.sam_embeddings)
