"""The last training images, kept on the device and drawn from at random: steps need not wait for new ones.

Each is drawn as it is or mirrored, with or without colour, so that one image of the workers is several to
the network.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterable

import numpy as np
import torch
from torch import Tensor

from moss_ros.masks2d.gravity_input import CHANNELS, COLOR, GIVEN, SIDE
from moss_ros.train.batches import WITHOUT_COLOR, Batch

PATIENCE_S = 900.0
_PATROL_S = 0.05


class DeviceRing:
    """Images of one size, the last ``kept`` of them; filled by one thread and drawn from by another."""

    def __init__(self, kept: int, size: tuple[int, int], device: str) -> None:
        self.count = 0  # images that have ever come
        self._channels = torch.zeros((kept, CHANNELS, *size), dtype=torch.float16, device=device)
        self._instance = torch.zeros((kept, *size), dtype=torch.uint8, device=device)
        self._measured = torch.zeros((kept, *size), dtype=torch.bool, device=device)
        self._lock = threading.Lock()

    def put(self, batch: Batch) -> None:
        """Take in a batch; the oldest images make room."""
        kept, device = len(self._channels), self._channels.device
        rows = torch.from_numpy((self.count + np.arange(len(batch.channels))) % kept).to(device)
        with self._lock:
            self._channels[rows] = torch.from_numpy(batch.channels).to(device)
            self._instance[rows] = torch.from_numpy(batch.instance).to(device)
            self._measured[rows] = torch.from_numpy(batch.measured).to(device)
            self.count += len(batch.channels)

    def draw(self, count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Channels (B, 11, H, W) float32, ids (B, H, W) uint8, measured (B, H, W) bool of B = count images."""
        rows = rng.choice(min(self.count, len(self._channels)), count, replace=False)
        turned, gray = rng.random(count) < 0.5, rng.random(count) < WITHOUT_COLOR
        return self._shown(*(torch.from_numpy(a).to(self._channels.device) for a in (rows, turned, gray)))

    def _shown(self, rows: Tensor, turned: Tensor, gray: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        with self._lock:
            channels, instance, measured = self._channels[rows].float(), self._instance[rows], self._measured[rows]
        channels[:, COLOR] *= ~gray[:, None, None, None]
        channels[:, GIVEN] *= ~gray[:, None, None]
        mirrored = channels.flip(-1)
        mirrored[:, SIDE] *= -1
        return (
            torch.where(turned[:, None, None, None], mirrored, channels),
            torch.where(turned[:, None, None], instance.flip(-1), instance),
            torch.where(turned[:, None, None], measured.flip(-1), measured),
        )


def drawn(
    stream: Iterable[Batch], count: int, kept: int, seed: int, device: str
) -> Generator[tuple[Tensor, Tensor, Tensor], None, None]:
    """Draws of ``count`` images without end, once four times as many have come. Raises what the stream raises.

    How many have come by a step depends on the workers, so a training with it does not come back to the bit.
    """
    rng = np.random.default_rng([seed, 977])
    rings: list[DeviceRing] = []
    failed: list[BaseException] = []
    over = threading.Event()

    def fill() -> None:
        try:
            for batch in stream:
                if not rings:
                    rings.append(DeviceRing(kept, batch.instance.shape[1:3], device))
                rings[0].put(batch)
                if over.is_set():
                    return
            raise RuntimeError("the stream of batches has ended")
        except BaseException as error:
            failed.append(error)

    threading.Thread(target=fill, daemon=True).start()
    until = time.monotonic() + PATIENCE_S
    try:
        while True:
            if failed:
                raise failed[0]
            if rings and rings[0].count >= min(4 * count, kept):
                yield rings[0].draw(count, rng)
            elif time.monotonic() > until:
                raise TimeoutError(f"no batch for {PATIENCE_S:.0f} s")
            else:
                time.sleep(_PATROL_S)
    finally:
        over.set()
