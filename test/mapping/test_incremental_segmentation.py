"""Structure, parts and flat things after many small changes equal those of the same map seen at once."""

import numpy as np
import pytest
from scenes import CONFIG, THINGS, find_flat, find_parts, find_structure, room, room_frames

from moss_ros.pipeline import Pipeline
from moss_ros.proposals.features import features_of
from moss_ros.proposals.measures import Measures
from moss_ros.proposals.shared_voxels import SharedVoxels
from moss_ros.proposals.solid_voxels import SolidVoxels


def assert_equals_full(pipeline):
    """What the pipeline keeps between passes says the same as starting anew."""
    voxels, normals, c = pipeline.voxels, pipeline.normals, pipeline.config
    structure = find_structure(
        voxels.position, normals.two_rings, normals.solid, voxels.neighbours, c.structure, voxels.voxel_size_m
    )
    kept = pipeline.structure
    assert kept.floor_height_m == structure.floor_height_m
    assert [(w.normal.tolist(), w.offset_m) for w in kept.walls] == [
        (w.normal.tolist(), w.offset_m) for w in structure.walls
    ]
    assert np.array_equal(kept.is_structure, structure.is_structure)
    assert [s.voxels.tolist() for s in kept.supports] == [s.voxels.tolist() for s in structure.supports]
    assert np.array_equal(kept.support_of, structure.support_of)
    parts = find_parts(SolidVoxels.of(voxels, normals.solid), structure, c.proposals)
    for name in ("objects", "furniture"):
        assert [v.tolist() for v in getattr(pipeline.parts, name)] == [v.tolist() for v in getattr(parts, name)]
    assert np.array_equal(pipeline.parts.background, parts.background)
    flat = find_flat(voxels.position, voxels.color, normals.two_rings, voxels.grid, structure, c.proposals)
    assert [v.tolist() for v in pipeline.flat.voxels] == [v.tolist() for v in flat.voxels]
    shared = SharedVoxels.of(pipeline.candidates, voxels.count)
    solid, everything = SolidVoxels.of(voxels, normals.solid), np.ones(voxels.count, bool)
    evidence = pipeline.keyframes.evidence
    measures = Measures().update(pipeline.candidates, shared, solid, normals.two_rings, evidence, everything)
    features = features_of(pipeline.candidates, measures, shared, structure, pipeline.joined.affinity)
    assert np.array_equal(pipeline.features, features)


@pytest.mark.parametrize("noise_m", [0.0, 0.003])
def test_after_every_frame(noise_m):
    pipeline = Pipeline(CONFIG)
    for frame in room_frames(noise_m):
        pipeline.step(frame)
        pipeline.segment()
        assert_equals_full(pipeline)


def test_after_a_thing_was_taken_away():
    pipeline = Pipeline(CONFIG)
    for world in (room(), room().without(THINGS[0]), room().without(THINGS[0])):
        for frame in room_frames(0.003, world):
            pipeline.step(frame)
            pipeline.segment()
        assert_equals_full(pipeline)


def test_nothing_new_gives_the_very_same_results():
    pipeline = Pipeline(CONFIG)
    for frame in room_frames(0.003):
        pipeline.step(frame)
    pipeline.segment()
    structure, parts, flat = pipeline.structure, pipeline.parts, pipeline.flat
    pipeline.segment()
    assert pipeline.structure is structure and pipeline.parts is parts
    assert all(a is b for a, b in zip(pipeline.flat.voxels, flat.voxels, strict=True))
