"""Proposals shown to a model that knows the room: who is asked, when, with what, and what the answers change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scenes import CAMERA, CONFIG, TABLE, THINGS, cast, orbit, render, room

from moss_ros.config import LanguageConfig, LiftingConfig
from moss_ros.lifting.expansion import Expansion
from moss_ros.lifting.mask_votes import Answer, MaskTable, Opinions, with_answers
from moss_ros.lifting.prompted_views import Answers, PromptedViews
from moss_ros.lifting.refine import Refiner
from moss_ros.masks2d.evidence import ViewEvidence
from moss_ros.masks2d.sam.sam_prompted import PromptedMasks
from moss_ros.masks2d.sam.sam_prompts import OFF, ON, Prompts
from moss_ros.pipeline import Pipeline
from moss_ros.proposals.solid_voxels import SolidVoxels
from moss_ros.records import MaskProposals

COLOR = CAMERA.resized(320, 240)  # twice as large as depth
VIEWS = 6
PLAIN = replace(
    CONFIG,
    language=LanguageConfig(enabled="never"),
    mapping=replace(CONFIG.mapping, keyframe_distance_m=0.01),
)


class Knowing:
    """Answers with the true mask of what the first point lies on; notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []  # stamp, thing
        self.stability = 1.0
        self.shift = 0  # px that the answers are moved by

    def masks(self, color_rgb: np.ndarray, prompts: Prompts, stamp_ns: int) -> PromptedMasks:
        ids = cast(room(), orbit(VIEWS)[stamp_ns], COLOR)[1]
        assert color_rgb.shape == (240, 320, 3) and prompts.boxes is not None
        out = []
        for row, labels, box in zip(prompts.points.astype(int), prompts.labels, prompts.boxes, strict=True):
            on = [int(ids[y, x]) for (x, y), label in zip(row, labels, strict=True) if label == ON]
            beside = [int(ids[y, x]) for (x, y), label in zip(row, labels, strict=True) if label == OFF]
            assert on and on[0] not in beside
            assert (box[2:] > box[:2]).all()
            out.append(np.roll(ids == on[0], self.shift, axis=1))
            self.asked.append((stamp_ns, on[0]))
        n = len(out)
        masks = np.array(out) if n else np.zeros((0, 240, 320), bool)
        return PromptedMasks(masks, np.full(n, 0.9, np.float32), np.full(n, self.stability, np.float32))


@dataclass
class World:
    """A map of the table with three things, its evidence, and the voxels that are truly of each thing."""

    pipeline: Pipeline
    truth: dict[int, np.ndarray]

    def half(self, thing: int) -> np.ndarray:
        """The half of a thing with smaller x."""
        x = self.pipeline.voxels.position[self.truth[thing], 0]
        return self.truth[thing][x < np.median(x)]

    def ask(self, views: PromptedViews, masks: list[np.ndarray], full: bool = False) -> Answers:
        p = self.pipeline
        return views.update(proposals(masks), p.keyframes.keyframes, p.keyframes.evidence, p.voxels, full)


def proposals(masks: list[np.ndarray]) -> MaskProposals:
    return MaskProposals(tuple(masks), np.ones(len(masks), np.float32), ("object",) * len(masks))


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return len(np.intersect1d(a, b)) / max(len(np.union1d(a, b)), 1)


def drive() -> World:
    pipeline = Pipeline(PLAIN)
    votes: dict[int, list[np.ndarray]] = {thing: [] for thing in (*THINGS, TABLE)}
    for stamp, pose in enumerate(orbit(VIEWS)):
        for repeat in range(2):  # two hits make a voxel count
            frame = render(room(), pose, stamp_ns=stamp, color_camera=COLOR)
            pipeline.step(frame) if repeat == 0 else pipeline.voxels.integrate(frame)
    pipeline.segment()
    for pose in orbit(VIEWS):
        ids = cast(room(), pose)[1]
        image = pipeline.voxels.voxel_image(render(room(), pose).depth_m, pose, CAMERA)
        for thing in votes:
            votes[thing].append(image[(ids == thing) & (image >= 0)])
    solid = pipeline.normals.solid
    truth = {t: np.unique(np.concatenate(v)).astype(np.int32) for t, v in votes.items()}
    return World(pipeline, {t: v[solid[v]] for t, v in truth.items()})


@pytest.fixture(scope="module")
def shared_world() -> World:
    """Tests only read it."""
    return drive()


@pytest.fixture
def knowing() -> Iterator[Knowing]:
    yield Knowing()


