"""View consensus on counts that fit on paper, and on evidence of a few voxels."""

from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from scenes import CONFIG, room_frames

from moss_ros.config import ProposalConfig
from moss_ros.masks2d.evidence import EvidenceStore, ViewEvidence
from moss_ros.pipeline import Pipeline
from moss_ros.proposals.consensus import ConsensusMap, cluster_masks, consensus_proposals

CONFIG_P = ProposalConfig()


def groups(masks, views, config=CONFIG_P):
    """Clusters of masks given as sets of voxels, as sorted lists of mask numbers."""
    shared = np.array([[len(a & b) for b in masks] for a in masks], np.float32)
    return sorted(sorted(c.tolist()) for c in cluster_masks(sp.csr_matrix(shared), np.array(views), config))


def stored(size, *views):
    """Evidence of views given as lists of masks (sets of voxels); what no mask holds is seen unlabelled."""
    store = EvidenceStore()
    store.resize(size)
    for slot, (seen, masks) in enumerate(views):
        label = np.zeros(size, np.int32)
        for number, mask in enumerate(masks, 1):
            label[sorted(mask)] = number
        voxels = np.array(sorted(seen), np.int32)
        store.put(slot, ViewEvidence(voxels, label[voxels], len(masks)))
    return store


def span(first, last):
    return set(range(first, last))


def test_two_views_of_two_objects():
    a, b = span(0, 100), span(100, 200)
    assert groups([a, b, a, b], [0, 0, 1, 1]) == [[0, 2], [1, 3]]


def test_views_from_two_sides_agree_on_what_both_see():
    # Each view sees 80 voxels of an object of 100; they share 60.
    assert groups([span(0, 80), span(20, 100), span(200, 280), span(220, 300)], [0, 1, 0, 1]) == [
        [0, 1],
        [2, 3],
    ]


def test_views_without_common_voxels_stay_apart():
    assert groups([span(0, 50), span(50, 100)], [0, 1]) == [[0], [1]]


def test_under_segmented_mask_is_ignored():
    # View 2 sees both objects as one mask; the three others part them.
    a, b = span(0, 100), span(100, 200)
    clusters = groups([a, b, a, b, a | b, a, b], [0, 0, 1, 1, 2, 3, 3])
    assert clusters == [[0, 2, 5], [1, 3, 6]]


def test_under_segmented_mask_supports_nobody():
    # View 1 joins a and b. View 0 parts them; view 2 sees 20 and 12 voxels of them, so it observes only a.
    # The one common observer of a and b is view 0: a single vote of view 1 would join them.
    a, b = span(0, 50), span(50, 100)
    assert groups([a, b, a | b, span(0, 20), span(50, 62)], [0, 0, 1, 2, 2]) == [[0, 3], [1, 4]]


def test_rarely_seen_object_is_joined_at_a_lower_threshold():
    # Common observers: nine pairs with 3, four with 2; only the 25th percentile lets the second object join.
    a, b = span(0, 50), span(100, 150)
    assert groups([a, a, a, b, b], [0, 1, 2, 3, 4]) == [[0, 1, 2], [3, 4]]


def test_under_segmentation_may_be_tolerated():
    a, b = span(0, 100), span(100, 200)
    clusters = groups(
        [a, b, a, b, a | b, a, b], [0, 0, 1, 1, 2, 3, 3], replace(CONFIG_P, consensus_under_segmentation=1.0)
    )
    assert any(4 in c for c in clusters)


def test_containment_threshold_by_hand():
    # View 0 sees 100 voxels as one mask; views 1 and 2 cut them in two.
    whole = span(0, 100)
    views = [0, 1, 1, 2, 2]
    # 80 % of it lie in one mask: contained, so the large parts are the same object.
    assert groups([whole, *[span(0, 80), span(80, 100)] * 2], views) == [[0, 1, 3], [2, 4]]
    # 60 % do not: two of three views split it, so it is under-segmented.
    assert groups([whole, *[span(0, 60), span(60, 100)] * 2], views) == [[1, 3], [2, 4]]


def test_part_inside_a_larger_mask_joins_it():
    # Views 0 and 1 saw all of it, view 2 a part: the part lies inside the mask of every view that sees it.
    whole, part = span(0, 100), span(0, 40)
    assert groups([whole, whole, part], [0, 1, 2]) == [[0, 1, 2]]


def test_tiny_masks_are_left_out():
    a = span(0, 100)
    assert groups([a, a, span(300, 305)], [0, 1, 0]) == [[0, 1]]


