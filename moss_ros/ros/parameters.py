"""ROS parameters from the configuration dataclasses: the same names, defaults, descriptions and bounds."""

from __future__ import annotations

from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from moss_ros.config import ConfigError, MossConfig, Parameter, from_flat, parameters

_OF_ROS = ("use_sim_time", "start_type_description_service")  # parameters that every node has


def declare_config(node: Node) -> MossConfig:
    """Declare every parameter (read-only: the map would not fit changed ones) and return the configuration.

    Raises ConfigError for an unknown name, a wrong type or a value out of bounds.
    """
    known = {p.name: p for p in parameters()}
    overrides: dict[str, RosParameter] = node._parameter_overrides
    _refuse_unknown(set(overrides), known)
    values: dict[str, Any] = {}
    for name, parameter in known.items():
        _widen(overrides, parameter)
        default = list(parameter.default) if parameter.type is tuple else parameter.default
        try:
            values[name] = node.declare_parameter(name, default, descriptor(parameter)).value
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            raise ConfigError(f"parameter {name}: {error}; {parameter.description}") from error
    return from_flat({name: tuple(v) if known[name].type is tuple else v for name, v in values.items()})


def descriptor(parameter: Parameter) -> ParameterDescriptor:
    """What `ros2 param describe` shows."""
    out = ParameterDescriptor(description=parameter.description, read_only=True)
    if parameter.choices:
        out.additional_constraints = "one of " + ", ".join(parameter.choices)
    if parameter.low is None or parameter.high is None:
        return out
    if parameter.type is float:
        out.floating_point_range = [FloatingPointRange(from_value=float(parameter.low), to_value=float(parameter.high))]
    elif parameter.type is int:
        bounds = IntegerRange(from_value=int(parameter.low), to_value=int(parameter.high), step=1)
        out.integer_range = [bounds]
    return out


def _refuse_unknown(names: set[str], known: dict[str, Parameter]) -> None:
    for name in sorted(names - known.keys()):
        if name not in _OF_ROS and not name.startswith("qos_overrides."):
            from_flat({name: None})  # raises with the nearest known name


def _widen(overrides: dict[str, RosParameter], parameter: Parameter) -> None:
    """A parameter file may say 1 where 1.0 is meant; ROS would refuse it."""
    given = overrides.get(parameter.name)
    if given is None:
        return
    if parameter.type is float and given.type_ is RosParameter.Type.INTEGER:
        overrides[parameter.name] = RosParameter(given.name, RosParameter.Type.DOUBLE, float(given.value))
    elif parameter.type is tuple and given.type_ is RosParameter.Type.INTEGER_ARRAY:
        values = [float(v) for v in given.value]
        overrides[parameter.name] = RosParameter(given.name, RosParameter.Type.DOUBLE_ARRAY, values)
