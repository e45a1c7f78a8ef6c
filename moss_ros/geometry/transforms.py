"""Rigid transforms as 4x4 float64 matrices named ``target_from_source``; quaternions are xyzw."""

from __future__ import annotations

import numpy as np


def from_translation_quaternion(translation_m: np.ndarray, quaternion_xyzw: np.ndarray) -> np.ndarray:
    """4x4 transform from a translation (3,) in metres and a quaternion (4,) xyzw.

    Raises ValueError when a number is not finite or the quaternion has no direction.
    """
    t = np.asarray(translation_m, np.float64)
    q = np.asarray(quaternion_xyzw, np.float64)
    norm = float(np.linalg.norm(q))
    if not (np.isfinite(t).all() and np.isfinite(q).all()):
        raise ValueError(f"pose holds a number that is not finite: translation {t}, quaternion {q}")
    if norm < 1e-6:
        raise ValueError("quaternion is zero: the pose source sends no orientation")
    x, y, z, w = q / norm
    out = np.eye(4)
    out[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    out[:3, 3] = t
    return out


def quaternion_xyzw(rotation: np.ndarray) -> np.ndarray:
    """Unit quaternion (4,) xyzw with w >= 0 of a 3x3 rotation (Shepperd's method)."""
    m = np.asarray(rotation, np.float64)
    trace = m[0, 0] + m[1, 1] + m[2, 2]
    i = int(np.argmax([m[0, 0], m[1, 1], m[2, 2], trace]))
    if i == 3:
        q = np.array([m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], 1 + trace])
    else:
        j, k = (i + 1) % 3, (i + 2) % 3
        q = np.empty(4)
        q[i] = 1 + m[i, i] - m[j, j] - m[k, k]
        q[j] = m[j, i] + m[i, j]
        q[k] = m[k, i] + m[i, k]
        q[3] = m[k, j] - m[j, k]
    q /= np.linalg.norm(q)
    return -q if q[3] < 0 else q


def inverse(transform: np.ndarray) -> np.ndarray:
    """Inverse of a rigid 4x4 transform, without a general matrix inversion."""
    out = np.eye(4)
    out[:3, :3] = transform[:3, :3].T
    out[:3, 3] = -transform[:3, :3].T @ transform[:3, 3]
    return out


def interpolate(first: np.ndarray, second: np.ndarray, fraction: float) -> np.ndarray:
    """Pose between two poses: linear in translation, slerp in rotation; fraction in [0, 1]."""
    qa, qb = quaternion_xyzw(first[:3, :3]), quaternion_xyzw(second[:3, :3])
    dot = float(qa @ qb)
    if dot < 0:
        qb, dot = -qb, -dot
    angle = np.arccos(min(dot, 1.0))
    if angle < 1e-8:
        q = (1 - fraction) * qa + fraction * qb
    else:
        q = (np.sin((1 - fraction) * angle) * qa + np.sin(fraction * angle) * qb) / np.sin(angle)
    translation = (1 - fraction) * first[:3, 3] + fraction * second[:3, 3]
    return from_translation_quaternion(translation, q)


def rotation_angle_rad(first: np.ndarray, second: np.ndarray) -> float:
    """Angle between the rotations of two 4x4 poses."""
    cosine = (np.trace(first[:3, :3].T @ second[:3, :3]) - 1) / 2
    return float(np.arccos(np.clip(cosine, -1.0, 1.0)))
