"""Image-text models of open_clip as encoders of masks and texts; how a mask is read is a part of its own."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any, Protocol

import numpy as np
import torch

from moss_ros.language.encoders.mask_tokens import MaskTokens
from moss_ros.language.encoders.model_files import LoadedModel
from moss_ros.language.encoders.prompts import checked_text, prompts_for
from moss_ros.language.encoders.short_texts import encode_text
from moss_ros.language.encoders.window_pixels import checked, coverage, cut, outside, step_of
from moss_ros.language.encoders.windows import Window, choose_windows, mask_boxes, whole_frame
from moss_ros.torch_threads import one_thread

TEXTS_KEPT = 4096
_TEXTS_AT_ONCE = 64


class MaskReader(Protocol):
    """One way to read masks with an image tower."""

    def read(self, color_rgb: np.ndarray, masks: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """(N, D) float32, any length, of N masks with pixels, as ImageTextEncoder takes them.

        boxes: (N, 4) top, left, bottom, right, px of the image.
        """
        ...


class ClipEncoder:
    """ImageTextEncoder through open_clip; texts from any thread, masks from one."""

    def __init__(self, loaded: LoadedModel, reader: MaskReader | None = None) -> None:
        """reader: mask tokens in windows when None. Raises UnsupportedTowerError when the model has no patches."""
        self.name = loaded.name
        self.dimensions = loaded.dimensions
        self._loaded = loaded
        self._reader = reader or MaskTokenReader(loaded)
        self._texts: OrderedDict[str, np.ndarray] = OrderedDict()
        self._padding: int | None = None
        self._lock = Lock()  # texts are asked for by whoever answers and by whoever names
        is_small = loaded.device == "cpu" and loaded.is_small
        self._threads: Callable[[], contextlib.AbstractContextManager[None]] = (
            one_thread if is_small else contextlib.nullcontext
        )

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        """See ImageTextEncoder. Raises ValueError for an empty text and one that is too long for the model."""
        if isinstance(texts, str):
            raise ValueError("texts must be a list of texts: write [text]")
        tidy = [checked_text(t) for t in texts]
        with self._lock, self._threads():
            return self._encoded(tidy)

    def _encoded(self, tidy: list[str]) -> np.ndarray:
        new = [t for t in dict.fromkeys(tidy) if t not in self._texts]
        new.sort(key=len)  # texts of one batch are filled up to the same length
        fresh: dict[str, np.ndarray] = {}
        for first in range(0, len(new), _TEXTS_AT_ONCE):
            some = new[first : first + _TEXTS_AT_ONCE]
            fresh.update(zip(some, self._read_texts(some), strict=True))
        rows = [self._kept(t, fresh) for t in tidy]
        return np.stack(rows) if rows else np.zeros((0, self.dimensions), np.float32)

    def encode_masks(self, color_rgb: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """See ImageTextEncoder. Raises ValueError when the masks do not fit the image."""
        masks = checked(color_rgb, masks)
        boxes = step_of(color_rgb, masks) * mask_boxes(masks)
        out = np.zeros((len(masks), self.dimensions), np.float32)
        there = np.flatnonzero(boxes[:, 2] > boxes[:, 0])
        if len(there):
            part = masks if len(there) == len(masks) else masks[there]
            with self._threads():
                out[there] = unit_rows(self._reader.read(color_rgb, part, boxes[there]))
        return out

    def _kept(self, text: str, fresh: dict[str, np.ndarray]) -> np.ndarray:
        """The row of a text; the texts used last stay known."""
        row = self._texts.pop(text) if text in self._texts else fresh[text]
        self._texts[text] = row
        if len(self._texts) > TEXTS_KEPT:
            fresh.setdefault(*self._texts.popitem(last=False))  # may be asked for again in this very call
        return row

    @torch.inference_mode()
    def _read_texts(self, texts: list[str]) -> np.ndarray:
        prompts = [p for t in texts for p in prompts_for(t, self._loaded.templates)]
        with half_precision(self._loaded.device):
            found = encode_text(self._loaded.model, self._tokens(prompts))
        rows = unit_rows(found.float().cpu().numpy())
        return unit_rows(rows.reshape(len(texts), -1, rows.shape[1]).mean(1))

    def _tokens(self, prompts: list[str]) -> torch.Tensor:
        """(T, L) tokens. Tokenizers cut what is too long without a word; twice the room tells."""
        length = int(self._loaded.model.context_length)
        tokens = self._loaded.tokenizer(prompts, context_length=2 * length)
        if self._padding is None:
            self._padding = int(self._loaded.tokenizer(["a"], context_length=2 * length)[0, -1])
        long = (tokens[:, length:] != self._padding).any(1)
        if long.any():
            worst = prompts[int(long.nonzero()[0])]
            raise ValueError(f"the model reads {length} tokens, and this has more: {worst!r}; say it in fewer words")
        return tokens[:, :length].to(self._loaded.device)


class MaskTokenReader:
    """Masks as tokens beside the patches of windows of the image (mask_tokens.py, windows.py)."""

    def __init__(self, loaded: LoadedModel, start_layer_share: float | None = None, windows: bool = True) -> None:
        """start_layer_share: None = that of the model. windows: False reads all masks on the whole image."""
        if start_layer_share is None:
            start_layer_share = loaded.start_layer_share
        self._loaded = loaded
        self._windows = windows
        self._mask_tokens = MaskTokens(loaded.model.visual, start_layer_share)
        self._grid = self._mask_tokens.grid(loaded.image_size, loaded.device)
        self._cells = _cells_per_side(loaded.model.visual, loaded.image_size, self._grid)
        many = loaded.device == "cuda" or loaded.is_small  # else a batch needs more memory and is no faster
        self._at_once = 8 if many else 1

    def read(self, color_rgb: np.ndarray, masks: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """See MaskReader."""
        height, width = color_rgb.shape[:2]
        if self._windows:
            windows = choose_windows(boxes, height, width)
        else:
            windows = [whole_frame(height, width, tuple(range(len(masks))))]
        windows.sort(key=lambda w: len(w.rows))  # windows of one batch are filled up to the same number of masks
        out = np.zeros((len(masks), self._loaded.dimensions), np.float32)
        for first in range(0, len(windows), self._at_once):
            some = windows[first : first + self._at_once]
            for window, rows in zip(some, self._forward(color_rgb, masks, some), strict=True):
                out[list(window.rows)] = rows[: len(window.rows)]
        return out

    def _forward(self, color_rgb: np.ndarray, masks: np.ndarray, windows: list[Window]) -> np.ndarray:
        """(B, M, D) of windows with up to M masks."""
        height, width = color_rgb.shape[:2]
        step = step_of(color_rgb, masks)
        shares = np.zeros((len(windows), max(len(w.rows) for w in windows), *self._grid), np.float32)
        hidden = np.zeros((len(windows), *self._grid), bool)
        for index, window in enumerate(windows):
            cell = (window.side / self._cells[0], window.side / self._cells[1])
            shares[index, : len(window.rows)] = coverage(masks[list(window.rows)], window, self._grid, cell, step)
            hidden[index] = outside(window, height, width, self._grid, cell)
        images = window_images(color_rgb, windows, self._loaded)
        with half_precision(self._loaded.device):
            return self._mask_tokens.forward(images, shares, hidden)


def window_images(color_rgb: np.ndarray, windows: list[Window], loaded: LoadedModel) -> torch.Tensor:
    """(B, 3, S, S) normalised input of the model."""
    fill = loaded.mean * 255
    pixels = np.stack([cut(color_rgb, w, loaded.image_size, fill, loaded.bilinear) for w in windows])
    normal = (pixels.astype(np.float32) / 255 - loaded.mean) / loaded.std
    return torch.from_numpy(normal).permute(0, 3, 1, 2).to(loaded.device)  # channels stay last in memory


def half_precision(device: str) -> contextlib.AbstractContextManager[Any]:
    """Mixed precision on a GPU; a CPU keeps to single precision, so that answers are the same on every processor."""
    if device != "cuda":
        return contextlib.nullcontext()
    return torch.autocast("cuda", torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16)


def unit_rows(rows: np.ndarray) -> np.ndarray:
    """Rows (..., D) scaled to length 1; rows of zeros stay."""
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1), np.float32)


def _cells_per_side(visual: Any, image_size: int, grid: tuple[int, int]) -> tuple[float, float]:
    """Patches in a side of the input; a patch that would stick out is left out of the grid but counts here."""
    patch = getattr(visual, "patch_size", None) or getattr(getattr(visual, "trunk", None), "patch_size", None)
    if patch is None:
        return float(grid[0]), float(grid[1])
    high, wide = (patch, patch) if isinstance(patch, int) else patch
    return image_size / high, image_size / wide
