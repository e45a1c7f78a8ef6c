"""The transitions of the mapper, asked for through its services as a lifecycle manager does."""

from __future__ import annotations

import time

import pytest
from moss_msgs.msg import InstanceEvent
from moss_msgs.srv import GetInstance
from rcl_interfaces.srv import SetParameters
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.parameter import Parameter
from robot import running
from std_srvs.srv import Trigger

from moss_ros.config import ConfigError
from moss_ros.ros.run_node import spin

SECOND = 10**9


@pytest.fixture
def graph(context):
    with running(context, node__autostart=False) as (robot, mapper):
        yield robot, mapper


def settle():
    """Long enough for images to arrive and to be mapped, where they would be."""
    time.sleep(0.5)


def observations(robot, count):
    return robot.hears("instances", lambda m: m.instances and m.instances[0].observations == count)


def set_parameter(robot, name, value):
    request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
    return robot.call(SetParameters, "set_parameters", request).results[0]


def test_waits_for_a_manager(graph):
    robot, _ = graph
    assert robot.state == "unconfigured"
    answer = robot.call(Trigger, "segment", Trigger.Request())
    assert not answer.success and "ros2 lifecycle set /mapper configure" in answer.message
    assert not any(p.get_subscription_count() for p in robot.out.values())


def test_all_the_way(graph):
    robot, mapper = graph
    assert robot.change("configure") and robot.state == "inactive"
    assert not any(p.get_subscription_count() for p in robot.out.values())
    assert robot.change("activate") and robot.state == "active"
    robot.until_heard_by_mapper()
    robot.send(SECOND)
    observations(robot, 1)

    assert robot.change("deactivate") and robot.state == "inactive"
    robot.send(2 * SECOND)
    settle()
    assert len(mapper._parts.worker.pipeline.frames) == 1
    assert robot.call(GetInstance, "get_instance", GetInstance.Request(id=1)).success  # the map is kept

    assert robot.change("activate")
    robot.until_heard_by_mapper()
    robot.send(3 * SECOND)
    observations(robot, 2)

    assert robot.change("deactivate") and robot.change("cleanup") and robot.state == "unconfigured"
    assert list(robot.hears("instances", lambda m: not m.instances).removed_ids) == [1]
    assert robot.hears("events", lambda e: e.kind == InstanceEvent.LOST).id == 1

    assert robot.change("configure") and robot.change("activate")
    robot.until_heard_by_mapper()
    robot.send(4 * SECOND)
    observations(robot, 1)  # a new map
    assert robot.change("shutdown") and robot.state == "finalized"


def test_images_that_wait_at_deactivation_are_counted(graph):
    robot, mapper = graph
    assert robot.change("configure") and robot.change("activate")
    robot.until_heard_by_mapper()
    worker = mapper._parts.worker
    hold = worker.submit(lambda: time.sleep(1.0))
    for i in range(3):
        robot.send(SECOND + i * SECOND // 10)
    end = time.monotonic() + 5
    while len(worker._slot) < 3:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert robot.change("deactivate")
    hold.result(5)
    assert mapper._parts._builder.drops["inactive"] == 3 and worker.stepped == 0


def test_transition_out_of_order_is_refused(graph):
    robot, _ = graph
    assert not robot.change("activate")
    assert robot.state == "unconfigured" and robot.change("configure")


def test_comes_up_active_by_itself(context):
    with running(context) as (robot, _):
        assert robot.state == "active"
        assert robot.change("deactivate") and robot.change("activate")


def test_transitions_while_images_and_requests_come(graph):
    robot, mapper = graph
    for i in range(5):
        assert robot.change("configure") and robot.change("activate")
        requests = [robot.client(Trigger, "segment").call_async(Trigger.Request()) for _ in range(3)]
        for k in range(5):
            robot.send((i + 1) * SECOND + k * SECOND // 10)
        assert robot.change("deactivate") and robot.change("cleanup")
        end = time.monotonic() + 10
        while not all(r.done() for r in requests):
            assert time.monotonic() < end, "a request got no answer"
            time.sleep(0.01)
    assert robot.state == "unconfigured"


def test_wrong_parameter_fails_the_transition_until_it_is_set(context, capfd):
    with running(context, node__autostart=False, mapping__voxel_size_m=3.0) as (robot, _):
        assert not robot.change("configure") and robot.state == "unconfigured"
        assert not robot.change("configure")
        assert "cannot configure: parameter mapping.voxel_size_m" in capfd.readouterr().err
        refused = set_parameter(robot, "mapping.voxel_size_m", 7.0)
        assert not refused.successful and not robot.change("configure")
        assert set_parameter(robot, "mapping.voxel_size_m", 0.05).successful
        assert robot.change("configure")
        fixed = set_parameter(robot, "mapping.voxel_size_m", 0.1)
        assert not fixed.successful and "clean the node up" in fixed.reason


def test_unknown_parameter_and_missing_package_fail_the_transition(context, capfd):
    with running(context, node__autostart=False, mapping__voxel_sise_m=0.1) as (robot, _):
        assert not robot.change("configure")
        assert "did you mean mapping.voxel_size_m" in capfd.readouterr().err


def test_activation_that_fails_leaves_it_inactive(context, capfd):
    values = {"input__pose_source": "tf", "input__tf_buffer": "tf2_ros", "node__autostart": False}
    with running(context, **values) as (robot, _):
        assert robot.change("configure") and not robot.change("activate")
        assert robot.state == "inactive" and "input.tf_buffer is tf2_ros" in capfd.readouterr().err


def test_wrong_parameter_without_a_manager_is_raised(context):
    with pytest.raises(ConfigError, match="voxel_size_m"), running(context, mapping__voxel_size_m=3.0):
        pass


def test_spinning_outlives_handles_that_are_taken_away_meanwhile(context):
    class Executor:
        """Two turns meet a handle that is gone, the third ends it."""

        def __init__(self):
            self.context, self.turns, self._is_shutdown = context, 0, False

        def spin_once(self):
            self.turns += 1
            self._is_shutdown = self.turns == 3
            if self.turns < 3:
                raise rclpy_implementation.InvalidHandle("cannot use Destroyable because destruction was requested")

    executor = Executor()
    spin(executor)
    assert executor.turns == 3
