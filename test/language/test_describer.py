"""A room with coloured things, read by a made-up encoder: which masks it gets, what the instances are called."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scenes import CONFIG, room_frames

from moss_ros.config import LanguageConfig
from moss_ros.language import describer
from moss_ros.language.describer import mask_step, members_of
from moss_ros.pipeline import Pipeline
from moss_ros.questions.query import Status
from moss_ros.questions.query_limits import QueryRequest

COLORS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1)}


class ColorEncoder:
    """A mask means the mean colour of its pixels, a text the colour that it names."""

    name = "colours"
    dimensions = 3

    def __init__(self) -> None:
        self.masks: list[np.ndarray] = []

    def encode_texts(self, texts):
        rows = np.full((len(texts), 3), 0.1, np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word, color in COLORS.items():
                if word in text.split():
                    row[:] += np.array(color, np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def encode_masks(self, color_rgb, masks):
        self.masks.append(masks)
        rows = np.zeros((len(masks), 3), np.float32)
        for row, mask in zip(rows, masks, strict=True):
            step = len(color_rgb) // len(mask)
            mask = mask.repeat(step, 0).repeat(step, 1)
            if mask.any():
                row[:] = color_rgb[mask].astype(float).mean(0)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def mapped(**language):
    config = replace(CONFIG, language=LanguageConfig(size_weight=0.0, label_min_score=0.0, **language))
    pipeline = Pipeline(config, encoder=ColorEncoder())
    for frame in room_frames():
        pipeline.step(frame)
    pipeline.segment(full=True)
    pipeline.segment(full=True)
    return pipeline


@pytest.fixture(scope="module")
def done():
    pipeline = mapped()
    return pipeline, pipeline.describe()


def test_members_of_lists_the_voxels_of_each_instance():
    found = members_of(np.array([0, 5, 3, 5, 0, 3]))
    assert {i: v.tolist() for i, v in found.items()} == {3: [2, 5], 5: [1, 3]}
    assert members_of(np.zeros(4, int)) == {}


def test_embedding_is_the_look_of_the_instance(done):
    pipeline, snapshot = done
    looks = dict(zip(pipeline.words.embeddings.ids.tolist(), pipeline.words.embeddings.mean, strict=True))
    assert set(looks) == {i.id for i in snapshot.instances}
    for instance in snapshot.instances:
        color = instance.colors_rgb.astype(float).mean(0)
        assert looks[instance.id] @ color / np.linalg.norm(color) > 0.98


def test_nothing_is_read_twice(done):
    pipeline, snapshot = done
    calls = len(pipeline.words.encoder.masks)
    again = pipeline.describe()
    assert len(pipeline.words.encoder.masks) == calls
    assert pipeline.undescribed == 0
    assert [(i.id, i.label) for i in again.instances] == [(i.id, i.label) for i in snapshot.instances]


def test_vocabulary_names_the_instances_and_only_changed_ones_are_told(done):
    pipeline, _ = done
    pipeline.relabel(("red thing", "green thing", "blue thing"))
    snapshot, changed = pipeline.relabel(("red object", "green thing", "blue thing"))
    reds = {i.id for i in snapshot.instances if i.label == "red object"}
    assert reds
    assert changed == len(reds)
    for instance in snapshot.instances:
        color = instance.colors_rgb.astype(float).mean(0)
        if instance.label != "object" and color.max() > 1.5 * np.median(color):
            assert instance.label.split()[0] == list(COLORS)[int(color.argmax())]
    assert reds <= snapshot.changed_ids
    later = pipeline.segment()
    assert {i.id: i.label for i in later.instances if i.id in reds} == dict.fromkeys(reds, "red object")


def test_pass_reads_so_many_keyframes_and_tells_how_many_are_left():
    pipeline = mapped()
    pipeline.describe(1)
    assert len(pipeline.words.encoder.masks) == 1
    left = pipeline.undescribed
    assert left >= 1
    pipeline.describe(1)
    assert pipeline.undescribed == left - 1


def test_question_finds_the_red_thing_and_reset_forgets_it(done):
    pipeline = mapped()
    named = pipeline.describe()
    answer = pipeline.find(QueryRequest("red thing", min_score=0.01))
    assert answer.model == "colours"
    assert answer.status is Status.FOUND
    best = next(i for i in named.instances if i.id == answer.found[0].id)
    color = best.colors_rgb.astype(float).mean(0)
    assert color.argmax() == 0
    pipeline.reset()
    assert pipeline.find(QueryRequest("red thing")).status is Status.NOT_OBSERVED


def test_masks_are_coarser_where_the_image_is_large():
    assert [mask_step(*size) for size in ((160, 120), (640, 480), (1280, 720), (641, 480), (3840, 2160))] == [
        1,
        2,
        4,
        1,
        12,
    ]


def test_coarse_masks_are_read_like_fine_ones(monkeypatch):
    fine = mapped().describe()
    monkeypatch.setattr(describer, "_MASKS_PX", 80)
    coarse = mapped()
    assert [i.label for i in coarse.describe().instances] == [i.label for i in fine.instances]
    assert coarse.words.encoder.masks[0].shape[1:] == (60, 80)
