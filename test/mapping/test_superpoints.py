"""Superpoints: a partition that never crosses blocks; incremental equals full; ids stay."""

import numpy as np
from scenes import MAPPING, Box, Plane, Scene, look_at, render, room, room_frames, room_map

from moss_ros.mapping.normals import NormalMap
from moss_ros.mapping.superpoints import SuperpointMap
from moss_ros.mapping.voxel_map import VoxelMap

K, SMALLEST = MAPPING.superpoint_k, MAPPING.superpoint_min_voxels


def full(voxels, normals):
    points = SuperpointMap(K, SMALLEST)
    points.update(voxels, normals, np.ones(voxels.count, bool))
    return points


def partition(labels):
    """Labels renumbered in order of appearance, -1 kept: equal for equal partitions."""
    seen = {-1: -1}
    return [seen.setdefault(label, len(seen) - 1) for label in labels.tolist()]


class Growing:
    """A map whose superpoints are kept up to date."""

    def __init__(self):
        self.voxels, self.normals, self.points = VoxelMap(MAPPING), NormalMap(), SuperpointMap(K, SMALLEST)

    def add(self, frames):
        for frame in frames:
            self.voxels.integrate(frame)
        return self.refresh()

    def refresh(self):
        changed = self.normals.update(self.voxels, self.voxels.take_touched())
        return self.points.update(self.voxels, self.normals, changed)


def test_solid_voxels_are_partitioned():
    voxels, normals = room_map()
    labels = full(voxels, normals).labels
    assert labels.dtype == np.int32 and labels.shape == (voxels.count,)
    assert np.array_equal(labels >= 0, normals.solid)
    used = np.unique(labels[labels >= 0])
    assert np.array_equal(used, np.arange(len(used)))  # a first run numbers without gaps


def test_no_superpoint_crosses_a_block():
    voxels, normals = room_map()
    labels = full(voxels, normals).labels
    solid = labels >= 0
    pairs = np.unique(np.stack([labels[solid], voxels.block[solid]]), axis=1)
    assert len(np.unique(pairs[0])) == pairs.shape[1]


def test_superpoints_are_connected():
    voxels, normals = room_map()
    labels = full(voxels, normals).labels
    sizes = np.bincount(labels[labels >= 0])
    linked = (voxels.neighbours >= 0) & (labels[voxels.neighbours] == labels[:, None])
    alone = (labels >= 0) & ~linked.any(1)
    assert (sizes[labels[alone]] == 1).all()


def test_small_superpoints_have_nobody_to_join():
    voxels, normals = room_map()
    labels = full(voxels, normals).labels
    small = np.flatnonzero(np.bincount(labels[labels >= 0]) < SMALLEST)
    a, o = np.nonzero(np.isin(labels, small)[:, None] & (voxels.neighbours >= 0))
    b = voxels.neighbours[a, o]
    same_block = (voxels.block[a] == voxels.block[b]) & (labels[b] >= 0)
    assert (labels[a] == labels[b])[same_block].all()


def test_incremental_equals_full():
    frames = room_frames(0.004)
    growing = Growing()
    for first in range(0, 30, 5):
        growing.add(frames[first : first + 5])
        assert partition(growing.points.labels) == partition(full(growing.voxels, growing.normals).labels)


def test_incremental_equals_full_after_a_box_vanished():
    growing = Growing()
    frames = room_frames()[:12]
    growing.add(frames * 2)
    before = int(growing.normals.solid.sum())
    for frame in frames * 6:
        emptied = render(room().without(11), frame.world_from_camera)
        growing.voxels.count_see_through(growing.voxels.view(emptied))
    growing.refresh()
    assert growing.normals.solid.sum() < before - 50
    assert np.array_equal(growing.points.labels >= 0, growing.normals.solid)
    assert partition(growing.points.labels) == partition(full(growing.voxels, growing.normals).labels)


def test_ids_stay_when_nothing_changed():
    growing = Growing()
    growing.add(room_frames()[:10])
    before = growing.points.labels.copy()
    assert growing.refresh() == 0
    assert np.array_equal(growing.points.labels, before)
    # Redo everything all the same.
    growing.points.update(growing.voxels, growing.normals, np.ones(growing.voxels.count, bool))
    assert np.array_equal(growing.points.labels, before)


def test_ids_of_untouched_blocks_stay():
    growing = Growing()
    growing.add(room_frames()[:10])
    before = growing.points.labels.copy()
    old_blocks = growing.voxels.block.copy()
    growing.voxels.integrate(room_frames()[30])
    touched = growing.voxels.take_touched()
    changed = growing.normals.update(growing.voxels, touched)
    growing.points.update(growing.voxels, growing.normals, changed)
    dirty = np.unique(growing.voxels.block[changed])
    untouched = ~np.isin(old_blocks, dirty)
    assert untouched.sum() > 1000
    assert np.array_equal(growing.points.labels[: len(before)][untouched], before[untouched])


def test_most_voxels_keep_their_id_when_a_block_is_seen_again():
    growing = Growing()
    growing.add(room_frames(0.002)[:24])
    before = growing.points.labels.copy()
    growing.add(room_frames(0.002)[:2])
    old = before >= 0
    assert np.mean(growing.points.labels[: len(before)][old] == before[old]) > 0.9


def test_new_ids_are_never_old_ids():
    growing = Growing()
    growing.add(room_frames()[:6])
    first = set(growing.points.labels.tolist())
    block_of = dict(zip(growing.points.labels.tolist(), growing.voxels.block.tolist(), strict=True))
    growing.add(room_frames()[24:30])
    second = dict(zip(growing.points.labels.tolist(), growing.voxels.block.tolist(), strict=True))
    kept = (first & set(second)) - {-1}
    assert kept and all(block_of[i] == second[i] for i in kept)


def test_faces_of_a_cube_are_parted():
    # A cube within one block, seen from above a corner: three faces and the floor.
    cube = Box(2, (0.32, 0.32, 0.22), (0.3, 0.3, 0.4))
    scene = Scene(planes=(Plane(1, (0, 0, 1), 0.01),), boxes=(cube,))
    eyes = [(1.0, 0.95, 0.95), (0.95, 1.0, 0.95), (1.0, 1.0, 0.9)]
    growing = Growing()
    growing.add([render(scene, look_at(e, (0.32, 0.32, 0.25))) for e in eyes] * 2)
    p, labels = growing.voxels.position, growing.points.labels
    inner = np.abs(p - cube.center_m)
    half = np.array(cube.size_m) / 2
    face = [
        (labels >= 0)
        & (np.abs(inner[:, a] - half[a]) < 1e-3)
        & (inner[:, b] < half[b] - 0.04)
        & (inner[:, c] < half[c] - 0.04)
        for a, b, c in ((0, 1, 2), (1, 2, 0), (2, 0, 1))
    ]
    found = [np.unique(labels[f]) for f in face]
    assert [len(f) for f in found] == [1, 1, 1]
    assert len({int(f[0]) for f in found}) == 3


def test_empty_map():
    growing = Growing()
    assert growing.refresh() == 0
    assert len(growing.points.labels) == 0
