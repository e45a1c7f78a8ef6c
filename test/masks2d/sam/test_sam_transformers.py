"""The wrapper of SAM 2.1 and SAM 3 on small networks, against the processors of transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sam_models import SIDE, tiny_sam2, tiny_sam3

from moss_ros.config import ConfigError
from moss_ros.masks2d.sam.sam_logits import enlarged
from moss_ros.masks2d.sam.sam_prompts import ON, PADDING, Prompts, grid_prompts
from moss_ros.masks2d.sam.sam_transformers import SAM2, SAM3, Kind, SamTransformersModel, load_sam_transformers
from moss_ros.weights.table import MissingWeightsError

SHAPE = (96, 160)


@pytest.fixture(scope="module")
def sam2() -> Any:
    return tiny_sam2()


@pytest.fixture(scope="module")
def sam3() -> Any:
    return tiny_sam3()


def picture() -> np.ndarray:
    coarse = np.random.default_rng(5).integers(0, 256, (6, 10, 3), dtype=np.uint8)
    return np.asarray(np.kron(coarse, np.ones((16, 16, 1), np.uint8)))


def processor(kind: Kind) -> Any:
    """transformers' own way from pictures to tensors and back."""
    from transformers import Sam2ImageProcessor, Sam2Processor, Sam3ImageProcessor, Sam3TrackerProcessor

    if kind is SAM2:
        return Sam2Processor(Sam2ImageProcessor(size={"height": SIDE, "width": SIDE}), target_size=SIDE)
    return Sam3TrackerProcessor(Sam3ImageProcessor(size={"height": 112, "width": 112}), target_size=112)


@pytest.mark.parametrize("several", [True, False])
@pytest.mark.parametrize("kind", [SAM2, SAM3], ids=["sam2", "sam3"])
def test_answers_are_those_of_transformers(sam2: Any, sam3: Any, kind: Kind, several: bool) -> None:
    network, own = (sam2 if kind is SAM2 else sam3), processor(kind)
    points = [[[80.0, 50.0], [10.0, 20.0]], [[30.0, 60.0], [100.0, 9.0]]]
    labels, boxes = [[1, 0], [1, 1]], [[20.0, 10.0, 120.0, 80.0], [5.0, 40.0, 90.0, 90.0]]
    inputs = own(
        images=picture(), input_points=[points], input_labels=[labels], input_boxes=[boxes], return_tensors="pt"
    )
    with torch.inference_mode():
        out = network(**{k: v for k, v in inputs.items() if k != "original_sizes"}, multimask_output=several)
    want = own.post_process_masks(out.pred_masks, inputs["original_sizes"])[0].flatten(0, 1).numpy()
    model = SamTransformersModel(network, kind, "cpu")
    prompts = Prompts(np.float32(points), np.int32(labels), np.float32(boxes))
    answer = model.answer(model.embed(picture()), prompts, several)
    assert np.allclose(answer.scores, out.iou_scores.flatten().numpy(), atol=0.01)
    found = enlarged(answer, SHAPE)
    assert found.shape == want.shape == (6 if several else 2, *SHAPE)
    assert 0.02 < want.mean() < 0.98
    assert (found == want).mean() > 0.98


@pytest.mark.parametrize("kind", [SAM2, SAM3], ids=["sam2", "sam3"])
def test_points_alone_are_enough_and_padding_counts_for_nothing(sam2: Any, sam3: Any, kind: Kind) -> None:
    model = SamTransformersModel(sam2 if kind is SAM2 else sam3, kind, "cpu")
    embedding = model.embed(picture())
    grid = grid_prompts(2, SHAPE)
    answer = model.answer(embedding, grid, True)
    assert answer.values.shape == (12, 32, 32) and answer.extent == (32.0, 32.0)
    padding = np.full((4, 1), PADDING, np.int32)
    two = [
        Prompts(np.concatenate([grid.points, np.full((4, 1, 2), at, np.float32)], 1), np.hstack([grid.labels, padding]))
        for at in (0, 77)
    ]
    answers = [model.answer(embedding, p, True).values for p in two]
    assert np.array_equal(*answers)
    other = model.answer(embedding, Prompts(two[1].points, np.full((4, 2), ON, np.int32)), True).values
    assert not np.allclose(answers[0], other, atol=1e-3)


@pytest.mark.parametrize("kind", [SAM2, SAM3], ids=["sam2", "sam3"])
def test_a_saved_folder_answers_the_same(sam2: Any, sam3: Any, kind: Kind, tmp_path: Path) -> None:
    network = sam2 if kind is SAM2 else sam3
    network.save_pretrained(tmp_path)
    loaded = load_sam_transformers("sam3" if kind is SAM3 else "sam2.1_hiera_tiny", tmp_path, "cpu")
    model, grid = SamTransformersModel(network, kind, "cpu"), grid_prompts(2, SHAPE)
    values = [m.answer(m.embed(picture()), grid, True).values for m in (loaded, model)]
    assert np.allclose(*values, atol=1e-5)


def test_weights_that_are_not_whole_are_refused(sam2: Any, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    sam2.save_pretrained(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    state.pop("mask_decoder.iou_token.weight")
    save_file(state, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(MissingWeightsError, match=r"lacks 1 tensors.*iou_token"):
        load_sam_transformers("sam2.1_hiera_tiny", tmp_path, "cpu")


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingWeightsError, match="moss weights verify sam3"):
        load_sam_transformers("sam3", tmp_path, "cpu")


def test_old_transformers_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import types

    monkeypatch.setitem(__import__("sys").modules, "transformers", types.SimpleNamespace(__version__="4.0"))
    with pytest.raises(ConfigError, match=r"4\.0 has no Sam3TrackerModel"):
        load_sam_transformers("sam3", tmp_path, "cpu")