def test_order_of_views_does_not_matter():
    a, b, c = span(0, 100), span(100, 200), span(250, 300)
    masks, views = [a, b, c, a, b, a, c], [0, 0, 0, 1, 1, 2, 2]
    order = [5, 6, 0, 1, 2, 3, 4]
    forward = groups(masks, views)
    backward = groups([masks[i] for i in order], [views[i] for i in order])
    assert forward == sorted(sorted(order[i] for i in c) for c in backward) == [[0, 3, 5], [1, 4], [2, 6]]


def test_proposals_of_two_objects():
    a, b = span(0, 30), span(30, 50)
    proposals = consensus_proposals(stored(60, (span(0, 60), [a, b]), (span(0, 60), [b, a])), CONFIG_P)
    assert sorted(v.tolist() for v in proposals.voxels) == [sorted(a), sorted(b)]
    assert proposals.sources == ("consensus", "consensus")
    # Two masks each, every voxel in both: equal quality, so both have the best score.
    assert proposals.scores.tolist() == [1.0, 1.0]


def test_voxel_needs_votes_of_enough_views_that_see_it():
    # Four views see the object; a fringe of 4 voxels is put into it by one of them: 25 % of the asked 30 %.
    a, fringe, seen = span(0, 40), span(40, 44), span(0, 60)
    views = [(seen, [a | fringe])] + [(seen, [a])] * 3
    (voxels,) = consensus_proposals(stored(60, *views), CONFIG_P).voxels
    assert set(voxels.tolist()) == a
    # When only two views see the fringe, one vote is half of them.
    views = [(seen, [a | fringe]), (seen, [a])] + [(seen - fringe, [a])] * 2
    (voxels,) = consensus_proposals(stored(60, *views), CONFIG_P).voxels
    assert set(voxels.tolist()) == a | fringe


def test_voxel_goes_to_the_cluster_with_most_votes():
    # Voxels 36..39 lie in masks of both objects: three views say a, two say b.
    a, b, seen = span(0, 40), span(40, 80), span(0, 100)
    disputed = span(36, 40)
    views = [(seen, [a, b])] * 3 + [(seen, [a - disputed, b | disputed])] * 2
    proposals = consensus_proposals(stored(100, *views), CONFIG_P)
    assert sorted(set(v.tolist()) == a or set(v.tolist()) == b for v in proposals.voxels) == [True, True]


def test_masks_of_proposals_do_not_overlap():
    pipeline = Pipeline(CONFIG)
    for frame in room_frames(0.004)[:24]:
        pipeline.step(frame)
    pipeline.segment()
    proposals = consensus_proposals(pipeline.keyframes.evidence, CONFIG_P)
    assert len(proposals) >= 3
    everything = np.concatenate(proposals.voxels)
    assert len(np.unique(everything)) == len(everything)
    assert all((np.diff(v) > 0).all() and len(v) >= CONFIG_P.mask_min_voxels for v in proposals.voxels)
    assert proposals.scores.max() == 1.0 and proposals.scores.min() > 0.0


def test_single_view_proposes_nothing():
    assert len(consensus_proposals(stored(40, (span(0, 40), [span(0, 30)])), CONFIG_P)) == 0


def test_more_than_64_views():
    a, seen = span(0, 40), span(0, 60)
    (voxels,) = consensus_proposals(stored(60, *[(seen, [a])] * 70), CONFIG_P).voxels
    assert set(voxels.tolist()) == a


def test_no_masks_no_proposals():
    assert len(consensus_proposals(EvidenceStore(), CONFIG_P)) == 0
    assert len(consensus_proposals(stored(9, (span(0, 9), [])), CONFIG_P)) == 0


def test_clusters_hold_solid_voxels_only_whenever_they_are_asked():
    a, b = span(0, 30), span(30, 60)
    clusters, evidence = ConsensusMap(CONFIG_P), stored(60, (span(0, 60), [a, b]), (span(0, 60), [b, a]))
    solid = np.ones(60, bool)
    assert [len(v) for v in clusters.update(evidence, solid).voxels] == [30, 30]
    solid[:26] = False  # 4 voxels remain of the first: too few
    assert [v.tolist() for v in clusters.update(evidence, solid).voxels] == [list(range(30, 60))]
    assert [len(v) for v in clusters.update(evidence, np.ones(60, bool)).voxels] == [30, 30]
