"""The YAML files that come with the package are valid, and the launch file passes them on as it says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from xml.etree import ElementTree

import pytest

from moss_ros.config import MossConfig, from_flat, load_yaml, to_flat

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "config").glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_file_holds_known_parameters_within_bounds(path):
    assert from_flat(load_yaml(str(path))) != MossConfig()


def test_topics_of_the_recordings():
    flat = to_flat(from_flat(load_yaml(str(ROOT / "config" / "bag.yaml"))))
    assert flat["input.color_topic"] == "/camera/color/image_raw/compressed"
    assert flat["input.depth_topic"] == "/camera/depth/image_raw/compressedDepth"
    assert (flat["input.pose_source"], flat["input.pose_topic"]) == ("pose", "/camera/pose")


def test_shared_memory_holds_many_images():
    root = ElementTree.parse(ROOT / "config" / "fastdds_shm.xml").getroot()
    sizes = [int(e.text) for e in root.iter() if e.tag.endswith("segment_size")]
    assert sizes and min(sizes) >= 16 * 640 * 480 * 3


class Recorder:
    """Stands for a launch action where ROS's launch is not installed."""

    def __init__(self, *args, **kwargs):
        self.args, self.kwargs = args, kwargs


@pytest.fixture
def launch_file(monkeypatch):
    """The launch file with stand-ins for launch, which is not among the ROS wheels."""
    values: dict[str, str] = {}

    class Configuration:
        def __init__(self, name):
            self.name = name

        def perform(self, context):
            return values[self.name]

    stand_ins = {
        "launch": {"LaunchContext": Recorder, "LaunchDescription": Recorder},
        "launch.actions": dict.fromkeys(
            ("DeclareLaunchArgument", "OpaqueFunction", "SetEnvironmentVariable"), Recorder
        ),
        "launch.substitutions": {"LaunchConfiguration": Configuration},
        "launch_ros": {},
        "launch_ros.actions": {"Node": Recorder},
    }
    for name, content in stand_ins.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("moss_launch", ROOT / "launch" / "moss.launch.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def nodes(**given):
        description = module.generate_launch_description()
        declared = [e for e in description.args[0] if "default_value" in e.kwargs]
        values.update({a.args[0]: a.kwargs["default_value"] for a in declared})
        assert given.keys() <= values.keys()
        values.update(given)
        made = module._nodes(None)
        return {node.kwargs["executable"]: node.kwargs for node in made}

    return SimpleNamespace(nodes=nodes, module=module)


def test_launch_defaults(launch_file):
    nodes = launch_file.nodes()
    assert nodes.keys() == {"mapper"}
    file, rest = nodes["mapper"]["parameters"]
    assert Path(file).name == "moss.yaml" and rest == {"use_sim_time": False}


def test_launch_with_everything(launch_file):
    nodes = launch_file.nodes(bag="/b", rate="2", rviz="true", profile="realtime", color_topic="/c")
    assert nodes.keys() == {"mapper", "player", "rviz2"}
    assert nodes["player"]["parameters"] == [{"bag": "/b", "rate": 2.0}]
    *files, rest = nodes["mapper"]["parameters"]
    assert [Path(f).name for f in files] == ["moss.yaml", "profile_realtime.yaml"] and all(
        map(Path.exists, map(Path, files))
    )
    assert rest == {"use_sim_time": True, "input.color_topic": "/c"}
    assert Path(nodes["rviz2"]["arguments"][1]).exists()


def test_launch_for_a_lifecycle_manager(launch_file):
    parameters = launch_file.nodes(autostart="false")["mapper"]["parameters"][-1]
    assert parameters == {"use_sim_time": False, "node.autostart": False}


def test_every_profile_has_its_file(launch_file):
    for profile in launch_file.module.PROFILES[1:]:
        assert (launch_file.module.CONFIG / f"profile_{profile}.yaml").exists()
