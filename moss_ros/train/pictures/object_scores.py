"""How well a tower names scanned objects in new composites: models it was trained on, and models it never saw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from moss_ros.train.pictures.batches import Batch, Source
from moss_ros.train.pictures.composites import Composer
from moss_ros.train.pictures.cutouts import load_cutouts
from moss_ros.train.pictures.losses import category_vectors
from moss_ros.train.pictures.tower import embed_masks, normalised
from moss_ros.train.pictures.words import Words

SCORE_SEED = 7
WINDOWS = 126  # of each split: six for each of the 21 unseen models
CHUNK = 21


def composite_batches(objects: Path, source: Source) -> dict[str, list[Batch]]:
    """Fixed windows of both splits, without any change of shape, hue, light or masks; every mask counts."""
    out = {}
    for split, cutouts in (("seen", source.cutouts), ("unseen", load_cutouts(objects, "val"))):
        rng = np.random.default_rng(SCORE_SEED)
        composer = Composer(cutouts)
        count = len(cutouts.objects)
        pictures = [composer.picture(rng, int(rng.integers(2, 5)), False, k % count) for k in range(WINDOWS)]
        out[split] = [source.stack(pictures[k : k + CHUNK], 6, rng, disturb=False) for k in range(0, WINDOWS, CHUNK)]
    return out


def composite_scores(objects: Path, source: Source, words: Words) -> Callable[[nn.Module], dict[str, float]]:
    """A function of a tower: top-1 and top-5 in percent among the categories of the objects, seen and unseen models."""
    names = sorted(source.names)
    vectors = category_vectors(names, words)
    row_of = np.full(len(source.categories.names), -1)
    row_of[[source.categories.number[n] for n in names]] = np.arange(len(names))
    batches = composite_batches(objects, source)

    def scores(tower: nn.Module) -> dict[str, float]:
        out = {}
        for split, parts in batches.items():
            rank = np.concatenate([ranks(tower, b, vectors, row_of) for b in parts])
            out[f"{split}_top1"] = 100 * float((rank < 1).mean())
            out[f"{split}_top5"] = 100 * float((rank < 5).mean())
        return out

    return scores


@torch.inference_mode()
def ranks(tower: nn.Module, batch: Batch, vectors: np.ndarray, row_of: np.ndarray) -> np.ndarray:
    """(N,) how many categories are ahead of the right one, of all masks of a batch."""
    tower.eval()
    device = str(next(tower.parameters()).device)
    shares, outside = torch.from_numpy(batch.shares).to(device), torch.from_numpy(batch.outside).to(device)
    found = embed_masks(tower, normalised(batch.color_rgb, device), shares, outside).cpu().numpy()
    masked = batch.category >= 0
    similarity = found[masked] @ vectors.T
    own = row_of[batch.category[masked]]
    return (similarity > similarity[np.arange(len(own)), own][:, None]).sum(1)
