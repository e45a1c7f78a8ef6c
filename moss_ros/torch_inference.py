"""Networks made ready to be run only, and what this processor computes fast."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TypeVar

from torch import nn

_Network = TypeVar("_Network", bound=nn.Module)


def fold_batch_norm(network: _Network) -> _Network:
    """The same network for inference: every batch norm that follows a convolution in a sequence is worked into it.

    Changes it in place.
    """
    network.eval()
    for module in network.modules():
        if not isinstance(module, nn.Sequential):
            continue
        for index in range(len(module) - 1):
            first, second = module[index], module[index + 1]
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                module[index] = nn.utils.fusion.fuse_conv_bn_eval(first, second)
                module[index + 1] = nn.Identity()
    return network


@cache
def has_bfloat16() -> bool:
    """Half precision only pays where the processor computes in it."""
    return "avx512_bf16" in _cpu_flags() or "amx_bf16" in _cpu_flags()


def _cpu_flags() -> str:
    try:
        return next(line for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines() if line.startswith("flags"))
    except (OSError, StopIteration):
        return ""
