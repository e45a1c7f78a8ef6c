"""The picture that proves an instance: its best view with its mask drawn."""

from __future__ import annotations

import cv2
import numpy as np

from moss_ros.instances.colors import color_of
from moss_ros.lifting.dense_masks import dense_masks
from moss_ros.lifting.expansion import Expansion
from moss_ros.lifting.target_view import TargetView
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


def ids_in_view(keyframe: Keyframe, voxels: VoxelMap, expansion: Expansion) -> np.ndarray:
    """(H, W) int32: the voxel that owns each pixel of the keyframe's colour image, -1 = none."""
    view = TargetView(keyframe.color_camera, keyframe.world_from_camera, keyframe.depth_m, keyframe.camera)
    return expansion.id_buffer(voxels, view)


def draw_evidence(keyframe: Keyframe, id_buffer: np.ndarray, owner: np.ndarray, instance_id: int) -> bytes:
    """JPEG of the keyframe's colour image with the instance's pixels outlined and tinted; id_buffer of ids_in_view,
    owner (N,) of voxels."""
    color = keyframe.color_rgb
    inside = dense_masks(id_buffer, [np.flatnonzero(owner == instance_id)])[0]
    tint = np.array(color_of(instance_id), np.float32)
    color[inside] = (0.6 * color[inside] + 0.4 * tint).astype(np.uint8)
    outline, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(color, outline, -1, tuple(int(c) for c in tint), 2)
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(color, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
    return jpeg.tobytes()
