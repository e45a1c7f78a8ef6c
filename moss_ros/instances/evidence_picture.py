"""The picture that proves an instance: its best view with its mask drawn."""

from __future__ import annotations

import cv2
import numpy as np

from moss_ros.instances.colors import color_of
from moss_ros.mapping.keyframes import Keyframe
from moss_ros.mapping.voxel_map import VoxelMap


def best_view(voxels: np.ndarray, seen: np.ndarray, keyframes: dict[int, Keyframe]) -> Keyframe | None:
    """The keyframe that sees most of the voxels; of nearly equal ones (90 %) the sharpest."""
    counts = {}
    for slot in keyframes:
        word, bit = divmod(slot, 64)
        if word < seen.shape[1]:
            counts[slot] = int(np.count_nonzero(seen[voxels, word] & np.uint64(1 << bit)))
    most = max(counts.values(), default=0)
    if most == 0:
        return None
    good = [slot for slot, n in counts.items() if n >= 0.9 * most]
    return keyframes[max(good, key=lambda s: (keyframes[s].sharpness, -s))]


def draw_evidence(keyframe: Keyframe, voxels: VoxelMap, owner: np.ndarray, instance_id: int) -> bytes:
    """JPEG of the keyframe's colour image with the instance's pixels outlined and tinted."""
    image = voxels.voxel_image(keyframe.depth_m, keyframe.world_from_camera, keyframe.camera)
    known = (image >= 0) & (image < len(owner))
    hit = np.zeros(image.shape, np.uint8)
    hit[known] = owner[image[known]] == instance_id
    closed = cv2.morphologyEx(hit, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    color = keyframe.color_rgb
    mask = cv2.resize(closed, (color.shape[1], color.shape[0]), interpolation=cv2.INTER_NEAREST)
    tint = np.array(color_of(instance_id), np.float32)
    inside = mask > 0
    color[inside] = (0.6 * color[inside] + 0.4 * tint).astype(np.uint8)
    outline, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(color, outline, -1, tuple(int(c) for c in tint), 2)
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(color, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
    return jpeg.tobytes()
