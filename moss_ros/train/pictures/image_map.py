"""Fit the map behind the image tower on recorded homes: python -m moss_ros.train.pictures.image_map SCENE...

The tower was trained on drawn pictures; a recording has noise, exposure and blur of its own. What is fitted is one
matrix on the embeddings, kept small, that brings views of things (true masks) nearer to their noun among all household
nouns. Scenes are those of ``moss sim``; a third of them is left out in turn to see what the map is worth elsewhere.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from moss_ros.language.encoders.clip import ClipEncoder, unit_rows
from moss_ros.language.encoders.encoder import ImageTextEncoder
from moss_ros.language.encoders.model_files import bundled_files, load_files
from moss_ros.language.sizes.head_noun import head_noun, spaced
from moss_ros.language.sizes.size_table import read_sizes
from moss_ros.train.pictures.scene_scores import scene_views

VIEWS = 5  # of each thing
FOLDS = 3
PENALTY = 0.1  # of the squared matrix; .03 and .1 differ little on homes left out, .003 is worse on scans
SCALE = 70.0  # nats for a cosine of 1, as questions use it
SMOOTHING = 0.1
STEPS = 40


@dataclass(frozen=True, slots=True)
class NamedViews:
    """V views of the things of one scene whose category is a household noun."""

    rows: np.ndarray  # (V, D) float32 unit
    noun: np.ndarray  # (V,) row of the noun
    thing: np.ndarray  # (V,) id


def named_views(scene: Path, encoder: ImageTextEncoder) -> NamedViews:
    """Read the true masks of a recording; encoder: without a map."""
    views = scene_views(scene, VIEWS)
    names = {spaced(name): row for name, row in read_sizes().rows_by_name().items()}
    rows = np.concatenate([encoder.encode_masks(i, m) for i, m in zip(views.images, views.masks, strict=True)])
    thing = np.concatenate(views.ids)
    found = [head_noun(views.category[int(i)], names) for i in thing]
    noun = np.array([-1 if name is None else names[name] for name in found])
    kept = (noun >= 0) & rows.any(axis=1)
    return NamedViews(rows[kept], noun[kept], thing[kept])


def fit_map(scenes: Sequence[NamedViews], texts: np.ndarray, penalty: float = PENALTY) -> np.ndarray:
    """(D, D) float32 matrix to add to the identity; texts: (N, D) unit vectors of the nouns. Rare nouns weigh more."""
    import torch
    from torch.nn import functional

    rows = torch.from_numpy(np.concatenate([s.rows for s in scenes]))
    noun = torch.from_numpy(np.concatenate([s.noun for s in scenes]))
    nouns = torch.from_numpy(np.asarray(texts, np.float32))
    weight = torch.bincount(noun)[noun].float().rsqrt()
    weight = weight / weight.mean()
    matrix = torch.zeros(rows.shape[1], rows.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([matrix], max_iter=STEPS, history_size=10, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        logits = SCALE * functional.normalize(rows + rows @ matrix, dim=1) @ nouns.T
        each = functional.cross_entropy(logits, noun, label_smoothing=SMOOTHING, reduction="none")
        loss = (each * weight).mean() + penalty * matrix.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return np.asarray(matrix.detach().numpy())


def named_right(views: NamedViews, texts: np.ndarray, matrix: np.ndarray | None) -> float:
    """Share of the things that are nearest to their noun of all; the mean of a thing's views counts."""
    rows = views.rows if matrix is None else unit_rows(views.rows + views.rows @ matrix)
    things, first = np.unique(views.thing, return_index=True)
    mean = np.stack([rows[views.thing == thing].mean(axis=0) for thing in things])
    return float(((mean @ texts.T).argmax(axis=1) == views.noun[first]).mean())


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    config, weights = bundled_files()
    parser = argparse.ArgumentParser(prog="python -m moss_ros.train.pictures.image_map", description=__doc__)
    parser.add_argument("scenes", type=Path, nargs="+")
    parser.add_argument("--config", type=Path, default=config)
    parser.add_argument("--weights", type=Path, default=weights)
    parser.add_argument("--out", type=Path, default=config.with_name(f"{config.stem}_map.npy"))
    options = parser.parse_args(arguments)
    encoder = ClipEncoder(replace(load_files(options.config, options.weights, device="cpu"), image_map=None))
    texts = encoder.encode_texts(read_sizes().nouns)
    scenes = [named_views(scene, encoder) for scene in options.scenes]
    parts = [(scenes[k::FOLDS], [s for i, s in enumerate(scenes) if i % FOLDS != k]) for k in range(FOLDS)]
    parts = [(out, rest) for out, rest in parts if out and rest]
    plain = np.mean([named_right(s, texts, None) for s in scenes])
    left_out = [named_right(s, texts, matrix) for out, rest in parts for matrix in [fit_map(rest, texts)] for s in out]
    print(
        f"right noun of {len(texts)}: {100 * plain:.1f} % without, {100 * np.mean(left_out):.1f} % on scenes left out"
    )
    np.save(options.out, fit_map(scenes, texts).astype(np.float16))
    entries = json.loads(options.config.read_text("utf-8"))
    entries["moss"]["image_map"] = options.out.name
    options.config.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    print(f"wrote {options.out}, named in {options.config}")


if __name__ == "__main__":
    main()
