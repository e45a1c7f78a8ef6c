"""Hand scenes to workers, and try those again whose worker was killed."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from moss_ros.batch.jobs import End, SceneJob


class Workers(Protocol):
    """Something that does scenes one beside the other, each in a process of its own."""

    @property
    def busy(self) -> int:
        """How many scenes are under way."""
        ...

    @property
    def size(self) -> int:
        """How many may be."""
        ...

    def start(self, job: SceneJob) -> None:
        """Begin a scene."""
        ...

    def wait(self) -> tuple[SceneJob, End]:
        """The next scene that ends, however it does."""
        ...

    def close(self) -> None:
        """Stop what still runs."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """A scene after its last attempt; scores are None where it failed."""

    name: str
    scores: dict[str, Any] | None = None
    error: str = ""
    trace: str = ""
    attempts: int = 0  # 0: taken from an earlier call


def run_jobs(jobs: Sequence[SceneJob], workers: Workers, retries: int) -> Iterator[Outcome]:
    """Outcomes as they come. A scene whose worker went away is done again up to retries times, after the others.

    Errors of the scene itself are final: the same input would give them again.
    """
    waiting, tries = deque(jobs), Counter[str]()
    while waiting or workers.busy:
        while waiting and workers.busy < workers.size:
            job = waiting.popleft()
            tries[job.name] += 1
            workers.start(job)
        job, end = workers.wait()
        if end.lost and tries[job.name] <= retries:
            waiting.append(job)
        else:
            yield Outcome(job.name, end.scores, _reason(end, tries[job.name]), end.trace, tries[job.name])


def _reason(end: End, tries: int) -> str:
    return f"{end.error} ({tries} times)" if end.lost and tries > 1 else end.error
