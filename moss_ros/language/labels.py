"""Which name of a vocabulary an instance gets: what it looks like and how large it is.

Letters: K instances, V labels, B background prompts, D dimensions of the encoder's space.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from moss_ros.language.vocabulary import Vocabulary

UNNAMED = "object"
_CHUNK = 2048  # instances at a time: (chunk, V + B) stays small


@dataclass(frozen=True, slots=True)
class LabelRule:
    """How evidence is weighed; the defaults are a start and belong to no model, calibrate them for the encoder."""

    similarity_scale: float = 70.0  # turns cosines into log odds; 100 is what CLIP was trained with, too sure for masks
    best_view_share: float = 0.5  # [0, 1] weight of the best view against the mean of all views
    size_weight: float = 0.7  # below 1: the extents of a thing vary together, so three of them count some of it twice
    background_bonus: float = 0.0  # added to the log odds of background: more = fewer, surer labels
    least_score: float = 0.2  # below it an instance stays an "object"

    def __post_init__(self) -> None:
        for name, ok in (
            ("similarity_scale", self.similarity_scale > 0),
            ("best_view_share", 0 <= self.best_view_share <= 1),
            ("size_weight", self.size_weight >= 0),
            ("background_bonus", np.isfinite(self.background_bonus)),
            ("least_score", 0 <= self.least_score <= 1),
        ):
            if not ok:
                raise ValueError(f"{name} {getattr(self, name)} is out of its range; see LabelRule")


@dataclass(frozen=True, slots=True)
class InstanceLabels:
    """K instances with what they are called."""

    index: np.ndarray  # (K,) int32 row of the vocabulary, -1 = UNNAMED
    score: np.ndarray  # (K,) float32 probability of the best label, also where it was too low to be given
    background: np.ndarray  # (K,) float32 probability that it is no thing

    def names(self, vocabulary: Vocabulary) -> tuple[str, ...]:
        """The label of each instance, "object" where none is sure enough."""
        return tuple(vocabulary.labels[i] if i >= 0 else UNNAMED for i in self.index.tolist())


def label_instances(
    labels: np.ndarray,
    mean_view: np.ndarray,
    best_view: np.ndarray | None = None,
    background: np.ndarray | None = None,
    size_log_likelihood: np.ndarray | None = None,
    rule: LabelRule | None = None,
) -> InstanceLabels:
    """The most probable label of each instance; arguments and errors as label_probabilities."""
    rule = rule or LabelRule()
    _check(labels, mean_view, best_view, background, size_log_likelihood)
    count = len(mean_view)
    index, score, nothing = np.full(count, -1, np.int32), np.zeros(count, np.float32), np.zeros(count, np.float32)
    for part in _chunks(count):
        probability = _probabilities(labels, mean_view, best_view, background, size_log_likelihood, rule, part)
        index[part] = probability[:, : len(labels)].argmax(axis=1)
        score[part] = probability[:, : len(labels)].max(axis=1)
        nothing[part] = probability[:, len(labels) :].sum(axis=1)
    index[(score < rule.least_score) | (score <= nothing) | (score == 0)] = -1
    return InstanceLabels(index, score, nothing)


def label_probabilities(
    labels: np.ndarray,
    mean_view: np.ndarray,
    best_view: np.ndarray | None = None,
    background: np.ndarray | None = None,
    size_log_likelihood: np.ndarray | None = None,
    rule: LabelRule | None = None,
) -> np.ndarray:
    """(K, V) float32 probability of each label; what is missing to one is that of no thing.

    labels: (V, D) unit vectors of the vocabulary. mean_view, best_view: (K, D) unit vectors of the instances, from all
    views and from the best one; a row of zeros (never seen well) has only zeros. background: (B, D).
    size_log_likelihood: (V, K) of SizePrior.log_likelihood(). Log odds are similarity_scale * cosine, normalised over
    labels and background, plus size_weight * size; background takes no size. Raises ValueError for other shapes.
    """
    rule = rule or LabelRule()
    _check(labels, mean_view, best_view, background, size_log_likelihood)
    out = np.zeros((len(mean_view), len(labels)), np.float32)
    for part in _chunks(len(mean_view)):
        probability = _probabilities(labels, mean_view, best_view, background, size_log_likelihood, rule, part)
        out[part] = probability[:, : len(labels)]
    return out


def _chunks(count: int) -> Iterator[slice]:
    for start in range(0, count, _CHUNK):
        yield slice(start, min(start + _CHUNK, count))


def _probabilities(
    labels: np.ndarray,
    mean_view: np.ndarray,
    best_view: np.ndarray | None,
    background: np.ndarray | None,
    size_log_likelihood: np.ndarray | None,
    rule: LabelRule,
    part: slice,
) -> np.ndarray:
    """(k, V + B) of some instances; zeros where none was seen well."""
    texts = labels if background is None or not len(background) else np.concatenate([labels, background])
    views = _joined(mean_view[part], None if best_view is None else best_view[part], rule.best_view_share)
    logits = _log_softmax(rule.similarity_scale * (views @ texts.T.astype(np.float32)))
    logits[:, len(labels) :] += rule.background_bonus
    if size_log_likelihood is not None:
        logits[:, : len(labels)] += rule.size_weight * size_log_likelihood[:, part].T
    probability: np.ndarray = np.exp(_log_softmax(logits))
    probability[~views.any(axis=1)] = 0.0
    return probability


def _joined(mean_view: np.ndarray, best_view: np.ndarray | None, share: float) -> np.ndarray:
    """(k, D) float32: cosines with it are the weighted means of the cosines; a missing view leaves all to the other."""
    mean_view = np.asarray(mean_view, np.float32)
    if best_view is None:
        return mean_view
    best_view = np.asarray(best_view, np.float32)
    has_mean, has_best = mean_view.any(axis=1, keepdims=True), best_view.any(axis=1, keepdims=True)
    weight = np.where(has_mean & has_best, np.float32(share), has_best.astype(np.float32))
    return (1 - weight) * mean_view + weight * best_view


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    logits = logits - logits.max(axis=1, keepdims=True)
    logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return logits


def _check(
    labels: np.ndarray,
    mean_view: np.ndarray,
    best_view: np.ndarray | None,
    background: np.ndarray | None,
    size_log_likelihood: np.ndarray | None,
) -> None:
    if labels.ndim != 2 or not len(labels):
        raise ValueError(f"labels {labels.shape}: must be (V, D) with at least one label")
    if mean_view.ndim != 2 or mean_view.shape[1] != labels.shape[1]:
        raise ValueError(f"mean_view {mean_view.shape}: must be (K, {labels.shape[1]}), from the encoder of the labels")
    if best_view is not None and best_view.shape != mean_view.shape:
        raise ValueError(f"best_view {best_view.shape}: must have the shape of mean_view {mean_view.shape}")
    if background is not None and (background.ndim != 2 or background.shape[1] != labels.shape[1]):
        raise ValueError(f"background {background.shape}: must be (B, {labels.shape[1]})")
    wanted = (len(labels), len(mean_view))
    if size_log_likelihood is not None and size_log_likelihood.shape != wanted:
        raise ValueError(f"size_log_likelihood {size_log_likelihood.shape}: must be (V, K) = {wanted}")
