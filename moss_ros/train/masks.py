"""Train the mask network on simulated rooms: python -m moss_ros.train.masks --hours H --out FOLDER --seed S --resume

Everything comes from the seed. FOLDER holds the pool of views, checkpoint.pt, curve.csv and masks.safetensors.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from collections.abc import Generator, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from moss_ros.masks2d.network import WIDTHS, MaskNetwork, read_state, save_weights
from moss_ros.sim.training_views.view_pool import ViewPool
from moss_ros.train.batches import Batch, BatchPlan, quiet_opencv
from moss_ros.train.course import follow, rate_at, running, share_done
from moss_ros.train.device_ring import drawn
from moss_ros.train.files import append_row, write_whole
from moss_ros.train.mask_loss import loss, targets
from moss_ros.train.mask_scores import held_out_scores
from moss_ros.train.stream import batches

LOSS_STEPS, LOSS_KEEP = 10, 0.82  # the running mean of the loss looks at every tenth step


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train. The length is given in steps, or in seconds of training when steps is 0."""

    seed: int = 0
    steps: int = 0
    seconds: float = 5400.0
    rate: float = 2.5e-3
    last_rate: float = 2e-5
    warm_up_steps: int = 60
    weight_decay: float = 0.01
    average: float = 0.998  # decay of the moving average of the weights
    half: bool = True  # bfloat16 where the device can


