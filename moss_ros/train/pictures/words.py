"""Vectors of texts: from the trained text tower, or from chance where there is none yet."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from moss_ros.torchvision_ops import ensure_torchvision
from moss_ros.train.words.tower import DIMENSIONS, TEXT_CONFIG

_AT_ONCE = 512


class Words(Protocol):
    """Texts to vectors."""

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """(T, 256) float32 unit vectors."""
        ...


class ChanceWords:
    """A random vector for each word, summed: texts that share words are alike. For tests and first steps."""

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """See Words."""
        out = np.array([sum((_chance(w) for w in t.split()), np.zeros(DIMENSIONS)) for t in texts])
        return (out / np.linalg.norm(out, axis=1, keepdims=True)).astype(np.float32)


def _chance(word: str) -> np.ndarray:
    if word in ("a", "an", "the"):
        return np.zeros(DIMENSIONS)
    number = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "little")
    return np.random.default_rng(number).normal(size=DIMENSIONS)


class TowerWords:
    """The frozen text tower of the bundled model; texts are encoded once."""

    def __init__(self, weights: Path) -> None:
        """weights: text.safetensors with open_clip's names. Raises FileNotFoundError with the fix."""
        if not weights.is_file():
            raise FileNotFoundError(f"{weights} is missing: python -m moss_ros.train.words --out FOLDER")
        self._model = _text_model(weights)
        self._known: dict[str, np.ndarray] = {}

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """See Words."""
        new = list(dict.fromkeys(t for t in texts if t not in self._known))
        for start in range(0, len(new), _AT_ONCE):
            part = new[start : start + _AT_ONCE]
            self._known.update(zip(part, self._encoded(part), strict=True))
        return np.stack([self._known[t] for t in texts])

    def _encoded(self, texts: Sequence[str]) -> np.ndarray:
        import torch
        from open_clip.tokenizer import SimpleTokenizer

        tokens = SimpleTokenizer(context_length=TEXT_CONFIG["context_length"])(list(texts))
        with torch.inference_mode():
            return self._model.encode_text(tokens, normalize=True).float().numpy()


def _text_model(weights: Path) -> Any:
    ensure_torchvision()
    import torch
    from open_clip.model import CLIP
    from safetensors.torch import load_file

    tiny: Any = {"layers": 1, "width": 64, "patch_size": 32, "image_size": 32}
    text: Any = TEXT_CONFIG
    model = CLIP(DIMENSIONS, tiny, text).eval()
    state = {k: v.float() for k, v in load_file(str(weights)).items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    missing = [k for k in missing if not k.startswith(("visual.", "logit_scale"))]
    if missing or unexpected:
        raise ValueError(f"{weights} does not fit: missing {missing}, unexpected {unexpected}")
    assert isinstance(model, torch.nn.Module)
    return model


def text_words(weights: Path | None) -> Words:
    """The text tower, or chance where None is given."""
    return ChanceWords() if weights is None else TowerWords(weights)
