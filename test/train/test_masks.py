"""Training: targets and scores by hand, batches by number, and a resumed training equals an uninterrupted one."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from moss_ros.masks2d.gravity_input import CHANNELS
from moss_ros.masks2d.network import WeightsError, load_weights
from moss_ros.masks2d.regions import OFFSETS
from moss_ros.sim.training_views.view_pool import ViewPool
from moss_ros.train import masks
from moss_ros.train.batches import Batch, BatchPlan, held_out_batch, make_batch
from moss_ros.train.mask_loss import DIFFERENT_WEIGHT, SAME_WEIGHT, loss, pair_slices, targets
from moss_ros.train.mask_scores import average_precision, match_masks
from moss_ros.train.masks import Settings, Training, log_scores, save_checkpoint
from moss_ros.train.stream import batches

PLAN = BatchPlan(seed=3, size=2, first_rooms=1, rooms_per_batch=0.0)
SETTINGS = Settings(seed=3, steps=6, half=False, warm_up_steps=2)


@pytest.fixture(scope="module")
def pool_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pool")


def tiny(number: int) -> Batch:
    """A cheap batch that depends on its number."""
    rng = np.random.default_rng(number)
    instance = rng.integers(0, 3, (2, 4, 5)).repeat(8, 1).repeat(8, 2).astype(np.uint8)
    channels = rng.standard_normal((2, CHANNELS, 32, 40)).astype(np.float16)
    return Batch(channels, instance, np.ones(instance.shape, bool))


def test_pairs_and_their_partners() -> None:
    here, there = pair_slices(1, -2, 4, 6)
    grid = np.arange(24).reshape(4, 6)
    assert (grid[there] - grid[here] == 6 - 2).all() and grid[here].shape == (3, 4)


def test_targets_of_two_things_on_a_floor() -> None:
    ids = torch.tensor([[[0, 0, 1, 1, 2]]], dtype=torch.uint8)
    measured = torch.tensor([[[True, True, True, True, False]]])
    truth, weight = targets(ids, measured)
    assert truth[0, 0, 0].tolist() == [0, 0, 1, 1, 1]
    assert weight[0, 0, 0].tolist() == [1, 1, 1, 1, 0]
    assert OFFSETS[0] == (0, 1)
    assert truth[0, 1, 0].tolist() == [1, 0, 1, 0, 0]
    # Two floor pixels say nothing, nor does a pixel without depth.
    assert weight[0, 1, 0].tolist() == pytest.approx([0, DIFFERENT_WEIGHT, SAME_WEIGHT, 0, 0])


def test_loss_counts_only_weighted_pixels() -> None:
    logits, truth = torch.tensor([[4.0, -100.0]]), torch.tensor([[1.0, 1.0]])
    assert float(loss(logits, truth, torch.tensor([[2.0, 0.0]]))) == pytest.approx(np.log1p(np.exp(-4.0)), rel=1e-4)


def test_masks_are_matched_by_overlap() -> None:
    truth = np.zeros((20, 20), np.uint8)
    truth[:10, :10], truth[:10, 10:], truth[15, :5] = 1, 2, 3  # the third is too small to count
    labels = np.zeros((20, 20), np.int32)
    labels[:10, :9], labels[:4, 10:], labels[15, :5], labels[18:] = 1, 2, 3, 4
    found, count = match_masks(labels, np.array([0.9, 0.8, 0.7, 0.6], np.float32), truth)
    assert count == 2
    assert [ok for _, ok in found] == [True, False, False]  # good, too small a part, (third left out), on nothing
    assert average_precision(found, count) == pytest.approx(0.5)
    assert average_precision([(0.1, True), (0.9, False), (0.8, True)], 2) == pytest.approx(2 / 3)
    assert average_precision([], 3) == 0


def test_batches_depend_on_their_number_alone(pool_folder: Path) -> None:
    first = make_batch(ViewPool(pool_folder), PLAN, 7)
    stream = batches(pool_folder, PLAN, 7, workers=0)
    second = next(stream)
    assert np.array_equal(first.channels, second.channels) and np.array_equal(first.instance, second.instance)
    assert not np.array_equal(next(stream).channels, first.channels)
    assert np.isfinite(first.channels).all() and first.channels.shape[:2] == (2, CHANNELS)


@pytest.mark.slow
def test_a_worker_delivers_the_same_batches(pool_folder: Path) -> None:
    make_batch(ViewPool(pool_folder), PLAN, 0)
    stream = batches(pool_folder, PLAN, 4, workers=2)
    for number in (4, 5, 6):
        assert np.array_equal(next(stream).channels, make_batch(ViewPool(pool_folder), PLAN, number).channels)
    stream.close()  # type: ignore[attr-defined]


def test_resumed_training_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    through = Training(SETTINGS)
    for number in range(6):
        through.train_on(tiny(number))
    part = Training(SETTINGS)
    for number in range(3):
        part.train_on(tiny(number))
    save_checkpoint(part, tmp_path)
    rest = Training(SETTINGS)
    rest.restore(torch.load(tmp_path / "checkpoint.pt", weights_only=True))
    assert rest.step == 3
    for number in range(3, 6):
        rest.train_on(tiny(number))
    assert rest.share_done() == 1
    for a, b in ((through.network, rest.network), (through.average, rest.average)):
        assert all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))
    load_weights(tmp_path / "masks.safetensors")


def test_a_training_begins_from_the_weights_of_another(tmp_path: Path) -> None:
    first, second = Training(SETTINGS), Training(Settings(seed=8, steps=6, half=False))
    save_checkpoint(first, tmp_path)
    second.start_from(tmp_path / "masks.safetensors")
    for name, value in first.average.state_dict().items():
        if value.is_floating_point():
            assert torch.allclose(value, second.network.state_dict()[name], atol=1e-3)  # half precision
    narrow = Training(SETTINGS, widths=(8, 8, 16, 16, 16))
    with pytest.raises(WeightsError, match="does not fit"):
        narrow.start_from(tmp_path / "masks.safetensors")


def test_training_learns_and_the_rate_falls() -> None:
    training = Training(Settings(seed=0, steps=40, half=False, warm_up_steps=2))
    rates, start = [], None
    for _ in range(25):
        rates.append(training.rate())
        training.train_on(tiny(1))
        start = start or training.recent_loss
    assert training.recent_loss < start  # type: ignore[operator]
    assert rates[0] < rates[2] > rates[-1]


def test_checkpoint_of_another_seed_is_refused(tmp_path: Path) -> None:
    save_checkpoint(Training(SETTINGS), tmp_path)
    other = Training(Settings(seed=4, steps=6))
    with pytest.raises(ValueError, match="seed 3"):
        other.restore(torch.load(tmp_path / "checkpoint.pt", weights_only=True))


def test_scores_go_into_the_curve(tmp_path: Path, pool_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moss_ros.train.mask_scores.VIEWS", 1)
    training = Training(SETTINGS)
    log_scores(training, ViewPool(pool_folder), 1, tmp_path)
    row = log_scores(training, ViewPool(pool_folder), 1, tmp_path)
    assert 0 <= row["ap50"] <= 1 and 0 <= row["thing+"] <= 1
    with open(tmp_path / "curve.csv", encoding="utf-8") as stream:
        assert [r["step"] for r in csv.DictReader(stream)] == ["0", "0"]


def test_held_out_views_are_fixed(pool_folder: Path) -> None:
    a, b = (held_out_batch(ViewPool(pool_folder), 0, 3) for _ in range(2))
    assert np.array_equal(a.channels, b.channels)
    assert (a.channels[2, 10] == 0).all() and (a.channels[0, 10] == 1).all()  # the third has no colour


def test_command_line_does_not_overwrite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"x")
    monkeypatch.setattr("sys.argv", ["masks", "--out", str(tmp_path)])
    with pytest.raises(SystemExit):
        masks.main()
