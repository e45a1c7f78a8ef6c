"""The wrapper of segment_anything on a small network, against the package's own predictor and mask generator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from sam_models import SIDE, tiny_sam

from moss_ros.config import ConfigError
from moss_ros.masks2d.sam import sam
from moss_ros.masks2d.sam.sam import SamModel, load_sam
from moss_ros.masks2d.sam.sam_automatic import AutomaticMasks, AutomaticRules
from moss_ros.masks2d.sam.sam_logits import enlarged, stability
from moss_ros.masks2d.sam.sam_prompted import PromptedSegmenter
from moss_ros.masks2d.sam.sam_prompts import ON, PADDING, Prompts, grid_prompts
from moss_ros.masks2d.sam.sam_torch import load_state
from moss_ros.weights.table import MissingWeightsError

SHAPE = (SIDE * 3 // 4, SIDE)  # no scaling, but padding below


def picture(shape: tuple[int, int] = SHAPE) -> np.ndarray:
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(np.kron(coarse, np.ones((shape[0] // 6, shape[1] // 8, 1), np.uint8)))


@pytest.fixture(scope="module")
def network():  # type: ignore[no-untyped-def]
    return tiny_sam()


@pytest.fixture(scope="module")
def model(network) -> SamModel:  # type: ignore[no-untyped-def]
    return SamModel(network, "cpu")


def agree(found: np.ndarray, want: np.ndarray) -> float:
    return float((found == want).mean())


@pytest.mark.parametrize("shape", [SHAPE, (48, 64), (240, 320)])
@pytest.mark.parametrize("several", [True, False])
def test_answers_are_those_of_the_package(network, model: SamModel, shape: tuple[int, int], several: bool) -> None:  # type: ignore[no-untyped-def]
    from segment_anything import SamPredictor

    predictor = SamPredictor(network)
    predictor.set_image(picture(shape))
    box = np.array([0.2, 0.1, 0.7, 0.8]) * [shape[1], shape[0], shape[1], shape[0]]
    points, labels = np.array([[shape[1] / 2, shape[0] / 2], [3.0, 5.0]]), np.array([1, 0])
    want, scores, small = predictor.predict(points, labels, box, multimask_output=several)
    prompts = Prompts(np.float32(points)[None], np.int32(labels)[None], np.float32(box)[None])
    answer = model.answer(model.embed(picture(shape)), prompts, several)
    assert np.allclose(answer.scores, scores, atol=1e-5)
    assert np.allclose(answer.values, small[:, : answer.values.shape[1]], atol=1e-3)
    found = enlarged(answer, shape)
    assert found.shape == want.shape == (3 if several else 1, *shape)
    assert 0.02 < want.mean() < 0.98  # the masks have borders
    assert agree(found, want) > (0.995 if max(shape) <= SIDE else 0.985)  # larger: the package interpolates twice


def test_padding_points_are_no_points(model: SamModel) -> None:
    embedding = model.embed(picture())
    one = Prompts(np.float32([[[30, 40]]]), np.int32([[ON]]), np.float32([[10, 10, 60, 60]]))
    more = Prompts(np.float32([[[30, 40], [99, 3]]]), np.int32([[ON, PADDING]]), one.boxes)
    moved = Prompts(np.float32([[[30, 40], [5, 77]]]), more.labels, one.boxes)
    answers = [model.answer(embedding, p, False).values for p in (more, moved, one)]
    assert np.array_equal(answers[0], answers[1])  # where the padding lies does not matter
    assert not np.array_equal(
        answers[0], model.answer(embedding, Prompts(more.points, np.int32([[1, 0]])), False).values
    )


def test_a_batch_answers_as_one_by_one(model: SamModel) -> None:
    embedding, grid = model.embed(picture()), grid_prompts(3, SHAPE)
    together = model.answer(embedding, grid, True)
    assert together.values.shape == (27, SIDE // 4 * 3 // 4, SIDE // 4) and together.extent == (24.0, 32.0)
    single = [model.answer(embedding, grid.take([k]), True) for k in range(9)]
    assert np.allclose(together.values, np.concatenate([s.values for s in single]), atol=1e-3)


def test_automatic_masks_are_those_of_the_package(network, model: SamModel) -> None:  # type: ignore[no-untyped-def]
    """With nothing removed for overlap: boxes of random masks are all alike (that step has a test of its own)."""
    from segment_anything import SamAutomaticMaskGenerator

    answer = model.answer(model.embed(picture()), grid_prompts(6, SHAPE), True)
    scores = np.sort(answer.scores)
    least = float(scores[40:42].mean())  # between two scores, so that rounding decides nothing
    generator = SamAutomaticMaskGenerator(
        network,
        points_per_side=6,
        points_per_batch=10,
        pred_iou_thresh=least,
        stability_score_thresh=0.0,
        box_nms_thresh=1.0,
    )
    want = sorted(generator.generate(picture()), key=lambda m: -m["predicted_iou"])
    rules = AutomaticRules(6, 10, least, 0.0, 1.0, 1)
    found = AutomaticMasks(model, PromptedSegmenter(model), rules).masks(picture(), 0)
    assert len(found) == len(want) == 108 - 41
    assert np.mean([agree(f, w["segmentation"]) for f, w in zip(found, want, strict=True)]) > 0.99
    best = answer.take(np.argsort(-answer.scores, kind="stable")[: len(want)])
    assert np.allclose(stability(best.values), [w["stability_score"] for w in want], atol=0.03)


def test_weights_are_read_from_both_kinds_of_file(
    network,
    model: SamModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,  # type: ignore[no-untyped-def]
) -> None:
    torch.save(network.state_dict(), tmp_path / "w.pth")
    save_file(network.state_dict(), tmp_path / "w.safetensors")
    monkeypatch.setitem(sam.sam_model_registry, "vit_b", lambda: tiny_sam(seed=1))
    want = model.answer(model.embed(picture()), grid_prompts(2, SHAPE), True).values
    for name in ("w.pth", "w.safetensors"):
        loaded = load_sam("sam_vit_b", tmp_path / name, "cpu")
        assert np.array_equal(loaded.answer(loaded.embed(picture()), grid_prompts(2, SHAPE), True).values, want)


def test_weights_of_another_network_are_refused(network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    state = dict(network.state_dict())
    state.pop("image_encoder.pos_embed")
    torch.save(state, tmp_path / "w.pth")
    monkeypatch.setitem(sam.sam_model_registry, "vit_b", tiny_sam)
    with pytest.raises(MissingWeightsError, match=r"(?s)sam_model.*pos_embed"):
        load_sam("sam_vit_b", tmp_path / "w.pth", "cpu")


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_damaged_files_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"not weights at all")
    with pytest.raises(MissingWeightsError, match="moss weights verify"):
        load_state(tmp_path / name)


def test_files_that_hold_code_are_refused(tmp_path: Path) -> None:
    torch.save({"a": Path("x")}, tmp_path / "w.pth")
    with pytest.raises(MissingWeightsError, match="not a weight file"):
        load_state(tmp_path / "w.pth")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_said(network) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigError, match="sam_device"):
        SamModel(network, "cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_half_precision_answers_nearly_the_same() -> None:
    exact, half = SamModel(tiny_sam(), "cpu"), SamModel(tiny_sam(), "cuda", half=True)
    answers = [m.answer(m.embed(picture()), grid_prompts(3, SHAPE), True) for m in (exact, half)]
    assert agree(answers[0].values > 0, answers[1].values > 0) > 0.97


@pytest.mark.slow
@pytest.mark.parametrize(("name", "millions"), [("sam_vit_b", 93.7), ("sam_vit_l", 312.3), ("sam_vit_h", 641.1)])
def test_the_names_build_the_published_networks(name: str, millions: float) -> None:
    with torch.device("meta"):
        network = sam.sam_model_registry[name.removeprefix("sam_")]()
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(millions, abs=0.1)
