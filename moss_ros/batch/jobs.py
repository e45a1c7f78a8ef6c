"""One scene to replay and score, and how an attempt at it ended."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class SceneJob:
    """Travels to a worker, so it holds plain values only."""

    name: str
    scene: Path  # holds bag/, instances.json and gt_points.npz
    out: Path  # of all scenes; this one goes to out/name
    values: dict[str, Any]  # parameters {"stage.name": value} over those that the bag suggests

    @property
    def bag(self) -> Path:
        """The recording."""
        return self.scene / "bag"

    @property
    def result(self) -> Path:
        """Where the finished run stands."""
        return self.out / self.name


SceneFunction = Callable[[SceneJob], dict[str, Any]]  # does the scene, returns its scores


@dataclass(frozen=True, slots=True)
class End:
    """Scores, or an error. Lost: the worker went away, so that another try may succeed."""

    scores: dict[str, Any] | None = None
    error: str = ""
    trace: str = ""
    lost: bool = False


def attempt(function: SceneFunction, job: SceneJob) -> End:
    """Run in a worker: no exception of a scene may end the others, and only text travels back safely."""
    try:
        return End(scores=function(job))
    except MemoryError as error:  # like a kill: there may be more memory once other scenes are done
        return End(error=f"out of memory: {error}", lost=True)
    except (ValueError, FileNotFoundError) as error:  # broken input; the message says what to do
        return End(error=str(error), trace=traceback.format_exc())
    except Exception as error:
        return End(error=f"{type(error).__name__}: {error}", trace=traceback.format_exc())
