"""Image-text models through open_clip: found on this machine, loaded safely, never downloaded unasked."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from moss_ros.language.encoders.prompts import TEMPLATES, checked_templates
from moss_ros.torchvision_ops import ensure_torchvision
from moss_ros.weights.table import TABLE, MissingWeightsError

BUNDLED = "moss_small"
_SMALL = 20e6  # parameters
_SAFE_NAMES = {"open_clip_pytorch_model.bin": "open_clip_model.safetensors"}  # as open_clip renames them


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model of open_clip with what belongs to it; it stands in evaluation mode on its device."""

    name: str  # model and weights
    model: Any
    tokenizer: Any
    dimensions: int
    image_size: int  # side, px
    mean: np.ndarray  # (3,) of RGB in [0, 1]
    std: np.ndarray  # (3,)
    bilinear: bool  # else bicubic
    templates: tuple[str, ...]
    device: str
    start_layer_share: float = 0.5  # where its mask tokens start, as it was trained; CLIP was not trained with any

    @property
    def is_small(self) -> bool:
        """Whether its image tower is so small that a second thread gains nothing, and a batch does."""
        return sum(p.numel() for p in self.model.visual.parameters()) < _SMALL

    def ready_to_run(self) -> LoadedModel:
        """The same model, changed in place so that it runs faster and can be trained no more."""
        from moss_ros.torch_inference import fold_batch_norm

        visual = fold_batch_norm(self.model.visual)
        if self.device == "cpu":
            import torch

            visual.to(memory_format=torch.channels_last)
        return self


def bundled_files() -> tuple[Path, Path]:
    """Configuration and weights of the bundled model."""
    folder = Path(str(resources.files("moss_ros.language.encoders") / "weights"))
    return folder / f"{BUNDLED}.json", folder / f"{BUNDLED}.safetensors"


def load_model(name: str = "bundled", weights: str = "", image_size: int = 0, device: str = "auto") -> LoadedModel:
    """The bundled model, or a model of open_clip with a pretrained tag or the path of a checkpoint.

    image_size: side of the input, px; positions are interpolated; 0 = the model's own. device: auto, cpu or cuda.
    Raises MissingWeightsError, with the command that fetches them, and ImportError when open_clip is missing.
    """
    ensure_torchvision()
    try:
        import open_clip
    except ImportError as error:
        raise ImportError("open_clip is missing: pip install 'moss_ros[language]'") from error
    if name == "bundled":
        return load_files(*bundled_files(), image_size=image_size, device=device)
    if open_clip.get_model_config(name) is None:
        raise MissingWeightsError(f"open_clip knows no model {name!r}: open_clip.list_models() names all")
    if not weights:
        tags = ", ".join(open_clip.list_pretrained_tags_by_model(name)[:8])
        raise MissingWeightsError(f"{name} needs language.weights: a checkpoint's path or one of {tags or 'no tag'}")
    tag = open_clip.get_pretrained_cfg(name, weights)
    path = Path(weights).expanduser() if not tag else _kept(name, weights, tag)
    if not path.is_file():
        raise MissingWeightsError(f"{weights} is neither a checkpoint nor a pretrained tag of {name}")
    label = f"{name}/{weights if tag else path.stem}"
    return _create(name, label, path, tag or {}, image_size, device, TEMPLATES)


def load_files(config: Path, weights: Path, image_size: int = 0, device: str = "auto") -> LoadedModel:
    """A model from an open_clip configuration and its weights.

    The configuration may have an entry "moss": name, templates, image_mean, image_std, start_layer_share.
    """
    ensure_torchvision()
    for path in (config, weights):
        if not path.is_file():
            raise MissingWeightsError(f"{path} is missing: install moss_ros again, or set language.model")
    import open_clip

    from moss_ros.language.encoders.bundled_tower import register_bundled_tower

    register_bundled_tower()

    entries = json.loads(config.read_text("utf-8"))
    own = entries.pop("moss", {})
    with tempfile.TemporaryDirectory() as folder:  # open_clip learns of a model from a file with its entries only
        (Path(folder) / config.name).write_text(json.dumps(entries), encoding="utf-8")
        open_clip.add_model_config(Path(folder) / config.name)
    preprocess = {key: tuple(own[f"image_{key}"]) for key in ("mean", "std") if f"image_{key}" in own}
    templates = checked_templates(own.get("templates", TEMPLATES))
    loaded = _create(config.stem, own.get("name", config.stem), weights, preprocess, image_size, device, templates)
    return replace(loaded, start_layer_share=float(own.get("start_layer_share", loaded.start_layer_share)))


def chosen_device(device: str) -> str:
    """cpu or cuda. Raises ValueError when a GPU is asked for that is not there."""
    import torch

    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise ValueError("language.device = cuda, but torch sees no GPU: set it to auto or cpu")
    return "cuda" if there and device != "cpu" else "cpu"


def _create(
    name: str, label: str, path: Path, entry: dict[str, Any], image_size: int, device: str, templates: tuple[str, ...]
) -> LoadedModel:
    """Through open_clip; entry: mean, std, interpolation, quick_gelu of these weights, where known."""
    import open_clip

    from moss_ros.language.encoders.towers import resize_input

    place = chosen_device(device)
    preprocess = {k: entry[k] for k in ("mean", "std", "interpolation") if k in entry}
    try:
        model = open_clip.create_model(
            name,
            pretrained=str(path),
            device=place,
            force_quick_gelu=bool(entry.get("quick_gelu", False)),
            force_preprocess_cfg=preprocess,
            weights_only=True,
        )
    except (RuntimeError, OSError, KeyError, ValueError) as error:
        raise MissingWeightsError(f"{path} does not hold weights of {name}: {error}") from error
    model.eval().requires_grad_(False)
    visual: Any = model.visual
    if image_size:
        resize_input(visual, image_size)
    size = visual.image_size
    used = visual.preprocess_cfg
    return LoadedModel(
        name=label,
        model=model,
        tokenizer=open_clip.get_tokenizer(name),
        dimensions=int(open_clip.get_model_config(name)["embed_dim"]),
        image_size=image_size or int(size if isinstance(size, int) else size[0]),
        mean=np.array(used["mean"], np.float32),
        std=np.array(used["std"], np.float32),
        bilinear=used.get("interpolation") == "bilinear",
        templates=templates,
        device=place,
    )


def _kept(name: str, tag: str, entry: dict[str, Any]) -> Path:
    """The file of a pretrained tag on this machine, safetensors first."""
    if hub := entry.get("hf_hub", ""):
        from huggingface_hub import try_to_load_from_cache

        repository, file = os.path.split(hub)
        file = file or "open_clip_pytorch_model.bin"
        for candidate in (_SAFE_NAMES.get(file, str(Path(file).with_suffix(".safetensors"))), file):
            found = try_to_load_from_cache(repository, candidate)
            if isinstance(found, str):
                return Path(found)
    if url := entry.get("url", ""):
        kept = Path("~/.cache/clip").expanduser() / os.path.basename(url)
        if kept.is_file():
            return kept
    rows = {w.source: w.name for w in TABLE}
    fetch = f"moss weights fetch {rows[f'{name}/{tag}']}" if f"{name}/{tag}" in rows else _download_command(name, tag)
    raise MissingWeightsError(f"the weights {name}/{tag} are not on this machine: run `{fetch}`")


def _download_command(name: str, tag: str) -> str:
    return (
        'python -c "from open_clip.pretrained import *; '
        f"print(download_pretrained(get_pretrained_cfg('{name}', '{tag}')))\""
    )
