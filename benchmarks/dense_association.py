"""The rivals of the association benchmark, after the public code of two papers, in numpy.

OpenMask3D (Takmaz et al., 2023) and Open-YOLO 3D (Boudjoghra et al., 2024) project every point of the scene
into every view in float64 and truncate to pixels. OpenMask3D then paints one image per view and proposal;
Open-YOLO 3D multiplies dense (K, N) by (N, V) and gathers label images per proposal and view. Both get one
depth tolerance here, so that they must agree with ours; letters as in association.py.
"""

from __future__ import annotations

import numpy as np

from benchmarks.association_scene import Scene

TOLERANCE_M = 0.05
TOP_VIEWS = 25  # views that Open-YOLO 3D reads labels in
_TOP_PAINTED = 5  # views that OpenMask3D keeps per proposal


def viewwise_projection(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """OpenMask3D: truncated pixels (V, N, 2) and visibility (V, N) bool, one view after the other."""
    views, points = len(scene.depth), _homogeneous(scene)
    height, width = scene.depth.shape[1:]
    pixels = np.zeros((views, len(points), 2), int)
    seen = np.zeros((views, len(points)), bool)
    for v in range(views):
        p = (scene.intrinsics @ scene.camera_from_world[v, :3] @ points.T).T
        front = p[:, 2] > 0.1
        pixels[v][front] = np.column_stack([p[:, 0][front] / p[:, 2][front], p[:, 1][front] / p[:, 2][front]])
        u, w = pixels[v].T
        inside = front & (u >= 0) & (w >= 0) & (u < width) & (w < height)
        inside[inside] = _at_depth(scene.depth[v][w[inside], u[inside]], p[:, 2][inside])
        seen[v] = inside
    return pixels, seen


def painted_views(scene: Scene, masks: np.ndarray, pixels: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(K, 5) best views by painted pixels: one boolean image per view and proposal; masks (N, K) bool."""
    images = np.zeros((len(seen), masks.shape[1], *scene.depth.shape[1:]), bool)
    for v in range(len(seen)):
        for k in range(masks.shape[1]):
            uv = pixels[v][(masks[:, k] * seen[v]) > 0]
            images[v, k, uv[:, 1], uv[:, 0]] = True
    return np.argsort(-images.sum(2).sum(2), axis=0)[:_TOP_PAINTED].T


def batched_projection(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Open-YOLO 3D: truncated pixels (V, N, 2) int16 and visibility (V, N) bool, all views in one batch."""
    height, width = scene.depth.shape[1:]
    cameras = scene.intrinsics @ scene.camera_from_world[:, :3]
    p = (cameras @ _homogeneous(scene).T).transpose(0, 2, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        pixels = np.stack([p[..., 0] / p[..., 2], p[..., 1] / p[..., 2]], -1).astype(np.int64)
    seen = (p[..., 2] > 0.1) & (pixels >= 0).all(-1) & (pixels[..., 0] < width) & (pixels[..., 1] < height)
    for v in range(len(seen)):
        u, w = pixels[v][seen[v]].T
        seen[v][seen[v]] = _at_depth(scene.depth[v][w, u], p[v, :, 2][seen[v]])
    return pixels.astype(np.int16), seen


def dense_visibility(masks: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(K, V) share of each proposal's points that each view sees, as one dense product."""
    dense = masks.astype(np.float32)
    return np.einsum("kn,vn->kv", dense, seen.astype(np.float32), optimize=True) / dense.sum(1)[:, None]


def label_loop(
    scene: Scene, masks: np.ndarray, pixels: np.ndarray, seen: np.ndarray, visibility: np.ndarray
) -> np.ndarray:
    """(K,) most frequent class of each proposal in its best views, gathered view by view; -1 = none."""
    first = np.cumsum([0, *scene.mask_counts])
    out = np.full(len(masks), -1)
    for k, mask in enumerate(masks):
        found = []
        for v in np.argsort(-visibility[k], kind="stable")[:TOP_VIEWS]:
            uv = pixels[v][np.where(mask * seen[v])]
            label = scene.labels[v][uv[:, 1], uv[:, 0]]
            found.append(scene.mask_class[first[v] + label[label >= 0]])
        classes = np.concatenate(found)
        if len(classes):
            out[k] = np.bincount(classes).argmax()
    return out


def _homogeneous(scene: Scene) -> np.ndarray:
    return np.concatenate([scene.points.astype(np.float64), np.ones((len(scene.points), 1))], 1)


def _at_depth(depth: np.ndarray, z: np.ndarray) -> np.ndarray:
    return (depth > 0) & (np.abs(depth - z) <= TOLERANCE_M)


def rounded_visible(scene: Scene, v: int) -> np.ndarray:
    """Points visible in one view by the package's definition in float64 numpy: what ours must equal."""
    height, width = scene.depth.shape[1:]
    pose = scene.camera_from_world[v]
    p = scene.points.astype(np.float64) @ pose[:3, :3].T + pose[:3, 3]
    ids = np.flatnonzero(p[:, 2] >= 0.1)
    p = p[ids]
    uv = np.floor(p[:, :2] / p[:, 2:] * np.diag(scene.intrinsics)[:2] + scene.intrinsics[:2, 2] + 0.5).astype(int)
    inside = (uv >= 0).all(1) & (uv[:, 0] < width) & (uv[:, 1] < height)
    ids, uv, z = ids[inside], uv[inside], p[inside, 2]
    d = scene.depth[v][uv[:, 1], uv[:, 0]]
    return ids[_at_depth(d, z)]
