"""The whole story on the synthetic room: frames in, instances out."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from scenes import (
    CAMERA,
    CHAIR,
    CONFIG,
    TABLE_TOP_M,
    THINGS,
    inside_box,
    orbit,
    render,
    room,
    room_frames,
)

from moss_ros.pipeline import Pipeline
from moss_ros.records import InstanceState

BOXES = {box.id: box for box in room().boxes if box.id in (*THINGS, CHAIR)}


def driven(frames, config=CONFIG):
    pipeline = Pipeline(config)
    for frame in frames:
        pipeline.step(frame)
    return pipeline


def settled(pipeline):
    """Snapshot after the masks have caught up with the background."""
    for _ in range(3):
        snapshot = pipeline.segment(full=True)
    return snapshot


def owner_of(snapshot, thing):
    """The one instance that lies in a box of the scene."""
    (found,) = [i for i in snapshot.instances if inside_box(i.points_m, BOXES[thing], 0.02).mean() > 0.9]
    return found


def facts(snapshot):
    return [
        (
            i.id,
            i.state,
            i.source,
            i.score,
            i.observations,
            i.points_m.tobytes(),
            i.box.center_m.tobytes(),
            i.box.yaw_rad,
        )
        for i in snapshot.instances
    ]


@pytest.fixture(scope="module")
def done():
    """The noisy room, driven through and segmented; tests only read it."""
    pipeline = driven(room_frames(0.003))
    return pipeline, pipeline.segment()


def test_things_on_the_table_are_separate_confirmed_instances(done):
    _, snapshot = done
    found = [owner_of(snapshot, thing) for thing in THINGS]
    assert len({i.id for i in found}) == 3
    for thing, instance in zip(THINGS, found, strict=True):
        box = BOXES[thing]
        assert instance.state is InstanceState.CONFIRMED
        assert np.allclose(instance.box.center_m[:2], box.center_m[:2], atol=0.015)
        assert np.allclose(sorted(instance.box.size_m[:2]), sorted(box.size_m[:2]), atol=0.03)
        top = instance.box.center_m[2] + instance.box.size_m[2] / 2
        assert top == pytest.approx(box.center_m[2] + box.size_m[2] / 2, abs=0.015)


def test_turned_thing_has_a_turned_box(done):
    assert owner_of(done[1], 12).box.yaw_rad == pytest.approx(BOXES[12].yaw_rad, abs=0.12)


def test_things_keep_their_colors(done):
    for thing in THINGS:
        color = np.median(owner_of(done[1], thing).colors_rgb, axis=0)
        assert np.allclose(color, BOXES[thing].color, atol=12)


def test_chair_is_an_instance(done):
    chair = owner_of(done[1], CHAIR)
    assert chair.state is InstanceState.CONFIRMED


def test_first_and_last_seen_lie_within_the_drive(done):
    pipeline, snapshot = done
    stamps = sorted(pipeline.keyframes.stamps_ns().values())
    assert snapshot.stamp_ns == room_frames(0.003)[-1].stamp_ns
    for i in snapshot.instances:
        assert stamps[0] <= i.first_seen_ns <= i.last_seen_ns <= stamps[-1]
        assert 1 <= i.observations <= len(stamps)


def test_no_voxel_belongs_to_two_instances(done):
    pipeline, snapshot = done
    ids, counts = np.unique(pipeline.instances.owner, return_counts=True)
    owned = {int(i): int(n) for i, n in zip(ids, counts, strict=True) if i > 0}
    assert {i.id: len(i.points_m) for i in snapshot.instances} == owned


def test_cloud_shows_solid_voxels_with_their_owner(done):
    pipeline, snapshot = done
    cloud = pipeline.cloud()
    solid = pipeline.voxels.solid().sum()
    assert len(cloud.points_m) == len(cloud.colors_rgb) == len(cloud.instance_ids) == solid
    assert set(np.unique(cloud.instance_ids)) - {0} == {i.id for i in snapshot.instances}
    mug = owner_of(snapshot, 11)
    assert np.array_equal(cloud.points_m[cloud.instance_ids == mug.id], mug.points_m)


def test_picture_proves_the_instance(done):
    pipeline, snapshot = done
    picture = pipeline.evidence_jpeg(owner_of(snapshot, 11).id)
    assert cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).shape == (120, 160, 3)
    assert pipeline.evidence_jpeg(9999) is None


def test_pictures_of_many_are_those_of_each(done):
    pipeline, snapshot = done
    ids = [i.id for i in snapshot.instances]
    together = dict(pipeline.evidence_jpegs([*ids, 9999]))
    assert together == {i: pipeline.evidence_jpeg(i) for i in ids}


def test_every_stage_is_timed(done):
    summary = done[0].timings.summary()
    assert summary["integrate"]["n"] == len(room_frames(0.003))
    assert {
        "normals",
        "superpoints",
        "structure",
        "parts",
        "flat",
        "masks2d",
        "affinity",
        "union",
        "instances",
    } <= set(summary)


@pytest.fixture(scope="module")
def agreed():
    """The same drive, joined by 2D masks that agree."""
    pipeline = driven(room_frames(0.003), replace(CONFIG, proposals=replace(CONFIG.proposals, views="consensus")))
    return pipeline, pipeline.segment()


def test_masks_that_agree_find_the_things_too(agreed):
    pipeline, snapshot = agreed
    found = [owner_of(snapshot, thing) for thing in THINGS]
    assert len({i.id for i in found}) == 3
    for thing, instance in zip(THINGS, found, strict=True):
        assert instance.state is InstanceState.CONFIRMED
        assert np.allclose(instance.box.center_m[:2], BOXES[thing].center_m[:2], atol=0.015)
    assert "consensus" in pipeline.candidates.sources and "affinity" not in pipeline.candidates.sources
    assert "consensus" in pipeline.timings.summary() and "affinity" not in pipeline.timings.summary()


def test_pixel_pairs_are_kept_only_for_the_affinities(done, agreed):
    for pipeline, kept in ((done[0], True), (agreed[0], False)):
        evidence = pipeline.keyframes.evidence
        assert evidence.views and bool(evidence.pairs) is kept


def test_same_drive_twice_gives_the_same_instances(done):
    pipeline = driven(room_frames(0.003))
    assert facts(pipeline.segment()) == facts(done[1])


def test_same_frame_again_changes_no_instance():
    frames = room_frames()[:24]
    # A hit takes back one look through a voxel on a rim, and means still move: let the last view settle.
    pipeline = driven([*frames, *frames, *[frames[-1]] * 32])
    before = settled(pipeline)
    assert not pipeline.step(frames[-1]).is_keyframe
    after = pipeline.segment()
    assert after.changed_ids == after.removed_ids == frozenset()
    assert [i.id for i in after.instances] == [i.id for i in before.instances]


def test_ids_last_while_the_map_grows():
    frames = room_frames(0.003)
    pipeline = driven(frames[:16])
    early = pipeline.segment()
    for frame in frames[16:]:
        pipeline.step(frame)
    late = pipeline.segment()
    assert [owner_of(early, t).id for t in THINGS] == [owner_of(late, t).id for t in THINGS]


def test_thing_that_was_taken_away_goes():
    frames = room_frames()[:24]
    pipeline = driven([*frames, *frames])
    gone = owner_of(pipeline.segment(), 12)
    emptied = room().without(12)
    for round_ in range(6):
        for i, pose in enumerate(orbit()):
            pipeline.step(render(emptied, pose, stamp_ns=10**10 * (round_ + 1) + i))
    snapshot = pipeline.segment(full=True)
    left = [inside_box(i.points_m, BOXES[12]).sum() for i in snapshot.instances]
    assert max(left) <= 0.3 * len(gone.points_m)
    assert owner_of(snapshot, 11).state is owner_of(snapshot, 13).state is InstanceState.CONFIRMED


def test_step_reports_keyframes_and_new_voxels():
    frames = room_frames()
    pipeline = Pipeline(CONFIG)
    first, again, moved = (pipeline.step(f) for f in (frames[0], frames[0], frames[1]))
    assert first.is_keyframe and first.new_voxels > 1000
    assert not again.is_keyframe and again.new_voxels == 0
    assert moved.is_keyframe and 0 < moved.new_voxels < first.new_voxels


def test_empty_map_gives_an_empty_snapshot():
    pipeline = Pipeline(CONFIG)
    for full in (False, True):
        snapshot = pipeline.segment(full=full)
        assert snapshot.instances == () and snapshot.changed_ids == snapshot.removed_ids == frozenset()
    assert len(pipeline.cloud().points_m) == 0
    assert pipeline.evidence_jpeg(1) is None


def test_frames_without_depth_are_harmless():
    blind = replace(room_frames()[0], depth_m=np.zeros((120, 160), np.float32))
    pipeline = driven([blind, *room_frames()[:3], blind])
    assert pipeline.voxels.count > 0
    assert len(pipeline.segment().instances) >= 1


def test_single_frame_can_be_segmented():
    pipeline = driven(room_frames()[:1])
    snapshot = pipeline.segment()
    assert snapshot.instances == ()  # nothing was hit twice
    assert snapshot.stamp_ns == 0


def test_reset_forgets_everything():
    pipeline = driven(room_frames()[:24])
    first = pipeline.segment()
    assert len(first.instances) >= 3
    pipeline.reset()
    assert pipeline.segment().instances == ()
    assert pipeline.voxels.count == len(pipeline.keyframes.keyframes) == len(pipeline.proposals) == 0
    for frame in room_frames()[:24]:
        pipeline.step(frame)
    assert facts(pipeline.segment()) == facts(first)  # ids start again from one


def test_frames_of_another_size_midway():
    scene = room()
    cameras = [CAMERA, CAMERA.resized(128, 96), CAMERA.resized(200, 150)]
    frames = [render(scene, pose, cameras[i % 3], stamp_ns=i) for i, pose in enumerate(orbit())]
    snapshot = driven(frames).segment()
    assert len({owner_of(snapshot, t).id for t in THINGS}) == 3


def test_depth_smaller_than_color():
    scene = room()
    frames = [
        render(scene, pose, CAMERA.resized(120, 90), stamp_ns=i, color_camera=CAMERA.resized(240, 180))
        for i, pose in enumerate(orbit())
    ]
    pipeline = driven([*frames, *frames])
    snapshot = pipeline.segment()
    for thing in THINGS:
        instance = owner_of(snapshot, thing)
        assert np.allclose(np.median(instance.colors_rgb, axis=0), BOXES[thing].color, atol=10)
        assert instance.box.center_m[2] > TABLE_TOP_M
    picture = pipeline.evidence_jpeg(owner_of(snapshot, 11).id)
    assert cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).shape == (180, 240, 3)


def test_keyframes_stay_within_the_budget():
    config = replace(CONFIG, mapping=replace(CONFIG.mapping, keyframe_budget=8))
    pipeline = Pipeline(config)
    for i, frame in enumerate(room_frames()):
        pipeline.step(frame)
        if i % 6 == 5:
            snapshot = pipeline.segment()
        assert len(pipeline.keyframes.keyframes) <= 8
    assert len({owner_of(snapshot, t).id for t in THINGS}) == 3
