"""Rates, running means and averages by hand; files that are whole or as they were."""

import math

import pytest

torch = pytest.importorskip("torch")

from moss_ros.train.course import follow, rate_at, running, share_done  # noqa: E402
from moss_ros.train.files import append_row, write_whole  # noqa: E402


def test_length_is_in_steps_or_else_in_seconds():
    assert share_done(25, 100, 9e9, 1.0) == 0.25
    assert share_done(25, 0, 30.0, 120.0) == 0.25
    assert share_done(200, 100, 0.0, 1.0) == 1.0


def test_rate_rises_and_then_falls_along_a_cosine():
    assert rate_at(0.0, 0, 1.0, 0.1, 10) == pytest.approx(0.1)  # a tenth of the way up
    assert rate_at(0.0, 9, 1.0, 0.1, 10) == pytest.approx(1.0)
    assert rate_at(0.5, 99, 1.0, 0.1, 10) == pytest.approx(0.55)
    assert rate_at(1.0, 99, 1.0, 0.1, 10) == pytest.approx(0.1)


def test_running_mean_begins_with_the_first_value():
    assert running(math.nan, 4.0) == 4.0
    assert running(4.0, 2.0, 0.75) == 3.5


def test_average_follows_fast_at_first_and_copies_counts():
    network, average = torch.nn.BatchNorm1d(1), torch.nn.BatchNorm1d(1)
    with torch.no_grad():
        network.weight.fill_(11.0)
        average.weight.fill_(1.0)
    network.num_batches_tracked.fill_(7)
    follow(average, network, 0, 0.99)  # keeps 1 / 10
    assert average.weight.item() == pytest.approx(10.0)
    assert int(average.num_batches_tracked) == 7
    follow(average, network, 10**6, 0.75)
    assert average.weight.item() == pytest.approx(10.25)


def test_file_that_could_not_be_written_stays_as_it_was(tmp_path):
    path = tmp_path / "kept.bin"
    path.write_text("old")

    def fail(part):
        part.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(path, fail)
    assert path.read_text() == "old"
    write_whole(path, lambda part: part.write_text("new"))
    assert path.read_text() == "new"


def test_rows_stand_below_one_head(tmp_path):
    for step in (1, 2):
        append_row(tmp_path / "curve.csv", {"step": step, "loss": 0.123456789})
    assert (tmp_path / "curve.csv").read_text().splitlines() == ["step,loss", "1,0.12346", "2,0.12346"]
