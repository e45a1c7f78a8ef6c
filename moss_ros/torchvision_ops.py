"""Lets torchvision be imported where its compiled part does not fit the torch that is installed.

open_clip and segment_anything import torchvision, but use only its image transforms and its non-maximum
suppression. Builds of torch for the CPU alone often have no torchvision of their own, and the one from the
registry then fails at import ("operator torchvision::nms does not exist"). Here that operator is given in torch.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_library: Any = None  # keeps the operators registered


def ensure_torchvision() -> None:
    """Make `import torchvision` work. Call before importing a library that needs it. Does nothing where its own
    operators load. Raises ImportError with the fix when torch or torchvision is missing."""
    global _library
    if _library is not None:
        return
    try:
        import torch
    except ImportError as error:
        raise ImportError("PyTorch is missing: pip install 'moss_ros[language]'") from error
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        raise ImportError("torchvision is missing: pip install 'moss_ros[language]'")
    if _own_operators_load(Path(spec.origin).parent):
        return
    _library = torch.library.Library("torchvision", "DEF")
    _library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _library.impl("nms", nms, "CompositeExplicitAutograd")
    from torchvision import extension

    extension._has_ops = lambda: True


def nms(boxes: torch.Tensor, scores: torch.Tensor, iou_threshold: float) -> torch.Tensor:
    """Greedy non-maximum suppression: rows of `boxes` (N, 4; x1, y1, x2, y2) kept, best score first, (K,) int64."""
    import torch

    order = scores.argsort(descending=True, stable=True)
    x1, y1, x2, y2 = boxes[order].unbind(1)
    area = (x2 - x1) * (y2 - y1)
    alive = torch.ones(len(order), dtype=torch.bool, device=boxes.device)
    kept = []
    for i in range(len(order)):
        if not alive[i]:
            continue
        kept.append(i)
        width = (torch.minimum(x2[i], x2) - torch.maximum(x1[i], x1)).clamp(min=0)
        height = (torch.minimum(y2[i], y2) - torch.maximum(y1[i], y1)).clamp(min=0)
        shared = width * height
        alive &= ~(shared > iou_threshold * (area[i] + area - shared))
    return order[torch.tensor(kept, dtype=torch.int64, device=boxes.device)]


def _own_operators_load(package: Path) -> bool:
    """True when torchvision's compiled operators load into this torch."""
    import torch

    for library in [*package.glob("_C*.so"), *package.glob("_C*.pyd")]:
        try:
            torch.ops.load_library(library)
            return True
        except (ImportError, OSError):
            continue
    return False
