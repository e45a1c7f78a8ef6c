"""Bags written here, read back as frames; broken ones give errors that say what to do."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from bag_writer import COLOR, COLOR_INFO, DEPTH, DEPTH_INFO, POSE, START, drive, pose_message, write_bag
from scenes import orbit, render, room

from moss_ros.config import from_flat
from moss_ros.messages.bag_file import BagError
from moss_ros.replay.bag import BagSource, guess_topics

N = 4


@pytest.fixture(scope="module")
def frames():
    return [render(room(), pose) for pose in orbit()[:N]]


@pytest.fixture(scope="module")
def bag(frames, tmp_path_factory):
    return write_bag(tmp_path_factory.mktemp("bags") / "room", drive(frames))


def source(path, **changes):
    return BagSource(path, from_flat(guess_topics(path) | {f"input.{k}": v for k, v in changes.items()}))


def check(read, frames):
    assert [f.stamp_ns for f in read] == [START + i * 100_000_000 for i in range(len(frames))]
    for out, truth in zip(read, frames, strict=True):
        assert np.array_equal(out.color_rgb, truth.color_rgb) and out.color_camera == truth.color_camera
        known = (truth.depth_m > 0.31) & (truth.depth_m < 3.99)
        assert np.allclose(out.depth_m[known], truth.depth_m[known], atol=0.0006)
        assert np.allclose(out.world_from_camera, truth.world_from_camera, atol=1e-9)


def test_guess(bag):
    assert guess_topics(bag) == {
        "input.color_topic": COLOR,
        "input.depth_topic": DEPTH,
        "input.color_info_topic": COLOR_INFO,
        "input.depth_info_topic": DEPTH_INFO,
        "input.pose_source": "pose",
        "input.pose_topic": POSE,
        "input.map_frame": "map",
    }


@pytest.mark.parametrize("pose_source", ["pose", "tf"])
def test_frames_come_back(bag, frames, pose_source):
    bag_source = source(bag, pose_source=pose_source)
    assert bag_source.frame_count == N
    for _ in range(2):  # as often as one likes
        check(list(bag_source), frames)
        assert (bag_source.received, bag_source.used, dict(bag_source.drops)) == (N, N, {})


def test_sqlite3(frames, tmp_path):
    check(list(source(write_bag(tmp_path / "bag", drive(frames), mcap=False))), frames)


def test_static_transforms_recorded_late_hold_from_the_start(frames, tmp_path):
    messages = drive(frames)
    late = [*messages[1:], ("/tf_static", START + 10**9, messages[0][2])]
    check(list(source(write_bag(tmp_path / "bag", late), pose_source="tf")), frames)


def test_one_camera_info_for_both_images(frames, tmp_path):
    messages = [m for m in drive(frames) if m[0] != DEPTH_INFO]
    path = write_bag(tmp_path / "bag", messages)
    assert "input.depth_info_topic" not in guess_topics(path)
    check(list(source(path, depth_info_topic=COLOR_INFO)), frames)


def test_tf_is_guessed_where_no_camera_pose_is(frames, tmp_path):
    goal = ("/goal_pose", START, pose_message(frames[0], START))
    path = write_bag(tmp_path / "bag", [goal, *(m for m in drive(frames) if m[0] != POSE)])
    guessed = guess_topics(path)
    assert guessed["input.pose_source"] == "tf" and guessed["input.map_frame"] == "map"
    check(list(source(path)), frames)


def test_map_frame_is_read_from_the_poses(frames, tmp_path):
    messages = [m for m in drive(frames) if m[0] not in (POSE, "/tf", "/tf_static")]
    messages += [(POSE, t, pose_message(frames[0], t, "world")) for t in (START, START + 10**8)]
    path = write_bag(tmp_path / "bag", messages)
    assert guess_topics(path)["input.map_frame"] == "world"
    assert len(list(source(path))) == 2


def test_damaged_message_is_counted(frames, tmp_path):
    messages = drive(frames)
    messages = [(t, s, b"\0\1\0\0junk" if t == POSE and s == START + 10**8 else m) for t, s, m in messages]
    bag_source = source(write_bag(tmp_path / "bag", messages))
    assert len(list(bag_source)) == N  # the pose between its neighbours is interpolated
    assert bag_source.drops == {"corrupt_message": 1} and POSE in bag_source.last_message["corrupt_message"]


def test_missing_topic_lists_what_is_there(bag):
    with pytest.raises(BagError, match=f"no topic /nothing .*{COLOR} .CompressedImage"):
        source(bag, color_topic="/nothing")


def test_wrong_type_is_named(bag):
    with pytest.raises(BagError, match="/camera/pose is a geometry_msgs/msg/PoseStamped, not CameraInfo"):
        source(bag, color_info_topic=POSE)


def test_no_bag_at_all(tmp_path):
    with pytest.raises(BagError, match="does not exist"):
        guess_topics(tmp_path / "nothing")
    with pytest.raises(BagError, match=r"no metadata\.yaml"):
        guess_topics(tmp_path)


def test_bag_without_images(frames, tmp_path):
    path = write_bag(tmp_path / "bag", [(POSE, START, pose_message(frames[0], START))])
    with pytest.raises(BagError, match=r"colour image.*--set input\.color_topic"):
        guess_topics(path)


@pytest.mark.parametrize("spoil", ["metadata", "cut", "overwritten", "gone"])
def test_broken_bag_says_how_to_repair(bag, tmp_path, spoil):
    broken = tmp_path / "broken"
    shutil.copytree(bag, broken)
    data = next(broken.glob("*.mcap"))
    content = data.read_bytes()
    if spoil == "metadata":
        (broken / "metadata.yaml").write_text("{ no: yaml")
    elif spoil == "cut":
        data.write_bytes(content[: len(content) // 2])
    elif spoil == "overwritten":
        data.write_bytes(content[:100] + bytes(len(content) - 100))
    else:
        data.unlink()
    with pytest.raises(BagError, match="ros2 bag reindex"):
        list(source(broken))


def test_shared_kitchen(shared_data):
    bag_source = source(shared_data("real_redkitchen/bag"))
    first = next(iter(bag_source))
    assert bag_source.frame_count == 334 and first.color_rgb.shape == (480, 640, 3)
    assert first.color_camera.fx == pytest.approx(527)
