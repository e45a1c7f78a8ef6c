"""The node in this process, with a pipeline without maths: topics in, topics and answers out."""

from __future__ import annotations

import pytest
from moss_msgs.msg import InstanceEvent, Region
from moss_msgs.srv import FindObjects, GetInstance, SetVocabulary
from robot import running
from sensor_msgs.msg import CompressedImage
from std_srvs.srv import Trigger


@pytest.fixture
def graph(context):
    with running(context) as (robot, mapper):
        robot.until_heard_by_mapper()
        yield robot, mapper


def test_frames_become_topics_and_answers(graph):
    robot, mapper = graph
    for i in range(3):
        robot.send(10**9 + i * 10**8)
    array = robot.hears("instances", lambda m: m.instances and m.instances[0].observations == 3)
    assert array.header.frame_id == "map"
    assert {m.ns for m in robot.hears("markers", lambda m: len(m.markers) >= 2).markers} >= {"box", "label"}
    assert robot.hears("cloud", lambda m: m.width == 4).point_step == 20

    answer = robot.call(GetInstance, "get_instance", GetInstance.Request(id=1))
    assert answer.success and answer.points.width == 4 and bytes(answer.instance.evidence.data) == b"\xff\xd8picture"
    answer = robot.call(GetInstance, "get_instance", GetInstance.Request(id=77))
    assert not answer.success and "no instance 77" in answer.message

    answer = robot.call(Trigger, "segment", Trigger.Request())
    assert (answer.success, answer.message) == (True, "1 instances")
    assert mapper._parts.worker.pipeline.segmented[-1] is True

    assert robot.call(Trigger, "reset", Trigger.Request()).success
    assert list(robot.hears("instances", lambda m: not m.instances).removed_ids) == [1]
    robot.hears("markers", lambda m: any(marker.action == marker.DELETE for marker in m.markers))

    kinds = [(e.kind, e.number, e.id) for e in robot.heard["events"]]
    assert kinds == [(InstanceEvent.NEW, 1, 1), (InstanceEvent.LOST, 2, 1)]

    robot.send(10**9 + 3 * 10**8)  # mapping goes on
    robot.hears("instances", lambda m: bool(m.instances))


def test_question_is_answered_while_mapping_and_lights_up(graph):
    robot, mapper = graph
    robot.send(10**9)
    robot.hears("instances", lambda m: bool(m.instances))
    request = FindObjects.Request(text="mug", with_evidence=True, max_results=3)
    answer = robot.call(FindObjects, "find", request)
    assert (answer.success, answer.status, answer.model) == (True, FindObjects.Response.FOUND, "fake")
    (found,) = answer.objects  # the other one is gone since
    assert (found.instance.id, found.explanation) == (1, "because")
    assert found.score == pytest.approx(0.8)
    assert bytes(found.instance.evidence.data) == b"\xff\xd8picture"

    answer = robot.call(FindObjects, "find", FindObjects.Request(text="eel"))
    assert (answer.success, answer.status, len(answer.objects)) == (True, FindObjects.Response.ABSENT, 0)
    assert answer.observed_share == pytest.approx(0.9)


def test_question_that_makes_no_sense_says_how_to_ask(graph):
    robot, _ = graph
    assert robot.call(FindObjects, "find", FindObjects.Request(text="nonsense")).message == "ask for a thing"
    flat = FindObjects.Request(text="mug", region=Region(kind=Region.SPHERE, radius=0.0))
    answer = robot.call(FindObjects, "find", flat)
    assert not answer.success and "radius" in answer.message
    no_image = FindObjects.Request(example=CompressedImage(data=b"no image"))
    answer = robot.call(FindObjects, "find", no_image)
    assert not answer.success and "JPEG" in answer.message


def test_vocabulary_is_changed_and_the_new_names_go_out(graph):
    robot, mapper = graph
    robot.send(10**9)
    robot.hears("instances", lambda m: bool(m.instances))
    answer = robot.call(SetVocabulary, "set_vocabulary", SetVocabulary.Request(labels=["cup", "bowl"]))
    assert (answer.success, answer.relabelled) == (True, 1)
    assert mapper._parts.worker.pipeline.vocabulary == ("cup", "bowl")
    robot.hears("instances", lambda m: m.instances[0].label == "cup")


def test_failing_service_answers_with_the_reason(graph):
    robot, mapper = graph

    def fail(full=False):
        raise RuntimeError("no structure")

    mapper._parts.worker.pipeline.segment = fail
    answer = robot.call(Trigger, "segment", Trigger.Request())
    assert not answer.success and "no structure" in answer.message
