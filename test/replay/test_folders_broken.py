"""What is wrong with a folder is said with file, line and fix."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from folder_maker import MANIFEST, plain, replica, scannet, tum

from moss_ros.config import from_flat
from moss_ros.replay.folders.recording import FolderError
from moss_ros.replay.folders.source import FolderSource


def error(folder):
    with pytest.raises(FolderError) as caught:
        list(FolderSource(folder, from_flat({})))
    return str(caught.value)


def change_line(path, line, text):
    lines = path.read_text().splitlines()
    lines[line - 1] = text
    path.write_text("\n".join(lines))


def test_scannet_without_intrinsics(tmp_path):
    (scannet(tmp_path) / "intrinsic" / "intrinsic_depth.txt").unlink()
    assert "intrinsic_depth.txt cannot be read" in error(tmp_path) and "--export_intrinsics" in error(tmp_path)


def test_scannet_intrinsics_of_another_resolution(tmp_path):
    scannet(tmp_path)
    (tmp_path / "intrinsic" / "intrinsic_color.txt").write_text("60 0 33 0\n0 60 11 0\n0 0 1 0\n0 0 0 1\n")
    assert "0.jpg is 32 x 24, but the centre of its intrinsics is at 33, 11" in error(tmp_path)
    assert "another resolution" in error(tmp_path)


@pytest.mark.parametrize(
    ("line", "text", "says"),
    [
        (2, "1.0 0 oops 0", r"1.txt:2: 'oops' is not a number"),
        (3, "0 0 1", "1.txt:3: 3 numbers instead of 4"),
        (4, "", "1.txt: 3 lines of numbers"),
        (1, "0 -2 0 1", "1.txt: this is not a rotation and a translation"),
        (4, "1 2 3 1", "1.txt: this is not a rotation and a translation"),
        (3, "0 0 -1 0", "without scale or mirror"),
    ],
)
def test_scannet_bad_pose(tmp_path, line, text, says):
    scannet(tmp_path)
    change_line(tmp_path / "pose" / "1.txt", line, text)
    assert says in error(tmp_path) and "write" in error(tmp_path)


def test_scannet_no_pose_at_all(tmp_path):
    for path in (scannet(tmp_path) / "pose").iterdir():
        path.write_text("nan nan nan nan\n" * 4)
    assert "no colour image has both depth and a pose" in error(tmp_path) and "pose_invalid (4)" in error(tmp_path)


@pytest.mark.parametrize("count", [3, 5])
def test_replica_wrong_number_of_poses(tmp_path, count):
    path = replica(tmp_path / "room") / "traj.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join((lines * 2)[:count]))
    assert f"traj.txt: {count} poses for frames 0 to 3" in error(tmp_path / "room")
    assert "keep exactly 4" in error(tmp_path / "room")


def test_replica_bad_line(tmp_path):
    path = replica(tmp_path / "room") / "traj.txt"
    change_line(path, 3, "1 0 0 x " + "0 " * 12)
    assert "traj.txt:3: 'x' is not a number" in error(tmp_path / "room")
    change_line(path, 3, "1 0 0")
    assert "traj.txt:3: 3 numbers instead of 16" in error(tmp_path / "room")


def test_replica_without_camera(tmp_path):
    folder = replica(tmp_path / "room")
    parameters = tmp_path / "cam_params.json"
    camera = json.loads(parameters.read_text())["camera"]
    parameters.write_text(json.dumps(camera | {"fx": 0}))
    assert "cam_params.json: fx is 0, not a positive number" in error(folder)
    parameters.write_text(json.dumps({k: v for k, v in camera.items() if k != "scale"}))
    assert "cam_params.json: scale is None" in error(folder)
    parameters.write_text('{\n"w": 3,,\n}')
    assert "cam_params.json" in error(folder) and "line 2" in error(folder)
    parameters.unlink()
    assert "cam_params.json is missing, also one folder up: write {" in error(folder)


def test_tum_without_intrinsics(tmp_path):
    (tum(tmp_path / "mine") / "intrinsics.txt").unlink()
    assert "intrinsics.txt is missing" in error(tmp_path / "mine") and "fx fy cx cy" in error(tmp_path / "mine")


@pytest.mark.parametrize(
    ("name", "line", "text", "says"),
    [
        ("rgb", 4, "1305031102.1", "rgb.txt:4: 1 words instead of 2"),
        ("depth", 3, "yesterday depth/1.png", "depth.txt:3: 'yesterday' is not a time: write seconds"),
        ("groundtruth", 5, "1305031102.1 0 0 0 0 0 1", "groundtruth.txt:5: 7 numbers instead of 8"),
        ("groundtruth", 5, "1305031102.1 0 0 0 zero 0 0 1", "groundtruth.txt:5: 'zero' is not a number"),
        ("intrinsics", 1, "15 15 7.5", "intrinsics.txt:1: 3 numbers instead of 4 or 8 or 9"),
        ("intrinsics", 1, "15 -15 7.5 5.5", "fy -15, cx 7.5, cy 5.5 are no intrinsics"),
    ],
)
def test_tum_bad_line(tmp_path, name, line, text, says):
    tum(tmp_path)
    change_line(tmp_path / f"{name}.txt", line, text)
    assert says in error(tmp_path) and "write" in error(tmp_path)


@pytest.mark.parametrize("name", ["depth", "groundtruth"])
def test_tum_missing_list(tmp_path, name):
    (tum(tmp_path) / f"{name}.txt").unlink()
    assert f"{name}.txt cannot be read" in error(tmp_path)


def test_tum_no_associations(tmp_path):
    path = tum(tmp_path) / "depth.txt"
    path.write_text(path.read_text().replace("05000 ", "50000 "))
    assert "no colour image has both depth and a pose" in error(tmp_path)
    assert "no_depth (4)" in error(tmp_path) and "input.sync_tolerance_s" in error(tmp_path)


def test_unreadable_images(tmp_path):
    for path in (plain(tmp_path) / "depth").iterdir():
        path.write_bytes(b"not a png")
    assert "no image of" in error(tmp_path) and "8.png (9 bytes)" in error(tmp_path)
    assert "copy or export it again" in error(tmp_path)


@pytest.mark.parametrize("pixels", [np.full((12, 16), 90, np.uint8), np.full((12, 16, 3), 900, np.uint16)])
def test_wrong_bit_depth(tmp_path, pixels):
    for path in (plain(tmp_path) / "depth").iterdir():
        cv2.imwrite(str(path), pixels)
    assert "8.png holds uint" in error(tmp_path) and "not 16-bit grey: save depth as a 16-bit PNG" in error(tmp_path)


@pytest.mark.parametrize("scale", ["1", "1000000"])
def test_wrong_depth_scale(tmp_path, scale):
    plain(tmp_path, MANIFEST.replace("1000", scale))
    assert "8.png: the median depth is" in error(tmp_path) and "correct the depth scale" in error(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("rate: 10", "", "give either rate (images per second) or stamps"),
        ("rate: 10", "rate: 10\nstamps: t.txt", "give either rate"),
        ("rate: 10", "rate: -1", "rate is -1: write a positive number"),
        ("rate: 10", "rte: 10", "'rte' is not known: did you mean rate?"),
        ("rate: 10", "stamps: t.txt", "t.txt cannot be read"),
        ("rate: 10", "rate: [", r"manifest.yaml:7: "),
        ("poses: poses.txt", "", "poses missing"),
        ("poses.txt", "/elsewhere/*.txt", "write a pattern relative to the manifest"),
        ("color/*.png", "colour/*.png", "color: no file fits 'colour/*.png'"),
        ("color/*.png", "[]", "color is []: write a file, a pattern"),
        ("depth/*.png", "[depth/8.png]", "4 colour and 1 depth images: give as many of both"),
        ("depth_scale: 1000", "depth_scale: mm", "depth_scale is 'mm'"),
        ("cy: 5.5}", "cy: 5.5, k1: 1}", "'k1' is not known"),
        ("cx: 7.5, ", "", "cx missing"),
        ("cy: 5.5}", "cy: 5.5, distortion: [1, 2]}", "8.png is 16 x 12 and does not fit its intrinsics"),
        ("cy: 5.5}", "cy: 5.5, width: 16}", "a width or a height alone"),
        ("cy: 5.5}", "cy: 5.5, width: 16, height: 16}", "camera_info is for 16 x 16, the image is 16 x 12"),
    ],
)
def test_manifest_says_what_to_write(tmp_path, old, new, says):
    assert old in MANIFEST
    assert says in error(plain(tmp_path, MANIFEST.replace(old, new)))
    assert str(tmp_path) in error(tmp_path)


def test_manifest_wrong_number_of_poses_and_times(tmp_path):
    plain(tmp_path)
    (tmp_path / "poses.txt").write_text("0 0 0 0 0 0 0 1\n")
    assert "1 poses for 4 images: give one pose for each image" in error(tmp_path)
    (tmp_path / "manifest.yaml").write_text(MANIFEST.replace("rate: 10", "stamps: times.txt"))
    (tmp_path / "times.txt").write_text("1\n2\n")
    assert "times.txt: 2 times for 4 images" in error(tmp_path)
    (tmp_path / "times.txt").write_text("1\n2\n2\n4\n")
    assert "times.txt:3: this time is not later" in error(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- a", "write `name: value` lines"),
        ("\0", "cannot be read"),
        (MANIFEST.replace("color/*.png", "rgb.txt"), "color is a list file with stamps: remove rate"),
        (MANIFEST.replace("color/*.png", "rgb.txt").replace("rate: 10", ""), "depth must be one too"),
    ],
)
def test_manifest_of_another_form(tmp_path, text, says):
    assert says in error(plain(tmp_path, text))
