"""Which square windows of an image are read so that small things are seen large, in as few windows as possible.

Masks that share a window share one forward of the model. Pure geometry: boxes in, windows out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_FILL = 2 / 3  # of the side of its window that the longer side of a mask's box takes, so that context remains
LEAST_FILL = 1 / 5  # smaller, and a thing covers only a few patches
MARGIN = 1 / 8  # of the side, kept between a box and the rim of its window where the image allows it
SMALLEST_SIDE_PX = 96  # enlarging a smaller window shows nothing new


@dataclass(frozen=True, slots=True)
class Window:
    """A square of an image, px; it may reach beyond the image, and what lies outside is padding."""

    top: int
    left: int
    side: int
    rows: tuple[int, ...]  # of the masks that are read in it, ascending


def whole_frame(height: int, width: int, rows: tuple[int, ...]) -> Window:
    """The smallest square around a whole image: nothing of it is lost, the shorter side is padded evenly."""
    side = max(height, width)
    return Window(-((side - height) // 2), -((side - width) // 2), side, rows)


def choose_windows(boxes: np.ndarray, height: int, width: int) -> list[Window]:
    """Few windows that show each mask at a good size; every mask with a box is in one of them, exactly once.

    boxes: (N, 4) top, left, bottom, right (exclusive), px; a row with bottom <= top is an empty mask and gets none.
    Greedy set cover (at most ln N + 1 times the fewest windows): the window that serves most masks still unserved,
    and of those the one that shows them best.
    """
    boxes = np.asarray(boxes, np.int64).reshape(-1, 4)
    extent = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    waiting = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    sides = window_sides(height, width)
    fits = _fitting(extent, np.array(sides))
    levels = [_Level(boxes, extent, side, fits[k], height, width) for k, side in enumerate(sides)]
    windows = []
    while waiting.any():
        best = max((level.best(waiting) for level in levels), key=lambda found: found.merit)
        windows.append(_centred(boxes, best, height, width))
        waiting[best.rows] = False
    return windows


def window_sides(height: int, width: int) -> list[int]:
    """Sides of windows, descending: the whole frame, the shorter side of the image, and that by sqrt(2) on and on."""
    sides = [max(height, width)]
    side = float(min(height, width))
    while round(side) >= SMALLEST_SIDE_PX:
        if round(side) < sides[-1]:
            sides.append(round(side))
        side /= np.sqrt(2)
    return sides


def mask_boxes(masks: np.ndarray) -> np.ndarray:
    """(N, 4) int64 top, left, bottom, right of N masks (N, H, W); zeros for an empty one.

    Of a soft mask the box holds the pixels with at least half of its largest value.
    """
    boxes = np.zeros((len(masks), 4), np.int64)
    for row, mask in enumerate(masks):
        peak = float(mask.max(initial=0))
        inside = mask >= max(peak / 2, np.finfo(np.float32).tiny)
        vertical, horizontal = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        if len(vertical):
            boxes[row] = vertical[0], horizontal[0], vertical[-1] + 1, horizontal[-1] + 1
    return boxes


def _fitting(extent: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """(L, N) bool: which of L sides show each mask at a good size, at least one for each."""
    fits = extent[None] <= MOST_FILL * sides[:, None]
    shows = extent[None] >= LEAST_FILL * sides[:, None]
    fits[0], shows[-1] = True, True  # what is too large or too small for all others
    good = fits & shows
    good[0] |= ~good.any(0)
    return good


@dataclass(frozen=True, slots=True)
class _Choice:
    merit: tuple[int, float]  # masks served; how well they fill the window (0 = best)
    side: int
    rows: np.ndarray


class _Level:
    """All windows of one side that can matter: those that begin at the box of some mask."""

    def __init__(
        self, boxes: np.ndarray, extent: np.ndarray, side: int, allowed: np.ndarray, height: int, width: int
    ) -> None:
        self.side = side
        self._allowed = allowed
        self._misfit = np.abs(np.log(np.maximum(extent, 1) / (side * np.sqrt(MOST_FILL * LEAST_FILL))))
        self._down = _inside(boxes[:, 0], boxes[:, 2], self._allowed, side, height)
        self._across = _inside(boxes[:, 1], boxes[:, 3], self._allowed, side, width)

    def best(self, waiting: np.ndarray) -> _Choice:
        served = (waiting & self._allowed).astype(np.float64)
        count = (self._down * served) @ self._across.T
        misfit = (self._down * (served * self._misfit)) @ self._across.T
        order = count - misfit / (1e3 * (1 + misfit.max(initial=0)))  # misfit only breaks ties
        if not count.size:
            return _Choice((0, -np.inf), self.side, np.zeros(0, np.int64))
        row, column = np.unravel_index(int(order.argmax()), order.shape)
        rows = np.flatnonzero(self._down[row].astype(bool) & self._across[column].astype(bool) & (served > 0))
        return _Choice((len(rows), -float(misfit[row, column])), self.side, rows)


def _inside(low: np.ndarray, high: np.ndarray, allowed: np.ndarray, side: int, size: int) -> np.ndarray:
    """(S, N) 1 where a box lies in the window of each start, along one axis.

    A window can be moved on until its margin meets the first box or its end the image, and loses no box: these starts
    are enough.
    """
    if side >= size:
        return np.ones((1, len(low)))
    margin = int(MARGIN * side)
    start = np.unique(np.clip(low[allowed] - margin, 0, size - side))
    first = np.where(start == 0, 0, start + margin)[:, None]
    last = np.where(start == size - side, size, start + side - margin)[:, None]
    return ((low[None] >= first) & (high[None] <= last)).astype(np.float64)


def _centred(boxes: np.ndarray, choice: _Choice, height: int, width: int) -> Window:
    """The window moved so that what it serves is in its middle, as far as the image allows."""
    rows = tuple(int(r) for r in choice.rows)
    if choice.side == max(height, width):
        return whole_frame(height, width, rows)
    low, high = boxes[choice.rows, :2].min(0), boxes[choice.rows, 2:].max(0)
    start = np.clip((low + high - choice.side) // 2, 0, np.array([height, width]) - choice.side)
    return Window(int(start[0]), int(start[1]), choice.side, rows)
