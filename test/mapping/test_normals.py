"""Normals of simple surfaces by hand, and incremental work against a full run."""

from dataclasses import replace

import numpy as np
import pytest
from scenes import CAMERA, MAPPING, Plane, Scene, build_map, look_at, render, room, room_frames

from moss_ros.mapping.normals import NormalMap
from moss_ros.mapping.voxel_map import VoxelMap
from moss_ros.records import Frame


def full(voxels):
    normals = NormalMap()
    normals.update(voxels, np.ones(voxels.count, bool))
    return normals


def plane_map(normal, offset_m, eye):
    scene = Scene(planes=(Plane(1, normal, offset_m),))
    shifted = (eye[0], eye[1] + 0.03, eye[2])
    return build_map(tuple(render(scene, look_at(e, (0.0, 0.0, 0.5))) for e in (eye, shifted)))


def sphere_frame(center, radius, pose):
    v, u = np.mgrid[0 : CAMERA.height, 0 : CAMERA.width]
    rays = np.stack([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, np.ones(u.shape)], -1)
    c = (center - pose[:3, 3]) @ pose[:3, :3]
    a, b = (rays**2).sum(-1), rays @ c
    root = b**2 - a * (c @ c - radius**2)
    depth = np.where(root > 0, (b - np.sqrt(np.maximum(root, 0))) / a, 0).astype(np.float32)
    return Frame(0, np.zeros((*depth.shape, 3), np.uint8), CAMERA, depth, CAMERA, pose)


def degrees_between(a, b):
    return np.degrees(np.arccos(np.clip((a * b).sum(1), -1, 1)))


@pytest.mark.parametrize(
    ("normal", "offset_m", "eye"),
    [
        ((0.0, 0.0, 1.0), 0.01, (0.3, 0.0, 1.5)),
        ((0.0, 0.0, -1.0), -0.91, (0.3, 0.0, 0.1)),  # a ceiling: the normal points down, to the viewer
        ((-1.0, 0.0, 0.0), -0.51, (-0.8, 0.0, 0.8)),
        ((-0.6, 0.0, 0.8), 0.01, (-0.7, 0.0, 1.4)),
        ((0.0, 0.6, 0.8), 0.01, (0.0, 0.7, 1.4)),
        ((0.48, -0.36, 0.8), 0.01, (0.5, -0.4, 1.3)),
    ],
)
def test_plane_by_hand(normal, offset_m, eye):
    voxels, normals = plane_map(normal, offset_m, eye)
    assert normals.solid.sum() > 500
    expected = np.broadcast_to(normal, (int(normals.solid.sum()), 3))
    nb = voxels.neighbours[normals.solid]
    busy = ((nb >= 0) & normals.solid[nb]).sum(1) >= 6  # far away the samples are sparse
    assert busy.sum() > 300
    assert degrees_between(normals.one_ring[normals.solid], expected)[busy].max() < 1.0
    assert degrees_between(normals.two_rings[normals.solid], expected)[busy].max() < 1.0


def test_sphere_points_outwards():
    center, radius = np.array([0.01, 0.02, 0.5]), 0.4
    eyes = [(1.1, 0.0, 0.6), (1.1, 0.05, 0.6), (1.0, 0.3, 0.8)]
    voxels, normals = build_map(tuple(sphere_frame(center, radius, look_at(e, tuple(center))) for e in eyes))
    solid = normals.solid & ((voxels.neighbours >= 0).sum(1) >= 6)
    outward = (voxels.position[solid] - center) / radius
    assert np.median(degrees_between(normals.one_ring[solid], outward)) < 3.0
    assert np.percentile(degrees_between(normals.two_rings[solid], outward), 90) < 8.0


def test_unit_length_where_solid_and_zero_elsewhere():
    voxels, normals = build_map(room_frames(0.004)[:5])
    assert 0 < normals.solid.sum() < voxels.count
    for n in (normals.one_ring, normals.two_rings):
        assert np.allclose(np.linalg.norm(n[normals.solid], axis=1), 1.0, atol=1e-5)
        assert (n[~normals.solid] == 0).all()


