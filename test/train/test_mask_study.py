"""The study of the training: what its networks differ in, and that finished ones are kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from moss_ros.sim.training_views.sensor_profiles import DEFAULT_MIX
from moss_ros.sim.training_views.view_pool import ViewPool
from moss_ros.train.batches import BatchPlan, make_batch
from moss_ros.train.mask_study import ROOMS, Variant, scored, trained, variants


def test_each_network_differs_from_the_first_in_one_thing() -> None:
    first, *others = variants().values()
    assert first.plan.sensors == tuple(DEFAULT_MIX) and first.plan.rooms(1000) == ROOMS
    for other in others:
        plans = [getattr(other.plan, n) == getattr(first.plan, n) for n in ("sensors", "without_color", "first_rooms")]
        assert sum([*plans, other.widths == first.widths]) == 3 and other.plan.seed == first.plan.seed
    assert "structured_light" not in variants()["without structured_light"].plan.sensors


def test_batches_of_other_sensors_and_without_color(tmp_path: Path) -> None:
    pool, plan = ViewPool(tmp_path), BatchPlan(seed=3, size=2, first_rooms=1, rooms_per_batch=0.0, clean=0.0)
    usual = make_batch(pool, plan, 0)
    ideal = make_batch(pool, replace(plan, sensors=("nearly_ideal",)), 0)
    assert ideal.measured.mean() > usual.measured.mean()
    assert make_batch(pool, replace(plan, clean=1.0), 0).measured.mean() > usual.measured.mean()
    assert not make_batch(pool, replace(plan, without_color=1.0), 0).channels[:, -1].any()
    assert make_batch(pool, replace(plan, without_color=0.0), 0).channels[:, -1].all()


def test_finished_networks_are_kept(tmp_path: Path) -> None:
    variant = Variant(BatchPlan(seed=1, size=1, first_rooms=1, rooms_per_batch=0.0), (4, 4, 4, 4, 4))
    folder = trained(variant, 1, tmp_path / "net", tmp_path / "pool", workers=0)
    made = (folder / "masks.safetensors").stat().st_mtime_ns
    scores = scored(folder, ViewPool(tmp_path / "pool"), 1, {})
    assert 0 <= scores["views ap50"] <= 1 and "views 28px-" in scores
    assert trained(variant, 1, tmp_path / "net", tmp_path / "pool", workers=0) == folder
    assert (folder / "masks.safetensors").stat().st_mtime_ns == made
    assert scored(folder, ViewPool(tmp_path / "pool"), 1, {}) == scores
