"""growth.py in torch, for a GPU: the same masks, all surfels of a view at once.

Every (surfel, pixel) pair is scored; each pixel keeps the least key by a scatter-minimum. A key is the squared
distance, whose bits as an integer keep the order of non-negative floats, and the voxel id below it, so the
outcome does not depend on the order of the threads.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from moss_ros.config import LiftingConfig
from moss_ros.lifting.ellipse import (
    HALF_U,
    HALF_V,
    INV_UU,
    INV_UV,
    INV_VV,
    OUT_U,
    OUT_V,
    RIM,
    SLOPE_U,
    SLOPE_V,
    U,
    V,
    Z,
)
from moss_ros.lifting.surfels import Surfels

_NOBODY = torch.iinfo(torch.int64).max
_PAIRS = {"cuda": 1 << 25, "cpu": 1 << 20}  # scored at once: bounds the memory


def grow(
    surfels: Surfels, ids: np.ndarray, depth_m: np.ndarray, config: LiftingConfig, device: str | None = None
) -> np.ndarray:
    """(H, W) int32 id buffer; arguments as for growth.grow. device: default is the GPU where there is one."""
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    out = torch.from_numpy(ids.astype(np.int64)).to(device)
    pairs = _Pairs(
        torch.from_numpy(surfels.table).to(device),
        torch.from_numpy(surfels.voxels.astype(np.int64)).to(device),
        torch.from_numpy(np.ascontiguousarray(depth_m)).to(device).view(-1),
        ids.shape[1],
        ids.shape[0],
        config,
    )
    out = _certain(pairs, out.view(-1))
    out = _growth(pairs, out)
    return out.view(ids.shape).to(torch.int32).cpu().numpy()


class _Pairs:
    """Surfels (n, COLUMNS) and the flat image they compete for."""

    def __init__(
        self, table: Tensor, voxels: Tensor, depth: Tensor, width: int, height: int, config: LiftingConfig
    ) -> None:
        self.table, self.voxels, self.depth, self.config = table, voxels, depth, config
        self._width, self._height = width, height

    def near(self, reach: float, is_open: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor, Tensor]]:
        """Chunks of (surfel, flat pixel, du, dv, squared distance) of the open pixels within the reach."""
        low, size = self._boxes(reach)
        count = size[:, 0] * size[:, 1]
        last = torch.cumsum(count, 0)
        first = 0
        while first < len(count):
            before = int(last[first] - count[first])
            limit = before + _PAIRS[self.table.device.type]
            end = max(first + 1, int(torch.searchsorted(last, torch.tensor(limit, device=last.device), right=True)))
            yield self._chunk(reach, is_open, low[first:end], size[first:end], count[first:end], first)
            first = end

    def _boxes(self, reach: float) -> tuple[Tensor, Tensor]:
        """First pixel (n, 2) and size (n, 2) of the box of each surfel, as columns and rows."""
        half = (reach * self.table[:, [HALF_U, HALF_V]]).clamp(max=self.config.max_reach_px)
        center = self.table[:, [U, V]]
        edge = torch.tensor([self._width - 1, self._height - 1], device=half.device)
        low = torch.ceil(center - half).long().clamp(min=0)
        high = torch.minimum(torch.floor(center + half).long(), edge)
        return low, (high - low + 1).clamp(min=0)

    def _chunk(self, reach, is_open, low, size, count, first):
        row = torch.repeat_interleave(torch.arange(len(count), device=count.device), count)
        step = torch.arange(len(row), device=row.device) - (torch.cumsum(count, 0) - count)[row]
        column = low[row, 0] + step % size[row, 0].clamp(min=1)
        line = low[row, 1] + torch.div(step, size[row, 0].clamp(min=1), rounding_mode="floor")
        pixel = line * self._width + column
        kept = is_open[pixel]
        surfel, pixel = row[kept] + first, pixel[kept]
        s = self.table[surfel]
        du, dv = column[kept].float() - s[:, U], line[kept].float() - s[:, V]
        square = s[:, INV_UU] * du * du + 2 * s[:, INV_UV] * du * dv + s[:, INV_VV] * dv * dv
        kept = square <= reach * reach
        return surfel[kept], pixel[kept], du[kept], dv[kept], square[kept]

    def plane_depth(self, surfel: Tensor, du: Tensor, dv: Tensor) -> Tensor:
        """As ellipse.plane_depth."""
        s = self.table[surfel]
        return s[:, Z] * (1 + s[:, SLOPE_U] * du + s[:, SLOPE_V] * dv)

    def stopped(self, pixel: Tensor, z: Tensor, square: Tensor) -> Tensor:
        """Whether the measured depth says that the surface is not at depth z."""
        measured, c = self.depth[pixel], self.config
        return (measured > 0) & ((measured - z).abs() > c.stop_base_m + c.stop_slope * z * square.sqrt())

    def reach_along(self, surfel: Tensor, du: Tensor, dv: Tensor, inward: float, outward: float) -> Tensor:
        """As ellipse.reach_along."""
        s = self.table[surfel]
        along = (du * s[:, OUT_U] + dv * s[:, OUT_V]).clamp(min=0)
        length = (du * du + dv * dv).sqrt().clamp(min=1e-12)
        return inward + (outward - inward) * (self.config.rim_gain * s[:, RIM] * along / length).clamp(max=1)

    def keys(self, surfel: Tensor, square: Tensor) -> Tensor:
        """Order of the competition: distance, then voxel id."""
        return (square.view(torch.int32).long() << 32) | self.voxels[surfel]


def _certain(pairs: _Pairs, ids: Tensor) -> Tensor:
    c, is_open = pairs.config, ids < 0
    front = torch.full(ids.shape, torch.inf, dtype=torch.float32, device=ids.device)
    best = torch.full_like(ids, _NOBODY)
    for turn in range(2):
        for surfel, pixel, du, dv, square in pairs.near(c.certain_reach, is_open):
            z = pairs.plane_depth(surfel, du, dv)
            good = ~pairs.stopped(pixel, z, square)
            if turn == 0:
                front.scatter_reduce_(0, pixel[good], z[good], "amin")
            else:
                good &= z <= front[pixel] + c.front_m
                best.scatter_reduce_(0, pixel[good], pairs.keys(surfel[good], square[good]), "amin")
    return _filled(ids, best)


def _growth(pairs: _Pairs, ids: Tensor) -> Tensor:
    c, is_open, measured = pairs.config, ids < 0, pairs.depth > 0
    best = torch.full_like(ids, _NOBODY)
    for pixels, inward, outward in (
        (is_open & ~measured, c.inward_reach, c.outward_reach),
        (is_open & measured, c.measured_inward_reach, c.measured_outward_reach),
    ):
        for surfel, pixel, du, dv, square in pairs.near(max(inward, outward), pixels):
            limit = pairs.reach_along(surfel, du, dv, inward, outward)
            good = square <= limit * limit
            good &= ~pairs.stopped(pixel, pairs.plane_depth(surfel, du, dv), square)
            best.scatter_reduce_(0, pixel[good], pairs.keys(surfel[good], square[good]), "amin")
    return _filled(ids, best)


def _filled(ids: Tensor, best: Tensor) -> Tensor:
    return torch.where((ids < 0) & (best != _NOBODY), best & 0xFFFFFFFF, ids)