class Training:
    """State of a training: network, its moving average, optimiser, step, seconds spent."""

    def __init__(self, settings: Settings, device: str = "cpu", widths: Sequence[int] = WIDTHS) -> None:
        self.settings = settings
        self.device = device
        torch.manual_seed(settings.seed)
        self.network = MaskNetwork(widths).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), settings.rate, weight_decay=settings.weight_decay)
        self.step = 0
        self.seconds = 0.0
        self.recent_loss = math.nan

    def start_from(self, weights: Path) -> None:
        """Take over the weights of a masks.safetensors. Raises WeightsError when they do not fit."""
        self.network.load_state_dict(read_state(weights, self.network), strict=False)
        self.average = copy.deepcopy(self.network)

    def share_done(self) -> float:
        """How much of the training is over, in [0, 1]."""
        return share_done(self.step, self.settings.steps, self.seconds, self.settings.seconds)

    def rate(self) -> float:
        """Learning rate."""
        s = self.settings
        return rate_at(self.share_done(), self.step, s.rate, s.last_rate, s.warm_up_steps)

    def train_on(self, batch: Batch) -> None:
        """One step on a batch of the workers."""
        x, ids, measured = (
            torch.from_numpy(a.copy()).to(self.device) for a in (batch.channels, batch.instance, batch.measured)
        )
        self.train_on_images(x.float(), ids, measured)

    def train_on_images(self, x: Tensor, ids: Tensor, measured: Tensor) -> None:
        """One step on images of the device: (B, 11, H, W) float32, (B, H, W) uint8, (B, H, W) bool."""
        self.network.train()
        truth, weight = targets(ids, measured)
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.settings.half):
            logits = self.network(x)
        wrong = loss(logits, truth, weight)
        self.optimizer.zero_grad(set_to_none=True)
        wrong.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
        self.optimizer.step()
        follow(self.average, self.network, self.step, self.settings.average)
        if self.step % LOSS_STEPS == 0:  # to read it is to wait for the device
            self.recent_loss = running(self.recent_loss, float(wrong.detach()), LOSS_KEEP)
        self.step += 1

    def state(self) -> dict[str, Any]:
        """Everything that a resumed training needs."""
        return {
            "settings": asdict(self.settings),
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "recent_loss": self.recent_loss,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a state. Its seed must be that of the settings, the length may change; raises ValueError."""
        if state["settings"]["seed"] != self.settings.seed:
            raise ValueError(f"the checkpoint has seed {state['settings']['seed']}, not {self.settings.seed}")
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds, self.recent_loss = state["step"], state["seconds"], state["recent_loss"]


def save_checkpoint(training: Training, folder: Path) -> None:
    """checkpoint.pt and masks.safetensors, each written whole."""
    write_whole(folder / "checkpoint.pt", lambda part: torch.save(training.state(), part))
    note = {"step": training.step, "seed": training.settings.seed, "seconds": round(training.seconds)}
    write_whole(folder / "masks.safetensors", lambda part: save_weights(training.average, part, note))


def log_scores(training: Training, pool: ViewPool, rooms: int, folder: Path) -> dict[str, float]:
    """Score the average on held-out views and add a line to curve.csv."""
    row: dict[str, float] = {
        "step": training.step,
        "seconds": round(training.seconds),
        "rate": training.rate(),
        "loss": training.recent_loss,
        **held_out_scores(training.average, pool, rooms, training.device),
    }
    append_row(folder / "curve.csv", row)
    return row


def run(
    training: Training,
    folder: Path,
    workers: int,
    save_s: float,
    score_s: float,
    rooms: int,
    kept: int = 0,
    images: int = 32,
) -> None:
    """Train to the end of the settings.

    kept: images kept on the device, of which each step draws some (images); 0: each batch of the workers once.
    """
    plan = BatchPlan(training.settings.seed)
    pool = ViewPool(folder / "pool")
    steps = (
        _drawn_steps(training, batches(folder / "pool", replace(plan, without_color=0), 0, workers), kept, images)
        if kept
        else _steps(training, batches(folder / "pool", plan, training.step, workers))
    )
    saved = scored = time.monotonic()
    while training.share_done() < 1:
        start = time.monotonic()
        next(steps)
        now = time.monotonic()
        training.seconds += now - start
        if training.step % 20 == 0:
            print(f"step {training.step} {training.seconds:.0f} s loss {training.recent_loss:.4f}", flush=True)
        if now - saved > save_s:
            save_checkpoint(training, folder)
            saved = now
        if now - scored > score_s:
            print(log_scores(training, pool, rooms, folder), flush=True)
            scored = time.monotonic()
    steps.close()
    save_checkpoint(training, folder)
    print(log_scores(training, pool, rooms, folder), flush=True)


def _steps(training: Training, stream: Iterable[Batch]) -> Generator[None, None, None]:
    for batch in stream:
        training.train_on(batch)
        yield


def _drawn_steps(training: Training, stream: Iterable[Batch], kept: int, images: int) -> Generator[None, None, None]:
    for draw in drawn(stream, images, kept, training.settings.seed, training.device):
        training.train_on_images(*draw)
        yield


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m moss_ros.train.masks", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the training")
    parser.add_argument("--hours", type=float, default=1.5, help="training time, without scoring")
    parser.add_argument("--steps", type=int, default=0, help="length in steps instead")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="go on from checkpoint.pt when it is there")
    parser.add_argument("--workers", type=int, default=1, help="processes that make views; 0: this one")
    parser.add_argument("--threads", type=int, default=1, help="threads of the network")
    parser.add_argument("--save-seconds", type=float, default=120.0)
    parser.add_argument("--score-seconds", type=float, default=600.0)
    parser.add_argument("--score-rooms", type=int, default=16, help="held-out rooms")
    parser.add_argument("--start", type=Path, help="masks.safetensors of an earlier training to begin from")
    parser.add_argument("--widths", type=int, nargs="+", default=WIDTHS, help="channels of the levels")
    parser.add_argument("--rate", type=float, default=Settings().rate, help="highest learning rate")
    parser.add_argument("--kept", type=int, default=0, help="images kept on a GPU, drawn again and again; 20000: 34 GB")
    parser.add_argument("--images", type=int, default=32, help="images of a step of those")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    quiet_opencv()
    options.out.mkdir(parents=True, exist_ok=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    settings = Settings(seed=options.seed, steps=options.steps, seconds=options.hours * 3600, rate=options.rate)
    training = Training(settings, device, options.widths)
    checkpoint = options.out / "checkpoint.pt"
    if checkpoint.exists() and not options.resume:
        parser.error(f"{checkpoint} exists: give --resume to go on with it, or another --out")
    if checkpoint.exists():
        training.restore(torch.load(checkpoint, map_location=device, weights_only=True))
    elif options.start is not None:
        training.start_from(options.start)
    run(
        training, options.out, options.workers, options.save_seconds, options.score_seconds, options.score_rooms,
        options.kept, options.images,
    )  # fmt: skip


if __name__ == "__main__":
    main()
