"""The best view of an instance, and its mask drawn into the picture."""

from dataclasses import replace

import cv2
import numpy as np
from scenes import CAMERA, MAPPING, THINGS, build_map, cast, inside_box, orbit, render, room

from moss_ros.config import LiftingConfig
from moss_ros.instances.colors import color_of
from moss_ros.instances.evidence_picture import best_view, draw_evidence, ids_in_view
from moss_ros.lifting.dense_masks import dense_masks
from moss_ros.lifting.expansion import Expansion
from moss_ros.mapping.keyframes import make_keyframe

VOXELS = np.arange(10)


def keyframes(**sharpness):
    frame = render(room(), orbit()[0])
    return {int(slot[1:]): make_keyframe(frame, int(slot[1:]), value) for slot, value in sharpness.items()}


def seen(**counts):
    """Bits of ten voxels, of which the first n are seen from each slot."""
    bits = np.zeros((10, 2), np.uint64)
    for slot, n in counts.items():
        number = int(slot[1:])
        bits[:n, number // 64] |= np.uint64(1 << (number % 64))
    return bits


def test_view_that_sees_most_is_best():
    assert best_view(VOXELS, seen(s0=3, s1=8, s70=5), keyframes(s0=9.0, s1=1.0, s70=9.0)).slot == 1


def test_of_nearly_equal_views_the_sharpest_is_best():
    assert best_view(VOXELS, seen(s0=10, s1=9, s2=8), keyframes(s0=1.0, s1=5.0, s2=9.0)).slot == 1


def test_equal_views_give_the_first():
    assert best_view(VOXELS, seen(s3=10, s64=10), keyframes(s3=2.0, s64=2.0)).slot == 3


def test_unseen_instance_has_no_view():
    assert best_view(VOXELS, seen(), keyframes(s0=1.0)) is None
    assert best_view(VOXELS, seen(s0=5), {}) is None
    assert best_view(np.zeros(0, np.int64), seen(s0=5), keyframes(s0=1.0)) is None


def test_slot_beyond_the_seen_table_is_not_asked():
    assert best_view(VOXELS, seen(s1=4), keyframes(s1=1.0, s200=9.0)).slot == 1


def drawn(keyframe, voxels, owner):
    """Picture of instance 5."""
    return draw_evidence(keyframe, ids_in_view(keyframe, voxels, Expansion(LiftingConfig())), owner, 5)


def test_mask_of_the_instance_is_drawn():
    frames = tuple(render(room(), pose, stamp_ns=i) for i, pose in enumerate(orbit()[:3]))
    voxels, _ = build_map(frames, MAPPING)
    (thing,) = [b for b in room().boxes if b.id == THINGS[1]]
    owner = np.where(inside_box(voxels.position, thing, 0.005), 5, 0).astype(np.int32)
    picture = drawn(make_keyframe(frames[0], 0, 1.0), voxels, owner)
    image = cv2.cvtColor(cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert image.shape == (CAMERA.height, CAMERA.width, 3)
    change = np.abs(image.astype(int) - frames[0].color_rgb).sum(2)
    inside = cast(room(), orbit()[0])[1] == thing.id
    core = cv2.erode(inside.astype(np.uint8), np.ones((5, 5))).astype(bool)
    away = ~cv2.dilate(inside.astype(np.uint8), np.ones((13, 13))).astype(bool)
    expected = 0.6 * np.array(thing.color) + 0.4 * np.array(color_of(5))
    assert np.median(np.abs(image[core] - expected)) < 6  # not all: outline and JPEG reach in
    assert change[away].mean() < 12


def test_instance_out_of_sight_leaves_the_picture_alone():
    frame = render(room(), orbit()[0])
    voxels, _ = build_map((frame, frame), MAPPING)
    picture = drawn(make_keyframe(frame, 0, 1.0), voxels, np.zeros(voxels.count, np.int32))
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.abs(image.astype(int) - frame.color_rgb).mean() < 4


def test_color_image_of_another_size():
    small = CAMERA.resized(80, 60)
    frame = render(room(), orbit()[0], small, color_camera=CAMERA)
    voxels, _ = build_map((frame, frame), MAPPING)
    picture = drawn(make_keyframe(frame, 0, 1.0), voxels, np.full(voxels.count, 5, np.int32))
    assert cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).shape == (120, 160, 3)


def test_mask_covers_the_thing_also_where_depth_is_missing():
    frames = tuple(render(room(), pose, stamp_ns=i) for i, pose in enumerate(orbit()))
    voxels, _ = build_map(frames, MAPPING)
    (thing,) = [b for b in room().boxes if b.id == THINGS[1]]
    members = np.flatnonzero(inside_box(voxels.position, thing, 0.005) & voxels.solid())
    truth = cast(room(), orbit()[0])[1] == thing.id
    rows = np.flatnonzero(truth.any(1))
    holes = frames[0].depth_m.copy()
    holes[rows.mean().astype(int) - 3 : rows.mean().astype(int) + 3] = 0
    for depth in (frames[0].depth_m, holes):
        keyframe = make_keyframe(replace(frames[0], depth_m=depth), 0, 1.0)
        mask = dense_masks(ids_in_view(keyframe, voxels, Expansion(LiftingConfig())), [members])[0]
        assert (mask & truth).sum() / (mask | truth).sum() > 0.9
