"""2D masks from depth steps: by hand on small images, and on the table of the synthetic room."""

from dataclasses import replace

import numpy as np
import pytest
from scenes import CAMERA, CONFIG, TABLE, THINGS, cast, find_parts, find_structure, orbit, room, room_frames, room_map

from moss_ros.config import MasksConfig
from moss_ros.geometry.projection import look_up
from moss_ros.masks2d.geometric import segment_parts
from moss_ros.proposals.solid_voxels import SolidVoxels

MASKS = MasksConfig()
K = np.array([[100.0, 0, 19.5], [0, 100.0, 14.5], [0, 0, 1]])


def parts_of(depth, background=None, config=MASKS):
    """Masks of a depth image whose every measured pixel is a voxel of its own, without known normals."""
    depth = np.asarray(depth, np.float32)
    n = depth.size
    image = np.where(depth > 0, np.arange(n, dtype=np.int32).reshape(depth.shape), -1)
    background = np.zeros(n, bool) if background is None else np.asarray(background).ravel()
    zero = np.zeros((n, 3), np.float32)
    return segment_parts(depth, image, background, zero, zero, np.eye(4), K, config)


def flat(z=1.0):
    return np.full((30, 40), z, np.float32)


def room_masks(frame, background):
    voxels, normals = room_map()
    index, ok, k = voxels.index, voxels.reliable(frame.depth_m), frame.depth_camera.matrix
    image = look_up(index.keys, index.blocks, index.ids, frame.depth_m, ok, frame.world_from_camera, k, 0.02)
    labels = segment_parts(
        frame.depth_m,
        image,
        background,
        voxels.position,
        normals.two_rings,
        frame.world_from_camera,
        k,
        MASKS,
    )
    return labels, ok


def room_background():
    """Structure only, and structure with supports and rims."""
    voxels, normals = room_map()
    structure = find_structure(voxels.position, normals.two_rings, normals.solid, voxels.neighbours, CONFIG.structure)
    view = SolidVoxels.of(voxels, normals.solid)
    return structure.is_structure, find_parts(view, structure, CONFIG.proposals).background


def test_one_smooth_surface_is_one_mask_up_to_the_border():
    assert (parts_of(flat()) == 1).all()


@pytest.mark.parametrize(("step_m", "masks"), [(0.02, 1), (0.06, 2), (1.0, 2)])
def test_depth_step_parts_two_things(step_m, masks):
    depth = flat()
    depth[:, 20:] += step_m
    labels = parts_of(depth)
    assert labels.max() == masks
    assert (labels[:, :20] == 1).all()  # cut edges have grown back
    assert (labels[:, 20:] == masks).all()


def test_background_parts_two_things():
    background = np.zeros((30, 40), bool)
    background[:, 18:22] = True
    labels = parts_of(flat(), background)
    assert (labels[:, :18] == 1).all() and (labels[:, 18:22] == 0).all() and (labels[:, 22:] == 2).all()


def test_mask_in_a_corner_touches_two_borders():
    depth = flat(2.0)
    depth[:12, :12] = 1.0
    background = depth == 2.0
    labels = parts_of(depth, background)
    assert np.array_equal(labels == 1, ~background)
    assert labels.max() == 1


def test_slope_is_no_step():
    assert parts_of(flat() + 0.005 * np.arange(40, dtype=np.float32)).max() == 1


@pytest.mark.parametrize(("side", "masks"), [(7, 0), (8, 1)])  # 49 and 64 of at least 50 pixels
def test_small_parts_are_dropped(side, masks):
    background = np.ones((30, 40), bool)
    background[10 : 10 + side, 10 : 10 + side] = False
    assert parts_of(flat(), background).max() == masks


def test_masks_are_numbered_without_gaps():
    background = np.ones((30, 40), bool)
    for left, side in ((1, 8), (12, 3), (20, 9), (32, 8)):  # the second is too small
        background[5 : 5 + side, left : left + side] = False
    assert np.unique(parts_of(flat(), background)).tolist() == [0, 1, 2, 3]


