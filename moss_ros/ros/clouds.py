"""Arrays -> PointCloud2, fast: one structured array, copied once."""

from __future__ import annotations

import array
import sys

import numpy as np
from sensor_msgs.msg import PointCloud2, PointField
from std_msgs.msg import Header

_FLOAT, _INT = PointField.FLOAT32, PointField.INT32


def cloud_msg(
    header: Header, points_m: np.ndarray, colors_rgb: np.ndarray, instance_ids: np.ndarray | None = None
) -> PointCloud2:
    """Cloud with x, y, z, rgb and, where ids are given, instance (int32, 0 = none).

    points_m (N, 3) float32, colors_rgb (N, 3) uint8, instance_ids (N,) int32.
    """
    columns = [("x", "f4", _FLOAT), ("y", "f4", _FLOAT), ("z", "f4", _FLOAT), ("rgb", "u4", _FLOAT)]
    if instance_ids is not None:
        columns.append(("instance", "i4", _INT))
    table = np.empty(len(points_m), np.dtype([(name, kind) for name, kind, _ in columns]))
    for axis, name in enumerate("xyz"):
        table[name] = points_m[:, axis]
    rgb = colors_rgb.astype(np.uint32)
    table["rgb"] = (rgb[:, 0] << 16) | (rgb[:, 1] << 8) | rgb[:, 2]  # the bits of a float, as rviz reads colours
    if instance_ids is not None:
        table["instance"] = instance_ids
    data = array.array("B")
    data.frombytes(table.tobytes())
    return PointCloud2(
        header=header,
        height=1,
        width=len(table),
        fields=[PointField(name=n, offset=4 * i, datatype=t, count=1) for i, (n, _, t) in enumerate(columns)],
        is_bigendian=sys.byteorder == "big",
        point_step=table.dtype.itemsize,
        row_step=table.dtype.itemsize * len(table),
        data=data,
        is_dense=True,
    )
