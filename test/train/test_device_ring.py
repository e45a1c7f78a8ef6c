"""Images kept on the device: the last ones, drawn as they are, mirrored, or without colour; errors passed on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from moss_ros.masks2d.gravity_input import COLOR, GIVEN, SIDE, drop_color, mirrored
from moss_ros.train.batches import Batch
from moss_ros.train.device_ring import DeviceRing, drawn


def batch(first: int, count: int = 2) -> Batch:
    """Images whose ids say their number; nothing in them is symmetric."""
    rng = np.random.default_rng(first)
    channels = rng.normal(size=(count, 11, 4, 6)).astype(np.float16)
    channels[:, GIVEN] = 1
    ids = np.repeat(np.arange(first, first + count, dtype=np.uint8), 24).reshape(count, 4, 6)
    ids[..., 0] = 200
    return Batch(channels, ids, rng.random((count, 4, 6)) < 0.5)


def test_only_the_last_images_are_drawn() -> None:
    ring = DeviceRing(4, (4, 6), "cpu")
    for first in range(0, 10, 2):
        ring.put(batch(first))
    rng = np.random.default_rng(0)
    numbers = [sorted(ring.draw(4, rng)[1][:, 0, 2].tolist()) for _ in range(5)]
    assert numbers == [[6, 7, 8, 9]] * 5


def test_what_is_drawn_is_one_of_the_four_ways_to_show_the_image() -> None:
    ring = DeviceRing(1, (4, 6), "cpu")
    one = batch(7, 1)
    ring.put(one)
    plain = one.channels[0].astype(np.float32)
    gray = drop_color(plain)
    ways = {(False, False): plain, (False, True): gray, (True, False): mirrored(plain), (True, True): mirrored(gray)}
    seen = set()
    rng = np.random.default_rng(1)
    for _ in range(30):
        channels, ids, measured = (a[0].numpy() for a in ring.draw(1, rng))
        way = (bool(ids[0, -1] == 200), not channels[GIVEN].any())
        seen.add(way)
        np.testing.assert_array_equal(channels, ways[way])
        np.testing.assert_array_equal(measured, one.measured[0, :, ::-1] if way[0] else one.measured[0])
    assert seen == set(ways)
    assert gray[COLOR].any() == 0 and ways[True, True][SIDE, 0, 0] == -plain[SIDE, 0, -1]


def test_draws_begin_when_enough_images_are_there_and_end_with_the_stream() -> None:
    def stream() -> Iterator[Batch]:
        for first in range(0, 20, 2):
            yield batch(first)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        for channels, ids, _ in drawn(stream(), 2, 50, 0, "cpu"):
            assert channels.shape == (2, 11, 4, 6)
            assert channels.dtype == torch.float32 and len(set(ids[:, 0, 2].tolist())) == 2


def test_a_stream_that_ends_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="ended"):
        next(drawn(iter([batch(0)]), 2, 50, 0, "cpu"))
