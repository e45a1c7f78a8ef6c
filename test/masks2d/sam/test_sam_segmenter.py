"""The segmenter of the pipeline on a Segment Anything model: sizes, floor, configuration, and the whole story."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sam_models import ColorModel, tiny_sam, tiny_sam2
from scenes import CAMERA, CONFIG, FLOOR_M, THINGS, cast, orbit, render, room, room_frames

from moss_ros.config import ConfigError, LanguageConfig, MasksConfig
from moss_ros.mapping.keyframes import Keyframe, make_keyframe
from moss_ros.masks2d.choose import configured_segmenter
from moss_ros.masks2d.sam import sam, sam_model
from moss_ros.masks2d.sam.sam import SamModel
from moss_ros.masks2d.sam.sam_model import configured_model
from moss_ros.masks2d.sam.sam_segmenter import SamMasks
from moss_ros.masks2d.sam.sam_transformers import SAM2, SamTransformersModel
from moss_ros.pipeline import Pipeline
from moss_ros.weights.table import TABLE, MissingWeightsError

RULES = MasksConfig(segmenter="sam", sam_points_per_side=16, min_pixels=20)
QUIET = replace(CONFIG, language=LanguageConfig(enabled="never"))
EVERYTHING = replace(
    RULES, sam_min_iou=0.0, sam_min_stability=0.0, sam_points_per_side=3, sam_overlap=1.0, sam_max_share=1.0
)


@pytest.fixture
def keyframe() -> Keyframe:
    """A view of the room, colour twice as large as depth."""
    camera = CAMERA.resized(320, 240)
    return make_keyframe(render(room(), orbit()[3], stamp_ns=5, color_camera=camera), 0, 1.0)


def test_things_are_found_by_their_colours(keyframe: Keyframe) -> None:
    model = ColorModel()
    labels = SamMasks(RULES, model).labels(keyframe, FLOOR_M, None)
    shown = cast(room(), orbit()[3])[1]
    assert labels.shape == (120, 160) and labels.dtype == np.int32 and model.embedded == 1
    owners = [int(np.bincount(labels[shown == thing]).argmax()) for thing in THINGS]
    assert 0 not in owners and len(set(owners)) == len(THINGS)
    for owner, thing in zip(owners, THINGS, strict=True):
        mask, truth = labels == owner, shown == thing
        assert (mask & truth).sum() / (mask | truth).sum() > 0.7
    assert set(np.unique(labels)) == set(range(labels.max() + 1))


@pytest.mark.parametrize("floor_m", [FLOOR_M, None])
def test_the_floor_and_what_fills_the_image_are_no_things(keyframe: Keyframe, floor_m: float | None) -> None:
    floor = cast(room(), orbit()[3])[1] == 1
    assert floor.mean() > 0.05
    everything = replace(RULES, sam_max_share=1.0)
    found = SamMasks(everything, ColorModel()).thing_masks(keyframe, floor_m)
    assert any(m.all() for m in found)  # the second answer of the model
    assert all((m & floor).sum() / (m | floor).sum() < 0.5 for m in found)
    limited = SamMasks(RULES, ColorModel()).thing_masks(keyframe, floor_m)
    assert max(m.mean() for m in limited) <= 0.4 and len(limited) < len(found)


def test_nested_masks_are_shown_as_configured(keyframe: Keyframe) -> None:
    config = replace(RULES, sam_max_share=1.0)
    assert SamMasks(config, ColorModel()).labels(keyframe, FLOOR_M, None).max() >= 4
    whole = SamMasks(replace(config, sam_detail="whole"), ColorModel())
    assert (whole.labels(keyframe, FLOOR_M, None) == 1).all()  # all lies in the mask of the whole image
    images = whole.label_images(keyframe, FLOOR_M)
    assert len(images) >= 2 and (images[0] == 1).all() and images[1].max() >= 3


def test_a_view_without_depth_is_answered(keyframe: Keyframe) -> None:
    blind = replace(keyframe, depth_mm10=np.zeros_like(keyframe.depth_mm10))
    assert SamMasks(RULES, ColorModel()).labels(blind, None, None).max() >= 3


def test_nothing_sure_no_masks(keyframe: Keyframe) -> None:
    labels = SamMasks(replace(RULES, sam_min_iou=1.0), ColorModel()).labels(keyframe, FLOOR_M, None)
    assert labels.shape == (120, 160) and labels.max() == 0


@pytest.mark.parametrize("name", ["sam", "sam2"])
def test_real_architectures_drive_the_whole_pipeline(name: str) -> None:
    """Random weights make random masks: the other sources must still find the things on the table."""
    if name == "sam":
        segmenter = SamMasks(EVERYTHING, SamModel(tiny_sam(), "cpu"))
    else:
        segmenter = SamMasks(EVERYTHING, SamTransformersModel(tiny_sam2(), SAM2, "cpu"))
    pipeline = Pipeline(replace(QUIET, masks=EVERYTHING), segmenter)
    for frame in room_frames()[:24:3]:
        pipeline.step(frame)
    snapshot = pipeline.segment()
    assert sum(view.count for view in pipeline.keyframes.evidence.views.values()) > len(pipeline.keyframes.keyframes)
    assert len(snapshot.instances) >= 3


def test_masks_of_colours_become_agreed_proposals() -> None:
    pipeline = Pipeline(replace(QUIET, masks=RULES), SamMasks(RULES, ColorModel()))
    for frame in room_frames()[:24:3]:
        pipeline.step(frame)
    pipeline.segment()
    assert pipeline.candidates.sources.count("affinity") >= 3


def test_missing_weights_name_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOSS_WEIGHTS", str(tmp_path))
    with pytest.raises(MissingWeightsError, match="moss weights fetch sam_vit_b"):
        configured_segmenter(MasksConfig(segmenter="sam"))
    with pytest.raises(MissingWeightsError, match="moss weights fetch sam3"):
        Pipeline(replace(CONFIG, masks=MasksConfig(segmenter="sam", sam_model="sam3")))


def test_every_model_of_the_configuration_is_in_the_table() -> None:
    (field,) = [f for f in MasksConfig.__dataclass_fields__.values() if f.name == "sam_model"]
    usable = {w.name for w in TABLE if w.name.startswith("sam")}
    assert set(field.metadata["choices"]) == usable


def test_the_configured_file_is_loaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sam.sam_model_registry, "vit_b", tiny_sam)
    torch.save(tiny_sam(seed=2).state_dict(), tmp_path / "w.pth")
    config = MasksConfig(segmenter="sam", sam_weights=str(tmp_path / "w.pth"), sam_device="cpu")
    assert isinstance(configured_segmenter(config), SamMasks)
    assert configured_model(config) is configured_model(config)


def test_the_configured_folder_is_loaded(tmp_path: Path) -> None:
    tiny_sam2().save_pretrained(tmp_path)
    config = MasksConfig(sam_model="sam2.1_hiera_small", sam_weights=str(tmp_path), sam_device="cpu")
    model: Any = configured_model(config)
    assert isinstance(model, SamTransformersModel)


@pytest.mark.parametrize(
    ("name", "library", "wrapper"),
    [("sam_vit_b", "segment_anything", "sam"), ("sam3", "transformers", "sam_transformers")],
)
def test_missing_libraries_are_named(
    name: str, library: str, wrapper: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, f"moss_ros.masks2d.sam.{wrapper}", raising=False)
    monkeypatch.setitem(sys.modules, library, None)
    sam_model._loaded.cache_clear()
    with pytest.raises(ConfigError, match=rf"{library}.*pip install 'moss_ros\[sam\]'"):
        configured_model(MasksConfig(sam_model=name, sam_weights=str(tmp_path)))
