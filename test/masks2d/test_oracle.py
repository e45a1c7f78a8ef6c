"""True masks: what they leave out, and that noise does what it says, worked out on small images."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from scenes import CAMERA, CONFIG, FLOOR, THINGS, WALL, cast, orbit, render, room

from moss_ros.mapping.keyframes import Keyframe, make_keyframe
from moss_ros.masks2d.oracle import IdImages, MaskNoise, OracleMasks, spoil, thing_masks
from moss_ros.pipeline import Pipeline
from moss_ros.proposals.consensus import consensus_proposals

CLEAN = MaskNoise(missing=0.0, merged=0.0, border_px=(0, 0))
POSES = orbit(12)


def labels_of(masks: OracleMasks, keyframe: Keyframe) -> np.ndarray:
    return masks.labels(keyframe, None, None)


class RoomImages:
    """Id images of the test room; the stamp is the number of the pose."""

    structure = frozenset({FLOOR, WALL})

    def ids(self, stamp_ns: int) -> np.ndarray:
        return cast(room(), POSES[stamp_ns])[1].astype(np.uint8)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def square(side: int = 10, size: int = 40) -> np.ndarray:
    """One mask in the middle of an image."""
    labels = np.zeros((size, size), np.int32)
    start = (size - side) // 2
    labels[start : start + side, start : start + side] = 1
    return labels


def grid(count: int = 20, gap: int = 0) -> np.ndarray:
    """count x count square masks of 6 px with gaps."""
    step = 6 + gap
    labels = np.zeros((count * step, count * step), np.int32)
    for i in range(count):
        for j in range(count):
            labels[i * step : i * step + 6, j * step : j * step + 6] = i * count + j + 1
    return labels


def masks(labels: np.ndarray) -> int:
    return len(np.unique(labels[labels > 0]))


def test_structure_and_nothing_are_no_masks() -> None:
    ids = np.array([[0, 1, 1, 7], [9, 9, 2, 7]], np.uint8)
    assert thing_masks(ids, {1, 2}).tolist() == [[0, 0, 0, 1], [2, 2, 0, 1]]
    assert thing_masks(ids, set()).max() == 4


def test_without_faults_nothing_changes() -> None:
    assert np.array_equal(spoil(grid(), CLEAN, rng()), grid())


@pytest.mark.parametrize(("pixels", "grown", "shrunk"), [(1, 10 * 10 + 4 * 10, 8 * 8), (3, None, 4 * 4)])
def test_border_moves_by_so_many_pixels(pixels: int, grown: int | None, shrunk: int) -> None:
    sizes = set()
    for seed in range(12):
        out = spoil(square(), MaskNoise(0.0, 0.0, (pixels, pixels)), rng(seed)) > 0
        rows, columns = np.flatnonzero(out.any(1)), np.flatnonzero(out.any(0))
        assert np.array_equal(rows, columns)
        change = pixels if out.sum() > 100 else -pixels
        assert (rows[0], rows[-1]) == (15 - change, 24 + change)
        sizes.add(int(out.sum()))
    assert len(sizes) == 2 and min(sizes) == shrunk
    assert grown is None or max(sizes) == grown


def test_borders_move_by_one_to_four_pixels_both_ways_equally_often() -> None:
    noise = MaskNoise(missing=0.0, merged=0.0)
    changes = []
    for seed in range(400):
        rows = np.flatnonzero((spoil(square(20, 60), noise, rng(seed)) > 0).any(1))
        changes.append((len(rows) - 20) // 2)
    values, counts = np.unique(changes, return_counts=True)
    assert values.tolist() == [-4, -3, -2, -1, 1, 2, 3, 4]
    assert counts.min() > 25  # 50 expected of each


def test_a_mask_at_the_image_border_does_not_shrink_from_it() -> None:
    labels = np.zeros((30, 30), np.int32)
    labels[:10] = 1
    noise = MaskNoise(0.0, 0.0, (2, 2))
    heights = {int((spoil(labels, noise, rng(seed)) > 0)[:, 15].sum()) for seed in range(12)}
    assert heights == {8, 12}


def test_one_in_ten_masks_is_missing() -> None:
    labels = grid(gap=2)
    lost = [400 - masks(spoil(labels, MaskNoise(0.1, 0.0, (0, 0)), rng(seed))) for seed in range(20)]
    assert np.mean(lost) == pytest.approx(40, abs=4)
    assert not spoil(labels, MaskNoise(1.0, 0.0, (0, 0)), rng()).any()


def test_one_in_twenty_masks_joins_one_that_it_touches() -> None:
    merged = [400 - masks(spoil(grid(), MaskNoise(0.0, 0.05, (0, 0)), rng(seed))) for seed in range(20)]
    assert np.mean(merged) == pytest.approx(20, abs=3)
    out = spoil(grid(), MaskNoise(0.0, 0.05, (0, 0)), rng())
    assert (out > 0).all()  # no pixel is lost
    for label in np.unique(out):
        assert cv2.connectedComponents((out == label).astype(np.uint8), connectivity=4)[0] == 2  # background and it


def test_masks_that_touch_nothing_are_not_merged() -> None:
    labels = np.zeros((10, 30), np.int32)
    labels[2:8, 2:8], labels[2:8, 8:14], labels[2:8, 20:26] = 1, 2, 3
    out = spoil(labels, MaskNoise(0.0, 1.0, (0, 0)), rng())
    assert masks(out) == 2 and (out[labels == 3] == 3).all()
    assert len(set(out[(labels == 1) | (labels == 2)].tolist())) == 1


def test_seed_and_stamp_decide_the_noise() -> None:
    def labels(seed: int, pose: int) -> np.ndarray:
        keyframe = make_keyframe(render(room(), POSES[pose], stamp_ns=pose), 0, 1.0)
        return labels_of(OracleMasks(RoomImages(), MaskNoise(seed=seed)), keyframe)

    assert np.array_equal(labels(1, 0), labels(1, 0))
    assert not np.array_equal(labels(1, 0), labels(2, 0))
    assert not np.array_equal(labels(1, 0), labels(1, 1))


def test_true_masks_are_numbered_and_small_ones_go() -> None:
    keyframe = make_keyframe(render(room(), POSES[0], stamp_ns=0), 0, 1.0)
    ids = RoomImages().ids(0)
    sizes = {i: int((ids == i).sum()) for i in np.unique(ids) if i not in (0, FLOOR, WALL)}
    labels = labels_of(OracleMasks(RoomImages(), min_pixels=1), keyframe)
    assert labels.dtype == np.int32 and labels.max() == len(sizes)
    assert np.array_equal(labels > 0, ~np.isin(ids, [0, FLOOR, WALL]))
    least = sorted(sizes.values())[1]
    fewer = labels_of(OracleMasks(RoomImages(), min_pixels=least), keyframe)
    assert fewer.max() == len(sizes) - 1


def test_id_image_of_another_size_is_an_error() -> None:
    keyframe = make_keyframe(render(room(), POSES[0], CAMERA.resized(80, 60), stamp_ns=0), 0, 1.0)
    with pytest.raises(ValueError, match=r"id image is \(120, 160\), depth \(60, 80\)"):
        labels_of(OracleMasks(RoomImages()), keyframe)


def test_pipeline_takes_true_masks_and_the_consensus_finds_the_things() -> None:
    pipeline = Pipeline(CONFIG, OracleMasks(RoomImages()))
    for number, pose in enumerate(POSES):
        pipeline.step(render(room(), pose, stamp_ns=number))
    pipeline.segment(full=True)
    found = consensus_proposals(pipeline.keyframes.evidence, CONFIG.proposals)
    for box in room().boxes:
        if box.id in THINGS:
            inside = np.abs(pipeline.voxels.position - box.center_m)[:, :2].max(1) < 0.04
            inside &= pipeline.voxels.position[:, 2] > box.center_m[2]
            (owner,) = [v for v in found.voxels if np.isin(np.flatnonzero(inside), v).mean() > 0.9]
            assert np.abs(pipeline.voxels.position[owner] - box.center_m).max() < 0.15


def write_truth(folder: Path, images: int = 2, stamps: int = 2) -> Path:
    with zipfile.ZipFile(folder / "instance_masks.zip", "w") as archive:
        for number in range(images):
            png = cv2.imencode(".png", np.full((3, 4), number + 5, np.uint8))[1]
            archive.writestr(f"{number:04d}.png", png.tobytes())
    np.savez(folder / "gt_points.npz", stamps_ns=100 * (1 + np.arange(stamps)))
    listed = [{"id": 1, "kind": "structure"}, {"id": 5, "kind": "thing"}, {"id": 6}]
    (folder / "instances.json").write_text(json.dumps({"instances": listed}))
    return folder


def test_id_images_are_found_by_stamp(tmp_path: Path) -> None:
    images = IdImages(write_truth(tmp_path))
    assert images.structure == {1}
    assert (images.ids(200) == 6).all() and images.ids(100).shape == (3, 4)
    with pytest.raises(ValueError, match="no id image has the stamp 150"):
        images.ids(150)


def test_id_images_must_be_there_and_fit(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no instance_masks.zip"):
        IdImages(tmp_path)
    with pytest.raises(ValueError, match="holds 2 images, gt_points.npz 3 stamps"):
        IdImages(write_truth(tmp_path, stamps=3))
