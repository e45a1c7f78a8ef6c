"""Composites: what is in front, what is seen, and shares of patches."""

import numpy as np
import pytest

from moss_ros.train.pictures.batches import GRID, patch_shares
from moss_ros.train.pictures.composites import Composer, compose
from moss_ros.train.pictures.windows import PATCH_PX, SIZE_PX


def _layer(width: int, height: int, rgb: tuple[int, int, int]) -> np.ndarray:
    return np.dstack([np.full((height, width, 3), rgb, np.uint8), np.full((height, width), 255, np.uint8)])


def test_later_layers_hide_earlier_ones() -> None:
    red, blue = _layer(4, 4, (255, 0, 0)), _layer(4, 4, (0, 0, 255))
    picture, ids, whole = compose(np.zeros((10, 10, 3), np.uint8), [red, blue], [(0.4, 0.5), (0.6, 0.5)])
    # red covers columns 2 to 5, blue 4 to 7, both rows 3 to 6
    assert ids[3].tolist() == [-1, -1, 0, 0, 1, 1, 1, 1, -1, -1]
    assert (ids[2] == -1).all() and (ids[7] == -1).all()
    assert picture[5, 3].tolist() == [255, 0, 0] and picture[5, 5].tolist() == [0, 0, 255]
    assert picture[0, 0].tolist() == [0, 0, 0]
    assert whole.tolist() == [16, 16]
    assert (ids == 0).sum() == 8 and (ids == 1).sum() == 16


def test_half_transparent_edge_blends_and_belongs_to_the_background() -> None:
    layer = _layer(2, 2, (200, 200, 200))
    layer[:, 0, 3] = 102  # two fifths
    picture, ids, whole = compose(np.zeros((4, 4, 3), np.uint8), [layer], [(0.5, 0.5)])
    assert picture[1, 1, 0] == 80 and picture[1, 2, 0] == 200
    assert ids[1].tolist() == [-1, -1, 0, -1]
    assert whole.tolist() == [2]


def test_layer_beyond_the_rim_is_cut() -> None:
    picture, ids, whole = compose(np.zeros((6, 6, 3), np.uint8), [_layer(4, 4, (9, 9, 9))], [(0.0, 0.0)])
    assert (ids == 0).sum() == 4 and whole.tolist() == [16]
    _, ids, _ = compose(np.zeros((6, 6, 3), np.uint8), [_layer(2, 2, (9, 9, 9))], [(3.0, 0.5)])
    assert (ids == -1).all()


def test_shares_of_patches() -> None:
    mask = np.zeros((SIZE_PX, SIZE_PX), bool)
    mask[:PATCH_PX, : PATCH_PX // 2] = True
    mask[-1, -1] = True
    shares = patch_shares(mask)
    assert shares.shape == (GRID, GRID)
    assert shares[0, 0] == 0.5
    assert shares[-1, -1] == pytest.approx(1 / PATCH_PX**2)
    assert shares.sum() == pytest.approx(0.5 + 1 / PATCH_PX**2)


def test_foremost_thing_is_taught_and_whole(cutouts) -> None:
    composer = Composer(cutouts)
    for seed in range(8):
        rng = np.random.default_rng(seed)
        picture = composer.picture(rng, 3, last=1)
        assert picture.color_rgb.shape == (SIZE_PX, SIZE_PX, 3)
        assert picture.shown[2].category == "cup"
        assert set(picture.shown) <= set(np.unique(picture.ids))
        assert not picture.outside.any()


def test_recolored_things_claim_no_color(cutouts, monkeypatch) -> None:
    monkeypatch.setattr("moss_ros.train.pictures.composites.RECOLORED", 1.0)
    picture = Composer(cutouts).picture(np.random.default_rng(0), 2)
    assert all(not s.color and "caption" not in " ".join(s.names) for s in picture.shown.values())
    plain = Composer(cutouts).picture(np.random.default_rng(0), 2, changed=False)
    assert all(s.color for s in plain.shown.values())