def views_of(knowing: Knowing, **values: float) -> PromptedViews:
    config = replace(LiftingConfig(), **{"prompt_min_pixels": 20, "prompt_keyframes": 100, **values})
    return PromptedViews(config, knowing, Expansion(config))


def test_answers_are_the_things_on_the_voxels_that_the_view_saw(shared_world: World, knowing: Knowing) -> None:
    w = shared_world
    evidence = w.pipeline.keyframes.evidence
    answers = w.ask(views_of(knowing), [w.truth[t] for t in THINGS])
    assert set(answers) == {w.truth[t].tobytes() for t in THINGS}
    for thing in THINGS:
        given = answers[w.truth[thing].tobytes()]
        assert [a.slot for a in given] == sorted({a.slot for a in given})
        for answer in given:
            seen = np.intersect1d(w.truth[thing], evidence.views[answer.slot].voxels)
            assert iou(answer.voxels, seen) > 0.8
            assert answer.weight == pytest.approx(0.9 * iou(answer.voxels, seen), abs=1e-6)
            assert np.isin(answer.voxels, evidence.views[answer.slot].voxels).all()
            assert (np.diff(answer.voxels) > 0).all() and answer.voxels.dtype == np.int32


def test_a_damaged_proposal_is_answered_with_the_whole_thing(shared_world: World, knowing: Knowing) -> None:
    w = shared_world
    damaged = w.half(13)
    (given,) = w.ask(views_of(knowing, prompt_min_iou=0.3), [damaged]).values()
    for answer in given:
        seen = w.pipeline.keyframes.evidence.views[answer.slot].voxels
        assert iou(answer.voxels, np.intersect1d(w.truth[13], seen)) > 0.8


def test_answers_make_a_damaged_proposal_whole_where_no_mask_of_a_view_does(knowing: Knowing) -> None:
    w = drive()
    p, damaged = w.pipeline, w.half(13)
    evidence = p.keyframes.evidence
    for slot in evidence.slots():
        view = evidence.views[slot]
        evidence.put(slot, ViewEvidence(view.voxels, np.zeros_like(view.labels), 0))
    answers = w.ask(views_of(knowing, prompt_min_iou=0.3), [damaged])
    solid = SolidVoxels.of(p.voxels, p.normals.solid)
    rest = proposals([damaged]), evidence, solid, p.superpoints.labels
    refiner = Refiner(LiftingConfig())
    assert np.array_equal(refiner.update(*rest).voxels[0], damaged)
    assert iou(refiner.update(*rest, answers).voxels[0], w.truth[13]) > 0.8
    assert refiner.redone == 1  # because there are answers now
    refiner.update(*rest, answers)
    assert refiner.redone == 0
    assert np.array_equal(refiner.update(*rest).voxels[0], damaged) and refiner.redone == 1


def test_the_best_keyframes_are_asked_and_no_more(shared_world: World, knowing: Knowing) -> None:
    w = shared_world
    w.ask(views_of(knowing, prompt_views=2), [w.truth[13]])
    seen = {s: len(np.intersect1d(w.truth[13], v.voxels)) for s, v in w.pipeline.keyframes.evidence.views.items()}
    best = sorted(seen, key=lambda s: (-seen[s], s))[:2]
    stamps = w.pipeline.keyframes.stamps_ns()
    assert sorted(knowing.asked) == sorted((stamps[s], 13) for s in best)


def test_nothing_changed_nothing_asked(shared_world: World, knowing: Knowing) -> None:
    w = shared_world
    views, masks = views_of(knowing), [w.truth[t] for t in THINGS]
    first = w.ask(views, masks)
    asked = len(knowing.asked)
    assert views.prompted == asked > 0
    for full in (False, True):
        again = w.ask(views, masks, full)
        assert views.prompted == 0 and len(knowing.asked) == asked
        assert all(a is b for key in first for a, b in zip(first[key], again[key], strict=True))


def test_only_the_changed_proposal_is_asked_again(shared_world: World, knowing: Knowing) -> None:
    w = shared_world
    views = views_of(knowing, prompt_min_iou=0.3)
    w.ask(views, [w.truth[t] for t in THINGS])
    knowing.asked.clear()
    w.ask(views, [w.truth[11], w.truth[12], w.half(13)])
    assert knowing.asked and {thing for _, thing in knowing.asked} == {13}


