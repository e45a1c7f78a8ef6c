"""Requests as they come from outside, and their limits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from moss_ros.config import QueryConfig
from moss_ros.questions.region import EVERYWHERE, Region

MOST_RESULTS = 1000
_MOST_NEGATIVES = 32


class QueryError(ValueError):
    """A request that cannot be understood; the message says how to ask."""


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """One question: a text, an example, or both."""

    text: str | bytes = ""
    example: np.ndarray | None = None  # (D,) embedding of an example image
    negatives: tuple[str, ...] = ()
    max_results: int = 0  # 0: the configured number
    min_score: float = 0.0  # 0: the configured threshold
    region: Region = EVERYWHERE
    observer: np.ndarray | None = None  # (4, 4) map from optical camera frame of who asks


def checked(request: QueryRequest, config: QueryConfig, dimensions: int) -> tuple[QueryRequest, str]:
    """The request with defaults filled in, and its text. Raises QueryError."""
    text = _decoded(request.text, "text", config)
    negatives = tuple(t for n in request.negatives if (t := _decoded(n, "negative", config)))
    if not text and request.example is None:
        raise QueryError("the question is empty; send a text such as 'red mug', or an example image")
    if len(negatives) > _MOST_NEGATIVES:
        raise QueryError(f"{len(negatives)} negatives; send at most {_MOST_NEGATIVES}")
    if not 0 <= request.max_results <= MOST_RESULTS:
        raise QueryError(f"max_results must lie in 0..{MOST_RESULTS}, got {request.max_results}")
    if not 0 <= request.min_score <= 1:
        raise QueryError(f"min_score must lie in 0..1, got {request.min_score}")
    if request.observer is not None and (request.observer.shape != (4, 4) or not np.isfinite(request.observer).all()):
        raise QueryError("the pose of the observer must be a finite 4x4 matrix")
    example = request.example
    if example is not None:
        if example.shape != (dimensions,) or not np.isfinite(example).all() or not example.any():
            raise QueryError(f"the example's embedding must be {dimensions} finite numbers; send a JPEG or PNG image")
        example = (example / np.linalg.norm(example)).astype(np.float32)
    count = request.max_results or config.max_results
    return replace(request, text=text, negatives=negatives, max_results=count, example=example), text


def _decoded(text: str | bytes, name: str, config: QueryConfig) -> str:
    try:
        out = text.decode("utf-8") if isinstance(text, bytes) else text.encode("utf-8").decode("utf-8")
    except UnicodeError:
        raise QueryError(f"the {name} is not valid UTF-8; send it as UTF-8") from None
    out = " ".join(out.replace("\0", " ").split())
    if len(out) > config.max_text_length:
        raise QueryError(f"the {name} has {len(out)} characters; send at most {config.max_text_length}")
    return out
