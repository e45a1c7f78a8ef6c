"""Trains the text tower: python -m moss_ros.train.words --out FOLDER --minutes M

FOLDER keeps checkpoint.pt, curve.csv, text.safetensors and text_cfg.json; with --resume a training goes on from there.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as functional

from moss_ros.train.course import rate_at, running, share_done
from moss_ros.train.files import write_whole
from moss_ros.train.words.pairs import PairSampler, default_sources, is_test_synset
from moss_ros.train.words.similarity import Pair, lin_similarity, targets
from moss_ros.train.words.start import entries, first_vectors
from moss_ros.train.words.tokens import families, tokenize
from moss_ros.train.words.tower import DIMENSIONS, TEXT_CONFIG, WIDTH, WordTower, save
from moss_ros.train.words.wordnet import DEFAULT_FOLDER

LARGEST_SCALE = 60.0
LAST_RATE = 1e-6


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train. The length is given in seconds of training, or in steps when steps is not 0."""

    seed: int = 0
    seconds: float = 720.0
    steps: int = 0
    batch: int = 384
    context: int = 22  # longer definitions are cut in training
    rate: float = 2e-3
    table_rate: float = 3e-3
    warm_up_steps: int = 60
    weight_decay: float = 0.02


class Training:
    """State of a training: tower, its two optimisers (word tables are updated where a batch touched them), step."""

    def __init__(self, settings: Settings, tower: WordTower) -> None:
        self.settings = settings
        self.tower = tower
        self.step = 0
        self.seconds = 0.0
        self.recent_loss = math.nan
        self._tables = torch.optim.SparseAdam(tower.tables(), lr=settings.table_rate, betas=(0.9, 0.99))
        self._layers = torch.optim.AdamW(
            tower.layers(), lr=settings.rate, betas=(0.9, 0.98), weight_decay=settings.weight_decay
        )

    def share_done(self) -> float:
        """How much of the training is over, in [0, 1]."""
        return share_done(self.step, self.settings.steps, self.seconds, self.settings.seconds)

    def train_on(self, pairs: list[Pair], information: list[float]) -> float:
        """One step on a batch of pairs; returns its loss."""
        begun = time.monotonic()
        done, s = self.share_done(), self.settings
        for optimizer, rate in ((self._tables, s.table_rate), (self._layers, s.rate)):
            for group in optimizer.param_groups:
                group["lr"] = rate_at(done, self.step, rate, LAST_RATE, s.warm_up_steps)
        loss = self.loss(pairs, information)
        self._tables.zero_grad(set_to_none=True)
        self._layers.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.tower.layers(), 1.0)
        self._tables.step()
        self._layers.step()
        value = float(loss.detach())
        self.recent_loss = running(self.recent_loss, value)
        self.step += 1
        self.seconds += time.monotonic() - begun
        return value

    def loss(self, pairs: list[Pair], information: list[float]) -> torch.Tensor:
        """Contrastive loss in both directions against soft targets."""
        texts = [p.left for p in pairs] + [p.right for p in pairs]
        left, right = self.tower(torch.from_numpy(tokenize(texts, self.settings.context))).chunk(2)
        logits = (left @ right.T) * self.tower.log_scale.exp().clamp(max=LARGEST_SCALE)
        wanted = torch.from_numpy(targets(lin_similarity([p.concept for p in pairs], information)))
        return 0.5 * (functional.cross_entropy(logits, wanted) + functional.cross_entropy(logits.T, wanted))

    def state(self) -> dict[str, Any]:
        """Everything that a resumed training needs, but for the sampler, which starts anew from seed and step."""
        return {
            "settings": asdict(self.settings),
            "tower": self.tower.state_dict(),
            "tables": self._tables.state_dict(),
            "layers": self._layers.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "recent_loss": self.recent_loss,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a state. Its seed must be that of the settings, the length may change; raises ValueError."""
        if state["settings"]["seed"] != self.settings.seed:
            raise ValueError(f"the checkpoint has seed {state['settings']['seed']}: give --seed of that number")
        self.tower.load_state_dict(state["tower"])
        self._tables.load_state_dict(state["tables"])
        self._layers.load_state_dict(state["layers"])
        self.step, self.seconds, self.recent_loss = state["step"], state["seconds"], state["recent_loss"]


def new_training(settings: Settings, sampler: PairSampler) -> Training:
    """Tower with first vectors from the dictionary, everything from the seed."""
    torch.manual_seed(settings.seed)
    family, numbers = families()
    words = sampler.words
    tests = {row for row in sampler.uses if is_test_synset(words, row)}
    start = first_vectors(entries(words, sampler.home, tests), numbers, family, WIDTH, settings.seed)
    return Training(settings, WordTower(family, start))


def run(training: Training, sampler: PairSampler, folder: Path, save_s: float, report: Callable[[str], None]) -> None:
    """Train to the end; write checkpoint and weights every `save_s` seconds of training and at the end."""
    saved = training.seconds
    while training.share_done() < 1:
        training.train_on(sampler.batch(training.settings.batch), sampler.information)
        if training.step in (1, 5, 20) or training.step % 50 == 0:
            scale = float(training.tower.log_scale.detach().exp())
            report(f"step {training.step} {training.seconds:.0f} s loss {training.recent_loss:.3f} scale {scale:.1f}")
        if training.seconds - saved > save_s:
            write(training, folder)
            saved = training.seconds
    write(training, folder)


def write(training: Training, folder: Path) -> None:
    """checkpoint.pt, text.safetensors and text_cfg.json, each whole or not at all."""
    write_whole(folder / "checkpoint.pt", lambda part: torch.save(training.state(), part))
    note = {"step": str(training.step), "seed": str(training.settings.seed), "loss": f"{training.recent_loss:.3f}"}
    save(training.tower, folder / "text.safetensors", note)
    config = {"embed_dim": DIMENSIONS, "text_cfg": TEXT_CONFIG}
    (folder / "text_cfg.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("train_runs/words"), help="folder of the training")
    parser.add_argument("--wordnet", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument("--objects", type=Path, help="objects.json with captions and synonyms")
    parser.add_argument("--minutes", type=float, default=12.0, help="of training")
    parser.add_argument("--batch", type=int, default=Settings().batch)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save-minutes", type=float, default=3.0)
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    settings = Settings(seed=options.seed, seconds=60 * options.minutes, batch=options.batch)
    checkpoint = options.out / "checkpoint.pt"
    state = torch.load(checkpoint, weights_only=True) if options.resume and checkpoint.exists() else None
    # A resumed training draws other pairs than those it has seen, still the same for the same step.
    step = state["step"] if state else 0
    sampler = default_sources(options.wordnet, options.objects, options.seed + step)
    training = new_training(settings, sampler)
    if state:
        training.restore(state)
    run(training, sampler, options.out, 60 * options.save_minutes, lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
