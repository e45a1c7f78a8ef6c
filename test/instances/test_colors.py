"""Instance colours: fixed, bright, and different for neighbours."""

import numpy as np

from moss_ros.instances.colors import color_of


def test_color_by_hand():
    # Id 0: hue 0 (red), value 0.95, saturation 0.85: 0.95 * 255 and 0.95 * 0.15 * 255.
    assert color_of(0) == (242, 36, 36)


def test_color_of_an_id_never_changes():
    assert [color_of(i) for i in range(50)] == [color_of(i) for i in range(50)]


def test_ids_next_to_each_other_differ_clearly():
    colors = np.array([color_of(i) for i in range(200)])
    assert colors.min() >= 0 and colors.max() <= 255
    assert np.abs(np.diff(colors, axis=0)).sum(1).min() > 60


def test_hundred_ids_hundred_colors():
    assert len({color_of(i) for i in range(100)}) == 100
