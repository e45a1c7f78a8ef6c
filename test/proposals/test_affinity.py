"""Groups of voxels from pairs of pixels: three blocks in a row, of which two are one thing."""

from dataclasses import replace

import numpy as np
import pytest
from scenes import block, voxels_of

from moss_ros.config import ProposalConfig
from moss_ros.masks2d.evidence import EvidenceStore, ViewEvidence
from moss_ros.masks2d.pixel_pairs import SURE, PixelPairs, ViewPairs, pairs_of_labels
from moss_ros.proposals.affinity import AffinityMap, _distinct
from moss_ros.proposals.element_links import LinkMap, Links
from moss_ros.proposals.elements import find_elements
from moss_ros.proposals.merge_tree import merge
from moss_ros.proposals.voxel_affinity import VoxelAffinity

H, W = 30, 60
WALL = voxels_of(block((0, W), (0, 1), (0, H)))  # a sheet of voxels, one for each pixel
ROW = np.argsort(np.lexsort((WALL.grid[:, 0], -WALL.grid[:, 2])))
PIXEL = np.argsort(ROW).reshape(H, W).astype(np.int32)  # voxel at each pixel, row by row


def labels(*edges):
    """Label image of upright stripes that end at the edges; 0 beyond the last."""
    return np.broadcast_to(sum(np.arange(W) < e for e in edges) % (len(edges) + 1), (H, W)).astype(np.int32)


def evidence_of(views, first_slot=0):
    store = EvidenceStore()
    store.resize(W * H)
    for slot, image in enumerate(views, first_slot):
        seen = np.arange(W * H, dtype=np.int32)
        by_voxel = np.empty(W * H, np.int32)
        by_voxel[PIXEL.ravel()] = image.ravel()
        store.put(slot, ViewEvidence(seen, by_voxel, int(image.max())), ViewPairs(PIXEL, pairs_of_labels(image)))
    return store


def columns(voxels):
    """Which columns of the image the voxels fill."""
    at = np.isin(PIXEL, voxels)
    assert (at.any(0) == at.all(0)).all()
    return np.flatnonzero(at.all(0)).tolist()


def test_what_all_views_say_is_found_exactly():
    found = AffinityMap(ProposalConfig()).update(evidence_of([labels(20, 40)] * 3), WALL)
    masks = {tuple(columns(v)) for v in found.proposals.voxels if len(v) == 20 * H}
    assert masks == {tuple(range(20)), tuple(range(20, 40))}
    assert found.thing[PIXEL[0, 5]] == 1 and found.thing[PIXEL[0, 50]] == 0


def test_views_that_disagree_leave_the_whole_and_its_parts():
    joined, parted = labels(40), labels(20, 40)
    found = AffinityMap(ProposalConfig()).update(evidence_of([joined, parted, parted]), WALL)
    sizes = [len(v) for v in found.proposals.voxels]
    assert {20 * H, 40 * H} <= set(sizes)
    whole = sizes.index(40 * H)
    inner, outer, born, died = found.numbers[whole]
    assert 0.8 < inner < 1.0 and outer == 0 and died == 0
    assert 0.25 < born < 0.4  # one of three views joins the two


def test_views_that_come_and_go_leave_no_trace():
    kept, changing = AffinityMap(ProposalConfig()), evidence_of([labels(20, 40), labels(13, 50), labels(40)])
    kept.update(changing, WALL)
    changing.drop(1)
    again = kept.update(changing, WALL)
    anew = AffinityMap(ProposalConfig()).update(changing, WALL)
    assert len(again.proposals) == len(anew.proposals) > 0
    assert all(np.array_equal(a, b) for a, b in zip(again.proposals.voxels, anew.proposals.voxels, strict=True))
    assert np.array_equal(again.numbers, anew.numbers) and np.array_equal(again.thing, anew.thing)


def test_nothing_new_returns_what_is_known():
    store, known = evidence_of([labels(20, 40)]), AffinityMap(ProposalConfig())
    assert known.update(store, WALL) is known.update(store, WALL)


def test_no_view_no_proposal():
    assert len(AffinityMap(ProposalConfig()).update(EvidenceStore(), WALL).proposals) == 0


def test_edges_hold_the_mean_of_the_views():
    affinity = VoxelAffinity()
    assert affinity.update(evidence_of([labels(20, 40), labels(40)]), WALL.grid)
    first, second, value = affinity.edges(np.ones(W * H, bool), WALL.neighbours)
    pair = {PIXEL[7, 19], PIXEL[7, 20]}
    at = [i for i, (a, b) in enumerate(zip(first, second, strict=True)) if {a, b} == pair]
    assert len(at) == 1 and value[at[0]] == pytest.approx(0.5)


def test_elements_stop_at_doubt_and_at_their_largest_size():
    first = np.arange(999, dtype=np.int32)
    affinity = np.ones(999, np.float32)
    affinity[99] = 0.1
    element, count = find_elements(first, first + 1, affinity, np.zeros((1002, 3), np.float32))
    assert element[99] != element[100] and count >= 4
    sizes = np.bincount(element)[1:]
    assert sizes.max() <= 400 + 5 and sizes.sum() == 1000
    assert element[1000] == element[1001] == 0  # without any edge


def test_elements_stop_where_the_colour_changes():
    first = np.arange(39, dtype=np.int32)
    colors = np.zeros((40, 3), np.float32)
    colors[20:, 0] = 135  # three steps of colour: a tenth of the affinity is left
    element, count = find_elements(first, first + 1, np.ones(39, np.float32), colors)
    assert count == 2 and element.tolist() == [1] * 20 + [2] * 20