def test_normals_face_the_viewer():
    voxels, normals = build_map(room_frames()[:8])
    toward = voxels.viewpoint - voxels.position
    assert ((normals.one_ring * toward).sum(1)[normals.solid] >= 0).all()


def test_incremental_equals_full_exactly():
    voxels, normals = VoxelMap(MAPPING), NormalMap()
    frames = room_frames(0.004)
    emptied = room().without(11)
    for i, frame in enumerate(frames[:24]):
        voxels.integrate(frame)
        if i >= 16:  # somebody took a box away: voxels stop being solid
            for _ in range(8):
                voxels.count_see_through(voxels.view(render(emptied, frame.world_from_camera)))
        if i % 3 == 2:
            normals.update(voxels, voxels.take_touched())
    everything = full(voxels)
    assert (voxels.through > 2 * voxels.hits).any()
    assert np.array_equal(normals.solid, everything.solid)
    assert np.array_equal(normals.one_ring, everything.one_ring)
    assert np.array_equal(normals.two_rings, everything.two_rings)


def test_incremental_equals_full_when_few_blocks_change():
    voxels, normals = build_map(room_frames(0.004)[:24])
    for number in range(4):
        frame = room_frames(0.01)[6 * number]
        window = np.zeros_like(frame.depth_m)
        window[50:70, 70:90] = frame.depth_m[50:70, 70:90]
        voxels.integrate(replace(frame, depth_m=window))
        touched = voxels.take_touched()
        assert 0 < touched.sum() < 0.2 * len(touched)
        normals.update(voxels, touched)
        everything = full(voxels)
        assert np.array_equal(normals.one_ring, everything.one_ring)
        assert np.array_equal(normals.two_rings, everything.two_rings)


@pytest.mark.parametrize("rings", [1, 2])
def test_normals_equal_the_eigenvectors_of_all_points_in_the_rings(rings):
    voxels, normals = build_map(room_frames(0.006)[:6])
    found = normals.one_ring if rings == 1 else normals.two_rings
    nearby = [np.append(n[(n >= 0) & normals.solid[n]], i) for i, n in enumerate(voxels.neighbours)]
    checked = 0
    for i in np.flatnonzero(normals.solid)[::40]:
        # With two rings a point counts once for every neighbour that it is a neighbour of.
        members = nearby[i] if rings == 1 else np.concatenate([nearby[j] for j in nearby[i]])
        if len(members) < 8:
            continue
        values, vectors = np.linalg.eigh(np.cov(voxels.position[members].astype(float).T))
        if values[1] - values[0] > 0.3 * values[2]:  # the smallest direction is clear
            assert abs(vectors[:, 0] @ found[i]) > 0.999
            checked += 1
    assert checked > 50


def test_untouched_map_changes_no_normal():
    voxels, normals = build_map(room_frames()[:3])
    before = normals.one_ring.copy()
    changed = normals.update(voxels, voxels.take_touched())
    assert changed.shape == (voxels.count,) and not changed.any()
    assert np.array_equal(normals.one_ring, before)


def test_change_reaches_the_neighbours_of_touched_voxels():
    voxels, normals = build_map(room_frames()[:8])
    touched = voxels.block == 0
    changed = normals.update(voxels, touched)
    near = voxels.neighbours[touched]
    expected = set(np.flatnonzero(touched)) | set(near[near >= 0].ravel())
    assert set(np.flatnonzero(changed)) == expected


def test_lonely_voxel_has_some_unit_normal():
    dot = np.zeros((120, 160), np.float32)
    dot[58:61, 78:81] = 1.0
    pose = look_at((0.0, 0.0, 1.5), (0.0, 0.0, 0.0))
    frame = Frame(0, np.zeros((120, 160, 3), np.uint8), CAMERA, dot, CAMERA, pose)
    _, normals = build_map((frame, frame))
    assert normals.one_ring.tolist() == [[0.0, 0.0, 1.0]]


def test_empty_map():
    voxels, normals = VoxelMap(MAPPING), NormalMap()
    assert len(normals.update(voxels, voxels.take_touched())) == 0
    assert normals.one_ring.shape == (0, 3)
