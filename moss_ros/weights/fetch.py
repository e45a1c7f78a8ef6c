"""Downloads weights when the user asks: resumed after a break, checked, and only then given their name."""

from __future__ import annotations

import http.client
import sys
import urllib.error
import urllib.request
from pathlib import Path

from tqdm import tqdm

from moss_ros import __version__
from moss_ros.weights.store import check_sum, weights_folder
from moss_ros.weights.table import MissingWeightsError, Weights

_BLOCK = 1 << 20
_TIMEOUT_S = 60
_NO_SPACE_LEFT_OVER = 416  # the range asked for begins at the end of the file


def fetch(weights: Weights, progress: bool = True) -> str:
    """Bring weights to where they are looked for; returns a line that says what was done.

    Proxies are those of the environment (https_proxy, no_proxy). Raises MissingWeightsError with the way out.
    """
    if weights.kind == "open_clip":
        return _fetch_open_clip(weights)
    if weights.kind == "huggingface":
        return _fetch_folder(weights)
    target = weights_folder() / weights.file_name
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        _download(weights, part, progress)
        try:
            said = check_sum(weights, part)
        except MissingWeightsError as error:
            part.unlink()
            raise MissingWeightsError(f"what came from {weights.source} is wrong and was deleted: {error}") from error
        part.replace(target)
        return f"{target}: {said}"
    return f"{target}: {check_sum(weights, target)}"


def _download(weights: Weights, part: Path, progress: bool) -> None:
    """Append what is missing to the part file."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": f"moss_ros/{__version__}"}
    if have:
        headers["Range"] = f"bytes={have}-"
    request = urllib.request.Request(weights.source, headers=headers)
    try:
        with urllib.request.build_opener().open(request, timeout=_TIMEOUT_S) as answer:
            resumed = answer.status == 206
            _copy(answer, part, have if resumed else 0, progress and sys.stderr.isatty())
    except urllib.error.HTTPError as error:
        if not (have and error.code == _NO_SPACE_LEFT_OVER):  # then all of it is there; the sum will tell
            raise _failed(weights, part, str(error)) from error
    except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
        raise _failed(weights, part, str(getattr(error, "reason", error))) from error


def _copy(answer: http.client.HTTPResponse, part: Path, have: int, progress: bool) -> None:
    length = answer.headers.get("Content-Length")
    total = have + int(length) if length else None
    bar = tqdm(total=total, initial=have, unit="B", unit_scale=True, desc=part.stem, disable=not progress)
    with bar, part.open("ab" if have else "wb") as stream:
        while block := answer.read(_BLOCK):
            stream.write(block)
            bar.update(len(block))
        size = stream.tell()
    if total is not None and size < total:
        raise http.client.IncompleteRead(b"", total - size)


def _failed(weights: Weights, part: Path, reason: str) -> MissingWeightsError:
    return MissingWeightsError(
        f"cannot fetch {weights.source} ({reason}): run the command again to go on, set https_proxy if you are behind "
        f"a proxy, or fetch it on another machine and copy it to {part.with_suffix('')}"
    )


def _fetch_folder(weights: Weights) -> str:
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise MissingWeightsError(f"{weights.name} needs huggingface_hub: pip install 'moss_ros[sam]'") from error
    target = weights_folder() / weights.file_name
    try:
        snapshot_download(weights.source, local_dir=target, allow_patterns=["*.json", "model*.safetensors"])
    except Exception as error:  # the hub's errors have no common ancestor of their own
        raise MissingWeightsError(
            f"cannot fetch {weights.source} ({error}): check the network and, where access must be asked for, "
            f"`hf auth login`; or copy the folder of another machine to {target}"
        ) from error
    return str(target)


def _fetch_open_clip(weights: Weights) -> str:
    from moss_ros.torchvision_ops import ensure_torchvision

    try:
        ensure_torchvision()
        from open_clip.pretrained import download_pretrained, get_pretrained_cfg
    except ImportError as error:
        raise MissingWeightsError(f"{weights.name} needs open_clip: pip install 'moss_ros[language]'") from error
    architecture, _, tag = weights.source.partition("/")
    known = get_pretrained_cfg(architecture, tag)
    if not known:
        raise MissingWeightsError(f"this version of open_clip does not know {weights.source}: pip install -U open_clip")
    try:
        return f"{download_pretrained(known)}: checked by open_clip"
    except Exception as error:  # the hub's errors have no common ancestor of their own
        raise MissingWeightsError(f"open_clip cannot fetch {weights.source} ({error}): check the network") from error
