import cv2
import numpy as np
from test_run_folder import an_instance

from moss_ros.instances.colors import color_of
from moss_ros.output.map_picture import write_map_picture


def test_picture_shows_the_instance_in_its_colour(tmp_path):
    x, y = np.meshgrid(np.arange(0, 2, 0.02), np.arange(0, 3, 0.02))
    points = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], 1).astype(np.float32)
    ids = ((np.abs(points[:, 0] - 1) < 0.4) & (np.abs(points[:, 1] - 2) < 0.4)).astype(np.int32) * 7
    write_map_picture(
        tmp_path / "map.png", points, np.full((len(points), 3), 200, np.uint8), ids, (an_instance(7),), "t"
    )
    image = cv2.cvtColor(cv2.imread(str(tmp_path / "map.png")), cv2.COLOR_BGR2RGB).astype(int)
    expected = 0.45 * 200 + 0.55 * np.array(color_of(7))
    assert (np.abs(image - expected).max(2) < 4).sum() > 1000


def test_empty_map_still_gives_a_picture(tmp_path):
    none = np.zeros((0, 3))
    write_map_picture(tmp_path / "map.png", none, none.astype(np.uint8), np.zeros(0, np.int32), (), "nothing")
    assert cv2.imread(str(tmp_path / "map.png")) is not None
