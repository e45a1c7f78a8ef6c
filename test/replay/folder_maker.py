"""Writes tiny recordings in every folder layout. Image n has grey level 40 + 10 n and depth of 1 m + n dm."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

COUNT = 4
WIDTH, HEIGHT = 16, 12
START_S = 1_305_031_102


def depth_values(n: int, scale: float, size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    """1.0 m + n * 0.1 m in the units of the file; one column further to the right is one unit more, corner = 0."""
    width, height = size
    row = round((1.0 + 0.1 * n) * scale) + np.arange(width)
    values = np.repeat(row[None], height, 0).astype(np.uint16)
    values[0, 0] = 0
    return values


def pose(n: int) -> np.ndarray:
    """At x = n / 10 m, turned by 90 degrees about z."""
    out = np.array([[0.0, -1, 0, 0], [1, 0, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]])
    out[0, 3] = n / 10
    return out


POSE_LINE = "{x} 2 3 0 0 0.7071067811865476 0.7071067811865476"  # the same as tx ty tz qx qy qz qw


def write_color(path: Path, n: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((size[1], size[0], 3), (0, 20, 40 + 10 * n), np.uint8)  # BGR
    pixels[:, : size[0] // 2, 0] = 200
    assert cv2.imwrite(str(path), pixels)


def write_depth(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), values)


def write_matrix(path: Path, matrix: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(" ".join(f"{v:.6f}" for v in row) for row in matrix) + "\n")


def intrinsics(fx: float, fy: float, cx: float, cy: float) -> np.ndarray:
    out = np.eye(4)
    out[0, 0], out[1, 1], out[0, 2], out[1, 2] = fx, fy, cx, cy
    return out


def scannet(folder: Path) -> Path:
    """Colour 32 x 24, depth 16 x 12; the pose of image 2 is lost."""
    for n in range(COUNT):
        write_color(folder / "color" / f"{n}.jpg", n, (32, 24))
        write_depth(folder / "depth" / f"{n}.png", depth_values(n, 1000))
        write_matrix(folder / "pose" / f"{n}.txt", pose(n) if n != 2 else np.full((4, 4), -np.inf))
    write_matrix(folder / "intrinsic" / "intrinsic_color.txt", intrinsics(30, 31, 15.5, 11.5))
    write_matrix(folder / "intrinsic" / "intrinsic_depth.txt", intrinsics(14, 15, 7.25, 5.25))
    return folder


def replica(folder: Path, scale: float = 6553.5) -> Path:
    """Camera parameters one folder up, as in the archive."""
    for n in range(COUNT):
        write_color(folder / "results" / f"frame{n:06d}.jpg", n)
        write_depth(folder / "results" / f"depth{n:06d}.png", depth_values(n, scale))
    lines = [" ".join(f"{v:.18e}" for v in pose(n).ravel()) for n in range(COUNT)]
    (folder / "traj.txt").write_text("\n".join(lines) + "\n")
    camera = {"w": WIDTH, "h": HEIGHT, "fx": 15.0, "fy": 15.0, "cx": 7.5, "cy": 5.5, "scale": scale}
    (folder.parent / "cam_params.json").write_text(json.dumps({"camera": camera}))
    return folder


def tum(folder: Path, start_s: int = START_S) -> Path:
    """Colour at 0, 0.1, ... s, depth 5 ms later, poses every 0.05 s that move with 1 m/s along x."""
    rgb, depth, truth = ["# color images", "# timestamp filename"], ["# depth maps"], ["# ground truth trajectory"]
    for n in range(COUNT):
        write_color(folder / "rgb" / f"{n}.png", n)
        write_depth(folder / "depth" / f"{n}.png", depth_values(n, 5000))
        rgb.append(f"{start_s}.{n}00000 rgb/{n}.png")
        depth.append(f"{start_s}.{n}05000 depth/{n}.png")
    for k in range(-1, 2 * COUNT + 2):  # at 25 ms, 75 ms, ...: never at the stamp of an image
        t = 0.05 * k + 0.025
        truth.append(f"{start_s + t:.4f} " + POSE_LINE.format(x=f"{t:.4f}"))
    for name, lines in (("rgb", rgb), ("depth", depth), ("groundtruth", truth)):
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    (folder / "intrinsics.txt").write_text("15 15 7.5 5.5\n")
    return folder


MANIFEST = """\
color: color/*.png
depth: depth/*.png
depth_scale: 1000
intrinsics: {fx: 15, fy: 15, cx: 7.5, cy: 5.5}
poses: poses.txt
rate: 10
"""


def plain(folder: Path, manifest: str = MANIFEST, first: int = 8) -> Path:
    """Images named 8, 9, 10, 11: their order is that of the numbers, not of the letters."""
    for n in range(COUNT):
        write_color(folder / "color" / f"{first + n}.png", n)
        write_depth(folder / "depth" / f"{first + n}.png", depth_values(n, 1000))
    (folder / "poses.txt").write_text("\n".join(f"{n} " + POSE_LINE.format(x=n / 10) for n in range(COUNT)))
    (folder / "manifest.yaml").write_text(manifest)
    return folder


LAYOUTS = {"scannet": scannet, "replica": replica, "tum": tum, "plain": plain}
