"""The mask network: the only file of this folder that knows torch.

A U-Net on the gravity input. Per pixel it tells thing from structure, and whether pixels at several offsets belong
to the same thing. It is trained by moss_ros.train.masks on simulated rooms.

B images, C channels, H, W size.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from moss_ros.config import ConfigError
from moss_ros.masks2d.gravity_input import CHANNELS
from moss_ros.masks2d.regions import OFFSETS
from moss_ros.torch_inference import fold_batch_norm
from moss_ros.torch_threads import one_thread

OUTPUTS = 1 + len(OFFSETS)
WIDTHS = (48, 72, 104, 160, 208)
FORMAT = "moss-mask-network-1"


class WeightsError(ConfigError):
    """A weight file cannot be used; the message says why."""


class MaskNetwork(nn.Module):
    """(B, 11, H, W) float32 -> (B, 13, H, W) logits: thing, then one affinity for each offset. Any H, W."""

    def __init__(self, widths: Sequence[int] = WIDTHS, channels: int = CHANNELS, outputs: int = OUTPUTS) -> None:
        super().__init__()
        self.widths = tuple(widths)
        self.stem = _block(4 * channels, widths[0])
        pairs = list(zip(widths[:-1], widths[1:], strict=True))
        self.down = nn.ModuleList(nn.Sequential(_block(a, b, 2), _block(b, b)) for a, b in pairs)
        self.up = nn.ModuleList(nn.Sequential(_block(a + b, a, size=1), _block(a, a)) for a, b in pairs)
        self.head = nn.Conv2d(widths[0], 4 * outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a batch."""
        height, width = x.shape[-2:]
        x = F.pad(x, (0, width % 2, 0, height % 2))
        levels = [self.stem(F.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last))]
        for down in self.down:
            levels.append(down(levels[-1]))
        y = levels[-1]
        for skip, up in zip(reversed(levels[:-1]), reversed(self.up), strict=True):
            y = up(torch.cat([F.interpolate(y, size=skip.shape[-2:], mode="nearest"), skip], 1))
        return F.pixel_shuffle(self.head(y), 2)[..., :height, :width]


def _block(inputs: int, outputs: int, stride: int = 1, size: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(True)
    )


def save_weights(network: MaskNetwork, path: Path, note: dict[str, Any]) -> None:
    """Write weights in half precision with what they need to be read again; note goes along as text."""
    from safetensors.torch import save_file

    state = {
        k: (v.half() if v.is_floating_point() else v).contiguous()
        for k, v in network.state_dict().items()
        if not k.endswith("num_batches_tracked")
    }
    header = {
        "format": FORMAT,
        "widths": json.dumps(network.widths),
        "offsets": json.dumps(OFFSETS),
        "channels": str(CHANNELS),
        "note": json.dumps(note),
    }
    save_file(state, str(path), metadata=header)


def load_weights(path: Path) -> MaskNetwork:
    """Network from a weight file, ready for inference. Raises WeightsError when it is not there or does not fit."""
    header, state = _read(path)
    network = MaskNetwork(json.loads(header["widths"]))
    network.load_state_dict(_fitting(path, state, network), strict=False)
    return fold_batch_norm(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def read_state(path: Path, network: MaskNetwork) -> dict[str, Tensor]:
    """The tensors of a weight file for a network, single precision. Raises WeightsError when they do not fit it."""
    return _fitting(path, _read(path)[1], network)


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise WeightsError(f"no weights at {path}: reinstall the package or train with python -m moss_ros.train.masks")
    try:
        with safe_open(str(path), "pt") as stream:
            header = stream.metadata() or {}
            state = {k: stream.get_tensor(k) for k in stream.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is damaged ({error}): reinstall the package") from error
    _check_header(path, header)
    return header, state


def _fitting(path: Path, state: dict[str, Tensor], network: MaskNetwork) -> dict[str, Tensor]:
    want = {k: v for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")}
    wrong = sorted(set(want) ^ set(state)) + [k for k in want if k in state and want[k].shape != state[k].shape]
    if wrong:
        raise WeightsError(f"{path} does not fit this version: {len(wrong)} tensors differ, the first is {wrong[0]}")
    bad = [k for k, v in state.items() if not bool(torch.isfinite(v.float()).all())]
    if bad:
        raise WeightsError(f"{path} holds values that are not finite, in {bad[0]}")
    return {k: v.float() for k, v in state.items()}


def _check_header(path: Path, header: dict[str, str]) -> None:
    if header.get("format") != FORMAT:
        raise WeightsError(f"{path} has format {header.get('format')!r}, this version reads {FORMAT!r}")
    if [tuple(o) for o in json.loads(header["offsets"])] != list(OFFSETS) or int(header["channels"]) != CHANNELS:
        raise WeightsError(f"{path} was made for other inputs or offsets: train again or install the matching version")


class Predictor:
    """Runs a network on single images, in single precision, so that masks are the same on every processor.

    Not thread-safe.
    """

    def __init__(self, path: Path) -> None:
        """Loads the weights. Raises WeightsError."""
        self._network = load_weights(path)

    def __call__(self, channels: np.ndarray) -> np.ndarray:
        """(13, H, W) float32 probabilities of an input (11, H, W): thing, then the affinities."""
        with one_thread(), torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(channels))[None]
            return torch.sigmoid(self._network(x))[0].numpy()
