"""Non-maximum suppression by hand, and torchvision importable beside the torch of this machine."""

import pytest

torch = pytest.importorskip("torch")

from moss_ros.torchvision_ops import ensure_torchvision, nms  # noqa: E402

BOXES = [[0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30]]  # IoU of the first two: 81 / 119 = .68


@pytest.mark.parametrize(("threshold", "kept"), [(0.6, [1, 2]), (0.7, [1, 0, 2])])
def test_nms_keeps_the_best_of_overlapping_boxes(threshold: float, kept: list[int]) -> None:
    rows = nms(torch.tensor(BOXES, dtype=torch.float32), torch.tensor([0.5, 0.9, 0.1]), threshold)
    assert rows.tolist() == kept


def test_nms_of_nothing_is_nothing() -> None:
    assert nms(torch.zeros(0, 4), torch.zeros(0), 0.5).tolist() == []


def test_torchvision_suppresses_boxes_by_class() -> None:
    ensure_torchvision()
    import torchvision

    boxes, scores = torch.tensor(BOXES, dtype=torch.float32), torch.tensor([0.5, 0.9, 0.1])
    assert torchvision.ops.batched_nms(boxes, scores, torch.tensor([0, 1, 0]), 0.5).tolist() == [1, 0, 2]
    assert torchvision.ops.nms(boxes, scores, 0.5).tolist() == [1, 2]
