"""How right a mask network is about pairs of pixels in a recorded scene with truth.

Thousands of pairs in every keyframe: far steadier than the AP of some fifty things. Only pairs of pixels that both lie
on labelled things count, since what is not labelled may be a thing too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from moss_ros.evaluation.carry import instance_of_rows, nearest_rows
from moss_ros.evaluation.ladder import Drive, drive
from moss_ros.mapping.keyframes import Keyframe
from moss_ros.masks2d.gravity_input import drop_color
from moss_ros.masks2d.learned import Predict, network_input
from moss_ros.masks2d.regions import OFFSETS
from moss_ros.train.mask_loss import pair_slices

_LEAST = 1e-3  # probabilities are cut here, so that no single pair decides the mean


class ScenePairs:
    """The keyframes of a scene, with the thing at each pixel of the network's input."""

    def __init__(self, scene: Path) -> None:
        """Maps the scene (bag/ and its truth) as `moss replay` does, without words."""
        done = drive(scene, values={"language.enabled": "never"})
        assert done.pipeline.structure is not None
        self._thing = _thing_of_voxels(done)
        self._floor_m = done.pipeline.structure.floor_m or 0.0
        views = done.pipeline.keyframes
        self._views = [(views.keyframes[slot], pairs.voxels) for slot, pairs in sorted(views.evidence.pairs.items())]

    def scores(self, predict: Predict, color: bool) -> dict[str, float]:
        """For each distance the shares of right answers for the same thing (``28px+``) and for different ones
        (``28px-``), and the mean cross entropy of both (``28px loss``); color: whether the network is shown colour."""
        sums: dict[int, np.ndarray] = {}
        for keyframe, voxels in self._views:
            thing = np.where(voxels >= 0, self._thing[voxels], 0)
            for distance, same, said in self._pairs(predict, keyframe, thing, color):
                sums.setdefault(distance, np.zeros((2, 3)))[:] += _sums(same, said)
        out = {}
        for distance, (different, alike) in sorted(sums.items()):
            out[f"{distance}px+"], out[f"{distance}px-"] = alike[1] / alike[0], different[1] / different[0]
            out[f"{distance}px loss"] = (alike[2] / alike[0] + different[2] / different[0]) / 2
        return {name: float(value) for name, value in out.items()}

    def _pairs(
        self, predict: Predict, keyframe: Keyframe, thing: np.ndarray, color: bool
    ) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Distance, whether the two are the same (n,) bool, and the probability of it (n,), for each offset."""
        channels, _ = network_input(
            keyframe.depth_m, keyframe.camera, keyframe.world_from_camera, self._floor_m, keyframe.color_rgb
        )
        probability = predict(channels if color else drop_color(channels))
        for (down, right), said in zip(OFFSETS, probability[1:], strict=True):
            here, there = pair_slices(down, right, *thing.shape)
            counts = (thing[here] > 0) & (thing[there] > 0)
            same = thing[here] == thing[there]
            yield max(abs(down), abs(right)), same[counts], said[here][counts]


def _sums(same: np.ndarray, said: np.ndarray) -> np.ndarray:
    """(2, 3): of different and of equal pairs their number, right answers, and sum of the cross entropy."""
    right = np.where(same, said, 1 - said)
    wrong = -np.log(np.clip(right, _LEAST, 1))
    return np.array(
        [[(same == s).sum(), (right[same == s] > 0.5).sum(), wrong[same == s].sum()] for s in (False, True)]
    )


def _thing_of_voxels(done: Drive) -> np.ndarray:
    """(N,) int64: the thing of most true points nearest to each voxel, 0 = none that is scored."""
    position = done.pipeline.voxels.position
    owner = instance_of_rows(nearest_rows(done.truth.points_m, position), done.truth.instance, len(position))
    return np.where(np.isin(owner, done.truth.evaluated_ids), owner, 0)
