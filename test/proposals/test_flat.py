"""Coloured patches on planes: found with their shape, and none where the plane is uniform."""

import numpy as np
import pytest
from scenes import CONFIG, Patch, Plane, Scene, build_map, find_flat, find_structure, look_at, render

from moss_ros.config import ProposalConfig
from moss_ros.mapping.structure import Structure, Support, Wall

P = ProposalConfig()
SIDE = 40  # cells


def plane(axis=2):
    """A 80 x 80 cm sheet of cells, perpendicular to an axis."""
    i, j = np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij")
    grid = np.insert(np.stack([i.ravel(), j.ravel()], 1), axis, 10, axis=1).astype(np.int32)
    normal = np.zeros((len(grid), 3), np.float32)
    normal[:, axis] = 1.0
    return grid, ((grid + 0.5) * 0.02).astype(np.float32), normal


def structure_of(kind, position, axis):
    n = len(position)
    none, zero = np.zeros(n, bool), np.zeros(n, np.int32)
    height = float(position[0, axis])
    if kind == "support":
        return Structure(0.0, (), (Support(height, np.arange(n, dtype=np.int32)),), none, zero + 1)
    if kind == "floor":
        return Structure(height, (), (), ~none, zero)
    return Structure(-9.0, (Wall(np.eye(3)[axis], height),), (), ~none, zero)


def found(paint, kind="support", axis=2, noise=0.0, base=(150, 110, 60), color=(40, 60, 200)):
    """Flat proposals of a plane whose cells in paint (SIDE, SIDE) have another colour."""
    grid, position, normal = plane(axis)
    rgb = np.where(np.asarray(paint, bool).reshape(-1, 1), color, base).astype(np.float32)
    rgb += np.random.default_rng(1).normal(0, noise, rgb.shape) if noise else 0
    return find_flat(position, np.clip(rgb, 0, 255), normal, grid, structure_of(kind, position, axis), P)


def square(first=10, last=20):
    paint = np.zeros((SIDE, SIDE), bool)
    paint[first:last, first:last] = True
    return paint


@pytest.mark.parametrize(("kind", "axis"), [("support", 2), ("floor", 2), ("wall", 0), ("wall", 1)])
@pytest.mark.parametrize("noise", [0.0, 4.0])
def test_patch_on_a_plane_is_found_exactly(kind, axis, noise):
    proposals = found(square(), kind, axis, noise)
    assert [v.tolist() for v in proposals.voxels] == [np.flatnonzero(square()).tolist()]
    assert proposals.sources == ("flat",)


@pytest.mark.parametrize("kind", ["support", "floor"])
@pytest.mark.parametrize("noise", [0.0, 4.0])
def test_uniform_plane_has_no_patch(kind, noise):
    assert len(found(np.zeros((SIDE, SIDE)), kind, noise=noise)) == 0


def test_gradual_light_is_no_patch():
    grid, position, normal = plane()
    light = np.repeat((120 + 0.75 * grid[:, :1]), 3, 1).astype(np.float32)  # 120 to 150
    assert len(find_flat(position, light, normal, grid, structure_of("support", position, 2), P)) == 0


def test_two_patches_are_two():
    assert len(found(square(3, 9) | square(20, 27))) == 2


@pytest.mark.parametrize(("side", "count"), [(4, 0), (5, 1)])  # 16 and 25 of at least 20 voxels
def test_small_patches_are_dropped(side, count):
    assert len(found(square(10, 10 + side))) == count


def test_pattern_all_over_the_plane_is_no_patch():
    paint = np.zeros((SIDE, SIDE), bool)
    paint[::3] = True  # stripes two cells apart: closed, they are the whole plane
    assert len(found(paint)) == 0


def test_single_cells_are_no_patch_on_a_wall():
    paint = np.zeros((SIDE, SIDE), bool)
    paint[::4, ::4] = True
    assert len(found(paint, "wall", 0)) == 0


def test_holes_are_closed():
    paint = square(10, 20)
    paint[14:16, 14:16] = False
    (voxels,) = found(paint).voxels
    assert voxels.tolist() == np.flatnonzero(square(10, 20)).tolist()


def test_patch_reaches_the_border_of_the_plane():
    (voxels,) = found(square(0, 8)).voxels
    assert voxels.tolist() == np.flatnonzero(square(0, 8)).tolist()


def test_small_planes_are_skipped():
    grid, position, normal = plane()
    few = np.arange(149)
    structure = Structure(
        0.0,
        (),
        (Support(0.21, few.astype(np.int32)),),
        np.zeros(len(grid), bool),
        np.zeros(len(grid), np.int32),
    )
    color = np.full((len(grid), 3), 100.0, np.float32)
    color[:30] = 250.0
    assert len(find_flat(position, color, normal, grid, structure, P)) == 0


def test_rug_on_a_rendered_floor():
    rug = Patch(5, (-0.25, -0.15, 0.0), (0.25, 0.15, 0.02), (30, 60, 160))
    scene = Scene(planes=(Plane(1, (0, 0, 1), 0.01, (150, 140, 130)),), patches=(rug,))
    eyes = [(0.5 * np.cos(a), 0.5 * np.sin(a), 1.3) for a in np.arange(5) * 1.25]
    voxels, normals = build_map(
        tuple(render(scene, look_at(e, (0, 0, 0)), noise_m=0.002, stamp_ns=i) for i, e in enumerate(eyes))
    )
    structure = find_structure(voxels.position, normals.two_rings, normals.solid, voxels.neighbours, CONFIG.structure)
    normal = normals.two_rings
    (found_rug,) = find_flat(voxels.position, voxels.color, normal, voxels.grid, structure, P).voxels
    low, high = voxels.position[found_rug].min(0), voxels.position[found_rug].max(0)
    assert np.allclose(low[:2], rug.low_m[:2], atol=0.03)
    assert np.allclose(high[:2], rug.high_m[:2], atol=0.03)


def test_no_planes_no_patches():
    grid, position, normal = plane()
    n = len(grid)
    structure = Structure(0.0, (), (), np.zeros(n, bool), np.zeros(n, np.int32))
    assert len(find_flat(position, np.zeros((n, 3), np.float32), normal, grid, structure, P)) == 0
