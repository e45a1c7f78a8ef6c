"""The benchmark's judge, on a map of two things whose numbers are clear."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.live_latency import Heard, Judge, Story, _rows  # noqa: E402
from benchmarks.table import Table  # noqa: E402

S = 10**9


def row_of(first, last, y=0.0):
    out = np.zeros((last - first, 3), np.float32)
    out[:, 0], out[:, 1] = 0.02 * np.arange(first, last), y
    return out


def judged(owner):
    """Thing 5 on voxels 0 to 20, thing 9 on voxels 20 to 30, nothing known about voxels 30 to 40."""
    truth = SimpleNamespace(points_m=row_of(0, 30).astype(np.float64), instance=np.array([5] * 20 + [9] * 10, np.int32))
    position = np.concatenate([row_of(0, 30), row_of(0, 10, y=1.0)])
    voxels = SimpleNamespace(position=position, count=40, solid=lambda: np.arange(40))
    owner = np.array(owner, np.int32)
    judge = Judge(truth, SimpleNamespace(voxels=voxels, instances=SimpleNamespace(owner=owner)))
    return judge.found(SimpleNamespace(instances=[SimpleNamespace(id=i) for i in set(owner) - {0}]))


def test_overlap_with_what_is_mapped():
    assert judged([1] * 20 + [2] * 10 + [0] * 10) == ({5, 9}, {5, 9})
    assert judged([1] * 5 + [0] * 35) == ({5}, {5})  # 5 / 20
    assert judged([1] * 4 + [0] * 36) == (set(), {5})  # 4 / 20, all in it
    assert judged([1] * 40) == ({5, 9}, {5, 9})  # 20 / 30 and 10 / 30; void does not count
    assert judged([0] * 30 + [1] * 10) == (set(), set())


def test_a_frame_that_was_not_heard_came_by_the_pace_of_the_player():
    assert Heard(2.0, {10 * S: 100.0, 12 * S: 101.0, 14 * S: 102.1}).came_s(8 * S) == 99.0


def test_delays_on_paper():
    heard = Heard(1.0, {1 * S: 100.0}, [(2 * S, 101.5, {}), (4 * S, 104.0, {})])
    story = Story({5: 1 * S, 9: 2 * S, 7: 2 * S}, {5: 0, 9: 1}, {5: 0, 9: 1}, 2)
    table = Table("", "", "")
    _rows(table, heard, story, {"used": "3", "received": "4", "dropped busy": "1"})
    values = [row.value for row in table.rows]
    assert values[:2] == [3, 2] and "[7]" in table.rows[1].note
    assert np.allclose(values[2:5], [2.25, 2.85, 50.0])  # 1.5 s and 3 s until received
    assert np.allclose(values[8:11], [1.5, 1.9, 100.0])  # 1 s and 2 s in image time
    assert values[-1] == 1
