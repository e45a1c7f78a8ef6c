"""Writes scannet_cases.json: random scenes and their scores by the slow loop oracle.

    python test/evaluation/golden/make_golden.py

Run it only when the protocol itself changes; a changed file means that published numbers change.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from loop_oracle import Guess, loop_table  # noqa: E402
from random_scenes import CLASSES, MIN_POINTS, random_scene  # noqa: E402

SEEDS = range(6)
THRESHOLDS = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.25]


def main() -> None:
    cases = []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        scenes = [random_scene(rng, ties=seed % 2 == 0) for _ in range(1 + seed % 3)]
        table = loop_table(scenes, CLASSES, np.append(np.arange(0.5, 0.95, 0.05), 0.25), MIN_POINTS)
        cases.append(
            {
                "seed": seed,
                "scenes": [
                    {"labels": labels.tolist(), "guesses": [_as_json(g) for g in guesses]} for labels, guesses in scenes
                ],
                "ap": [[None if np.isnan(v) else v for v in row] for row in table.tolist()],
            }
        )
    data = {"classes": CLASSES, "min_points": MIN_POINTS, "thresholds": THRESHOLDS, "cases": cases}
    (HERE / "scannet_cases.json").write_text(json.dumps(data, separators=(",", ":")) + "\n", encoding="utf-8")


def _as_json(guess: Guess) -> dict[str, object]:
    return {"points": np.flatnonzero(guess.mask).tolist(), "class_id": guess.class_id, "score": guess.score}


if __name__ == "__main__":
    main()
