"""What a training step asks of the embeddings: the category among all, the caption among the batch's, the colour."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as functional

from moss_ros.sim.palette import COLORS
from moss_ros.train.pictures.categories import Caption, Categories, category_texts, color_texts
from moss_ros.train.pictures.words import Words

SMOOTHING = 0.1
CAPTION_WEIGHT = 0.5
COLOR_WEIGHT = 0.3
NEVER = -1e4


class WordTargets:
    """Vectors of all categories and of their colours."""

    def __init__(self, categories: Categories, words: Words, device: str = "cpu") -> None:
        self.categories = categories
        self.device = device
        self._words = words
        self.category = torch.from_numpy(category_vectors(categories.names, words)).to(device)  # (C, D)
        texts = [t for name in categories.names for t in color_texts(name)]
        self.color = torch.from_numpy(words.vectors(texts)).view(len(categories.names), len(COLORS), -1).to(device)
        excluded = categories.compatible & ~np.eye(len(categories.names), dtype=bool)
        self._excluded = torch.from_numpy(excluded).to(device)

    def loss(
        self, found: torch.Tensor, scale: torch.Tensor, category: np.ndarray, color: np.ndarray, said: list[Caption]
    ) -> torch.Tensor:
        """found: (N, D) unit vectors of N masks; category, color: (N,) numbers; said: their captions."""
        row = torch.from_numpy(category).to(self.device)
        total = self.category_loss(found, scale, row)
        total = total + CAPTION_WEIGHT * self._caption_loss(found, scale, category, color, said)
        if (color >= 0).any():
            known = torch.from_numpy(color >= 0).to(self.device)
            texts, said_color = self.color[row[known]], torch.from_numpy(color).to(self.device)[known]
            total = total + COLOR_WEIGHT * smooth_loss(
                scale * torch.einsum("nd,ncd->nc", found[known], texts), said_color
            )
        return total

    def category_loss(self, found: torch.Tensor, scale: torch.Tensor, row: torch.Tensor) -> torch.Tensor:
        """The right category of (N, D) vectors among all that it excludes; row: (N,)."""
        logits = (scale * found @ self.category.T).masked_fill(self._excluded[row], NEVER)
        return smooth_loss(logits, row)

    def _caption_loss(
        self, found: torch.Tensor, scale: torch.Tensor, category: np.ndarray, color: np.ndarray, said: list[Caption]
    ) -> torch.Tensor:
        """Symmetric contrastive loss; captions that may be right for another mask are no negatives of it."""
        texts = torch.from_numpy(self._words.vectors([c.text for c in said])).to(self.device)
        logits = scale * found @ texts.T
        maybe = torch.from_numpy(~self.categories.contradictions(said, category, color).T).to(self.device)
        maybe.fill_diagonal_(False)
        logits = logits.masked_fill(maybe, NEVER)
        own = torch.arange(len(said), device=self.device)
        return 0.5 * (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own))


def smooth_loss(logits: torch.Tensor, row: torch.Tensor) -> torch.Tensor:
    """Cross entropy with label smoothing over the classes that are not excluded."""
    log_p = logits.log_softmax(-1)
    open_ = logits > NEVER / 2
    spread = -(log_p * open_).sum(-1) / open_.sum(-1)
    own = -log_p.gather(1, row[:, None])[:, 0]
    return ((1 - SMOOTHING) * own + SMOOTHING * spread).mean()


def category_vectors(names: tuple[str, ...] | list[str], words: Words) -> np.ndarray:
    """(C, D) float32 unit vectors: means over the ways to write each name."""
    texts = [category_texts(n) for n in names]
    flat = words.vectors([t for group in texts for t in group]).reshape(len(names), len(texts[0]), -1)
    mean = flat.mean(1)
    return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), np.float32)
