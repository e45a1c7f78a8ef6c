"""Pixels of a window as a model wants them, and the share of each patch that a mask covers."""

from __future__ import annotations

import numpy as np

from moss_ros.language.encoders.windows import Window


def cut(
    color_rgb: np.ndarray, window: Window, size_px: int, fill_rgb: np.ndarray, bilinear: bool = False
) -> np.ndarray:
    """(size, size, 3) uint8 of a window of (H, W, 3) uint8; what lies outside of the image has the fill colour."""
    from PIL import Image  # its antialiased filters are those that image-text models are trained with

    height, width = color_rgb.shape[:2]
    top, left = max(window.top, 0), max(window.left, 0)
    bottom, right = min(window.top + window.side, height), min(window.left + window.side, width)
    square = part = color_rgb[top:bottom, left:right]
    if part.shape[:2] != (window.side, window.side):
        square = np.empty((window.side, window.side, 3), np.uint8)
        for channel, value in enumerate(np.round(fill_rgb).astype(np.uint8)):
            square[..., channel] = value
        square[top - window.top : bottom - window.top, left - window.left : right - window.left] = part
    if window.side == size_px:
        return square
    filter_ = Image.Resampling.BILINEAR if bilinear else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(square).resize((size_px, size_px), filter_))


def coverage(
    masks: np.ndarray, window: Window, grid: tuple[int, int], cell_px: tuple[float, float], step: int = 1
) -> np.ndarray:
    """(N, h, w) float32: share of each cell of a grid over the window that each mask covers, exact to the pixel.

    masks: (N, H, W) bool or float in [0, 1], each of their pixels step x step of the image. cell_px: height and width
    of a cell in pixels of the image. What is outside of the image is not covered.
    """
    height, width = masks.shape[1:]
    down = cell_overlap(grid[0], window.top / step, cell_px[0] / step, height)
    across = np.ascontiguousarray(cell_overlap(grid[1], window.left / step, cell_px[1] / step, width).T)
    top, bottom = _span(np.asarray(down.any(0)))
    left, right = _span(np.asarray(across.any(1)))
    out = np.zeros((len(masks), *grid), np.float32)
    for index, mask in enumerate(masks):
        first, last = _span(
            np.asarray(mask[top:bottom, left:right].any(1))
        )  # a mask is mostly much smaller than its window
        rows, columns = slice(top + first, top + last), slice(left, right)
        out[index] = (down[:, rows] @ mask[rows, columns].astype(np.float32)) @ across[columns]
    return np.minimum(out, 1.0)  # sums of shares may exceed one by rounding


def _span(marks: np.ndarray) -> tuple[int, int]:
    """First true entry and one past the last; an empty range where there is none."""
    places = np.flatnonzero(marks)
    return (int(places[0]), int(places[-1]) + 1) if len(places) else (0, 0)


def cell_overlap(cells: int, start_px: float, cell_px: float, size: int) -> np.ndarray:
    """(cells, size) float32: share of cell c, which begins at start + c * cell, that lies in pixel p."""
    begin = start_px + cell_px * np.arange(cells)[:, None]
    pixel = np.arange(size)[None]
    shared = np.minimum(begin + cell_px, pixel + 1) - np.maximum(begin, pixel)
    return (np.maximum(shared, 0) / cell_px).astype(np.float32)


def outside(window: Window, height: int, width: int, grid: tuple[int, int], cell_px: tuple[float, float]) -> np.ndarray:
    """(h, w) bool: cells that show nothing of the image."""
    down = cell_overlap(grid[0], window.top, cell_px[0], height).sum(1) > 0
    across = cell_overlap(grid[1], window.left, cell_px[1], width).sum(1) > 0
    return ~(down[:, None] & across[None])


def checked(color_rgb: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """The masks, bool or float32. Raises ValueError when they do not fit the image."""
    if color_rgb.ndim != 3 or color_rgb.shape[2] != 3 or color_rgb.dtype != np.uint8:
        raise ValueError(f"an image must be (H, W, 3) uint8 RGB, got {color_rgb.shape} {color_rgb.dtype}")
    if masks.ndim != 3 or 0 in masks.shape[1:] or color_rgb.shape[:2] != _enlarged(masks, step_of(color_rgb, masks)):
        raise ValueError(
            f"masks must be (N, {color_rgb.shape[0]}, {color_rgb.shape[1]}), or both sides a whole factor less, "
            f"got {masks.shape}"
        )
    if masks.dtype == np.bool_:
        return masks
    soft = np.asarray(masks, np.float32)
    if soft.size and not (soft.min() >= 0 and soft.max() <= 1):  # NaN fails too
        raise ValueError("soft masks must lie in [0, 1]: divide by their largest value")
    return soft


def step_of(color_rgb: np.ndarray, masks: np.ndarray) -> int:
    """Pixels of the image in the side of a pixel of the masks (N, H, W)."""
    return int(color_rgb.shape[0] // masks.shape[1])


def _enlarged(masks: np.ndarray, step: int) -> tuple[int, int]:
    return masks.shape[1] * step, masks.shape[2] * step
