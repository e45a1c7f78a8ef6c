"""What label images say about pairs of pixels, and the voxels at the pixels of the reduced image."""

import numpy as np
import pytest

from moss_ros.masks2d.pixel_pairs import PixelPairs, ViewPairs, bytes_of, on_voxels, pairs_of_labels
from moss_ros.masks2d.regions import OFFSETS


def test_pairs_of_labels_by_hand():
    labels = np.zeros((8, 40), np.int32)
    labels[:, :4], labels[:, 4:10] = 1, 2
    pairs = pairs_of_labels(labels)
    right, down, diagonal = (pairs.same[OFFSETS.index(o)] for o in ((0, 1), (1, 0), (4, -4)))
    assert right[0].tolist() == [255] * 3 + [0] + [255] * 5 + [0] * 31
    assert down[:, 0].tolist() == [255] * 7 + [0]  # the last row has no row below
    assert diagonal[0].tolist() == [0] * 8 + [255] * 2 + [0] * 30
    assert pairs.thing[0].tolist() == [255] * 10 + [0] * 30 and pairs.measured.all()


@pytest.mark.parametrize("shape", [(3, 5), (40, 60)])
def test_every_pair_agrees_with_its_two_labels(shape):
    labels = np.random.default_rng(0).integers(0, 3, shape).astype(np.int32)
    pairs = pairs_of_labels(labels)
    for same, (down, right) in zip(pairs.same, OFFSETS, strict=True):
        for (v, u), value in np.ndenumerate(same):
            y, x = v + down, u + right
            there = 0 <= y < shape[0] and 0 <= x < shape[1]
            assert (value == 255) == (there and labels[v, u] > 0 and labels[v, u] == labels[y, x])


def test_voxels_are_those_of_the_middle_of_each_block():
    image = np.arange(480 * 640, dtype=np.int32).reshape(480, 640)
    pairs = pairs_of_labels(np.ones((480, 640), np.int32))
    pairs.measured[0, 0] = False
    view = on_voxels(pairs, image)
    assert view.voxels.shape == pairs.thing.shape == (240, 320)
    assert view.voxels[0, 0] == -1 and view.voxels[2, 3] == 5 * 640 + 7


def test_bytes_round_to_the_nearest():
    assert bytes_of(np.array([0.0, 0.001, 0.5, 1.0])).tolist() == [0, 0, 128, 255]


def test_wrong_shapes_are_refused():
    thing, measured = np.zeros((4, 5), np.uint8), np.ones((4, 5), bool)
    with pytest.raises(ValueError, match="one probability per offset"):
        PixelPairs(thing, np.zeros((2, 4, 5), np.uint8), measured)
    with pytest.raises(ValueError, match="bytes"):
        PixelPairs(thing.astype(np.float32), np.zeros((len(OFFSETS), 4, 5), np.uint8), measured)
    assert ViewPairs(thing.astype(np.int32), PixelPairs(thing, np.zeros((len(OFFSETS), 4, 5), np.uint8), measured))
