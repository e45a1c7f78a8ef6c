"""Networks made ready to be run only."""

from __future__ import annotations

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
