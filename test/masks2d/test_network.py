"""The network at odd sizes, and its weight files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from moss_ros.masks2d.gravity_input import CHANNELS
from moss_ros.masks2d.network import (
    OUTPUTS,
    MaskNetwork,
    Predictor,
    WeightsError,
    fold_batch_norm,
    load_weights,
    save_weights,
)
from moss_ros.masks2d.regions import OFFSETS

SMALL = (8, 12, 16)


def network(seed: int = 0) -> MaskNetwork:
    torch.manual_seed(seed)
    out = MaskNetwork(SMALL)
    for module in out.modules():  # statistics as if trained
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)  # type: ignore[union-attr]
            module.running_var.uniform_(0.5, 2)  # type: ignore[union-attr]
    return out.eval()


@pytest.mark.parametrize("size", [(24, 32), (23, 31), (17, 40), (9, 9)])
def test_any_size(size: tuple[int, int]) -> None:
    with torch.no_grad():
        assert network()(torch.zeros(2, CHANNELS, *size)).shape == (2, OUTPUTS, *size)


def test_first_affinities_lead_to_the_neighbours() -> None:
    assert OFFSETS[:2] == ((0, 1), (1, 0)) and len(set(OFFSETS)) == len(OFFSETS) == OUTPUTS - 1
    assert all(dy >= 0 for dy, _ in OFFSETS)


def test_folding_changes_nothing() -> None:
    x = torch.randn(1, CHANNELS, 20, 26)
    with torch.no_grad():
        want = network()(x)
        got = fold_batch_norm(network())(x)
    assert torch.allclose(want, got, atol=1e-4)


def test_weights_come_back(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(network(), path, {"step": 3})
    x = torch.randn(1, CHANNELS, 20, 26)
    with torch.no_grad():
        want, got = network()(x), load_weights(path)(x)
    assert torch.allclose(want, got, atol=0.02)  # half precision
    out = Predictor(path)(x[0].numpy())
    assert out.shape == (OUTPUTS, 20, 26) and out.dtype == np.float32 and 0 <= out.min() <= out.max() <= 1


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no weights"):
        load_weights(tmp_path / "w.safetensors")


def test_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"not a weight file at all")
    with pytest.raises(WeightsError, match="damaged"):
        load_weights(path)


def spoilt(tmp_path: Path, change, header: dict[str, str] | None = None) -> Path:  # type: ignore[no-untyped-def]
    path = tmp_path / "w.safetensors"
    save_weights(network(), path, {})
    from safetensors import safe_open

    with safe_open(str(path), "pt") as stream:
        metadata = stream.metadata()
    state = load_file(str(path))
    change(state)
    save_file(state, str(path), metadata={**metadata, **(header or {})})
    return path


def test_weights_of_another_version(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="format"):
        load_weights(spoilt(tmp_path, lambda s: None, {"format": "other"}))
    with pytest.raises(WeightsError, match="offsets"):
        load_weights(spoilt(tmp_path, lambda s: None, {"offsets": "[[0, 1]]"}))


def test_weights_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="head.bias"):
        load_weights(spoilt(tmp_path, lambda s: s.pop("head.bias")))
    with pytest.raises(WeightsError, match="head.bias"):
        load_weights(spoilt(tmp_path, lambda s: s.update({"head.bias": torch.zeros(3)})))


def test_weights_that_are_not_finite(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="finite"):
        load_weights(spoilt(tmp_path, lambda s: s["head.bias"].fill_(torch.nan)))