def test_a_colour_that_changes_forms_the_groups_anew():
    store, known = evidence_of([labels(20, 40)]), AffinityMap(ProposalConfig())
    before = known.update(store, WALL)
    painted = WALL.color_rgb.copy()
    painted[PIXEL[:, :10].ravel()] = 255
    assert known.update(store, replace(WALL, color_rgb=painted)) is not before


def test_links_between_elements_are_means_over_pixels():
    element = np.zeros(W * H, np.int32)
    element[PIXEL[:, :20].ravel()], element[PIXEL[:, 20:40].ravel()] = 1, 2
    views = evidence_of([labels(40), labels(20, 40), labels(20, 40)]).pairs
    links = LinkMap().update(views, element, np.ones(W * H, bool), WALL.grid, touching(element))
    pairs = list(zip(links.first.tolist(), links.second.tolist(), strict=True))
    assert sorted(pairs) == [(0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    assert links.affinity[pairs.index((1, 2))] == pytest.approx(1 / 3)
    assert links.affinity[pairs.index((1, 1))] == 1 and links.affinity[pairs.index((0, 2))] == 0
    assert links.near[pairs.index((0, 1))] == 0 < links.near[pairs.index((1, 2))]


def test_only_views_of_changed_elements_are_read_again():
    element = np.zeros(W * H, np.int32)
    element[PIXEL[:, :20].ravel()], element[PIXEL[:, 20:40].ravel()] = 1, 2
    pairs = pairs_of_labels(labels(20, 40))
    left, right = np.where(np.arange(W) < 20, PIXEL, -1), np.where(np.arange(W) >= 20, PIXEL, -1)
    views = {0: ViewPairs(left, pairs), 1: ViewPairs(right, pairs)}
    solid, known = np.ones(W * H, bool), LinkMap()
    known.update(views, element, solid, WALL.grid, touching(element))
    assert known.read == 2
    known.update(views, element, solid, WALL.grid, touching(element))
    assert known.read == 0
    split = element.copy()
    split[PIXEL[:, 10:20].ravel()] = 2  # the second one gets another number, and is still the same
    split[PIXEL[:, 20:40].ravel()] = 3
    again = known.update(views, split, solid, WALL.grid, touching(split))
    assert known.read == 1
    anew = LinkMap().update(views, split, solid, WALL.grid, touching(split))
    for name in ("first", "second", "same", "pairs", "near"):
        assert np.array_equal(getattr(again, name), getattr(anew, name))


def touching(element):
    first, second, _ = all_edges()
    inside = (element[first] > 0) & (element[second] > 0)
    return first[inside], second[inside]


def all_edges():
    affinity = VoxelAffinity()
    affinity.update(evidence_of([labels(40)]), WALL.grid)
    return affinity.edges(np.ones(W * H, bool), WALL.neighbours)


def links_of(*rows):
    """(first, second, mean in %, pairs, near)."""
    a, b, percent, pairs, near = np.array(rows, np.int64).T
    return Links(a.astype(np.int32), b.astype(np.int32), percent * pairs * SURE // 100, pairs, near)


def test_average_linkage_by_hand():
    tree = merge(links_of((1, 2, 80, 100, 1), (2, 3, 60, 100, 1), (1, 3, 0, 100, 0), (0, 3, 0, 100, 0)), 3)
    assert tree.children.tolist() == [[-1, -1]] * 3 + [[0, 1], [2, 3]]
    assert tree.parent.tolist() == [3, 3, 4, 4, -1]
    assert tree.born[3:] == pytest.approx([0.8, 0.3])  # then the mean of 60 and 0
    assert tree.died == pytest.approx([0.8, 0.8, 0.3, 0.3, 0.0])
    assert tree.inner[3:] == pytest.approx([0.8, (80 + 60 + 0) / 300])
    assert tree.outer == pytest.approx([0.4, 0.7, 0.2, 0.3, 0.0])


def test_sure_but_apart_is_not_joined():
    tree = merge(links_of((1, 2, 90, 100, 0)), 2)
    assert len(tree.parent) == 2


@pytest.mark.parametrize("seed", range(5))
def test_merging_equals_the_naive_way(seed):
    rng = np.random.default_rng(seed)
    n = 12
    total, pairs = np.triu(rng.integers(1, 60000, (n, n)), 1), np.triu(rng.integers(300, 400, (n, n)), 1)
    a, b = np.nonzero(total)
    ones = np.ones(len(a), np.int64)
    tree = merge(Links((a + 1).astype(np.int32), (b + 1).astype(np.int32), total[a, b], pairs[a, b], ones), n)
    groups = {i: [i] for i in range(n)}
    for node, (left, right) in enumerate(tree.children[n:], n):

        def mean(p, q):
            cells = np.ix_(groups[p], groups[q])
            return (total[cells].sum() + total.T[cells].sum()) / (pairs[cells].sum() + pairs.T[cells].sum())

        best = max((mean(p, q), p, q) for p in groups for q in groups if p < q)
        assert best[0] == pytest.approx(mean(left, right))
        groups[node] = groups.pop(left) + groups.pop(right)


def test_of_nested_groups_of_like_size_the_better_stays():
    size, parent = np.array([10, 9, 5, 100]), np.array([3, 0, 1, -1])
    rows = _distinct(np.array([1, 0, 2, 3]), np.ones(4, bool), size, parent, 0.8)
    assert rows.tolist() == [1, 2, 3]
    rows = _distinct(np.array([0, 1, 2, 3]), np.ones(4, bool), size, parent, 0.8)
    assert rows.tolist() == [0, 2, 3]


def test_pairs_must_fit():
    with pytest.raises(ValueError):
        PixelPairs(np.zeros((2, 2), np.uint8), np.zeros((1, 2, 2), np.uint8), np.ones((2, 2), bool))
