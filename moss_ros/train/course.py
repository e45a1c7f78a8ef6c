"""The course of any training here: how much is over, the learning rate, the moving average of the weights."""

from __future__ import annotations

import math

import torch
from torch import nn


def share_done(step: int, steps: int, seconds: float, limit_s: float) -> float:
    """How much of a training is over, in [0, 1]; its length is given in steps, or in seconds when steps is 0."""
    return min(1.0, step / steps if steps else seconds / limit_s)


def rate_at(done: float, step: int, rate: float, last_rate: float, warm_up_steps: int) -> float:
    """Learning rate: a short rise, then a cosine from rate to last_rate."""
    wave = 0.5 + 0.5 * math.cos(math.pi * done)
    return (last_rate + (rate - last_rate) * wave) * min(1.0, (step + 1) / warm_up_steps)


def running(mean: float, value: float, keep: float = 0.98) -> float:
    """Running mean that begins with the first value (mean NaN)."""
    return value if math.isnan(mean) else keep * mean + (1 - keep) * value


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, step: int, decay: float) -> None:
    """The average of the weights follows them, fast at first."""
    keep = min(decay, (1 + step) / (10 + step))
    means, news = list(average.state_dict().values()), list(network.state_dict().values())
    floating = [k for k, mean in enumerate(means) if mean.is_floating_point()]
    torch._foreach_lerp_([means[k] for k in floating], [news[k] for k in floating], 1 - keep)
    for k in set(range(len(means))) - set(floating):
        means[k].copy_(news[k])
