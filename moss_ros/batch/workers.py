"""Workers on this machine: a fresh process for each scene.

Fresh, because a process that is killed then takes one scene with it and no other, and because the peak memory of
a scene is only its own in a process of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.connection import Connection, wait
from typing import Any

from moss_ros.batch.jobs import End, SceneFunction, SceneJob, attempt


def usable_cores() -> int:
    """That this process may run on."""
    return len(os.sched_getaffinity(0))


class LocalWorkers:
    """Up to size processes at a time; the function must be importable."""

    def __init__(self, function: SceneFunction, size: int) -> None:
        self.size = size
        self._function = function
        # A copy of this process (fork) could inherit locks of its running threads.
        self._context = multiprocessing.get_context("spawn")
        self._running: dict[Connection, tuple[Any, SceneJob]] = {}

    @property
    def busy(self) -> int:
        """Scenes under way."""
        return len(self._running)

    def start(self, job: SceneJob) -> None:
        """Begin a scene in a new process."""
        receiver, sender = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_work, args=(sender, self._function, job), daemon=True)
        process.start()
        sender.close()  # so that the end of the process is the end of the pipe
        self._running[receiver] = (process, job)

    def wait(self) -> tuple[SceneJob, End]:
        """Block until a process answered or died."""
        receiver = wait(list(self._running))[0]
        assert isinstance(receiver, Connection)
        process, job = self._running.pop(receiver)
        try:
            end = receiver.recv()
        except (EOFError, OSError):  # it died before or while it answered
            end = None
        receiver.close()
        process.join()
        return job, end or End(error=_death(process.exitcode), lost=True)

    def close(self) -> None:
        """Kill what still runs."""
        for receiver, (process, _) in self._running.items():
            process.kill()
            process.join()
            receiver.close()
        self._running.clear()


def _work(sender: Connection, function: SceneFunction, job: SceneJob) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends its workers
    sender.send(attempt(function, job))
    sender.close()


def _death(code: int | None) -> str:
    if code is None or code >= 0:
        return f"the worker ended with code {code} and without an answer"
    hint = ", perhaps for want of memory: try fewer --workers" if -code == signal.SIGKILL else ""
    return f"the worker was killed by {signal.Signals(-code).name}{hint}"
