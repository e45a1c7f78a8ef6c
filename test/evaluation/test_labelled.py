"""Label sets that come with the package, Top-1, Top-K, and groups."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from small_scene import BOOK, CUP, TABLE

from moss_ros.evaluation.ground_truth import TruthError, load_folder
from moss_ros.evaluation.label_sets import GROUPS, Label, LabelSet, from_names, labels_of, load_labels
from moss_ros.evaluation.labelled import score_labelled, top_1, top_k
from moss_ros.evaluation.overlaps import columns_by_flag, count_overlaps


def test_scannet200_counts() -> None:
    labels = load_labels("scannet200")
    assert len(labels.labels) == 200 and len(labels.scored) == 198
    assert [len(labels.group_ids(g)) for g in GROUPS] == [64, 68, 66]
    assert {label.name for label in labels.labels if label.stuff} == {"wall", "floor"}
    assert labels.id_of("chair") == 2 and labels.id_of("mattress") == 1191 and labels.id_of("Coffee-Table") == 24


def test_other_sets() -> None:
    assert len(load_labels("scannet20").scored) == 18
    replica = load_labels("replica48")
    assert len(replica.scored) == 48 and replica.id_of("rug") == 98 and replica.id_of("indoor plant") == 44
    assert replica.group_ids("head") == ()


def test_own_sets(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("classes:\n- cup\n- {id: 9, name: floor, stuff: true}\n")
    labels = load_labels(path)
    assert labels.name == "mine" and labels.scored_ids == (1,) and labels.id_of("floor") == 9
    path.write_text("classes:\n- {id: 9}\n")
    with pytest.raises(TruthError, match=r"classes\[0\]"):
        load_labels(path)
    with pytest.raises(TruthError, match="known are replica48, scannet20, scannet200"):
        load_labels("scannet2000")
    with pytest.raises(TruthError, match="name used twice: cup"):
        from_names("x", ["cup", "cup"])
    with pytest.raises(TruthError, match="positive"):
        LabelSet("x", (Label(0, "void"),))


def test_top_1_and_top_k() -> None:
    scores = np.array([[0.2, 0.9], [0.5, 0.4], [-np.inf, -np.inf]])
    one = top_1(scores, np.array([4, 7]))
    assert (one.mask.tolist(), one.class_id.tolist(), one.score.tolist()) == ([0, 1], [7, 4], [0.9, 0.5])
    three = top_k(scores, np.array([4, 7]), 3)
    assert (three.mask.tolist(), three.class_id.tolist()) == ([0, 1, 1], [7, 4, 7])
    assert len(top_k(scores, np.array([4, 7]), 300).mask) == 4  # never means never


def test_labelled_scores(scene: Path) -> None:
    truth = load_folder(scene)
    labels = labels_of(truth)
    assert {label.name for label in labels.labels} == {"book", "cup", "table"}
    masks = csr_matrix(np.stack([truth.instance == i for i in (CUP, BOOK, TABLE)]).astype(np.int32))
    overlaps = count_overlaps(masks, columns_by_flag(truth))
    columns = [labels.id_of(name) for name in ("cup", "book", "table")]
    # The book is called a cup: class cup has a right and a false mask, book has none.
    scores = np.array([[0.9, 0.1, 0.0], [0.6, 0.5, 0.0], [0.0, 0.1, 0.7]])
    one = score_labelled([(overlaps, top_1(scores, np.array(columns)))], labels, 60)
    assert one.per_class["cup"] == (1.0, 1.0, 1.0)  # the false one ranks below
    assert one.per_class["book"] == (0.0, 0.0, 0.0)
    assert one.ap50 == pytest.approx(2 / 3)
    constant = score_labelled([(overlaps, top_1(scores, np.array(columns)).constant())], labels, 60)
    assert constant.per_class["cup"][1] == 0.75  # r (1 + p) / 2 with r = 1, p = 1/2
    many = score_labelled([(overlaps, top_k(scores, np.array(columns), 300))], labels, 60)
    assert many.ap50 == 1.0  # the second name of the book is right
    assert np.isnan(one.head)


def test_groups_average_their_own_classes(scene: Path) -> None:
    truth = load_folder(scene)
    labels = LabelSet("g", (Label(1, "book", "tail"), Label(2, "cup", "head"), Label(4, "table", "head")))
    masks = csr_matrix((truth.instance == CUP).astype(np.int32)[None])
    overlaps = count_overlaps(masks, columns_by_flag(truth))
    result = score_labelled([(overlaps, top_1(np.ones((1, 1)), np.array([2])))], labels, 60)
    assert (result.head, result.tail) == (0.5, 0.0) and np.isnan(result.common)
