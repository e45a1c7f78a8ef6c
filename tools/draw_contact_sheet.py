"""Draw what the camera sees in several simulated homes, one row each: the picture of homes in docs/.

usage: python tools/draw_contact_sheet.py OUT.jpg HOME [HOME ...]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from moss_ros.config import from_flat
from moss_ros.replay.bag import BagSource, guess_topics

_COLUMNS = 4
_WIDTH = 360


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("homes", type=Path, nargs="+", help="folders of `moss sim`")
    options = parser.parse_args()
    sheet = np.vstack([np.hstack(views(home)) for home in options.homes])
    options.out.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(options.out), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 82])


def views(home: Path) -> list[np.ndarray]:
    """Frames spread evenly over a recording, small."""
    config = from_flat(guess_topics(home / "bag"))
    source = BagSource(home / "bag", config)
    chosen = np.linspace(0, source.frame_count - 1, 2 * _COLUMNS + 1).astype(int)[1::2]
    frames = [frame.color_rgb for i, frame in enumerate(source) if i in chosen]
    height, width = frames[0].shape[:2]
    size = (_WIDTH, round(_WIDTH * height / width))
    return [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames]


if __name__ == "__main__":
    main()
