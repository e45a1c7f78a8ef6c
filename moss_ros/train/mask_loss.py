"""What the mask network should say of each pixel, and how wrong it is."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from moss_ros.masks2d.network import OUTPUTS
from moss_ros.masks2d.regions import OFFSETS

# Pairs of different things are rare and decide everything.
SAME_WEIGHT, DIFFERENT_WEIGHT = 0.6, 2.0


def targets(instance: Tensor, measured: Tensor) -> tuple[Tensor, Tensor]:
    """Truth and weight, both (B, 13, H, W) float32, from ids (B, H, W) and where depth was measured (B, H, W) bool.

    Affinities count between measured pixels of which at least one is on a thing.
    """
    batch, height, width = instance.shape
    truth = torch.zeros(batch, OUTPUTS, height, width, device=instance.device)
    weight = torch.zeros_like(truth)
    truth[:, 0] = (instance > 0).float()
    weight[:, 0] = measured.float()
    for channel, (dy, dx) in enumerate(OFFSETS, 1):
        here, there = pair_slices(dy, dx, height, width)
        a, b = instance[(slice(None), *here)], instance[(slice(None), *there)]
        both = measured[(slice(None), *here)] & measured[(slice(None), *there)] & ((a > 0) | (b > 0))
        same = a == b
        truth[(slice(None), channel, *here)] = same.float()
        weight[(slice(None), channel, *here)] = both * torch.where(same, SAME_WEIGHT, DIFFERENT_WEIGHT)
    return truth, weight


def pair_slices(dy: int, dx: int, height: int, width: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Rows and columns of all pixels that have a partner at (dy, dx), and those of the partners; dy >= 0."""
    rows, other_rows = slice(0, max(height - dy, 0)), slice(dy, height)
    if dx >= 0:
        return (rows, slice(0, max(width - dx, 0))), (other_rows, slice(dx, width))
    return (rows, slice(-dx, width)), (other_rows, slice(0, max(width + dx, 0)))


def loss(logits: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Weighted mean of the cross entropy."""
    wrong = F.binary_cross_entropy_with_logits(logits.float(), truth, weight, reduction="sum")
    return wrong / weight.sum().clamp(min=1)
