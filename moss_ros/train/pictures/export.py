"""Join image and text tower to the bundled model: python -m moss_ros.train.pictures.export --image FILE --text FILE

Writes moss_small.json, an ordinary open_clip configuration with one more entry "moss", and moss_small.safetensors.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from moss_ros.language.encoders.model_files import bundled_files
from moss_ros.train.pictures.tower import VISION_CONFIG
from moss_ros.train.words.tower import DIMENSIONS, TEXT_CONFIG

TEMPLATES = ("{}", "a {}")  # as the image tower met the words
LARGEST_MB = 40


def model_config(name: str) -> dict[str, Any]:
    """The configuration; mask tokens of this model begin at its first block, because it was trained so."""
    own = {"name": name, "templates": list(TEMPLATES), "start_layer_share": 0.0}
    return {"embed_dim": DIMENSIONS, "vision_cfg": VISION_CONFIG, "text_cfg": TEXT_CONFIG, "moss": own}


def export(image: Path, text: Path, config: Path, weights: Path, name: str = "moss_small") -> None:
    """Write both files, each whole. Raises ValueError when names clash or the result is too large."""
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    towers = [load_file(str(image)), load_file(str(text))]
    both = set(towers[0]) & set(towers[1]) - {"logit_scale"}
    if both:
        raise ValueError(f"{image} and {text} hold the same names: {sorted(both)[:3]}")
    state = {**towers[1], **towers[0]}  # the scale is that of the images
    note: dict[str, str] = {}
    for path, what in ((image, "image"), (text, "text")):
        with safe_open(str(path), "pt") as file:
            note |= {f"{what}_{k}": v for k, v in (file.metadata() or {}).items() if k != "format"}
    size_mb = sum(v.numel() * v.element_size() for v in state.values()) / 1e6
    if size_mb > LARGEST_MB:
        raise ValueError(f"the model has {size_mb:.1f} MB, at most {LARGEST_MB} are shipped: export in half precision")
    config.parent.mkdir(parents=True, exist_ok=True)
    part = weights.with_suffix(".part")
    save_file(state, str(part), {"format": "pt", **note})
    part.chmod(0o644)
    part.replace(weights)
    part = config.with_suffix(".part")
    part.write_text(json.dumps(model_config(name), indent=2) + "\n", encoding="utf-8")
    part.replace(config)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m moss_ros.train.pictures.export", description=__doc__)
    parser.add_argument("--image", type=Path, required=True, help="image.safetensors of moss_ros.train.pictures.learn")
    parser.add_argument("--text", type=Path, required=True, help="text.safetensors of moss_ros.train.words")
    parser.add_argument("--out", type=Path, help="folder; without: where moss_ros looks for its bundled model")
    options = parser.parse_args()
    config, weights = bundled_files()
    if options.out is not None:
        config, weights = options.out / config.name, options.out / weights.name
    export(options.image, options.text, config, weights)
    print(f"wrote {config} and {weights}")


if __name__ == "__main__":
    main()
