"""The table of weights that are not part of the package. Nothing here is ever downloaded without being asked for."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from moss_ros.config import ConfigError


class MissingWeightsError(ConfigError):
    """Weights are unknown, not there or not what they should be; the message names the command."""


@dataclass(frozen=True, slots=True)
class Weights:
    """One row of the table."""

    name: str
    kind: str  # file: one file from a URL; huggingface: a folder for transformers; open_clip: kept by open_clip
    purpose: str
    source: str  # URL, repository, or "architecture/pretrained tag"
    file_name: str  # below the weights folder; empty: open_clip keeps it
    sha256: str  # of the file, 64 hex digits or the first ones; empty: not known
    size_bytes: int  # 0: not known
    licence: str


_SAM = "https://dl.fbaipublicfiles.com/segment_anything/"
_ON_SAM = "2D masks and prompted masks (masks.segmenter: sam)"
_ON_CLIP = "names of things and search in words"


def _sam(size: str, file_name: str, sha256: str, size_bytes: int) -> Weights:
    return Weights(f"sam_vit_{size}", "file", _ON_SAM, _SAM + file_name, file_name, sha256, size_bytes, "Apache-2.0")


def _sam2(size: str) -> Weights:
    name = f"sam2.1_hiera_{size.replace('-', '_')}"
    return Weights(name, "huggingface", _ON_SAM, f"facebook/sam2.1-hiera-{size}", name, "", 0, "Apache-2.0")


def _clip(name: str, source: str, licence: str) -> Weights:
    return Weights(name, "open_clip", _ON_CLIP, source, "", "", 0, licence)


# Sums and sizes of the SAM files: as other projects that pin them give them, all alike (the digits in the file names
# are of another sum, MD5). The other rows are checked by the hub that they come from.
TABLE = (
    _sam("b", "sam_vit_b_01ec64.pth", "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912", 375042383),
    _sam("l", "sam_vit_l_0b3195.pth", "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622", 1249524607),
    _sam("h", "sam_vit_h_4b8939.pth", "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e", 2564550879),
    _sam2("tiny"),
    _sam2("small"),
    _sam2("base-plus"),
    _sam2("large"),
    Weights("sam3", "huggingface", _ON_SAM, "facebook/sam3", "sam3", "", 0, "SAM License; ask for access first"),
    _clip("clip_vit_b_16", "ViT-B-16/openai", "MIT"),
    _clip("clip_vit_l_14", "ViT-L-14/openai", "MIT"),
    _clip("clip_vit_l_14_336", "ViT-L-14-336/openai", "MIT"),
    _clip("clip_vit_h_14", "ViT-H-14/laion2b_s32b_b79k", "MIT"),
    _clip("siglip_vit_b_16", "ViT-B-16-SigLIP/webli", "Apache-2.0"),
)


def find(name: str) -> Weights:
    """The row of a name. Raises MissingWeightsError that suggests the nearest name."""
    rows = {w.name: w for w in TABLE}
    if name not in rows:
        close = get_close_matches(name, rows, n=1)
        hint = f"did you mean {close[0]}?" if close else "moss weights list shows all"
        raise MissingWeightsError(f"no weights are called {name!r}: {hint}")
    return rows[name]
