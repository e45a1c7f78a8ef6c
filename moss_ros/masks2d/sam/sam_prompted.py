"""Masks of prompted things: one look at each image, as many questions as wanted.

N prompts, H, W size of the image.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np

from moss_ros.masks2d.sam.sam_logits import MaskLogits, enlarged, joined, stability
from moss_ros.masks2d.sam.sam_model import PromptModel
from moss_ros.masks2d.sam.sam_prompts import PromptRules, Prompts, prompts_from_masks

KEPT_EMBEDDINGS = 4  # 4 to 12 MB each


@dataclass(frozen=True, slots=True)
class PromptedMasks:
    """N answers."""

    masks: np.ndarray  # (N, H, W) bool
    scores: np.ndarray  # (N,) float32: the model's guess of the overlap with the right mask, about [0, 1]
    stability: np.ndarray  # (N,) float32 in [0, 1]: how little the mask depends on the threshold


class PromptedSegmenter:
    """Answers prompts on images; remembers the last images by their stamps. Not thread-safe."""

    def __init__(self, model: PromptModel, batch: int = 64, keep: int = KEPT_EMBEDDINGS) -> None:
        """batch: prompts answered at a time; keep: images remembered."""
        self._model = model
        self._batch = batch
        self._keep = keep
        self._embeddings: OrderedDict[tuple[int, int], Any] = OrderedDict()

    def masks(self, color_rgb: np.ndarray, prompts: Prompts, stamp_ns: int) -> PromptedMasks:
        """One mask for each prompt on an image (H, W, 3). Raises ValueError for another kind of image."""
        logits = self.logits(color_rgb, prompts, stamp_ns)
        return PromptedMasks(enlarged(logits, color_rgb.shape[:2]), logits.scores, stability(logits.values))

    def refined(
        self,
        color_rgb: np.ndarray,
        masks: np.ndarray,
        stamp_ns: int,
        least_stability: float = 0.9,
        least_iou: float = 0.5,
        rules: PromptRules | None = None,
    ) -> np.ndarray:
        """(N, H, W) bool: masks (N, H, W) that are nearly right, with the borders that the model sees.

        An unstable answer, or one that overlaps the given mask too little, is not taken: the given mask stays.
        """
        if not len(masks):
            return masks.copy()
        prompts = prompts_from_masks(masks, rules)
        found = self.masks(color_rgb, prompts, stamp_ns)
        shared = (found.masks & masks).sum((1, 2))
        iou = shared / np.maximum((found.masks | masks).sum((1, 2)), 1)
        good = (found.stability >= least_stability) & (iou >= least_iou)
        return np.where(good[:, None, None], found.masks, masks)

    def logits(self, color_rgb: np.ndarray, prompts: Prompts, stamp_ns: int) -> MaskLogits:
        """The small masks, one for each prompt."""
        embedding = self.embedding(color_rgb, stamp_ns)
        if not len(prompts):
            return MaskLogits(np.zeros((0, 1, 1), np.float32), np.zeros(0, np.float32), (1.0, 1.0))
        starts = range(0, len(prompts), self._batch)
        return joined([self._model.answer(embedding, prompts.take(slice(s, s + self._batch)), False) for s in starts])

    def embedding(self, color_rgb: np.ndarray, stamp_ns: int) -> Any:
        """What the model knows of an image, made once. Raises ValueError for anything but (H, W, 3) uint8."""
        if color_rgb.dtype != np.uint8 or color_rgb.ndim != 3 or color_rgb.shape[2] != 3:
            raise ValueError(f"the image must be (H, W, 3) uint8, not {color_rgb.shape} {color_rgb.dtype}")
        key = (stamp_ns, zlib.crc32(color_rgb.tobytes()))  # a bag that starts anew repeats its stamps
        if key in self._embeddings:
            self._embeddings.move_to_end(key)
        else:
            self._embeddings[key] = self._model.embed(color_rgb)
            while len(self._embeddings) > self._keep:
                self._embeddings.popitem(last=False)
        return self._embeddings[key]
