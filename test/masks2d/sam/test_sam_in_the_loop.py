"""Segment Anything prompted by the proposals of the pipeline: 3D -> 2D -> 3D, with real architectures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sam_models import ColorModel, tiny_sam, tiny_sam2, tiny_sam3
from scenes import CONFIG, room_frames

from moss_ros.config import LanguageConfig, LiftingConfig, MasksConfig, MossConfig
from moss_ros.masks2d import choose
from moss_ros.masks2d.choose import configured_prompter
from moss_ros.masks2d.geometric import GeometricSegmenter
from moss_ros.masks2d.sam.sam import SamModel
from moss_ros.masks2d.sam.sam_logits import MaskLogits
from moss_ros.masks2d.sam.sam_model import PromptModel
from moss_ros.masks2d.sam.sam_prompts import ON, PADDING, Prompts
from moss_ros.masks2d.sam.sam_segmenter import SamMasks
from moss_ros.masks2d.sam.sam_transformers import SAM2, SAM3, SamTransformersModel
from moss_ros.pipeline import Pipeline
from moss_ros.weights.table import MissingWeightsError

ASKED = LiftingConfig(prompt_min_pixels=20)
# Random networks are not stable, and rarely agree: every answer counts that overlaps at all.
CREDULOUS = replace(ASKED, prompt_min_stability=0.0, prompt_min_iou=0.01, refine_min_iou=0.01)
MASKS = MasksConfig(segmenter="sam", sam_points_per_side=3, min_pixels=20)
QUIET = replace(CONFIG, masks=MASKS, language=LanguageConfig(enabled="never"))

NETWORKS: dict[str, Callable[[], PromptModel]] = {
    "sam": lambda: SamModel(tiny_sam(), "cpu"),
    "sam2": lambda: SamTransformersModel(tiny_sam2(), SAM2, "cpu"),
    "sam3": lambda: SamTransformersModel(tiny_sam3(), SAM3, "cpu"),
}


class Noting:
    """A model that counts what it is asked, and keeps the prompts that have boxes."""

    def __init__(self, model: PromptModel) -> None:
        self._model = model
        self.embedded = 0
        self.prompts: list[Prompts] = []

    def embed(self, color_rgb: np.ndarray) -> Any:
        self.embedded += 1
        return self._model.embed(color_rgb)

    def answer(self, embedding: Any, prompts: Prompts, several: bool) -> MaskLogits:
        if prompts.boxes is not None:
            self.prompts.append(prompts)
        return self._model.answer(embedding, prompts, several)


def driven(model: PromptModel, lifting: LiftingConfig, masks: MasksConfig = MASKS) -> Pipeline:
    """A drive around the table."""
    pipeline = Pipeline(replace(QUIET, masks=masks, lifting=lifting), SamMasks(masks, model))
    for frame in room_frames()[:24:3]:
        pipeline.step(frame)
    pipeline.keyframes.settle()
    return pipeline


@pytest.mark.parametrize("name", NETWORKS)
def test_real_architectures_answer_the_proposals_of_the_pipeline(name: str) -> None:
    model = Noting(NETWORKS[name]())
    pipeline = driven(model, CREDULOUS)
    keyframes = len(pipeline.keyframes.keyframes)
    assert model.embedded == keyframes and not model.prompts
    snapshot = pipeline.segment(full=True)
    assert len(snapshot.instances) >= 3  # random answers do not destroy what the map shows
    assert model.embedded == keyframes  # one look at each image, for all masks and all prompts
    asked = [p for p in model.prompts for _ in range(len(p))]
    assert len(asked) >= 3
    for prompts in model.prompts:
        assert (prompts.labels[:, 0] == ON).all() and np.isfinite(prompts.boxes).all()
    assert any((p.labels[:, 2:] != PADDING).any() for p in model.prompts)  # points on neighbours
    assert pipeline.timings.summary()["prompts"]["n"] == 1
    before = len(model.prompts)
    pipeline.segment(full=True)
    assert len(model.prompts) == before and model.embedded == keyframes  # nothing changed


def test_answers_change_what_the_refinement_finds() -> None:
    """A random network that is believed leaves other masks than one that is not asked."""
    found = [driven(NETWORKS["sam"](), c) for c in (CREDULOUS, replace(CREDULOUS, prompt="never"))]
    for pipeline in found:
        pipeline.segment(full=True)
    sizes = [[len(v) for v in pipeline.proposals.voxels] for pipeline in found]
    assert sizes[0] != sizes[1]
    assert "prompts" not in found[1].timings.summary()


def test_a_new_keyframe_touches_only_what_it_changed() -> None:
    model = Noting(ColorModel())
    masks = replace(MASKS, sam_points_per_side=16)
    pipeline = driven(model, replace(ASKED, prompt_views=100), masks)
    pipeline.segment(full=True)
    settled = sum(map(len, model.prompts))
    pipeline.segment()
    assert sum(map(len, model.prompts)) == settled
    known = {id(k) for k in pipeline.keyframes.keyframes.values()}
    pipeline.step(room_frames()[1])
    pipeline.keyframes.settle()
    new = [k for k in pipeline.keyframes.keyframes.values() if id(k) not in known]
    embedded = model.embedded
    pipeline.segment()
    again = sum(map(len, model.prompts)) - settled
    assert len(new) == 1 and model.embedded == embedded  # images that were looked at are remembered
    assert 0 < again < settled


def test_another_segmenter_makes_the_masks_and_the_model_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Noting(ColorModel())
    monkeypatch.setattr(choose, "configured_model", lambda config: model)
    masks = replace(MASKS, segmenter="geometric")
    pipeline = Pipeline(replace(QUIET, masks=masks, lifting=replace(ASKED, prompt="always")))
    for frame in room_frames()[:24:3]:
        pipeline.step(frame)
    assert model.embedded == 0
    snapshot = pipeline.segment(full=True)
    assert model.prompts and 0 < model.embedded <= len(pipeline.keyframes.keyframes)
    assert len(snapshot.instances) >= 3


def test_who_answers_is_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    segmenter = SamMasks(MASKS, ColorModel())
    other = GeometricSegmenter(MASKS)
    assert configured_prompter(MASKS, segmenter, "auto") is segmenter.prompted
    assert configured_prompter(MASKS, segmenter, "always") is segmenter.prompted
    assert configured_prompter(MASKS, segmenter, "never") is None
    assert configured_prompter(MASKS, other, "auto") is None
    monkeypatch.setenv("MOSS_WEIGHTS", str(tmp_path))
    with pytest.raises(MissingWeightsError, match="moss weights fetch sam_vit_b"):
        Pipeline(MossConfig(lifting=LiftingConfig(prompt="always")), other)
    Pipeline(replace(QUIET, lifting=LiftingConfig(prompt="always", refine=False)), other)  # nobody would listen
