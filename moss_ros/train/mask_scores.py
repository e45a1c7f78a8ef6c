"""How good a mask network is on held-out simulated views."""

from __future__ import annotations

import numpy as np
import torch

from moss_ros.masks2d.network import MaskNetwork
from moss_ros.masks2d.regions import OFFSETS, RegionRules, find_regions
from moss_ros.sim.training_views.view_pool import ViewPool
from moss_ros.train.batches import held_out_batch
from moss_ros.train.mask_loss import targets

VIEWS = 3  # of each room
SMALLEST_PX = 40  # truth that shows fewer pixels does not count
REPORTED = {"thing": (0,), "1px": (1, 2), "4px": (3, 4), "12px": (7, 8), "28px": (11, 12)}  # channels


@torch.inference_mode()
def held_out_scores(network: MaskNetwork, pool: ViewPool, rooms: int, device: str = "cpu") -> dict[str, float]:
    """Fractions on held-out views.

    ``thing+`` and ``thing-``: right answers on things and on structure; ``4px+``, ``4px-`` and so on: right answers
    for pairs of the same thing and of different ones, so far apart; ``ap50``: of the regions as instance masks.
    """
    network.eval()
    right: dict[str, list[float]] = {f"{name}{sign}": [] for name in REPORTED for sign in "+-"}
    matches: list[tuple[float, bool]] = []
    truths = 0
    for room in range(rooms):
        batch = held_out_batch(pool, room, VIEWS)
        logits = network(torch.from_numpy(batch.channels).to(device).float()).float().cpu()
        truth, weight = targets(torch.from_numpy(batch.instance), torch.from_numpy(batch.measured))
        _add_shares(right, logits.numpy(), truth.numpy(), weight.numpy())
        probability = torch.sigmoid(logits).numpy()
        for p, instance, measured in zip(probability, batch.instance, batch.measured, strict=True):
            found = find_regions(p[0], p[1:], OFFSETS, measured, RegionRules())
            view_matches, view_truths = match_masks(found.labels, found.label_scores, instance * measured)
            matches += view_matches
            truths += view_truths
    shares = {k: float(np.mean(v)) for k, v in right.items() if v}
    return {**shares, "ap50": average_precision(matches, truths)}


def _add_shares(right: dict[str, list[float]], logits: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> None:
    for name, channels in REPORTED.items():
        c = list(channels)
        used, yes, said = weight[:, c] > 0, truth[:, c] > 0.5, logits[:, c] > 0
        for sign, wanted in (("+", yes), ("-", ~yes)):
            where = used & wanted
            if where.any():
                right[name + sign].append(float((said[where] == yes[where]).mean()))


def match_masks(labels: np.ndarray, scores: np.ndarray, truth: np.ndarray) -> tuple[list[tuple[float, bool]], int]:
    """(score, right) of each mask of a label image (H, W), and how many true masks there are.

    A mask is right when it overlaps a true one of at least SMALLEST_PX pixels with IoU > 0.5; exclusive masks cannot
    do so twice. Masks that lie mostly on small true ones are left out.
    """
    rows, columns = int(labels.max()) + 1, int(truth.max()) + 1
    joint = np.bincount(labels.ravel() * columns + truth.ravel(), minlength=rows * columns).reshape(rows, columns)
    mask_px, true_px = joint.sum(1), joint.sum(0)
    counted = (true_px >= SMALLEST_PX) & (np.arange(columns) > 0)
    out = []
    for k in range(1, rows):
        best = int(joint[k].argmax())
        if best > 0 and not counted[best]:
            continue
        iou = joint[k] / np.maximum(mask_px[k] + true_px - joint[k], 1)
        out.append((float(scores[k - 1]), bool((iou[counted] > 0.5).any())))
    return out, int(counted.sum())


def average_precision(matches: list[tuple[float, bool]], truths: int) -> float:
    """Area under the precision envelope over recall, masks ranked by score; 0 without truth."""
    if not matches or not truths:
        return 0.0
    right = np.array([ok for _, ok in sorted(matches, key=lambda m: -m[0])], float)
    hits = np.cumsum(right)
    precision = np.maximum.accumulate((hits / np.arange(1, len(hits) + 1))[::-1])[::-1]
    return float((precision * right).sum() / truths)
