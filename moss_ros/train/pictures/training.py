"""One training of the image tower: its state and its steps."""

from __future__ import annotations

import copy
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from moss_ros.train.course import follow, rate_at, running, share_done
from moss_ros.train.pictures.batches import Batch
from moss_ros.train.pictures.losses import WordTargets
from moss_ros.train.pictures.tower import embed_and_pool, make_tower, normalised

LARGEST_SCALE = 60.0
STEM_WEIGHT = 0.5
LOGGED_STEPS, LOGGED_KEEP = 10, 0.74  # the running means that are logged look at every tenth step


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train. The length is given in seconds of training, or in steps when steps is not 0."""

    seed: int = 0
    seconds: float = 3600.0
    steps: int = 0
    batch: int = 12
    masks: int = 8
    rate: float = 1.2e-3
    last_rate: float = 1e-5
    warm_up_steps: int = 60
    weight_decay: float = 0.05
    average: float = 0.997  # decay of the moving average of the weights
    half: bool = False  # bfloat16 where the device can


class Training:
    """State of a training: tower, its moving average, optimiser, step, seconds spent."""

    def __init__(self, settings: Settings, targets: WordTargets) -> None:
        """The device is that of the targets."""
        self.settings = settings
        self.targets = targets
        self.device = targets.device
        torch.manual_seed(settings.seed)
        self.tower = make_tower().to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07), device=self.device))
        self.average = copy.deepcopy(self.tower)
        self.step, self.seconds = 0, 0.0
        self.recent_loss, self.recent_right = math.nan, math.nan
        matrices = [p for p in self.tower.parameters() if p.ndim > 1]
        vectors = [p for p in self.tower.parameters() if p.ndim <= 1]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": matrices, "weight_decay": settings.weight_decay},
                {"params": [*vectors, self.log_scale], "weight_decay": 0.0},
            ],
            settings.rate,
            betas=(0.9, 0.98),
        )

    def start_from(self, weights: Path) -> int:
        """Take over the weights of an image.safetensors that fit by name and form; returns how many."""
        from safetensors.torch import load_file

        own = self.tower.state_dict()
        known = {k.removeprefix("visual."): v for k, v in load_file(str(weights)).items()}
        fit = {k: v for k, v in known.items() if k in own and own[k].shape == v.shape}
        self.tower.load_state_dict({**own, **fit})
        self.average = copy.deepcopy(self.tower)
        return len(fit)

    def share_done(self) -> float:
        """How much of the training is over, in [0, 1]."""
        return share_done(self.step, self.settings.steps, self.seconds, self.settings.seconds)

    def rate(self) -> float:
        """Learning rate."""
        s = self.settings
        return rate_at(self.share_done(), self.step, s.rate, s.last_rate, s.warm_up_steps)

    def train_on(self, batch: Batch) -> torch.Tensor:
        """One step; returns the loss, on the device."""
        self.tower.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        masked = batch.category >= 0
        found, pooled = self._embedded(batch, masked)
        category, color = batch.category[masked], batch.color[masked]
        row = torch.from_numpy(category).to(self.device)
        said = [c for window in batch.captions for c in window]
        scale = self.log_scale.exp().clamp(max=LARGEST_SCALE)
        wrong = self.targets.loss(found, scale, category, color, said)
        wrong = wrong + STEM_WEIGHT * self.targets.category_loss(pooled, scale, row)
        self.optimizer.zero_grad(set_to_none=True)
        wrong.backward()
        nn.utils.clip_grad_norm_(self.tower.parameters(), 1.0)
        self.optimizer.step()
        follow(self.average, self.tower, self.step, self.settings.average)
        if self.step % LOGGED_STEPS == 0:  # to read numbers is to wait for the device
            right = ((found.detach() @ self.targets.category.T).argmax(1) == row).float().mean()
            self.recent_loss = running(self.recent_loss, float(wrong.detach()), LOGGED_KEEP)
            self.recent_right = running(self.recent_right, float(right), LOGGED_KEEP)
        self.step += 1
        return wrong.detach()

    def _embedded(self, batch: Batch, masked: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Two (N, D) float32 of the N masks of a batch: their tokens, and the means of their patches."""
        inside, shares, outside = (torch.from_numpy(a).to(self.device) for a in (masked, batch.shares, batch.outside))
        with torch.autocast(self.device.split(":")[0], torch.bfloat16, self.settings.half):
            found, pooled = embed_and_pool(self.tower, normalised(batch.color_rgb, self.device), shares, outside)
        return found[inside].float(), pooled[inside].float()

    def state(self) -> dict[str, Any]:
        """Everything that a resumed training needs."""
        return {
            "settings": asdict(self.settings),
            "tower": self.tower.state_dict(),
            "average": self.average.state_dict(),
            "log_scale": self.log_scale.detach(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "recent": (self.recent_loss, self.recent_right),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a state. Its seed must be that of the settings, the length may change; raises ValueError."""
        if state["settings"]["seed"] != self.settings.seed:
            raise ValueError(f"the checkpoint has seed {state['settings']['seed']}, not {self.settings.seed}")
        self.tower.load_state_dict(state["tower"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        with torch.no_grad():
            self.log_scale.copy_(state["log_scale"])
        self.step, self.seconds = state["step"], state["seconds"]
        self.recent_loss, self.recent_right = state["recent"]
