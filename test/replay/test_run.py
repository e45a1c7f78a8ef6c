import json
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pytest
from scenes import room_frames

from moss_ros.config import MossConfig
from moss_ros.replay.run import replay


@dataclass
class Recorded:
    """A FrameSource over a list."""

    frames: list
    drops: Counter = field(default_factory=Counter)

    @property
    def frame_count(self):
        return len(self.frames)

    @property
    def received(self):
        return len(self.frames)

    def __iter__(self):
        return iter(self.frames)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return [replay(Recorded(room_frames()), MossConfig(), folder / name, progress=False) for name in ("a", "b")]


def test_same_input_twice_gives_identical_instances(runs):
    first, second = ((run / "instances.json").read_bytes() for run in runs)
    assert json.loads(first)["instances"]
    assert first == second


def test_run_has_its_files(runs):
    names = {p.name for p in runs[0].iterdir()}
    assert names >= {"run.json", "instances.json", "map.png", "map", "evidence"}
    facts = json.loads((runs[0] / "run.json").read_text())
    assert facts["frames"]["used"] == len(room_frames())
    assert set(facts["stages"]["integrate"]) == {"median_ms", "p95_ms", "max_ms", "n"}
    assert facts["peak_rss_mb"] > 0
    assert facts["config"]["mapping.voxel_size_m"] == 0.02


def test_every_instance_has_its_picture_and_points(runs):
    instances = json.loads((runs[0] / "instances.json").read_text())["instances"]
    masks = np.load(runs[0] / "map" / "masks.npz")
    assert masks["ids"].tolist() == [i["id"] for i in instances]
    assert np.diff(masks["offsets"]).tolist() == [i["points"] for i in instances]
    for instance in instances:
        assert (runs[0] / "evidence" / f"{instance['id']}.jpg").stat().st_size > 0
