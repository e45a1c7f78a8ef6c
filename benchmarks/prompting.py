"""What prompting a model with the proposals is worth when the model is right: answers from the true masks.

An upper bound of what Segment Anything can give, and the cost of everything but the model: the answer to a prompt is
the true mask under its first point, within its box, as it is or with a border that is off by some pixels.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from benchmarks.inputs import LIVING_KITCHEN, bag_folder
from benchmarks.table import Table
from moss_ros.config import LiftingConfig
from moss_ros.evaluation.ladder import Drive, drive
from moss_ros.lifting.prompted_views import PromptedViews
from moss_ros.lifting.refine import Refiner
from moss_ros.masks2d.oracle import IdImages
from moss_ros.masks2d.sam.sam_prompted import PromptedMasks
from moss_ros.masks2d.sam.sam_prompts import Prompts
from moss_ros.warm_up import warm_up

_MARGIN_PX = 20  # answers may reach so far beyond the box of the prompt


@dataclass(slots=True)
class TruePrompter:
    """See Prompter; each answer is dilated or eroded by a number of pixels drawn from -border_px to border_px."""

    images: IdImages
    border_px: int = 0

    def masks(self, color_rgb: np.ndarray, prompts: Prompts, stamp_ns: int) -> PromptedMasks:
        """The true masks under the first points."""
        assert prompts.boxes is not None  # proposals are asked with boxes
        ids = self.images.ids(stamp_ns)
        rng = np.random.default_rng(stamp_ns)
        out = np.zeros((len(prompts), *ids.shape), bool)
        for mask, (x, y), box in zip(out, prompts.points[:, 0].astype(int), prompts.boxes, strict=True):
            x0, y0 = np.maximum(box[:2].astype(int) - _MARGIN_PX, 0)
            x1, y1 = box[2:].astype(int) + _MARGIN_PX + 1
            mask[y0:y1, x0:x1] = self._off(ids == ids[y, x], int(rng.integers(-self.border_px, self.border_px + 1)))[
                y0:y1, x0:x1
            ]
        sure = np.ones(len(out), np.float32)
        return PromptedMasks(out, sure, sure)

    @staticmethod
    def _off(mask: np.ndarray, pixels: int) -> np.ndarray:
        if not pixels:
            return mask
        side = 2 * abs(pixels) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        change = cv2.dilate if pixels > 0 else cv2.erode
        return np.asarray(change(mask.astype(np.uint8), kernel)) > 0


def run(quick: bool = False) -> Table:
    """AP of the map without and with right answers, then the cost of asking."""
    scene = bag_folder(LIVING_KITCHEN).parent
    warm_up()
    done = drive(scene)
    table = Table("prompting", f"{scene.name}; prompts answered from the true masks", "the same map, nobody asked")
    _add(table, "nobody asked", done.instances())
    images = IdImages(scene)
    ways = {"right answers": (LiftingConfig(), 0)}
    if not quick:
        ways |= {
            "right answers, in 12 keyframes each": (replace(LiftingConfig(), prompt_views=12), 0),
            "right answers, in all keyframes": (replace(LiftingConfig(), prompt_views=1000), 0),
            "right answers, leaks removed at .1": (replace(LiftingConfig(), refine_remove=0.1), 0),
            "borders off by up to 4 px": (LiftingConfig(), 4),
            "the same, in 12 keyframes each": (replace(LiftingConfig(), prompt_views=12), 4),
        }
    for what, (config, border_px) in ways.items():
        _add(table, what, asked(done, config, TruePrompter(images, border_px)))
    _add_cost(table, done, scene)
    return table


def asked(done: Drive, config: LiftingConfig, prompter: TruePrompter) -> dict[str, float]:
    """Numbers of the map after a full pass in which the prompter answers."""
    pipeline = done.pipeline
    pipeline._prompts = PromptedViews(config, prompter, pipeline._expansion)
    pipeline._refiner = Refiner(config)
    return replace(done, snapshot=pipeline.segment(full=True)).instances()


def _add(table: Table, what: str, numbers: dict[str, float]) -> None:
    note = f"AP {100 * numbers['ap']:.1f}, AP25 {100 * numbers['ap25']:.1f}"
    table.add(what, 100 * numbers["ap50"], "% AP50", None, note)


def _add_cost(table: Table, done: Drive, scene: Path) -> None:
    """Without the model: what a keyframe costs to be asked about, and a pass in which nothing changed."""
    pipeline, config = done.pipeline, LiftingConfig(prompt_keyframes=1)
    prompter = TruePrompter(IdImages(scene))
    views = PromptedViews(config, prompter, pipeline._expansion)
    given = pipeline.proposals, pipeline.keyframes.keyframes, pipeline.keyframes.evidence, pipeline.voxels
    costs, count = [], 0
    for _ in range(len(pipeline.keyframes.keyframes) + 1):
        start = time.process_time()
        views.update(*given)
        costs.append(1e3 * (time.process_time() - start))
        count += views.prompted
    *costs, nothing = costs
    note = f"{len(costs)} keyframes, {count} prompts; with the drawing of the true masks"
    table.add("a keyframe: expansion, prompts, lifting", statistics.median(costs), "ms CPU", None, note)
    table.add("a pass in which nothing changed", nothing, "ms CPU")
