"""Windows of pictures of homes: geometry by hand, pool files from seeds."""

import numpy as np

from moss_ros.sim.mesh import box
from moss_ros.train.pictures.home_model import corner_normals
from moss_ros.train.pictures.home_pool import instance_boxes
from moss_ros.train.pictures.home_views import HomeView
from moss_ros.train.pictures.home_windows import _around, cut_window
from moss_ros.train.pictures.windows import SIZE_PX


def _view() -> HomeView:
    instance = np.zeros((480, 640), np.uint8)
    instance[100:140, 200:260] = 7
    color = np.zeros((480, 640, 3), np.uint8)
    color[instance == 7] = (250, 0, 0)
    return HomeView(color, instance)


def test_boxes_of_ids() -> None:
    assert instance_boxes(_view().instance) == [(7, 200, 100, 260, 140, 2400)]
    assert instance_boxes(_view().instance, least_px=2401) == []


def test_window_of_the_size_of_the_model_is_a_plain_cut() -> None:
    color, ids, outside = cut_window(_view(), 180, 90, SIZE_PX)
    assert (ids == 7).sum() == 2400 and ids[10, 20] == 7 and ids[9, 20] == -1
    assert color[10, 20].tolist() == [250, 0, 0]
    assert not outside.any()


def test_whole_image_has_padding_above_and_below() -> None:
    _, ids, outside = cut_window(_view(), 0, -80, 640)
    rows = SIZE_PX * 80 // 640
    assert outside[:rows].all() and outside[-rows:].all() and not outside[rows:-rows].any()
    assert (ids[outside] == -1).all()


def test_windows_hold_their_box() -> None:
    rng = np.random.default_rng(0)
    for x0, y0, x1, y1 in ((10, 20, 40, 60), (0, 0, 300, 200), (400, 300, 640, 480), (0, 100, 640, 400)):
        for _ in range(20):
            left, top, side = _around(np.array([x0, y0, x1, y1]), rng)
            assert left <= x0 + 1 and top <= y0 + 1
            assert left + side >= x1 - 1 and top + side >= y1 - 1
            assert side >= 96 or side >= x1 - x0


def test_normals_stay_sharp_at_the_edges_of_a_box() -> None:
    corners = box((0, 0, 0), (1, 1, 1)).corners_m
    normal = corner_normals(corners)
    face = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    face /= np.linalg.norm(face, axis=1, keepdims=True)
    assert np.allclose(normal, np.repeat(face[:, None], 3, 1), atol=1e-5)
