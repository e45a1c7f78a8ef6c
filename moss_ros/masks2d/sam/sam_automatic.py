"""All masks of an image, without being told where the things are: a grid of points is asked, and what the model
is sure of is kept (Kirillov et al., Segment Anything, section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from moss_ros.config import MasksConfig
from moss_ros.masks2d.sam.sam_logits import MaskLogits, boxes, enlarged, joined, keep_apart, stability
from moss_ros.masks2d.sam.sam_model import PromptModel
from moss_ros.masks2d.sam.sam_prompted import PromptedSegmenter
from moss_ros.masks2d.sam.sam_prompts import Prompts, grid_prompts


@dataclass(frozen=True, slots=True)
class AutomaticRules:
    """What is asked and what is kept; see masks.sam_* in the parameters."""

    points_per_side: int
    batch: int
    min_iou: float
    min_stability: float
    most_iou: float
    min_pixels: int

    @staticmethod
    def of(config: MasksConfig) -> AutomaticRules:
        """The configured rules."""
        return AutomaticRules(
            config.sam_points_per_side,
            config.sam_batch,
            config.sam_min_iou,
            config.sam_min_stability,
            config.sam_overlap,
            config.min_pixels,
        )


class AutomaticMasks:
    """Not thread-safe."""

    def __init__(self, model: PromptModel, prompted: PromptedSegmenter, rules: AutomaticRules) -> None:
        """prompted: shares its memory of images."""
        self._model = model
        self._prompted = prompted
        self._rules = rules

    def masks(self, color_rgb: np.ndarray, stamp_ns: int) -> np.ndarray:
        """(K, H, W) bool masks of an image (H, W, 3) uint8, the surest first; they may overlap."""
        rules, shape = self._rules, color_rgb.shape[:2]
        embedding = self._prompted.embedding(color_rgb, stamp_ns)
        grid = grid_prompts(rules.points_per_side, shape)
        starts = range(0, len(grid), rules.batch)
        sure = joined([self._sure(embedding, grid.take(slice(s, s + rules.batch))) for s in starts])
        sure = sure.take(keep_apart(boxes(sure.values), sure.scores, rules.most_iou))
        found = enlarged(sure, shape)
        return found[np.count_nonzero(found, axis=(1, 2)) >= rules.min_pixels]

    def _sure(self, embedding: Any, prompts: Prompts) -> MaskLogits:
        """The answers that the model trusts and that are stable, in half precision to save memory."""
        answers = self._model.answer(embedding, prompts, True)
        answers = answers.take(np.flatnonzero(answers.scores >= self._rules.min_iou))
        answers = answers.take(np.flatnonzero(stability(answers.values) >= self._rules.min_stability))
        return MaskLogits(answers.values.astype(np.float16), answers.scores, answers.extent)