def test_growth_is_bounded():
    # One row of pixels reaches away from a block over a cut edge; it takes the label ring by ring.
    depth = flat()
    depth[:, 20:] = 1.06
    labels = parts_of(depth, config=replace(MASKS, grow_pixels=0))
    assert (labels[:, 18:22] == 0).all()
    labels = parts_of(depth, config=replace(MASKS, grow_pixels=1))
    assert (labels[:, 18] == 1).all() and (labels[:, 19:21] == 0).all() and (labels[:, 21] == 2).all()


def test_depth_is_corrected_to_the_tangent_plane():
    # All pixels see one voxel: a wall at 1 m facing the camera. Noise of 2.5 cm would cut it into pieces.
    depth = flat() + np.where(np.indices((30, 40)).sum(0) % 2, 0.025, -0.025).astype(np.float32)
    image = np.zeros((30, 40), np.int32)
    position, normal = np.array([[0, 0, 1.0]], np.float32), np.array([[0, 0, -1.0]], np.float32)
    none = np.zeros(1, bool)
    assert (segment_parts(depth, image, none, position, normal, np.eye(4), K, MASKS) == 1).all()
    assert segment_parts(depth, image, none, position, 0 * normal, np.eye(4), K, MASKS).max() == 0


def test_plane_far_from_the_measurement_is_not_believed():
    depth = flat()
    depth[:, 20:] = 1.5
    position, normal = np.array([[0, 0, 1.0]], np.float32), np.array([[0, 0, -1.0]], np.float32)
    labels = segment_parts(
        depth, np.zeros((30, 40), np.int32), np.zeros(1, bool), position, normal, np.eye(4), K, MASKS
    )
    assert labels.max() == 2


def test_no_depth_no_mask():
    labels = parts_of(np.zeros((30, 40)))
    assert labels.shape == (30, 40) and labels.dtype == np.int32
    assert not labels.any()


def test_everything_background_no_mask():
    assert not parts_of(flat(), np.ones((30, 40), bool)).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (30, 1)])
def test_smallest_images(shape):
    assert parts_of(np.ones(shape)).shape == shape


def test_depth_without_a_map_gives_no_mask():
    depth = flat()
    zero = np.zeros((0, 3), np.float32)
    image, none = np.full((30, 40), -1, np.int32), np.zeros(0, bool)
    labels = segment_parts(depth, image, none, zero, zero, np.eye(4), K, MASKS)
    assert not labels.any()


def test_input_is_left_alone():
    depth = flat()
    before = depth.copy()
    parts_of(depth)
    assert np.array_equal(depth, before)


@pytest.mark.parametrize("view", [1, 7, 14, 20])
def test_things_on_the_table_are_one_mask_each_once_the_table_is_background(view):
    frame = room_frames()[view]
    ids = cast(room(), orbit()[view], CAMERA)[1]
    labels, ok = room_masks(frame, room_background()[1])
    masks = []
    for thing in THINGS:
        own = labels[(ids == thing) & ok]
        # Pixels near the table top look up rim voxels, which belong to nobody.
        mask = np.bincount(own[own > 0]).argmax()
        assert np.mean(own == mask) > 0.6
        assert np.mean(ids[labels == mask] == thing) > 0.95
        masks.append(mask)
    assert len(set(masks)) == 3


def test_things_and_table_are_one_mask_while_the_table_is_foreground():
    frame = room_frames()[7]
    ids = cast(room(), orbit()[7], CAMERA)[1]
    labels, ok = room_masks(frame, room_background()[0])
    table = np.bincount(labels[(ids == TABLE) & ok]).argmax()
    assert table > 0
    assert any(np.mean(labels[(ids == thing) & ok] == table) > 0.5 for thing in THINGS)


def test_floor_and_walls_get_no_mask():
    ids = cast(room(), orbit()[7], CAMERA)[1]
    labels, _ = room_masks(room_frames()[7], room_background()[1])
    assert np.mean(labels[(ids == 1) | (ids == 2)] > 0) < 0.01
