"""`moss find` without a map folder: ask the live node over its service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rclpy
from moss_msgs.srv import FindObjects

from moss_ros.questions.query import Status
from moss_ros.questions.query_limits import QueryError

_REACH_S = 10.0
_ANSWER_S = 30.0


def find_live(text: str, negatives: Sequence[str], max_results: int, service: str = "/mapper/find") -> dict[str, Any]:
    """The answer in the form of answers.json. Raises QueryError when nobody answers, or the node refuses."""
    rclpy.init()
    node = rclpy.create_node("moss_find")
    client: Any = node.create_client(FindObjects, service)
    try:
        if not client.wait_for_service(_REACH_S):
            raise QueryError(f"nobody answers on {service}: start the mapper, or give --map a folder of moss replay")
        request = FindObjects.Request(text=text, negatives=list(negatives), max_results=max_results)
        future = client.call_async(request)
        rclpy.spin_until_future_complete(node, future, timeout_sec=_ANSWER_S)
        if not future.done():
            raise QueryError(f"no answer on {service} within {_ANSWER_S:.0f} s")
        response: FindObjects.Response = future.result()
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    if not response.success:
        raise QueryError(response.message)
    return answer_from_response(text, response)


def answer_from_response(text: str, response: FindObjects.Response) -> dict[str, Any]:
    """A response of ~/find in the form of answers.json."""
    return {
        "query": text,
        "status": Status(response.status).name.lower(),
        "observed_share": round(float(response.observed_share), 4),
        "message": response.message,
        "model": response.model,
        "hits": [_hit(found) for found in response.objects],
    }


def _hit(found: Any) -> dict[str, Any]:
    thing = found.instance
    return {
        "id": thing.id,
        "label": thing.label,
        "score": round(float(found.score), 4),
        "similarity": round(float(found.similarity), 4),
        "centroid_m": [round(float(v), 4) for v in (thing.centroid.x, thing.centroid.y, thing.centroid.z)],
        "size_m": [round(float(v), 4) for v in (thing.box_size.x, thing.box_size.y, thing.box_size.z)],
        "explanation": found.explanation,
    }
