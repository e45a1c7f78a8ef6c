"""A converted bag gives the frames of the folder."""

from __future__ import annotations

import numpy as np
import pytest
from folder_maker import COUNT, LAYOUTS, MANIFEST, plain, replica, scannet
from rosbags.highlevel import AnyReader

from moss_ros.cli import main
from moss_ros.config import from_flat
from moss_ros.replay.bag import BagSource, guess_topics
from moss_ros.replay.bag_writer import COLOR, COLOR_INFO, DEPTH, DEPTH_INFO, DEPTH_RAW, POSE
from moss_ros.replay.convert import convert
from moss_ros.replay.folders.recording import FolderError
from moss_ros.replay.folders.source import FolderSource

CONFIG = from_flat({})


def bag_frames(bag):
    source = BagSource(bag, from_flat(guess_topics(bag)))
    frames = list(source)
    assert not source.drops
    return frames


def same(folder_frames, bag_frames):
    assert folder_frames
    for a, b in zip(folder_frames, bag_frames, strict=True):
        assert a.stamp_ns == b.stamp_ns
        assert a.color_camera == b.color_camera and a.depth_camera == b.depth_camera
        assert np.array_equal(a.color_rgb, b.color_rgb)
        assert np.array_equal(a.depth_m, b.depth_m)
        assert np.allclose(a.world_from_camera, b.world_from_camera, rtol=0, atol=1e-9)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_folder_and_bag_give_the_same_frames(tmp_path, layout):
    folder = LAYOUTS[layout](tmp_path / "in" / "room")
    frames = list(FolderSource(folder, CONFIG))
    done = convert(folder, tmp_path / "bag", CONFIG.input, progress=False)
    assert done.written == len(frames) >= 3
    same(frames, bag_frames(tmp_path / "bag"))


def test_poses_of_tf_are_the_same(tmp_path):
    folder = replica(tmp_path / "room")
    convert(folder, tmp_path / "bag", CONFIG.input, progress=False)
    source = BagSource(tmp_path / "bag", from_flat(guess_topics(tmp_path / "bag") | {"input.pose_source": "tf"}))
    same(list(FolderSource(folder, CONFIG)), list(source))


def test_distortion_and_turned_poses(tmp_path):
    folder = plain(tmp_path / "in", MANIFEST.replace("cy: 5.5}", "cy: 5.5, distortion: [0.1, -0.2, 0.01, 0, 0.3]}"))
    rng = np.random.default_rng(3)
    lines = [f"{n} 0 0 0 " + " ".join(map(str, rng.normal(size=4))) for n in range(COUNT)]
    (folder / "poses.txt").write_text("\n".join(lines))
    convert(folder, tmp_path / "bag", CONFIG.input, progress=False)
    same(list(FolderSource(folder, CONFIG)), bag_frames(tmp_path / "bag"))


def test_every_nth_frame(tmp_path):
    folder = plain(tmp_path / "in")
    assert convert(folder, tmp_path / "bag", CONFIG.input, every=3, progress=False).written == 2
    same(list(FolderSource(folder, CONFIG))[::3], bag_frames(tmp_path / "bag"))
    with pytest.raises(FolderError, match="--every is 0"):
        convert(folder, tmp_path / "other", CONFIG.input, every=0)


@pytest.mark.parametrize(("layout", "depth_topic"), [("scannet", DEPTH), ("replica", DEPTH_RAW)])
def test_topics_and_untouched_bytes(tmp_path, layout, depth_topic):
    folder = LAYOUTS[layout](tmp_path / "in" / "room")
    count = convert(folder, tmp_path / "bag", CONFIG.input, progress=False).written
    with AnyReader([tmp_path / "bag"]) as reader:
        counts = {c.topic: c.msgcount for c in reader.connections}
        messages = {}
        for c, _, raw in reader.messages():
            messages.setdefault(c.topic, reader.deserialize(raw, c.msgtype))
    per_frame = (COLOR, COLOR_INFO, depth_topic, DEPTH_INFO, POSE, "/tf")
    assert counts == {"/tf_static": 1, **dict.fromkeys(per_frame, count)}
    first = folder / ("color/0.jpg" if layout == "scannet" else "results/frame000000.jpg")
    assert messages[COLOR].data.tobytes() == first.read_bytes()
    assert messages[COLOR].format == "rgb8; jpeg compressed bgr8"
    assert messages[POSE].header.frame_id == "map"
    if layout == "scannet":
        assert messages[DEPTH].data[12:].tobytes() == (folder / "depth" / "0.png").read_bytes()
        assert messages[DEPTH].format == "16UC1; compressedDepth png"
        assert (messages[DEPTH_INFO].width, messages[DEPTH_INFO].k[0]) == (16, 14)
        assert (messages[COLOR_INFO].width, messages[COLOR_INFO].k[0]) == (32, 30)
    else:
        assert messages[DEPTH_RAW].encoding == "32FC1"


def test_bad_image_is_counted(tmp_path):
    folder = plain(tmp_path / "in")
    (folder / "depth" / "9.png").write_bytes(b"x")
    done = convert(folder, tmp_path / "bag", CONFIG.input, progress=False)
    assert (done.written, done.drops) == (3, {"bad_compression": 1})
    same(list(FolderSource(folder, CONFIG)), bag_frames(tmp_path / "bag"))


def test_command(tmp_path, capsys):
    folder = scannet(tmp_path / "in")
    assert main(["convert", str(folder), str(tmp_path / "bag"), "--every", "2", "--quiet"]) == 0
    out = capsys.readouterr().out
    assert "2 frames" in out and "not used, pose_invalid: 1" in out
    assert len(bag_frames(tmp_path / "bag")) == 2
    assert main(["convert", str(folder), str(tmp_path / "bag")]) == 2
    assert "exists already: choose a new folder" in capsys.readouterr().err
    assert main(["convert", str(tmp_path / "nothing"), str(tmp_path / "bag2")]) == 2
    assert not (tmp_path / "bag2").exists()


def test_replay_takes_a_folder(tmp_path, capsys):
    folder = scannet(tmp_path / "in")
    assert main(["replay", str(folder), "--out", str(tmp_path / "run"), "--quiet"]) == 0
    assert (tmp_path / "run" / "run.json").exists()
    assert main(["replay", str(tmp_path), "--out", str(tmp_path / "no"), "--quiet"]) == 2
    assert "manifest.yaml" in capsys.readouterr().err and not (tmp_path / "no").exists()
