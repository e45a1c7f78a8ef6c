"""The encoder that the configuration names; the only place that knows them all."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from moss_ros.config import ConfigError, LanguageConfig
from moss_ros.language.encoders.encoder import ImageTextEncoder
from moss_ros.language.encoders.model_files import bundled_files, load_model


def configured_encoder(config: LanguageConfig) -> ImageTextEncoder | None:
    """None where language is off, or auto and what it needs is not installed.

    Encoders are made once a process. Raises ConfigError, with what to do, when one that is asked for cannot be made.
    """
    if config.enabled == "never" or (config.enabled == "auto" and not _installed(config)):
        return None
    try:
        return _encoder(
            config.model,
            config.weights,
            config.backend,
            config.alpha_weights,
            config.start_layer_share,
            config.windows,
            config.image_size,
            config.device,
        )
    except ConfigError:
        raise
    except (ImportError, ValueError) as error:
        raise ConfigError(f"language.enabled = {config.enabled}: {error}; or set language.enabled to never") from error


def _installed(config: LanguageConfig) -> bool:
    """Libraries, and the bundled weights where those are meant."""
    if any(importlib.util.find_spec(name) is None for name in ("torch", "torchvision", "open_clip", "timm")):
        return False
    return config.model != "bundled" or all(path.is_file() for path in bundled_files())


@lru_cache(maxsize=2)
def _encoder(
    model: str,
    weights: str,
    backend: str,
    alpha_weights: str,
    start_layer_share: float,
    windows: bool,
    image_size: int,
    device: str,
) -> ImageTextEncoder:
    if backend == "alpha_clip" and not alpha_weights:
        raise ConfigError("language.backend = alpha_clip needs language.alpha_weights: the path of a checkpoint")
    loaded = load_model(model, weights, image_size, device).ready_to_run()
    from moss_ros.language.encoders.clip import ClipEncoder, MaskTokenReader

    if backend == "alpha_clip":
        from moss_ros.language.encoders.alpha_clip import AlphaClipReader

        reader = AlphaClipReader(loaded, Path(alpha_weights).expanduser())
        return ClipEncoder(replace(loaded, name=f"{loaded.name}+{Path(alpha_weights).stem}"), reader)
    if backend == "crops":
        from moss_ros.language.encoders.crops import CropReader

        return ClipEncoder(loaded, CropReader(loaded))
    own = start_layer_share if start_layer_share >= 0 else None
    return ClipEncoder(loaded, MaskTokenReader(loaded, own, windows))
