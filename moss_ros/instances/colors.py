"""One colour per instance id, the same in markers, pictures and clouds for as long as the id lives."""

from __future__ import annotations

import colorsys

_GOLDEN = 0.6180339887498949


def color_of(instance_id: int) -> tuple[int, int, int]:
    """RGB 0..255; ids next to each other get hues far apart."""
    hue = (instance_id * _GOLDEN) % 1.0
    value = (0.95, 0.75, 0.85)[instance_id % 3]
    saturation = (0.85, 0.65)[(instance_id // 3) % 2]
    r, g, b = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(255 * r), round(255 * g), round(255 * b)
