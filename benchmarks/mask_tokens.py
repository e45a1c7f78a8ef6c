"""Embeddings of N masks of one image: mask tokens in one forward against N crops, with random weights.

`python -m benchmarks.mask_tokens ViT-L-14 [N ...]` measures another model of open_clip.
"""

from __future__ import annotations

import importlib.util
import resource
import sys
from functools import partial

import numpy as np

from benchmarks.table import Bar, Table, Unavailable
from benchmarks.timing import interleaved_seconds

_MODEL = "ViT-B-16"
_COUNTS = (8, 32, 100)
_BARS = {8: 3.0, 32: 9.0, 100: 20.0}  # times faster than crops
_STARTS = {"from the first block": 0.0, "from the middle": 0.5}
_CROPS_TIMED = 2  # a crop is a forward like any other: N of them take N / 2 times as long


def run(quick: bool = False) -> Table:
    """Ratios of times that take turns in one process."""
    return measure(_MODEL, (8,) if quick else _COUNTS, 1 if quick else 2)


def measure(name: str, counts: tuple[int, ...], repeats: int) -> Table:
    """Raises Unavailable without torch and open_clip."""
    if any(importlib.util.find_spec(library) is None for library in ("torch", "open_clip", "timm")):
        raise Unavailable("needs torch, open_clip and timm: pip install 'moss_ros[language]'")
    from moss_ros.torchvision_ops import ensure_torchvision

    ensure_torchvision()
    import open_clip
    import torch

    from moss_ros.language.encoders.mask_tokens import MaskTokens

    visual = open_clip.create_model(name).visual.eval().requires_grad_(False)
    size = visual.image_size[0]
    readers = {start: MaskTokens(visual, share) for start, share in _STARTS.items()}
    grid = readers["from the middle"].grid(size)
    image = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    crops = torch.randn(_CROPS_TIMED, 3, size, size, generator=torch.Generator().manual_seed(1))

    def crop_batch() -> None:
        with torch.inference_mode():
            visual(crops)

    table = Table(
        f"mask tokens, {name} at {size} px on {torch.get_num_threads()} threads",
        f"one image, {grid[0]} x {grid[1]} patches, N blobs as masks",
        f"N crops through the same tower in batches of {_CROPS_TIMED} (three crops a mask take three times as long)",
    )
    for count in counts:
        shares = _blobs(count, grid)
        works = {start: partial(reader.forward, image, shares) for start, reader in readers.items()}
        seconds = interleaved_seconds({**works, "crops": crop_batch}, repeats)
        crop_s = seconds["crops"] * count / _CROPS_TIMED
        for start in _STARTS:
            bar = Bar(_BARS[count], at_least=True) if count in _BARS else None
            table.add(f"N = {count}, {start}: times faster than crops", crop_s / seconds[start], "x", bar)
            table.add("  one forward", 1e3 * seconds[start], "ms")
        table.add("  N crops", 1e3 * crop_s, "ms")
    table.add("largest memory of the process", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MB")
    return table


def _blobs(count: int, grid: tuple[int, int]) -> np.ndarray:
    """(1, N, h, w) shares of round things anywhere in the image."""
    rng = np.random.default_rng(0)
    row, column = np.mgrid[: grid[0], : grid[1]]
    center, radius = rng.uniform(0, min(grid), (count, 2)), rng.uniform(1, min(grid) / 3, count)
    far = np.hypot(row - center[:, :1, None], column - center[:, 1:, None]) - radius[:, None, None]
    return np.clip(0.5 - far, 0, 1).astype(np.float32)[None]


if __name__ == "__main__":
    chosen = sys.argv[1] if len(sys.argv) > 1 else _MODEL
    print(measure(chosen, tuple(int(n) for n in sys.argv[2:]) or _COUNTS, 1))
