"""Colours and sizes by hand."""

import numpy as np
import pytest
from query_map import ROOM

from moss_ros.questions.attributes import COLOR_NAMES, COLORS, color_evidence, color_shares, size_evidence
from moss_ros.questions.lexicon import COLOR_WORDS
from moss_ros.questions.map_index import MapIndexer
from moss_ros.records import Snapshot

TYPICAL = {
    "black": (20, 20, 22),
    "gray": (128, 128, 128),
    "white": (240, 240, 236),
    "red": (190, 25, 30),
    "orange": (235, 120, 20),
    "brown": (105, 65, 35),
    "beige": (220, 205, 170),
    "yellow": (235, 205, 40),
    "green": (50, 130, 60),
    "turquoise": (50, 180, 175),
    "blue": (40, 70, 170),
    "purple": (110, 50, 140),
    "pink": (235, 130, 170),
}


@pytest.mark.parametrize("name", COLOR_NAMES)
@pytest.mark.parametrize("gain", [(1, 1, 1), (0.85, 0.85, 0.85), (1, 0.97, 0.9)])
def test_typical_colors_keep_their_name_under_other_lamps(name, gain):
    rgb = np.clip(np.array(TYPICAL[name]) * gain, 0, 255).astype(np.uint8)
    shares = color_shares([np.tile(rgb, (10, 1))])[0]
    assert shares[COLOR_NAMES.index(name)] > 0.4
    assert shares.argmax() == COLOR_NAMES.index(name) or shares.max() - shares[COLOR_NAMES.index(name)] < 0.3


def test_every_color_word_is_known():
    assert set(COLOR_WORDS.values()) == set(COLORS)


def test_evidence_for_two_colors_needs_both():
    red, blue = TYPICAL["red"], TYPICAL["blue"]
    shares = color_shares([np.array([red] * 5 + [blue] * 5, np.uint8), np.array([red], np.uint8)])
    both, one = color_evidence(shares, ("red", "blue"))
    assert both > 0.5 and one < -0.3
    assert color_evidence(shares, ()).tolist() == [0, 0]
    assert (color_evidence(shares, ("green",)) < -1.5).all()


def test_no_voxels_no_colors():
    red = np.array([TYPICAL["red"]], np.uint8)
    shares = color_shares([red[:0], red, red[:0]])
    assert not shares[[0, 2]].any() and shares[1].any()
    assert color_shares([]).shape == (0, len(COLOR_NAMES))


def test_large_and_small_are_for_the_kind():
    volume = np.array([0.001, 0.002, 0.008, 5.0])
    mugs = np.array([True, True, True, False])
    large = size_evidence(volume, mugs, 1)
    assert large[0] < 0 < large[2]
    np.testing.assert_allclose(size_evidence(volume, mugs, -1), -large)
    assert not size_evidence(volume, np.array([True, False, False, False]), 1).any()


def test_colors_are_looked_at_again_only_where_they_changed(monkeypatch):
    looked = []
    import moss_ros.questions.map_index as module

    monkeypatch.setattr(module, "color_shares", lambda c: looked.extend(c) or color_shares(c))
    indexer = MapIndexer()
    snapshot = Snapshot(1, ROOM, frozenset(), frozenset())
    first = indexer.update(snapshot, None)
    assert len(looked) == len(ROOM)
    again = indexer.update(snapshot, None)
    assert len(looked) == len(ROOM)
    np.testing.assert_array_equal(first.color_shares, again.color_shares)
