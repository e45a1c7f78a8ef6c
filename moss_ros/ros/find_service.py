"""~/find: a question comes as a message, ranked objects or an honest no go back, and light up on ~/query_markers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from moss_msgs.msg import FoundObject as FoundObjectMsg
from moss_msgs.srv import FindObjects
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from visualization_msgs.msg import MarkerArray

from moss_ros.questions.query import QueryAnswer
from moss_ros.questions.query_limits import QueryError, QueryRequest
from moss_ros.ros.conversions import instance_msg
from moss_ros.ros.mapper_parts import MapperParts, not_configured
from moss_ros.ros.markers import query_markers
from moss_ros.ros.regions import region_from_message

_EVIDENCE_S = 20.0  # longest wait for a picture while the map is busy


class FindService:
    """Answers in its own thread: mapping goes on. Only pictures are made by the thread that maps."""

    def __init__(self, node: Node, parts: Callable[[], MapperParts | None]) -> None:
        """parts: what the node consists of at the moment; None while it is not configured."""
        self._parts = parts
        self._name = node.get_fully_qualified_name()
        self._log = node.get_logger()
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._markers = node.create_publisher(MarkerArray, "~/query_markers", latched)
        node.create_service(FindObjects, "~/find", self._find, callback_group=ReentrantCallbackGroup())

    def _find(self, request: FindObjects.Request, response: FindObjects.Response) -> FindObjects.Response:
        parts = self._parts()
        if parts is None:
            response.success = False
            response.message = not_configured(self._name)
            return response
        try:
            answer = parts.worker.pipeline.find(self._question(request, parts))
            self._fill(response, answer, parts, request.with_evidence)
        except ValueError as error:  # QueryError, RegionError: the asker can fix it
            response.success = False
            response.message = str(error)
        except Exception as error:  # every failure is an answer, none may end the executor
            response.success = False
            response.message = f"{type(error).__name__}: {error}"
            self._log.error(f"find failed: {response.message}")
        return response

    def _question(self, request: FindObjects.Request, parts: MapperParts) -> QueryRequest:
        example = None
        if len(request.example.data):
            example = parts.worker.pipeline.embed_image(_decoded(bytes(request.example.data)))
        return QueryRequest(
            text=request.text,
            example=example,
            negatives=tuple(request.negatives),
            max_results=request.max_results,
            min_score=request.min_score,
            region=region_from_message(request.region),
        )

    def _fill(self, response: Any, answer: QueryAnswer, parts: MapperParts, with_evidence: bool) -> None:
        snapshot = parts.worker.snapshot
        known = {i.id: i for i in snapshot.instances} if snapshot else {}
        shown = [known[f.id] for f in answer.found if f.id in known]
        for found in answer.found:
            if found.id not in known:  # gone since the answer was made
                continue
            jpeg = self._picture(parts, found.id) if with_evidence else None
            response.objects.append(
                FoundObjectMsg(
                    instance=instance_msg(known[found.id], jpeg, parts.frame),
                    score=found.score,
                    similarity=found.similarity,
                    explanation=found.explanation,
                )
            )
        response.success = True
        response.message = answer.message
        response.status = int(answer.status)
        response.observed_share = float(answer.observed_share)
        response.model = answer.model
        self._markers.publish(query_markers(shown, snapshot.stamp_ns if snapshot else 0, parts.frame))

    @staticmethod
    def _picture(parts: MapperParts, instance_id: int) -> bytes | None:
        work = parts.worker.submit(lambda: parts.worker.pipeline.evidence_jpeg(instance_id))
        picture: bytes | None = work.result(_EVIDENCE_S)
        return picture


def _decoded(data: bytes) -> np.ndarray:
    """(H, W, 3) RGB of a JPEG or PNG. Raises QueryError."""
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise QueryError("the example is no image; send a JPEG or PNG")
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