def test_a_keyframe_with_other_evidence_is_asked_again(knowing: Knowing) -> None:
    w = drive()
    views, masks = views_of(knowing), [w.truth[t] for t in THINGS]
    w.ask(views, masks)
    knowing.asked.clear()
    evidence = w.pipeline.keyframes.evidence
    evidence.put(2, replace(evidence.views[2]))
    w.ask(views, masks)
    assert {stamp for stamp, _ in knowing.asked} == {w.pipeline.keyframes.stamps_ns()[2]}
    del w.pipeline.keyframes.keyframes[2]
    evidence.drop(2)
    assert all(a.slot != 2 for given in w.ask(views, masks).values() for a in given)


def test_a_pass_asks_about_some_keyframes_and_the_next_goes_on(shared_world: World, knowing: Knowing) -> None:
    w = shared_world
    masks = [w.truth[t] for t in THINGS]
    views = views_of(knowing, prompt_keyframes=1)
    stamps = []
    for _ in range(2 * VIEWS):
        before = len(knowing.asked)
        w.ask(views, masks)
        stamps.append({stamp for stamp, _ in knowing.asked[before:]})
    assert all(len(s) <= 1 for s in stamps) and not stamps[-1]
    everything = w.ask(views_of(Knowing()), masks)
    slowly = w.ask(views, masks)
    assert set(slowly) == set(everything)
    for key in everything:
        assert [(a.slot, a.voxels.tobytes()) for a in slowly[key]] == [
            (a.slot, a.voxels.tobytes()) for a in everything[key]
        ]


def test_a_full_pass_does_not_depend_on_the_history(shared_world: World, knowing: Knowing) -> None:
    """Neighbours that came later change the points beside: a full pass asks with those."""
    w = shared_world
    views = views_of(knowing)
    w.ask(views, [w.truth[11]])
    everything = [w.truth[t] for t in (*THINGS, TABLE)]
    late = w.ask(views, everything, full=True)
    anew = w.ask(views_of(Knowing()), everything, full=True)
    assert {k: [a.voxels.tobytes() for a in v] for k, v in late.items()} == {
        k: [a.voxels.tobytes() for a in v] for k, v in anew.items()
    }
    asked_11 = sum(thing == 11 for _, thing in knowing.asked)
    assert asked_11 > len(late[w.truth[11].tobytes()])  # asked again in some keyframes


@pytest.mark.parametrize("fault", ["unstable", "elsewhere"])
def test_answers_that_cannot_be_trusted_say_nothing(shared_world: World, knowing: Knowing, fault: str) -> None:
    w = shared_world
    if fault == "unstable":
        knowing.stability = 0.5
    else:
        knowing.shift = 60
    views = views_of(knowing)
    assert w.ask(views, [w.truth[t] for t in THINGS]) == {} and views.prompted > 0


def test_nothing_to_show_nothing_asked(shared_world: World, knowing: Knowing) -> None:
    w = shared_world
    assert w.ask(views_of(knowing), []) == {}
    one = w.truth[11][:1]
    config = replace(LiftingConfig(), prompt_min_pixels=10000)
    assert w.ask(PromptedViews(config, knowing, Expansion(config)), [one, w.truth[12]]) == {}
    large = replace(LiftingConfig(), refine_max_voxels=10)
    assert w.ask(PromptedViews(large, knowing, Expansion(large)), [w.truth[12]]) == {}
    unseen = np.flatnonzero(~w.pipeline.keyframes.evidence.seen.any(1)).astype(np.int32)
    if len(unseen):
        assert w.ask(views_of(knowing), [unseen]) == {}
    assert not knowing.asked


def test_answers_take_the_place_of_the_masks_of_their_view() -> None:
    table = MaskTable()
    table.offsets, table.voxels = np.array([0, 2, 3]), np.array([5, 6, 7], np.int32)
    # voxel mask 0: masks 0 (slot 1) and 1 (slot 4); voxel mask 1: mask 1 (slot 4)
    said = Opinions(np.array([0, 2, 3]), np.array([0, 1, 1]), np.array([1, 4, 4]), np.float32([0.5, 0.6, 0.7]))
    answers = [(Answer(2, np.array([1, 2, 3], np.int32), 0.8), Answer(4, np.array([9], np.int32), 0.9)), ()]
    found, offsets, voxels = with_answers(said, answers, table)
    assert found.first.tolist() == [0, 3, 4]
    assert found.slots.tolist() == [1, 2, 4, 4] and found.masks.tolist() == [0, 2, 3, 1]
    assert found.weights.tolist() == pytest.approx([0.5, 0.8, 0.9, 0.7])
    assert offsets.tolist() == [0, 2, 3, 6, 7] and voxels.tolist() == [5, 6, 7, 1, 2, 3, 9]
    same, offsets, _ = with_answers(said, [(), ()], table)
    assert same is said and offsets is table.offsets
