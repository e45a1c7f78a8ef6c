"""Parameters: checks, the YAML form, round trips, and that every one is described."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moss_ros.config import ConfigError, MossConfig, Parameter, from_flat, load_yaml, parameters, to_flat

ALL = list(parameters())
BOUNDED = [p for p in ALL if p.low is not None]


def names(found: list[Parameter]) -> list[str]:
    return [p.name for p in found]


def allowed(parameter: Parameter) -> st.SearchStrategy[Any]:
    """Values that must be accepted."""
    if parameter.choices:
        return st.sampled_from(parameter.choices)
    if parameter.type is int:
        return st.integers(int(parameter.low or 0), int(parameter.high or 100))
    if parameter.type is float:
        return st.floats(parameter.low, parameter.high, allow_nan=False)
    if parameter.type is tuple:
        size = len(parameter.default)
        return st.lists(st.floats(-10, 10), min_size=size, max_size=size).map(tuple)
    return st.booleans() if parameter.type is bool else st.text(max_size=20)


@pytest.mark.parametrize("parameter", ALL, ids=names(ALL))
def test_every_parameter_is_described_and_its_default_allowed(parameter: Parameter) -> None:
    assert len(parameter.description) > 5
    assert (parameter.low is None) == (parameter.high is None)
    if parameter.type in (int, float):
        assert parameter.low is not None, "numbers need bounds"
    assert isinstance(parameter.default, parameter.type)
    assert from_flat({parameter.name: parameter.default}) == MossConfig()


def test_names_are_unique_and_cover_every_field() -> None:
    fields = sum(len(dataclasses.fields(stage.default)) for stage in dataclasses.fields(MossConfig))
    assert len(ALL) == len(set(names(ALL))) == fields


def test_empty_means_defaults() -> None:
    assert from_flat({}) == MossConfig()
    assert from_flat(to_flat(MossConfig())) == MossConfig()


@settings(deadline=None)  # the first example builds the strategies of all parameters
@given(st.fixed_dictionaries({}, optional={p.name: allowed(p) for p in ALL}))
def test_round_trip(values: dict[str, Any]) -> None:
    config = from_flat(values)
    flat = to_flat(config)
    assert {name: flat[name] for name in values} == values
    assert from_flat(flat) == config


@pytest.mark.parametrize("parameter", BOUNDED, ids=names(BOUNDED))
def test_values_out_of_bounds_are_refused(parameter: Parameter) -> None:
    assert parameter.low is not None
    assert parameter.high is not None
    for value in (parameter.low - 1, parameter.high + 1):
        with pytest.raises(ConfigError, match="outside"):
            from_flat({parameter.name: parameter.type(value)})
    with pytest.raises(ConfigError):
        from_flat({parameter.name: float("nan")})


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"did you mean mapping\.voxel_size_m"):
        from_flat({"mapping.voxel_size": 0.02})
    with pytest.raises(ConfigError, match=r"parameters\.md"):
        from_flat({"quite_something_else": 1})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mapping.voxel_size_m", "0.02"),
        ("mapping.voxel_size_m", True),
        ("mapping.voxel_size_m", None),
        ("mapping.min_hits", 2.5),
        ("mapping.min_hits", True),
        ("input.color_topic", 3),
        ("input.pose_source", "gps"),
        ("input.body_from_camera_xyz", [0.0, 0.0]),
        ("input.body_from_camera_xyz", 1.0),
        ("input.body_from_camera_xyz", ["a", "b", "c"]),
    ],
)
def test_wrong_values_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=name):
        from_flat({name: value})


def test_whole_numbers_and_lists_are_converted() -> None:
    config = from_flat({"input.depth_max_m": 5, "input.body_from_camera_xyz": [0, 0, 1]})
    assert isinstance(config.input.depth_max_m, float)
    assert config.input.body_from_camera_xyz == (0.0, 0.0, 1.0)


def write(folder: Path, text: str) -> str:
    path = folder / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_yaml_nested_and_dotted(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "/**:\n  ros__parameters:\n    use_sim_time: true\n"
        "    mapping:\n      voxel_size_m: 0.03\n    masks.min_pixels: 60\n",
    )
    assert load_yaml(path) == {"mapping.voxel_size_m": 0.03, "masks.min_pixels": 60}


def test_yaml_later_node_wins(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "/**:\n  ros__parameters: {mapping: {min_hits: 3}}\n/mapper:\n  ros__parameters: {mapping: {min_hits: 4}}\n",
    )
    assert load_yaml(path) == {"mapping.min_hits": 4}


@pytest.mark.parametrize("text", ["", "/**:\n  ros__parameters:\n"])
def test_empty_yaml(tmp_path: Path, text: str) -> None:
    assert load_yaml(write(tmp_path, text)) == {}


@pytest.mark.parametrize(
    "text",
    [
        "- 1",
        "mapping: {min_hits: 3}",
        "/**: 3",
        "a: [",
        "/**: {ros__parameters: [1, 2]}",
        "/**: {ros__parameters: 3}",
    ],
)
def test_malformed_yaml_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"params\.yaml"):
        load_yaml(write(tmp_path, text))


def test_missing_yaml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        load_yaml(str(tmp_path / "none.yaml"))
