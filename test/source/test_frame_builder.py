"""Messages in, frames out; every kind of bad input is counted, names its fix, and the next frame still comes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from fake_messages import camera_info, compressed_depth, image, odometry, pose, tf

from moss_ros.config import InputConfig, MossConfig
from moss_ros.geometry.transforms import from_translation_quaternion
from moss_ros.source.frame_builder import FrameBuilder

MS = 1_000_000
START = 1_700_000_000_000 * MS
H, W = 24, 32
COLOR = np.arange(H * W * 3).reshape(H, W, 3).astype(np.uint8)
DEPTH = np.full((H, W), 1500, np.uint16)


def stamp(ms: float) -> int:
    return START + int(ms * MS)


def color(ms, array=COLOR, encoding="rgb8", frame_id="camera"):
    message = image(array, encoding, stamp(ms))
    message.header.frame_id = frame_id
    return message


def depth(ms, array=DEPTH, encoding="16UC1"):
    return image(array, encoding, stamp(ms))


def builder(info=True, **changes) -> FrameBuilder:
    settings = {"pose_source": "pose", "sync_wait_s": 0.3} | changes
    out = FrameBuilder(MossConfig(input=dataclasses.replace(InputConfig(), **settings)))
    if info:
        out.add_color_info(camera_info(W, H))
    return out


def feed(b: FrameBuilder, *times, x=0.0):
    """Good colour, depth and pose at each time (ms)."""
    out = []
    for ms in times:
        out += b.add_pose(pose(stamp(ms), (x + ms / 1000, 0.0, 0.0)))
        out += b.add_color(color(ms))
        out += b.add_depth(depth(ms))
    return out


def test_one_frame():
    b = builder()
    (frame,) = feed(b, 100)
    assert frame.stamp_ns == stamp(100) and np.array_equal(frame.color_rgb, COLOR)
    assert frame.depth_m.dtype == np.float32 and np.allclose(frame.depth_m, 1.5)
    assert frame.world_from_camera[0, 3] == pytest.approx(0.1)
    assert (b.received, b.used, dict(b.drops)) == (1, 1, {})


def test_every_order_of_arrival_gives_the_same_frame():
    adds = [
        lambda b: b.add_color_info(camera_info(W, H)),
        lambda b: b.add_color(color(0)),
        lambda b: b.add_depth(depth(0)),
        lambda b: b.add_pose(pose(stamp(0))),
    ]
    for first in range(4):
        b = builder(info=False)
        frames = [f for i in range(4) for f in adds[(first + i) % 4](b)]
        assert len(frames) == 1 and not b.drops


def test_pose_is_interpolated_at_the_colour_stamp():
    b = builder()
    b.add_color(color(50))
    b.add_depth(depth(55))
    b.add_pose(pose(stamp(0), (0.0, 0.0, 0.0)))
    (frame,) = b.add_pose(pose(stamp(200), (4.0, 0.0, 0.0)))
    assert frame.stamp_ns == stamp(50) and frame.world_from_camera[0, 3] == pytest.approx(1.0)


def test_depth_out_of_range_is_no_measurement():
    b = builder(depth_min_m=0.5, depth_max_m=2.0)
    array = DEPTH.copy()
    array[0, :4] = (499, 500, 2000, 2001)
    b.add_pose(pose(stamp(0)))
    b.add_color(color(0))
    (frame,) = b.add_depth(depth(0, array))
    assert frame.depth_m[0, :4] == pytest.approx([0, 0.5, 2.0, 0])


def test_smaller_depth_uses_the_colour_optics():
    b = builder()
    b.add_pose(pose(stamp(0)))
    b.add_color(color(0))
    (frame,) = b.add_depth(compressed_depth(DEPTH[::2, ::2], stamp(0)))
    assert (frame.depth_camera.width, frame.depth_camera.fx) == (W // 2, 50.0)


def test_own_depth_optics():
    b = builder(depth_info_topic="/depth/info")
    b.add_pose(pose(stamp(0)))
    b.add_color(color(0))
    assert b.add_depth(depth(0)) == []  # waits for its camera_info
    (frame,) = b.add_depth_info(camera_info(W, H, f=80.0))
    assert (frame.color_camera.fx, frame.depth_camera.fx) == (100.0, 80.0)


def test_odometry_carries_the_camera():
    b = builder(
        pose_source="odometry", body_from_camera_xyz=(0.0, 0.0, 1.0), body_from_camera_xyzw=(-0.5, 0.5, -0.5, 0.5)
    )
    b.add_odometry(odometry(stamp(0), (2.0, 0.0, 0.0)))
    b.add_color(color(0))
    (frame,) = b.add_depth(depth(0))
    assert np.allclose(frame.world_from_camera[:3, 3], [2, 0, 1])
    assert np.allclose(frame.world_from_camera[:3, 2], [1, 0, 0])  # looks along x of the body


@pytest.mark.parametrize("camera_frame", ["", "optical"])
def test_tf_from_the_frame_of_the_image(camera_frame):
    b = builder(pose_source="tf", camera_frame=camera_frame)
    b.add_color(color(50, frame_id="other" if camera_frame else "/optical"))
    b.add_depth(depth(50))
    b.add_tf(tf(stamp(0), "/map", "base", (1.0, 0.0, 0.0)))
    b.add_tf(tf(0, "base", "optical", (0.0, 0.0, 0.5)), static=True)
    (frame,) = b.add_tf(tf(stamp(100), "map", "base", (3.0, 0.0, 0.0)))
    assert np.allclose(frame.world_from_camera, from_translation_quaternion([2.0, 0.0, 0.5], [0, 0, 0, 1]))


BAD_POSES = {
    "pose_frame": pose(stamp(0), frame_id="odom"),
    "pose_invalid": pose(stamp(0), (float("nan"), 0.0, 0.0)),
    "no_stamp": pose(0),
}


@pytest.mark.parametrize("message", [pose(stamp(0), xyzw=(0.0,) * 4), pose(stamp(0), xyzw=(0.0, 0.0, 0.0, 2.0))])
def test_bad_quaternions(message):
    b = builder()
    assert b.add_pose(message) == [] and b.drops == {"pose_invalid": 1}


@pytest.mark.parametrize("reason", BAD_POSES)
def test_bad_pose_is_counted_and_the_next_good_one_works(reason):
    b = builder()
    assert b.add_pose(BAD_POSES[reason]) == []
    assert b.drops == {reason: 1} and len(b.last_message[reason]) > 20
    assert len(feed(b, 100)) == 1


def test_wrong_map_frame_names_the_parameter():
    b = builder()
    b.add_pose(BAD_POSES["pose_frame"])
    assert "input.map_frame to 'odom'" in b.last_message["pose_frame"]


BAD_IMAGES = {
    "bad_encoding": (color(0, COLOR, "yuv422"), depth(0)),
    "bad_size": (color(0), depth(0, DEPTH, "32FC1")),
    "depth_unit": (color(0), depth(0, np.full((H, W), 1500.0, np.float32), "32FC1")),
    "depth_empty": (color(0), depth(0, np.zeros((H, W), np.uint16))),
    "info_size": (color(0, np.zeros((H, H, 3), np.uint8)), depth(0)),
}


@pytest.mark.parametrize("reason", BAD_IMAGES)
def test_bad_image_is_counted_and_the_next_good_one_works(reason):
    b = builder()
    b.add_pose(pose(stamp(0)))
    b.add_color(BAD_IMAGES[reason][0])
    assert b.add_depth(BAD_IMAGES[reason][1]) == []
    assert b.drops == {reason: 1} and len(b.last_message[reason]) > 20
    assert len(feed(b, 100)) == 1 and (b.received, b.used) == (2, 1)


def test_uncalibrated_camera_is_counted_and_a_later_good_info_works():
    b = builder(info=False)
    b.add_color_info(camera_info(W, H, f=0.0))
    assert feed(b, 0) == [] and b.drops == {"camera_info": 1}
    b.add_color_info(camera_info(W, H))
    assert len(feed(b, 100)) == 1


def test_message_of_another_make_does_not_raise():
    b = builder()
    b.add_pose(pose(stamp(0)))
    message = color(0)
    message.data = None
    b.add_color(message)
    assert b.add_depth(depth(0)) == [] and b.drops == {"bad_message": 1}


def test_duplicates_zero_stamps_and_missing_partners():
    b = builder()
    feed(b, 0)
    b.add_color(color(0))  # again
    zero = color(0)
    zero.header.stamp.sec = zero.header.stamp.nanosec = 0
    b.add_color(zero)
    b.add_color(color(100))  # its depth got lost
    feed(b, 200)
    b.add_depth(depth(300))
    feed(b, 400)
    assert b.drops == {"duplicate": 1, "no_stamp": 1, "no_depth": 1, "no_color": 1}
    assert (b.received, b.used) == (6, 3)
    assert "sync_tolerance_s" in b.last_message["no_depth"]


def test_silent_depth_names_the_topic():
    b = builder(depth_topic="/my/depth")
    for ms in range(0, 1000, 100):
        b.add_color(color(ms))
    assert b.drops["no_depth"] == 6 and "nothing came on /my/depth" in b.last_message["no_depth"]


def test_no_camera_info_names_the_topic():
    b = builder(info=False, color_info_topic="/my/info")
    feed(b, 0, 100, 200, 300, 400)
    assert b.drops == {"no_camera_info": 1} and "/my/info" in b.last_message["no_camera_info"]


def test_no_pose_no_frame():
    b = builder()
    for ms in range(0, 1000, 100):
        b.add_color(color(ms))
        assert b.add_depth(depth(ms)) == []
    b.flush()
    assert b.drops == {"no_pose": 10} and "is the pose source running" in b.last_message["no_pose"]


def test_gap_between_poses_is_too_wide():
    b = builder(pose_gap_s=0.1)
    feed(b, 0)
    b.add_color(color(100))
    b.add_depth(depth(100))
    assert len(feed(b, 200)) == 1
    assert b.drops == {"no_pose": 1} and "pose_gap_s" in b.last_message["no_pose"]


def test_bag_that_starts_again_goes_on():
    b = builder()
    first = feed(b, *range(0, 2000, 100))
    b.add_color(color(2000))  # still waits for its depth
    second = feed(b, *range(0, 2000, 100), x=50.0)
    assert len(first) == 20 and len(second) == 20
    assert b.drops["time_jump"] == 1 and "1 waiting images" in b.last_message["time_jump"]
    assert all(f.world_from_camera[0, 3] >= 50 for f in second)  # no pose of the first round


def test_images_that_jump_before_their_poses_do_not_take_old_poses():
    b = builder()
    feed(b, *range(0, 2000, 100))
    b.add_color(color(100))
    assert b.add_depth(depth(100)) == []
    (frame,) = b.add_pose(pose(stamp(100), (9.0, 0.0, 0.0)))
    assert frame.world_from_camera[0, 3] == 9.0


def test_one_wild_stamp_does_not_stop_the_stream():
    b = builder()
    feed(b, 0, 100)
    b.add_color(color(10**8))  # a day ahead
    frames = feed(b, *range(200, 1000, 100))
    assert len(frames) >= 7 and b.drops["time_jump"] == 1


def test_same_messages_give_the_same_frames():
    rng = np.random.default_rng(3)
    events = [(ms, kind) for ms in range(0, 3000, 50) for kind in ("color", "depth", "pose") if rng.random() > 0.1]
    events.sort(key=lambda e: e[0] + rng.integers(0, 120))
    made = []
    for _ in range(2):
        b = builder()
        add = {
            "color": lambda ms, b=b: b.add_color(color(ms)),
            "depth": lambda ms, b=b: b.add_depth(depth(ms)),
            "pose": lambda ms, b=b: b.add_pose(pose(stamp(ms), (ms / 1000, 0.0, 0.0))),
        }
        frames = [f for ms, kind in events for f in add[kind](ms)] + b.flush()
        made.append([(f.stamp_ns, f.world_from_camera.tobytes()) for f in frames])
        assert b.used == len(frames) and b.received == b.used + b.drops["no_depth"] + b.drops["no_pose"]
        stamps = [f.stamp_ns for f in frames]
        assert len(frames) > 35 and len(set(stamps)) == len(stamps)
    assert made[0] == made[1]
