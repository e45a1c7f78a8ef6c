"""Alpha-CLIP: an image tower that has a fourth channel for the mask, one forward for each mask.

The patches of the mask, from a convolution of their own, are added to those of the image; the text tower is the one of
CLIP. Source: Sun et al., Alpha-CLIP (CVPR 2024); their checkpoints hold the image tower only.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from moss_ros.language.encoders.clip import half_precision, window_images
from moss_ros.language.encoders.model_files import LoadedModel
from moss_ros.language.encoders.towers import NativeTower, UnsupportedTowerError, tower_of
from moss_ros.language.encoders.window_pixels import coverage, step_of
from moss_ros.language.encoders.windows import Window
from moss_ros.weights.table import MissingWeightsError

ALPHA_MEAN, ALPHA_STD = 0.5, 0.26
CONTEXT = 1.5  # side of the square that is read, in longer sides of the mask's box
ALPHA_KEY = "conv1_alpha.weight"
_AT_ONCE = 8


class AlphaClipReader:
    """Each mask in a square around it, all squares of a batch in one forward."""

    def __init__(self, loaded: LoadedModel, weights: Path) -> None:
        """Puts the checkpoint into the image tower of the model.

        Raises MissingWeightsError when the checkpoint is not there or does not fit, UnsupportedTowerError when the
        model has another tower than CLIP.
        """
        tower = tower_of(loaded.model.visual)
        if not isinstance(tower, NativeTower) or tower.pool != "token":
            raise UnsupportedTowerError("Alpha-CLIP needs a ViT of CLIP, e.g. language.model = ViT-L-14")
        self._loaded, self._tower = loaded, tower
        self._alpha = load_alpha(loaded, weights)

    def read(self, color_rgb: np.ndarray, masks: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """See MaskReader."""
        height, width = color_rgb.shape[:2]
        windows = [square_around(box, height, width, (row,)) for row, box in enumerate(boxes)]
        size, step = self._loaded.image_size, step_of(color_rgb, masks)
        found = []
        for first in range(0, len(windows), _AT_ONCE):
            some = windows[first : first + _AT_ONCE]
            alpha = [
                coverage(masks[list(w.rows)], w, (size, size), (w.side / size, w.side / size), step)[0] for w in some
            ]
            with half_precision(self._loaded.device):
                found.append(self.forward(window_images(color_rgb, some, self._loaded), np.stack(alpha)))
        return np.concatenate(found)

    @torch.inference_mode()
    def forward(self, images: torch.Tensor, alpha: np.ndarray) -> np.ndarray:
        """(B, D) float32 embeddings of (B, 3, S, S) normalised images with masks (B, S, S) in [0, 1]."""
        channel = torch.from_numpy((alpha[:, None] - ALPHA_MEAN) / ALPHA_STD).to(images)
        patches = self._loaded.model.visual.conv1(images) + self._alpha(channel)
        tokens, _ = self._tower.embed_patches(patches)
        for block in self._tower.blocks:
            tokens = self._tower.run(block, tokens, None)
        return self._tower.finish(tokens[:, :1])[:, 0].float().cpu().numpy()


def square_around(box: np.ndarray, height: int, width: int, rows: tuple[int, ...]) -> Window:
    """The square around a box with context; moved into the image as far as it fits."""
    top, left, bottom, right = (int(v) for v in box)
    side = min(int(np.ceil(CONTEXT * max(bottom - top, right - left))), max(height, width))
    return Window(_start(top, bottom, side, height), _start(left, right, side, width), side, rows)


def _start(low: int, high: int, side: int, size: int) -> int:
    if side >= size:
        return -((side - size) // 2)
    return int(np.clip((low + high - side) // 2, 0, size - side))


def load_alpha(loaded: LoadedModel, weights: Path) -> torch.nn.Conv2d:
    """Load a checkpoint into the image tower of the model, every key of it, and return its mask convolution."""
    visual = loaded.model.visual
    state = converted(_read(weights))
    if ALPHA_KEY not in state:
        raise MissingWeightsError(f"{weights} has no {ALPHA_KEY}: it is not a checkpoint of Alpha-CLIP")
    kernel = state.pop(ALPHA_KEY)
    wanted = {key: tuple(value.shape) for key, value in visual.state_dict().items()}
    given = {key: tuple(value.shape) for key, value in state.items()}
    if wanted != given or tuple(kernel.shape) != (wanted["conv1.weight"][0], 1, *wanted["conv1.weight"][2:]):
        wrong = sorted(k for k in wanted.keys() | given.keys() if wanted.get(k) != given.get(k)) or [ALPHA_KEY]
        raise MissingWeightsError(
            f"{weights} does not fit {loaded.name} (first of {len(wrong)} differences: {wrong[0]}, model "
            f"{wanted.get(wrong[0])}, file {given.get(wrong[0])}): take the model it was made from, e.g. ViT-L-14-336"
        )
    visual.load_state_dict(state, strict=True)
    patch = visual.conv1.kernel_size
    alpha = torch.nn.Conv2d(1, kernel.shape[0], patch, stride=patch, bias=False)
    alpha.weight.data.copy_(kernel)
    return alpha.to(loaded.device).eval().requires_grad_(False)


def converted(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Alpha-CLIP's names of weights (attention as a linear layer) as open_clip's; a leading "visual." goes."""
    out = {}
    for key, value in state.items():
        key = key.removeprefix("module.").removeprefix("visual.")
        key = key.replace(".attn.in_proj.weight", ".attn.in_proj_weight")
        out[key.replace(".attn.in_proj.bias", ".attn.in_proj_bias")] = value.float()
    return out


def _read(weights: Path) -> dict[str, torch.Tensor]:
    """Tensors only: nothing in a checkpoint is run."""
    if not weights.is_file():
        raise MissingWeightsError(
            f"language.alpha_weights = {weights} is not a file: get a checkpoint of Alpha-CLIP "
            "(github.com/SunzeY/AlphaCLIP, model zoo) and give its path"
        )
    if weights.suffix == ".safetensors":
        from safetensors.torch import load_file

        return dict(load_file(weights))
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zip and torch errors have no common ancestor
        raise MissingWeightsError(f"{weights} cannot be read as tensors: {error}") from error
    state = state.get("state_dict", state) if isinstance(state, dict) else state
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise MissingWeightsError(f"{weights} holds no table of tensors: it is not a checkpoint of Alpha-CLIP")
    return state
