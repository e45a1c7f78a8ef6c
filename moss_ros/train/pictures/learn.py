"""Train the image tower: python -m moss_ros.train.pictures.learn --out FOLDER --objects data/objects --minutes M

FOLDER holds homes/ (made by home_pool, which may still run), checkpoint.pt, curve.csv and image.safetensors. With
--resume a training goes on from its checkpoint; the text tower may then be a newer one.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from moss_ros.train.batches import quiet_opencv
from moss_ros.train.echo import echoed
from moss_ros.train.files import append_row, write_whole
from moss_ros.train.pictures.batches import BatchPlan, Source, joined
from moss_ros.train.pictures.losses import WordTargets
from moss_ros.train.pictures.object_scores import composite_scores
from moss_ros.train.pictures.stream import batches
from moss_ros.train.pictures.training import LARGEST_SCALE, Settings, Training
from moss_ros.train.pictures.words import text_words


def save_checkpoint(training: Training, folder: Path) -> None:
    """checkpoint.pt and image.safetensors (the average, half precision), each written whole."""
    from safetensors.torch import save_file

    write_whole(folder / "checkpoint.pt", lambda part: torch.save(training.state(), part))
    state = {f"visual.{k}": _half(v) for k, v in training.average.state_dict().items()}
    state["logit_scale"] = training.log_scale.detach().clamp(max=math.log(LARGEST_SCALE)).half()
    note = {"format": "pt", "step": str(training.step), "seed": str(training.settings.seed)}
    write_whole(folder / "image.safetensors", lambda part: save_file(state, str(part), note))


def _half(value: torch.Tensor) -> torch.Tensor:
    return (value.half() if value.is_floating_point() else value).contiguous()


def log_scores(training: Training, scores: dict[str, float], folder: Path) -> dict[str, float]:
    """Add a line to curve.csv."""
    row = {
        "step": training.step,
        "seconds": round(training.seconds),
        "rate": training.rate(),
        "loss": training.recent_loss,
        "right": training.recent_right,
        **scores,
    }
    append_row(folder / "curve.csv", row)
    return row


def run(
    training: Training,
    objects: Path,
    folder: Path,
    save_s: float,
    score_s: float,
    scores: Callable[[nn.Module], dict[str, float]],
    workers: int = 1,
    echo: int = 0,
) -> None:
    """Train to the end of the settings. echo: batches of a step, drawn from the last ones; 0: each batch once."""
    plan = BatchPlan(training.settings.seed, training.settings.batch, training.settings.masks)
    stream = batches(objects, folder / "homes", plan, training.step, workers)
    if echo:
        stream = echoed(stream, joined, echo, training.settings.seed)
    saved = scored = now = time.monotonic()
    while training.share_done() < 1:
        start = time.monotonic()
        training.train_on(next(stream))
        now = time.monotonic()
        training.seconds += now - start
        if training.step % 25 == 0:
            print(
                f"step {training.step} {training.seconds:.0f} s loss {training.recent_loss:.3f} "
                f"right {training.recent_right:.3f}",
                flush=True,
            )
        if now - saved > save_s:
            save_checkpoint(training, folder)
            saved = now
        if now - scored > score_s:
            print(log_scores(training, scores(training.average), folder), flush=True)
            scored = time.monotonic()
    stream.close()
    save_checkpoint(training, folder)
    print(log_scores(training, scores(training.average), folder), flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m moss_ros.train.pictures.learn", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the training")
    parser.add_argument("--objects", type=Path, required=True, help="the folder data/objects")
    parser.add_argument("--text", type=Path, help="text.safetensors of the text tower; without: vectors by chance")
    parser.add_argument("--minutes", type=float, default=60, help="training time, without scoring")
    parser.add_argument("--steps", type=int, default=0, help="length in steps instead")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="go on from checkpoint.pt when it is there")
    parser.add_argument("--start", type=Path, help="image.safetensors of an earlier training to begin from")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1, help="processes that make windows")
    parser.add_argument("--batch", type=int, default=Settings().batch, help="windows of a batch")
    parser.add_argument("--rate", type=float, default=Settings().rate, help="highest learning rate")
    parser.add_argument("--echo", type=int, default=0, help="batches of a step, used more than once; for a GPU: 8")
    parser.add_argument("--save-seconds", type=float, default=120.0)
    parser.add_argument("--score-seconds", type=float, default=600.0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    quiet_opencv()
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoint = options.out / "checkpoint.pt"
    if checkpoint.exists() and not options.resume:
        parser.error(f"{checkpoint} exists: give --resume to go on with it, or another --out")
    source = Source(options.objects, options.out / "homes")
    words = text_words(options.text)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    settings = Settings(
        seed=options.seed, steps=options.steps, seconds=options.minutes * 60,
        batch=options.batch, rate=options.rate, half=device == "cuda",
    )  # fmt: skip
    training = Training(settings, WordTargets(source.categories, words, device))
    if checkpoint.exists():
        training.restore(torch.load(checkpoint, map_location=device, weights_only=True))
    elif options.start is not None:
        print(f"{training.start_from(options.start)} tensors from {options.start}", flush=True)
    score = composite_scores(options.objects, source, words)
    run(
        training, options.objects, options.out, options.save_seconds, options.score_seconds, score,
        options.workers, options.echo,
    )  # fmt: skip


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main()
