"""The services of the mapper. What needs the map runs in the worker; the callback waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moss_msgs.srv import GetInstance
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from std_srvs.srv import Trigger

from moss_ros.records import Instance
from moss_ros.ros.clouds import cloud_msg
from moss_ros.ros.conversions import header_msg, instance_msg
from moss_ros.ros.outputs import Outputs
from moss_ros.ros.worker import Worker

_TIMEOUT_S = 60.0


class Services:
    """~/get_instance, ~/reset, ~/segment."""

    def __init__(self, node: Node, worker: Worker, outputs: Outputs, frame: str) -> None:
        self._worker = worker
        self._outputs = outputs
        self._frame = frame
        self._log = node.get_logger()
        group = ReentrantCallbackGroup()  # a waiting service must not hold up the others
        node.create_service(GetInstance, "~/get_instance", self._get_instance, callback_group=group)
        node.create_service(Trigger, "~/reset", self._reset, callback_group=group)
        node.create_service(Trigger, "~/segment", self._segment, callback_group=group)

    def _get_instance(self, request: GetInstance.Request, response: GetInstance.Response) -> GetInstance.Response:
        def work() -> None:
            snapshot = self._worker.snapshot
            instances: dict[int, Instance] = {i.id: i for i in snapshot.instances} if snapshot else {}
            found = instances.get(request.id)
            if found is None:
                raise KeyError(f"no instance {request.id}; there are {len(instances)}, see ~/instances")
            jpeg = self._worker.pipeline.evidence_jpeg(found.id)
            response.instance = instance_msg(found, jpeg, self._frame)
            header = header_msg(snapshot.stamp_ns if snapshot else 0, self._frame)
            response.points = cloud_msg(header, found.points_m, found.colors_rgb)

        return self._answer(work, response, "")

    def _reset(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        def work() -> None:
            old = self._worker.snapshot
            self._worker.reset()
            if old is not None:
                self._outputs.cleared(old.stamp_ns, frozenset(i.id for i in old.instances))

        return self._answer(work, response, "the map is empty")

    def _segment(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        def work() -> None:
            snapshot = self._worker.segment(full=True)
            response.message = f"{len(snapshot.instances)} instances"

        return self._answer(work, response, "")

    def _answer(self, work: Callable[[], None], response: Any, message: str) -> Any:
        """Run in the worker and fill success and message."""
        try:
            self._worker.submit(work).result(_TIMEOUT_S)
        except Exception as error:  # every failure is an answer, none may end the executor
            response.success = False
            response.message = str(error.args[0]) if error.args else type(error).__name__
            if not isinstance(error, KeyError):
                self._log.error(f"service failed: {type(error).__name__}: {error}")
            return response
        response.success = True
        response.message = response.message or message
        return response
