"""Draw what each stage knows, seen from one keyframe, and the map from above: the pictures of docs/.

usage: python tools/draw_stage_pictures.py BAG OUT_FOLDER [--frame N]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from moss_ros.config import from_flat
from moss_ros.instances.colors import color_of
from moss_ros.masks2d.choose import configured_segmenter
from moss_ros.masks2d.segmenter import MapView
from moss_ros.output.map_picture import write_map_picture
from moss_ros.pipeline import Pipeline
from moss_ros.replay.bag import BagSource, guess_topics

_WIDTH = 480
_GREY = (150, 150, 150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bag", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--keyframe", type=int, default=-1, help="number of the keyframe to look from")
    options = parser.parse_args()
    config = from_flat(guess_topics(options.bag))
    pipeline = Pipeline(config)
    for frame in BagSource(options.bag, config):
        pipeline.step(frame)
    snapshot = pipeline.segment(full=True)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, picture in stage_pictures(pipeline, options.keyframe).items():
        save(options.out / f"{name}.jpg", picture, _WIDTH)
    cloud = pipeline.cloud()
    png = options.out / "map.png"
    write_map_picture(
        png, cloud.points_m, cloud.colors_rgb, cloud.instance_ids, snapshot.instances,
        f"{len(snapshot.instances)} instances from above",
    )  # fmt: skip
    save(options.out / "map.jpg", cv2.cvtColor(cv2.imread(str(png)), cv2.COLOR_BGR2RGB), 1400)
    png.unlink()


def stage_pictures(pipeline: Pipeline, number: int) -> dict[str, np.ndarray]:
    """{name: (H, W, 3) uint8} of each stage in the view of one keyframe."""
    slots = sorted(pipeline.keyframes.keyframes)
    keyframe = pipeline.keyframes.keyframes[slots[number if number >= 0 else len(slots) // 2]]
    voxels = pipeline.voxels
    depth_m = keyframe.depth_m
    image = voxels.voxel_image(depth_m, keyframe.world_from_camera, keyframe.camera)
    normal, structure, parts, c = pipeline.normals.two_rings, pipeline.structure, pipeline.parts, pipeline.config
    view = MapView(image, voxels.position, normal, parts.background)
    labels = configured_segmenter(c.masks).labels(keyframe, structure.floor_m, view)
    kind = np.where(structure.is_structure, 1, 0) + np.where(structure.support_of > 0, 1 + structure.support_of, 0)
    proposal = np.zeros(voxels.count, np.int64)
    for row in np.argsort([-len(v) for v in pipeline.proposals.voxels], kind="stable"):
        proposal[pipeline.proposals.voxels[row]] = row + 1
    owner = np.zeros(voxels.count, np.int64)
    owner[: len(pipeline.instances.owner)] = pipeline.instances.owner
    shade = keyframe.color_rgb
    shown = np.where(depth_m > 0, np.clip(depth_m / 4.0, 0, 1) * 255, 0).astype(np.uint8)
    return {
        "1_frame": np.hstack([shade, cv2.cvtColor(cv2.applyColorMap(shown, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)]),
        "2_voxels": by_voxel(image, np.clip(voxels.color, 0, 255).astype(np.uint8)),
        "3_normals": by_voxel(image, ((pipeline.normals.one_ring + 1) * 127).astype(np.uint8)),
        "3_superpoints": by_voxel(image, palette(pipeline.superpoints.labels + 1)),
        "4_structure": by_voxel(image, palette(kind)),
        "5_masks": blend(shade, palette(labels.ravel()).reshape(*labels.shape, 3), labels > 0),
        "6_proposals": blend(shade, by_voxel(image, palette(proposal)), image >= 0),
        "7_instances": blend(shade, by_voxel(image, palette(owner)), (image >= 0) & (owner[image] > 0)),
    }


def palette(numbers: np.ndarray) -> np.ndarray:
    """(N, 3) uint8 colours of numbers; 0 is grey."""
    distinct, inverse = np.unique(numbers, return_inverse=True)
    colors = np.array([_GREY if n <= 0 else color_of(int(n)) for n in distinct], np.uint8)
    return colors[inverse.reshape(-1)]


def by_voxel(image: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """(H, W, 3): each pixel in the colour of its voxel, black where there is none."""
    out = np.zeros((*image.shape, 3), np.uint8)
    out[image >= 0] = colors[image[image >= 0]]
    return out


def blend(color_rgb: np.ndarray, paint: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Paint laid over the photograph."""
    out = color_rgb.astype(np.float32)
    out[where] = 0.4 * out[where] + 0.6 * paint[where]
    return out.astype(np.uint8)


def save(path: Path, picture_rgb: np.ndarray, width: int) -> None:
    height = round(picture_rgb.shape[0] * width / picture_rgb.shape[1])
    small = cv2.resize(picture_rgb, (width, height), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 82])


if __name__ == "__main__":
    main()
