"""What each part of the training of masks is worth: python -m moss_ros.train.mask_study --out FOLDER SCENE...

Small networks, each trained from nothing for the same number of steps on the same seed with one thing changed, are
scored on held-out views of all sensors and, pair by pair, on recorded scenes with truth. Finished ones are kept in
FOLDER.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field, replace
from pathlib import Path

from moss_ros.masks2d.network import Predictor, load_weights
from moss_ros.sim.training_views.sensor_profiles import DEFAULT_MIX
from moss_ros.sim.training_views.view_pool import ViewPool
from moss_ros.train.batches import BatchPlan, quiet_opencv
from moss_ros.train.files import write_whole
from moss_ros.train.mask_scores import held_out_scores
from moss_ros.train.masks import Settings, Training, save_checkpoint
from moss_ros.train.scene_pairs import ScenePairs
from moss_ros.train.stream import batches

WIDTHS = (24, 36, 52, 80, 104)  # a quarter of the parameters of the shipped network
ROOMS = 80


@dataclass(frozen=True, slots=True)
class Variant:
    """One network of the study."""

    plan: BatchPlan = field(default_factory=lambda: BatchPlan(0, first_rooms=ROOMS, rooms_per_batch=0.0, clean=0))
    widths: tuple[int, ...] = WIDTHS


def variants() -> dict[str, Variant]:
    """By name; the first has everything."""
    base = Variant()
    out = {"everything": base}
    for name in DEFAULT_MIX:
        left = tuple(other for other in DEFAULT_MIX if other != name)
        out[f"without {name}"] = replace(base, plan=replace(base.plan, sensors=left))
    out["nearly_ideal alone"] = replace(base, plan=replace(base.plan, sensors=("nearly_ideal",)))
    out["depth alone"] = replace(base, plan=replace(base.plan, without_color=1.0))
    for rooms in (ROOMS // 4, ROOMS // 2, 2 * ROOMS):
        out[f"{rooms} rooms"] = replace(base, plan=replace(base.plan, first_rooms=rooms))
    out["half as wide"] = replace(base, widths=tuple(w // 2 for w in WIDTHS))
    out["twice as wide"] = replace(base, widths=tuple(2 * w for w in WIDTHS))
    return out


def trained(variant: Variant, steps: int, folder: Path, pool: Path, workers: int) -> Path:
    """Folder with masks.safetensors of the variant; trains it where that is not there."""
    if not (folder / "masks.safetensors").exists():
        folder.mkdir(parents=True, exist_ok=True)
        training = Training(Settings(seed=variant.plan.seed, steps=steps, average=0.99), "cpu", variant.widths)
        stream = batches(pool, variant.plan, 0, workers)
        while training.share_done() < 1:
            training.train_on(next(stream))
        stream.close()
        save_checkpoint(training, folder)
    return folder


def scored(folder: Path, pool: ViewPool, rooms: int, scenes: dict[str, ScenePairs]) -> dict[str, float]:
    """Numbers of a trained network, by what they are of."""
    kept = folder / "scores.json"
    if not kept.exists():
        weights = folder / "masks.safetensors"
        numbers = {f"views {k}": v for k, v in held_out_scores(load_weights(weights), pool, rooms).items()}
        for name, scene in scenes.items():
            for what, color in (("depth", False), ("color", True)):
                numbers |= {f"{name} {what} {k}": v for k, v in scene.scores(Predictor(weights), color).items()}
        write_whole(kept, lambda part: part.write_text(json.dumps(numbers, indent=1), "utf-8"))
    return dict(json.loads(kept.read_text("utf-8")))


def main() -> None:
    """Command line."""
    import torch

    parser = argparse.ArgumentParser(prog="python -m moss_ros.train.mask_study", description=__doc__)
    parser.add_argument("scenes", type=Path, nargs="*", help="folders with bag/ and truth")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--rooms", type=int, default=16, help="held-out rooms")
    parser.add_argument("--workers", type=int, default=1, help="processes that make views")
    options = parser.parse_args()
    torch.set_num_threads(1)
    quiet_opencv()
    pool = options.out / "pool"
    scenes = {scene.name: ScenePairs(scene) for scene in options.scenes}
    for name, variant in variants().items():
        folder = trained(variant, options.steps, options.out / name.replace(" ", "_"), pool, options.workers)
        numbers = scored(folder, ViewPool(pool), options.rooms, scenes)
        print(name, {k: round(v, 3) for k, v in numbers.items()}, flush=True)


if __name__ == "__main__":
    main()
