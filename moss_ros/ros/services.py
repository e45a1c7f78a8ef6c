"""The services of the mapper. What needs the map runs in the worker; the callback waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moss_msgs.srv import GetInstance, SetVocabulary
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from std_srvs.srv import Trigger

from moss_ros.records import Instance
from moss_ros.ros.clouds import cloud_msg
from moss_ros.ros.conversions import header_msg, instance_msg
from moss_ros.ros.mapper_parts import MapperParts, not_configured

_TIMEOUT_S = 60.0


class Services:
    """~/get_instance, ~/reset, ~/segment, ~/set_vocabulary. They are there for the life of the node: one that is not
    configured says so, instead of leaving its caller to wait."""

    def __init__(self, node: Node, parts: Callable[[], MapperParts | None]) -> None:
        """parts: what the node consists of at the moment; None while it is not configured."""
        self._parts = parts
        self._name = node.get_fully_qualified_name()
        self._log = node.get_logger()
        group = ReentrantCallbackGroup()  # a waiting service must not hold up the others
        node.create_service(GetInstance, "~/get_instance", self._get_instance, callback_group=group)
        node.create_service(Trigger, "~/reset", self._reset, callback_group=group)
        node.create_service(Trigger, "~/segment", self._segment, callback_group=group)
        node.create_service(SetVocabulary, "~/set_vocabulary", self._set_vocabulary, callback_group=group)

    def _get_instance(self, request: GetInstance.Request, response: GetInstance.Response) -> GetInstance.Response:
        def work(parts: MapperParts) -> None:
            snapshot = parts.worker.snapshot
            instances: dict[int, Instance] = {i.id: i for i in snapshot.instances} if snapshot else {}
            found = instances.get(request.id)
            if found is None:
                raise KeyError(f"no instance {request.id}; there are {len(instances)}, see ~/instances")
            jpeg = parts.worker.pipeline.evidence_jpeg(found.id)
            response.instance = instance_msg(found, jpeg, parts.frame)
            header = header_msg(snapshot.stamp_ns if snapshot else 0, parts.frame)
            response.points = cloud_msg(header, found.points_m, found.colors_rgb)

        return self._answer(work, response, "")

    def _reset(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        return self._answer(lambda parts: parts.forget_map(), response, "the map is empty")

    def _segment(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        def work(parts: MapperParts) -> None:
            snapshot = parts.worker.segment(full=True)
            response.message = f"{len(snapshot.instances)} instances"

        return self._answer(work, response, "")

    def _set_vocabulary(
        self, request: SetVocabulary.Request, response: SetVocabulary.Response
    ) -> SetVocabulary.Response:
        def work(parts: MapperParts) -> None:
            vocabulary = request.name or tuple(request.labels)
            response.relabelled = parts.worker.relabel(vocabulary, request.min_score)

        return self._answer(work, response, "")

    def _answer(self, work: Callable[[MapperParts], None], response: Any, message: str) -> Any:
        """Run in the worker and fill success and message."""
        parts = self._parts()
        if parts is None:
            response.success = False
            response.message = not_configured(self._name)
            return response
        try:
            parts.worker.submit(lambda: work(parts)).result(_TIMEOUT_S)
        except Exception as error:  # every failure is an answer, none may end the executor
            response.success = False
            response.message = str(error.args[0]) if error.args else type(error).__name__
            if not isinstance(error, (KeyError, ValueError)):  # those the asker can fix
                self._log.error(f"service failed: {type(error).__name__}: {error}")
            return response
        response.success = True
        response.message = response.message or message
        return response
