"""Every layout gives the frames that its files describe."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from folder_maker import (
    COUNT,
    LAYOUTS,
    MANIFEST,
    START_S,
    depth_values,
    plain,
    pose,
    replica,
    scannet,
    tum,
    write_color,
)

from moss_ros.config import from_flat
from moss_ros.geometry.camera import Camera
from moss_ros.messages.bag_file import BagError
from moss_ros.replay.bag_writer import START_NS
from moss_ros.replay.folders.recording import FolderError
from moss_ros.replay.folders.source import FolderSource
from moss_ros.replay.sources import open_source

SMALL = Camera(15, 15, 7.5, 5.5, 16, 12)


def source(folder, **changes):
    return FolderSource(folder, from_flat({f"input.{k}": v for k, v in changes.items()}))


def same_depth(frame, n, scale):
    assert np.allclose(frame.depth_m, depth_values(n, scale) / scale, rtol=1e-6, atol=0)


def same_color(frame, path):
    assert np.array_equal(frame.color_rgb, cv2.imread(str(path))[..., ::-1])


def test_scannet(tmp_path):
    folder = source(scannet(tmp_path))
    frames = list(folder)
    assert folder.frame_count == 3 and folder.received == COUNT and folder.used == 3
    assert folder.drops == {"pose_invalid": 1} and "2.jpg" in folder.last_message["pose_invalid"]
    for frame, n in zip(frames, (0, 1, 3), strict=True):
        assert frame.stamp_ns == START_NS + round(n * 1e9 / 30)
        assert np.allclose(frame.world_from_camera, pose(n), atol=1e-12)
        assert frame.color_camera == Camera(30, 31, 15.5, 11.5, 32, 24)
        assert frame.depth_camera == Camera(14, 15, 7.25, 5.25, 16, 12)
        same_depth(frame, n, 1000)
        same_color(frame, tmp_path / "color" / f"{n}.jpg")
    assert np.allclose(frames[1].color_rgb[0, -1].astype(int), [50, 20, 0], atol=6)  # RGB; JPEG is not exact


def test_scannet_counts_what_lacks_a_part(tmp_path):
    scannet(tmp_path)
    (tmp_path / "depth" / "0.png").unlink()
    (tmp_path / "color" / "1.jpg").unlink()
    (tmp_path / "color" / ".DS_Store").write_text("")
    folder = source(tmp_path)
    assert len(list(folder)) == 1 and folder.received == 3
    assert folder.drops == {"no_depth": 1, "no_color": 1, "pose_invalid": 1}


def test_a_rotation_rounded_in_a_text_file_becomes_rigid(tmp_path):
    angle = 0.3
    c, s = round(np.cos(angle), 4), round(np.sin(angle), 4)
    scannet(tmp_path)
    (tmp_path / "pose" / "0.txt").write_text(f"{c} {-s} 0 1\n{s} {c} 0 0\n0 0 1 0\n0 0 0 1\n")
    rotation = next(iter(source(tmp_path))).world_from_camera[:3, :3]
    assert np.allclose(rotation.T @ rotation, np.eye(3), atol=1e-14)
    assert np.arctan2(rotation[1, 0], rotation[0, 0]) == pytest.approx(angle, abs=1e-4)


@pytest.mark.parametrize("place", ["above", "here"])
def test_replica(tmp_path, place):
    replica(tmp_path / "room0")
    if place == "here":
        (tmp_path / "cam_params.json").rename(tmp_path / "room0" / "cam_params.json")
    folder = source(tmp_path / "room0")
    frames = list(folder)
    assert len(frames) == COUNT and not folder.drops
    for n, frame in enumerate(frames):
        assert frame.color_camera == frame.depth_camera == SMALL
        assert np.allclose(frame.world_from_camera, pose(n), atol=1e-12)
        same_depth(frame, n, 6553.5)
        same_color(frame, tmp_path / "room0" / "results" / f"frame{n:06d}.jpg")


def test_tum_associates_by_time_and_interpolates(tmp_path):
    folder = source(tum(tmp_path))
    frames = list(folder)
    assert [f.stamp_ns for f in frames] == [START_S * 10**9 + n * 100_000_000 for n in range(COUNT)]
    assert not folder.drops and folder.received == COUNT
    for n, frame in enumerate(frames):  # 1 m/s along x: the pose lies between two lines of the file
        assert np.allclose(frame.world_from_camera, pose(n), atol=1e-9)
        assert frame.color_camera == SMALL
        same_depth(frame, n, 5000)
        same_color(frame, tmp_path / "rgb" / f"{n}.png")


def test_tum_pairs_within_the_tolerance_only(tmp_path):
    tum(tmp_path)
    text = (tmp_path / "depth.txt").read_text()
    (tmp_path / "depth.txt").write_text(text.replace(".205000", ".240000"))
    folder = source(tmp_path)
    assert [f.stamp_ns // 10**8 % 10 for f in folder] == [0, 1, 3]
    assert folder.drops == {"no_depth": 1, "no_color": 1} and folder.received == COUNT
    assert "depth.txt within input.sync_tolerance_s" in folder.last_message["no_depth"]
    assert len(list(source(tmp_path, sync_tolerance_s=0.05))) == COUNT


def test_tum_image_outside_the_poses_is_counted(tmp_path):
    tum(tmp_path)
    path = tmp_path / "groundtruth.txt"
    lines = path.read_text().splitlines(True)
    path.write_text("".join(lines[2:]))  # without the pose before the first image
    folder = source(tmp_path)
    assert [f.stamp_ns // 10**8 % 10 for f in folder] == [1, 2, 3]
    assert folder.drops == {"no_pose": 1} and "older than the first pose" in folder.last_message["no_pose"]


def test_tum_pose_gap(tmp_path):
    tum(tmp_path)
    path = tmp_path / "groundtruth.txt"
    lines = path.read_text().splitlines(True)
    path.write_text("".join([*lines[:2], *lines[-2:]]))
    with pytest.raises(FolderError, match=r"no_pose \(4\).*input.pose_gap_s"):
        source(tmp_path)
    assert len(list(source(tmp_path, pose_gap_s=1.0))) == COUNT


def test_tum_pose_that_is_not_finite_is_counted(tmp_path):
    tum(tmp_path)
    path = tmp_path / "groundtruth.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:3], lines[3].split()[0] + " nan" * 7, *lines[4:]]))
    folder = source(tmp_path)
    assert len(list(folder)) == COUNT and folder.drops == {"pose_invalid": 1}


def test_tum_clock_that_starts_at_zero(tmp_path):
    frames = list(source(tum(tmp_path, start_s=0)))
    assert [f.stamp_ns - START_NS for f in frames] == [n * 100_000_000 for n in range(COUNT)]


@pytest.mark.parametrize(
    ("name", "fx", "distortion"),
    [("rgbd_dataset_freiburg1_desk", 517.3, 0.2624), ("freiburg2_xyz", 520.9, 0.2312), ("fr3_office", 535.4, None)],
)
def test_tum_knows_its_cameras(tmp_path, name, fx, distortion):
    folder = tum(tmp_path / name)
    (folder / "intrinsics.txt").unlink()
    optics = source(folder).recording.color
    assert (optics.width, optics.fx) == (16, pytest.approx(fx / 40))  # the test's images are small, not 640 x 480
    assert optics.distortion[:1] == ((distortion,) if distortion else ())
    assert next(iter(source(folder))).color_camera == optics.camera


def test_manifest_in_order(tmp_path):
    frames = list(source(plain(tmp_path)))
    assert [f.stamp_ns - START_NS for f in frames] == [n * 100_000_000 for n in range(COUNT)]
    for n, frame in enumerate(frames):
        assert frame.color_camera == frame.depth_camera == SMALL
        assert np.allclose(frame.world_from_camera, pose(n), atol=1e-12)
        same_depth(frame, n, 1000)
        same_color(frame, tmp_path / "color" / f"{8 + n}.png")


def test_manifest_with_stamps_interpolates(tmp_path):
    plain(tmp_path, MANIFEST.replace("rate: 10", "stamps: times.txt"))
    (tmp_path / "times.txt").write_text("0\n0.5\n1.5\n3\n")
    frames = list(source(tmp_path, pose_gap_s=1.0))  # the poses are one second apart
    assert [f.stamp_ns - START_NS for f in frames] == [0, 500_000_000, 1_500_000_000, 3_000_000_000]
    assert [f.world_from_camera[0, 3] for f in frames] == pytest.approx([0, 0.05, 0.15, 0.3])


@pytest.mark.parametrize("poses", ["files", "lines"])
def test_manifest_with_matrices(tmp_path, poses):
    plain(tmp_path, MANIFEST.replace("poses.txt", "pose/*.txt" if poses == "files" else "poses.txt"))
    (tmp_path / "pose").mkdir()
    for n in range(COUNT):
        np.savetxt(tmp_path / "pose" / f"{n}.txt", pose(n))
    np.savetxt(tmp_path / "poses.txt", [pose(n).ravel() for n in range(COUNT)])
    for n, frame in enumerate(source(tmp_path)):
        assert np.allclose(frame.world_from_camera, pose(n), atol=1e-12)


def test_manifest_with_lists_and_an_own_depth_camera(tmp_path):
    lists = "color: [color/8.png, color/10.png]\ndepth: [depth/8.png, depth/10.png]\n"
    depth_camera = "depth_intrinsics: {fx: 14, fy: 14.5, cx: 7, cy: 5}\n"
    plain(tmp_path, lists + MANIFEST.split("\n", 2)[2] + depth_camera)
    (tmp_path / "poses.txt").write_text("0 0 0 0 0 0 0 1\n1 1 0 0 0 0 0 1\n")
    frames = list(source(tmp_path))
    assert [f.depth_camera for f in frames] == [Camera(14, 14.5, 7, 5, 16, 12)] * 2
    same_depth(frames[1], 2, 1000)
    assert frames[1].world_from_camera[:3, 3].tolist() == [1, 0, 0]


def test_manifest_with_list_files_is_associated_by_time(tmp_path):
    tum(tmp_path)
    files = "color: rgb.txt\ndepth: depth.txt\ndepth_scale: 5000\nposes: groundtruth.txt\n"
    optics = "intrinsics: {fx: 20, fy: 20, cx: 7.5, cy: 5.5, width: 16, height: 12}\n"
    (tmp_path / "manifest.yaml").write_text(files + optics)
    frames = list(source(tmp_path))
    assert len(frames) == COUNT and frames[0].color_camera.fx == 20
    assert np.allclose(frames[3].world_from_camera, pose(3), atol=1e-9)


def test_distortion_is_taken_out_as_from_a_bag(tmp_path):
    bent = MANIFEST.replace("cy: 5.5}", "cy: 5.5, distortion: [-0.4, 0, 0, 0, 0]}")
    straight, frame = (next(iter(source(plain(tmp_path / n, m)))) for n, m in (("a", MANIFEST), ("b", bent)))
    assert frame.color_camera == SMALL
    assert not np.array_equal(frame.depth_m, straight.depth_m)
    # The middle of the image stays; barrel distortion draws the left edge from columns nearer to the middle.
    assert frame.depth_m[6, 8] == straight.depth_m[6, 8] and frame.depth_m[6, 0] > straight.depth_m[6, 0]


def test_depth_limits_are_those_of_the_configuration(tmp_path):
    frames = list(source(plain(tmp_path), depth_max_m=1.205))
    limited = depth_values(2, 1000) / 1000
    limited[limited > 1.205] = 0
    assert np.allclose(frames[2].depth_m, limited) and len(frames) == 3  # the fourth has no depth in range


def test_one_bad_image_is_counted_and_skipped(tmp_path):
    plain(tmp_path)
    (tmp_path / "color" / "9.png").write_bytes(b"\x89PNG broken")
    (tmp_path / "depth" / "10.png").write_bytes(b"")
    folder = source(tmp_path)
    for _ in range(2):  # as often as one likes
        assert [f.stamp_ns for f in folder] == [START_NS, START_NS + 300_000_000]
        assert folder.drops == {"bad_compression": 2} and folder.received == COUNT and folder.used == 2
    assert "10.png (0 bytes)" in folder.last_message["bad_compression"]


def test_image_of_another_kind_in_the_middle_is_counted(tmp_path):
    plain(tmp_path)
    cv2.imwrite(str(tmp_path / "depth" / "9.png"), np.full((12, 16), 100, np.uint8))
    write_color(tmp_path / "color" / "10.png", 2, (16, 16))
    (tmp_path / "color" / "11.png").rename(tmp_path / "color" / "11.tmp")
    (tmp_path / "color" / "11.png").symlink_to("nothing.png")
    folder = source(tmp_path)
    assert len(list(folder)) == 1
    assert folder.drops == {"bad_encoding": 1, "info_size": 1, "missing_file": 1}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_is_recognised(tmp_path, layout):
    opened, config = open_source(LAYOUTS[layout](tmp_path / "a"), from_flat)
    assert isinstance(opened, FolderSource) and len(list(opened)) >= 3
    assert config == from_flat({})


def test_a_folder_of_no_layout_names_them(tmp_path):
    with pytest.raises(BagError, match=r"(?s)no metadata\.yaml.*ScanNet: color/N\.jpg.*Replica.*TUM.*"):
        open_source(tmp_path, from_flat)
    with pytest.raises(FolderError, match="(?s)no recording that can be read.*manifest"):
        source(tmp_path)
    with pytest.raises(BagError, match="does not exist"):
        open_source(tmp_path / "nothing", from_flat)
