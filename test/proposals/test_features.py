"""Features of proposals, worked out by hand on blocks of voxels."""

import numpy as np
import pytest
from scenes import block, voxels_of

from moss_ros.mapping.structure import Structure
from moss_ros.masks2d.evidence import EvidenceStore, ViewEvidence
from moss_ros.proposals.affinity import AffinityProposals
from moss_ros.proposals.features import FEATURES, SOURCES, features_of
from moss_ros.proposals.measures import Measures
from moss_ros.proposals.shared_voxels import SharedVoxels
from moss_ros.records import MaskProposals

LOW = block((0, 4), (0, 4), (0, 1))  # 16 voxels, one layer
HIGH = block((0, 4), (0, 4), (1, 4))  # 48 voxels on it


def features(masks, sources=None, views=(), scores=None, structure=(), supports=(), tree=False):
    """{name: (K,)} of masks over the two blocks: LOW is voxels 0 to 15, HIGH 16 to 63."""
    voxels = voxels_of(np.concatenate([LOW, HIGH]))
    n = len(voxels.solid)
    voxels.color_rgb[:16], voxels.color_rgb[16:] = 0.0, (3.0, 4.0, 0.0)
    normal = np.tile(np.array([0, 0, 1.0], np.float32), (n, 1))
    normal[16:] = (1.0, 0, 0)
    is_structure, support_of = np.zeros(n, bool), np.zeros(n, np.int32)
    is_structure[list(structure)] = True
    support_of[list(supports)] = 1
    evidence = EvidenceStore()
    evidence.resize(n)
    for slot, labels in enumerate(views):
        seen = np.flatnonzero(np.asarray(labels) >= 0).astype(np.int32)
        values = np.asarray(labels, np.int32)[seen]
        evidence.put(slot, ViewEvidence(seen, values, int(values.max(initial=0))))
    proposals = MaskProposals(
        tuple(np.asarray(m, np.int32) for m in masks),
        np.ones(len(masks), np.float32) if scores is None else np.asarray(scores, np.float32),
        tuple(sources or ["object"] * len(masks)),
    )
    known = Structure(0.0, (), (), is_structure, support_of)
    shared = SharedVoxels.of(proposals, n)
    affinity = None
    if tree:  # the masks of source affinity are groups of a tree that says the same of each
        groups = proposals.take(np.flatnonzero([s == "affinity" for s in proposals.sources]))
        numbers = np.tile(np.array([0.9, 0.2, 0.8, 0.3], np.float32), (len(groups), 1))
        affinity = AffinityProposals(groups, numbers, np.linspace(0, 1, n, dtype=np.float32))
    measures = Measures().update(proposals, shared, voxels, normal, evidence, np.ones(n, bool))
    table = features_of(proposals, measures, shared, known, affinity)
    assert table.shape == (len(masks), len(FEATURES)) and np.isfinite(table).all()
    return dict(zip(FEATURES, table.T.astype(float), strict=True))


def span(first, last):
    return list(range(first, last))


def test_size_and_shape_of_a_block():
    f = features([span(16, 64)])
    assert f["voxels"] == pytest.approx(np.log10(48))
    # Cell centres of an even slab of n cells have a variance of (n^2 - 1) / 12 cells.
    sides = 0.02 * np.sqrt([15.0, 15.0, 8.0])
    assert [f["length_m"][0], f["width_m"][0], f["thickness_m"][0]] == pytest.approx(sides, abs=1e-6)
    assert f["bottom_m"] == pytest.approx(0.03) and f["top_m"] == pytest.approx(0.07)


def test_shares_on_structure_and_supports():
    f = features([span(0, 32)], structure=span(0, 4), supports=span(4, 12))
    assert f["structure"] == pytest.approx(4 / 32) and f["support"] == pytest.approx(8 / 32)


def test_what_touches_it():
    f = features([span(0, 16)])  # the lowest layer of HIGH lies on all of LOW
    assert f["touching"] == pytest.approx(1.0)
    assert f["crease"] == pytest.approx(1.0)  # normals at right angles
    assert f["color_step"] == pytest.approx(5.0)


def test_nothing_touches_the_whole():
    f = features([span(0, 64)])
    assert f["touching"] == f["crease"] == f["color_step"] == pytest.approx(0.0)


def test_views_that_agree_and_that_split():
    agree = np.full(64, -1)
    agree[16:40] = 1  # sees half of HIGH as one mask
    split = np.full(64, -1)
    split[16:28], split[28:40] = 1, 2
    f = features([span(16, 64)], views=[agree])
    assert f["views"] == pytest.approx(1.0) and f["seen"] == pytest.approx(0.5)
    assert f["mask_iou"] == f["mask_inside"] == pytest.approx(1.0)
    f = features([span(16, 64)], views=[agree, split])
    assert f["views"] == pytest.approx(np.log2(3))
    assert f["mask_iou"] == f["mask_inside"] == pytest.approx(0.75)


def test_a_mask_that_holds_more_than_the_proposal():
    view = np.ones(64, int)
    f = features([span(16, 64)], views=[view])
    assert f["mask_inside"] == pytest.approx(1.0) and f["mask_iou"] == pytest.approx(48 / 64)


def test_a_glance_does_not_count_as_a_view():
    view = np.full(64, -1)
    view[16:20] = 1  # 4 of 48 voxels
    f = features([span(16, 64)], views=[view])
    assert f["views"] == f["mask_iou"] == pytest.approx(0.0)


def test_other_sources_parents_and_children():
    f = features([span(16, 64), span(16, 40), span(0, 64)], ["object", "consensus", "furniture"], scores=[1, 0.5, 1])
    assert f["other_iou"] == pytest.approx([48 / 64, 0.5, 48 / 64])
    assert f["parent"] == pytest.approx([1.0, 1.0, 0.0])
    assert f["children"] == pytest.approx([0.5, 0.0, 0.75])
    assert f["consensus"] == pytest.approx([0.0, 0.5, 0.0])


def test_numbers_of_the_affinity_tree_belong_to_its_groups_only():
    masks, sources = [span(16, 64), span(16, 40), span(0, 64)], ["object", "affinity", "furniture"]
    f = features(masks, sources, scores=[1, 0.5, 1], tree=True)
    expected = {"inner": 0.9, "outer": 0.2, "born": 0.8, "died": 0.3, "stands_out": 0.5, "is_affinity": 1.0}
    for name, value in expected.items():
        assert f[name] == pytest.approx([0.0, value, 0.0])
    assert f["thing"] == pytest.approx([39.5 / 63, 27.5 / 63, 0.5], abs=1e-5)
    assert not f["consensus"].any() and not f["is_consensus"].any()
    assert f["other_iou"] == pytest.approx([48 / 64, 0.5, 48 / 64])


def test_without_the_tree_its_numbers_are_zero():
    f = features([span(16, 64), span(16, 40)], ["object", "consensus"], scores=[1, 0.5])
    for name in ("thing", "inner", "outer", "born", "died", "stands_out", "is_affinity"):
        assert not f[name].any()


def test_source_is_one_of_four():
    f = features([[0], [1], [2], [3]], list(SOURCES))
    assert np.stack([f[f"is_{name}"] for name in SOURCES]).tolist() == np.eye(4).tolist()


def test_no_proposal_no_features():
    assert features([])["voxels"].shape == (0,)
