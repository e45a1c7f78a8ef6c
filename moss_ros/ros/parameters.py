"""ROS parameters from the configuration dataclasses: the same names, defaults, descriptions and bounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from moss_ros.config import ConfigError, MossConfig, Parameter, from_flat, parameters

_OF_ROS = ("use_sim_time", "start_type_description_service")  # parameters that every node has


class Parameters:
    """Declares every parameter, and gives the configuration made of their values.

    Values may be set while ``may_change`` says so; a wrong one is refused with the reason. A wrong value that the
    node was started with does not stop it: config() raises until the parameter is set, so that the process lives.
    """

    def __init__(self, node: Node, may_change: Callable[[], bool] = lambda: False) -> None:
        self._node = node
        self._may_change = may_change
        self._known = {p.name: p for p in parameters()}
        self._wrong: dict[str, str] = {}  # start values that were refused: name -> why
        overrides: dict[str, RosParameter] = node._parameter_overrides
        self._unknown = _unknown(set(overrides), self._known)
        for parameter in self._known.values():
            _widen(overrides, parameter)
            self._declare(parameter)
        node.add_on_set_parameters_callback(self._check)
        node.add_post_set_parameters_callback(self._note)

    def config(self) -> MossConfig:
        """The configuration. Raises ConfigError for an unknown name, a wrong type or a value out of bounds."""
        for message in (self._unknown, *self._wrong.values()):
            if message:
                raise ConfigError(message)
        values = {name: self._node.get_parameter(name).value for name in self._known}
        return from_flat({name: _plain(self._known[name], value) for name, value in values.items()})

    def _declare(self, parameter: Parameter) -> None:
        default = list(parameter.default) if parameter.type is tuple else parameter.default
        described = descriptor(parameter)
        try:
            value = self._node.declare_parameter(parameter.name, default, described).value
            from_flat({parameter.name: _plain(parameter, value)})
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            self._wrong[parameter.name] = f"parameter {parameter.name}: {error}; {parameter.description}"
            self._node.declare_parameter(parameter.name, default, described, ignore_override=True)
        except ConfigError as error:
            self._wrong[parameter.name] = str(error)

    def _check(self, changes: list[RosParameter]) -> SetParametersResult:
        """Before values are set."""
        for change in changes:
            if change.name not in self._known:
                continue
            if not self._may_change():
                reason = f"{change.name} does not fit the map that is being made: clean the node up, set, configure"
                return SetParametersResult(successful=False, reason=reason)
            try:
                from_flat({change.name: _plain(self._known[change.name], change.value)})
            except ConfigError as error:
                return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _note(self, changes: list[RosParameter]) -> None:
        """After values were set."""
        for change in changes:
            self._wrong.pop(change.name, None)


def declare_config(node: Node) -> MossConfig:
    """Declare every parameter, fixed from then on, and return the configuration. Raises ConfigError."""
    return Parameters(node).config()


def descriptor(parameter: Parameter) -> ParameterDescriptor:
    """What `ros2 param describe` shows."""
    out = ParameterDescriptor(description=parameter.description)
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


def _unknown(names: set[str], known: dict[str, Parameter]) -> str:
    """What is wrong with the first name that is no parameter; empty when all are known."""
    for name in sorted(names - known.keys()):
        if name not in _OF_ROS and not name.startswith("qos_overrides."):
            try:
                from_flat({name: None})
            except ConfigError as error:  # names the nearest known one
                return str(error)
    return ""


def _plain(parameter: Parameter, value: Any) -> Any:
    """The value as the configuration wants it: lists come as arrays."""
    return tuple(value) if parameter.type is tuple else value


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
