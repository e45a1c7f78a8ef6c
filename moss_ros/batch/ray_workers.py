"""Workers on a Ray cluster: one task for each scene. The only file that knows Ray."""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import socket
import tempfile
from typing import Any

from moss_ros.batch.jobs import End, SceneFunction, SceneJob, attempt
from moss_ros.batch.workers import usable_cores

LOCAL = "local"  # address that means: start a cluster here
_STORE_BYTES = 100_000_000  # results are small; the default takes a third of the memory
_UNLIMITED = 1_000_000  # scenes handed over at once; the cluster queues them
_ANSWER_S = 5.0


class RayWorkers:
    """Tasks on the cluster at an address; the function must be importable on its machines."""

    def __init__(self, function: SceneFunction, address: str, size: int | None = None) -> None:
        """size: tasks at a time (``local``: also its cores); None: as many as the cluster has room for.

        Raises ValueError when Ray is missing or the cluster cannot be reached.
        """
        self._ray = _import_ray()
        self.size = size or _UNLIMITED
        self._folder: str | None = None
        self._running: dict[Any, SceneJob] = {}
        self._connect(address, size)
        # Tries are counted in schedule.py, the same for all workers. One call for each process keeps scenes apart.
        self._attempt = self._ray.remote(num_cpus=1, max_retries=0, max_calls=1)(attempt)
        self._function = function

    @property
    def busy(self) -> int:
        """Scenes handed over."""
        return len(self._running)

    def start(self, job: SceneJob) -> None:
        """Hand a scene to the cluster."""
        self._running[self._attempt.remote(self._function, job)] = job

    def wait(self) -> tuple[SceneJob, End]:
        """Block until a task ends or is lost."""
        reference = self._ray.wait(list(self._running), num_returns=1)[0][0]
        return self._running.pop(reference), self._end(reference)

    def close(self) -> None:
        """Leave the cluster; a local one ends."""
        self._ray.shutdown()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self, reference: Any) -> End:
        errors = self._ray.exceptions
        try:
            return self._ray.get(reference)
        except errors.RayTaskError as error:  # before the scene began: the package is not there, or another one
            return End(error=f"the task cannot run: {_last_line(error)}", trace=str(error))
        except errors.RayError as error:
            return End(error=f"the worker was lost ({type(error).__name__}: {_first_line(error)})", lost=True)

    def _connect(self, address: str, size: int | None) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        if address == LOCAL:
            # Short, because the path of a socket below it may have 107 characters.
            self._folder = tempfile.mkdtemp(prefix="ray_", dir="/tmp")
            here: dict[str, Any] = {
                "num_cpus": size or usable_cores(),
                "object_store_memory": _STORE_BYTES,
                "include_dashboard": False,
                "_temp_dir": self._folder,
            }
        else:
            here = {}
            _check_answer(address)
        try:
            self._ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **here)
        except (ConnectionError, RuntimeError, TimeoutError) as error:
            self.close()
            raise ValueError(f"no Ray cluster at {address}: {_first_line(error)}") from error


def _check_answer(address: str) -> None:
    """Ask HOST:PORT for a connection: Ray itself tries for minutes before it gives up."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdigit():
        return  # auto, or a name that Ray resolves
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER_S).close()
    except OSError as error:
        raise ValueError(f"no Ray cluster at {address}: {error}") from error


def _import_ray() -> Any:
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise ValueError(f"--ray needs the package ray: pip install moss_ros[ray] ({error})") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0]


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no message"])[-1]
