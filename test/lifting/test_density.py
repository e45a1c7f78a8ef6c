"""Spacing, first moment and normal of lattices worked out on paper; incremental work against a full run."""

import numpy as np
import pytest
from lifting_map import EDGE_M, map_of, wall
from scenes import MAPPING, room_frames

from moss_ros.config import LiftingConfig
from moss_ros.lifting.density import DensityMap
from moss_ros.mapping.voxel_map import VoxelMap


def measured(voxels):
    density = DensityMap(LiftingConfig())
    density.update(voxels)
    return density


def at(voxels, cell):
    return int(np.flatnonzero((voxels.grid == cell).all(1))[0])


def test_inside_of_a_full_wall():
    voxels = map_of(wall(50, (0, 20), (0, 20)))
    density = measured(voxels)
    i = at(voxels, (50, 10, 10))
    # 20 lattice points other than itself lie within 2.6 edges: 5 x 5 without corners and centre.
    assert density.spacing_m[i] == pytest.approx(2.6 * EDGE_M * np.sqrt(np.pi / 20), rel=1e-5)
    assert density.inward_m[i] == pytest.approx(0, abs=1e-7)
    assert density.rim[i] == pytest.approx(0, abs=1e-4)
    assert np.abs(density.normal[i]) == pytest.approx([1, 0, 0], abs=1e-4)


def test_rim_points_inwards():
    voxels = map_of(wall(50, (0, 20), (0, 20)))
    density = measured(voxels)
    i = at(voxels, (50, 0, 10))
    # 4 neighbours in its own column, 5 one edge and 3 two edges inwards.
    assert density.inward_m[i] == pytest.approx([0, 11 / 12 * EDGE_M, 0], abs=1e-6)
    assert density.rim[i] == pytest.approx(11 / 12 / (0.45 * 2.6), rel=1e-4)


def test_every_second_voxel_looks_farther():
    voxels = map_of(wall(50, (0, 40), (0, 40), step=2))
    density = measured(voxels)
    i = at(voxels, (50, 20, 20))
    # 4 neighbours within 2.6 edges are too few; 12 lie within 4.2: steps (1,0) (1,1) (2,0) of two edges.
    assert density.spacing_m[i] == pytest.approx(4.2 * EDGE_M * np.sqrt(np.pi / 12), rel=1e-5)


def test_lonely_voxel_has_the_largest_spacing_and_no_rim():
    density = measured(map_of([[50, 0, 0]]))
    assert density.spacing_m[0] == pytest.approx(3 * EDGE_M)
    assert density.rim[0] == 0
    assert np.linalg.norm(density.normal[0]) == pytest.approx(1)


def test_walls_across_blocks_are_measured_alike():
    voxels = map_of(wall(50, (-40, 40), (-40, 40)))
    density = measured(voxels)
    inside = (np.abs(voxels.grid[:, 1:] + 0.5) < 36).all(1)
    assert np.ptp(density.spacing_m[inside]) < 1e-6
    assert np.abs(density.inward_m[inside]).max() < 1e-6


def test_updates_equal_starting_anew():
    voxels, kept = VoxelMap(MAPPING), DensityMap(LiftingConfig())
    for i, frame in enumerate(room_frames(0.003)[:12]):
        voxels.integrate(frame)
        if i == 8:
            voxels.through[: voxels.count // 3] = 100  # a third of the map vanishes
        kept.update(voxels)
        fresh = measured(voxels)
        for name in ("spacing_m", "inward_m", "rim", "normal"):
            assert np.array_equal(getattr(kept, name), getattr(fresh, name)), (i, name)


def test_untouched_map_is_not_measured_again():
    voxels = map_of(wall(50, (0, 20), (0, 20)))
    density = measured(voxels)
    assert not density.update(voxels).any()


def test_one_moved_voxel_redoes_its_surroundings_only():
    voxels = map_of(wall(50, (0, 60), (0, 60)))
    density = measured(voxels)
    voxels.position[at(voxels, (50, 30, 30)), 0] += 0.004
    redone = density.update(voxels)
    assert 100 < redone.sum() < 600
    assert not redone[at(voxels, (50, 5, 5))]


def test_vanished_voxel_has_no_density():
    voxels = map_of(wall(50, (0, 20), (0, 20)))
    density = measured(voxels)
    voxels.hits[0] = 0
    density.update(voxels)
    assert density.spacing_m[0] == 0
    assert not density.normal[0].any()
