"""ROS parameters carry the names, bounds and descriptions of the dataclasses; mistakes name the fix."""

import pytest
from rclpy.node import Node
from rclpy.parameter import Parameter

from moss_ros.config import ConfigError, MossConfig, parameters
from moss_ros.ros.parameters import Parameters, declare_config


@pytest.fixture
def declared(context):
    """declared(name=value, ...): node and configuration with these overrides ("__" is a dot)."""
    nodes = []

    def make(**overrides):
        given = [Parameter(name.replace("__", "."), value=value) for name, value in overrides.items()]
        nodes.append(Node("mapper", context=context, parameter_overrides=given))
        return nodes[-1], declare_config(nodes[-1])

    yield make
    for node in nodes:
        node.destroy_node()


def test_defaults(declared):
    node, config = declared()
    assert config == MossConfig()
    for parameter in parameters():
        shown = node.describe_parameter(parameter.name)
        assert shown.description == parameter.description
    ranges = node.describe_parameter("mapping.voxel_size_m").floating_point_range
    assert (ranges[0].from_value, ranges[0].to_value) == (0.002, 0.5)
    assert "tf, pose" in node.describe_parameter("input.pose_source").additional_constraints


def test_overrides_also_whole_numbers_for_floats(declared):
    _, config = declared(
        input__depth_max_m=3,
        input__pose_source="odometry",
        input__body_from_camera_xyz=[0, 0, 1],
        mapping__pixel_stride=4,
        use_sim_time=True,
    )
    assert config.input.depth_max_m == 3.0 and config.input.pose_source == "odometry"
    assert config.input.body_from_camera_xyz == (0.0, 0.0, 1.0) and config.mapping.pixel_stride == 4


@pytest.mark.parametrize(
    ("name", "value", "fix"),
    [
        ("mapping__voxel_sise_m", 0.1, r"unknown parameter mapping\.voxel_sise_m; did you mean mapping\.voxel_size_m"),
        ("no_such_thing", 1, "unknown parameter no_such_thing"),
        ("mapping__voxel_size_m", 3.0, r"mapping\.voxel_size_m"),
        ("mapping__pixel_stride", 0, r"mapping\.pixel_stride"),
        ("mapping__voxel_size_m", "big", r"mapping\.voxel_size_m"),
        ("input__pose_source", "gps", "must be one of tf, pose, odometry"),
        ("input__body_from_camera_xyz", [0.0, 1.0], "needs 3 numbers"),
    ],
)
def test_mistakes(declared, name, value, fix):
    with pytest.raises(ConfigError, match=fix):
        declared(**{name: value})


def test_fixed_once_the_configuration_is_in_use(declared):
    node, _ = declared()
    (result,) = node.set_parameters([Parameter("mapping.voxel_size_m", value=0.1)])
    assert not result.successful and "clean the node up" in result.reason
    assert node.get_parameter("mapping.voxel_size_m").value == 0.02


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("mapping.voxel_size_m", 3.0, 0.1),
        ("mapping.voxel_size_m", "big", 0.1),
        ("input.pose_source", "gps", "odometry"),
        ("input.body_from_camera_xyz", [0.0, 1.0], [0.0, 1.0, 2.0]),
    ],
)
def test_wrong_start_value_can_be_set_right(context, name, wrong, right):
    node = Node("mapper", context=context, parameter_overrides=[Parameter(name, value=wrong)])
    settings = Parameters(node, may_change=lambda: True)
    for _ in range(2):
        with pytest.raises(ConfigError, match=name):
            settings.config()
    assert not node.set_parameters([Parameter(name, value=wrong)])[0].successful
    assert node.set_parameters([Parameter(name, value=right)])[0].successful
    stage, leaf = name.split(".")
    assert getattr(getattr(settings.config(), stage), leaf) == (tuple(right) if isinstance(right, list) else right)
    node.destroy_node()
