"""Imports point one way: from the robot and the command line down to geometry, never back."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# From the bottom up. A part may import its own layer and those above it in this table, nothing below.
LAYERS: tuple[tuple[str, ...], ...] = (
    (
        "__init__",
        "__version__",
        "geometry",
        "records",
        "config",
        "timings",
        "torch_inference",
        "one_worker",
        "torch_threads",
        "torchvision_ops",
        "weights",
    ),
    ("messages",),
    ("source",),
    ("mapping",),
    ("masks2d",),
    ("proposals",),
    ("lifting",),
    ("language",),
    ("instances",),
    ("questions",),
    ("pipeline",),
    ("output", "warm_up"),
    ("evaluation", "replay", "sim", "ros"),
    ("batch", "train"),
    ("cli",),
)
RANK = {part: rank for rank, layer in enumerate(LAYERS) for part in layer}

NEVER_TOGETHER = (("ros", "replay"), ("replay", "ros"))

ROS_LIBRARIES = {
    "ament_index_python",
    "cv_bridge",
    "launch",
    "launch_ros",
    "message_filters",
    "rclpy",
    "rosbag2_py",
    "rosidl_runtime_py",
    "sensor_msgs_py",
    "std_srvs",
    "tf2_py",
    "tf2_ros",
}
BAG_PARTS = {"replay", "ros", "sim", "messages", "cli"}

MODEL_LIBRARIES = {"torch", "open_clip", "segment_anything", "transformers", "spconv", "MinkowskiEngine"}
# Files that wrap a model library and may import it when they are loaded: path below moss_ros -> libraries.
MODEL_FILES: dict[str, set[str]] = {
    "language/encoders/alpha_clip.py": {"torch"},
    "language/encoders/bundled_tower.py": {"torch"},
    "language/encoders/clip.py": {"torch"},
    "language/encoders/crops.py": {"torch"},
    "language/encoders/mask_tokens.py": {"torch"},
    "language/encoders/short_texts.py": {"torch"},
    "language/encoders/towers.py": {"torch"},
    "lifting/expansion_torch.py": {"torch"},
    "masks2d/network.py": {"torch"},
    "masks2d/sam/sam.py": {"torch", "segment_anything"},
    "masks2d/sam/sam_torch.py": {"torch"},
    "masks2d/sam/sam_transformers.py": {"torch"},
    "train/device_ring.py": {"torch"},
    "train/mask_loss.py": {"torch"},
    "train/mask_scores.py": {"torch"},
    "torch_inference.py": {"torch"},
    "torch_threads.py": {"torch"},
    "torchvision_ops.py": {"torch"},
    "train/course.py": {"torch"},
    "train/masks.py": {"torch"},
    "train/words/tower.py": {"torch"},
    "train/words/train.py": {"torch"},
    "train/pictures/learn.py": {"torch"},
    "train/pictures/losses.py": {"torch"},
    "train/pictures/mask_readers.py": {"torch"},
    "train/pictures/object_scores.py": {"torch"},
    "train/pictures/tower.py": {"torch"},
    "train/pictures/training.py": {"torch"},
}
RAY_FILE = "batch/ray_workers.py"


def imports(source: str, package: str) -> Iterator[tuple[str, bool, int]]:
    """(module, imported when the file is loaded, line) of every import in a file of the package."""
    tree = ast.parse(source)
    deferred = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for statement in function.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        for module in _modules(node, package):
            yield module, id(node) not in deferred, node.lineno  # type: ignore[attr-defined]


def _modules(node: ast.AST, package: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*parents, *([node.module] if node.module else [])])
        return [f"{base}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in ("import_module", "__import__"):
            return [str(node.args[0].value)]
    return []


def violations(path: str, source: str) -> list[str]:
    """What a file breaks; path is relative to moss_ros/, e.g. "mapping/voxel_map.py"."""
    part = path.split("/")[0].removesuffix(".py")
    package = ".".join(["moss_ros", *path.split("/")[:-1]])
    if part not in RANK:
        return [f"{path}: {part} is in no layer; add it to LAYERS in {Path(__file__).name}"]
    found = []
    for module, at_load, line in imports(source, package):
        complaint = _complaint(path, part, module, at_load)
        if complaint:
            found.append(f"{path}:{line}: {complaint}")
    return found


def _complaint(path: str, part: str, module: str, at_load: bool) -> str | None:
    library, _, rest = module.partition(".")
    if library == "moss_ros":
        return _wrong_way(part, rest.split(".")[0] or "__init__")
    if (library in ROS_LIBRARIES or library.endswith("_msgs")) and part != "ros":
        return f"{library} may be imported in moss_ros/ros/ only"
    if library == "rosbags" and part not in BAG_PARTS:
        return f"rosbags may be imported in {', '.join(sorted(BAG_PARTS))} only"
    if library in MODEL_LIBRARIES and at_load and library not in MODEL_FILES.get(path, set()):
        return f"{library} must be imported inside a function (or the file listed in MODEL_FILES)"
    if library == "ray" and (path != RAY_FILE or at_load):
        return f"ray may be imported in {RAY_FILE} only, inside a function"
    return None


def _wrong_way(part: str, target: str) -> str | None:
    if target not in RANK:
        return f"imports {target}, which is in no layer"
    if (part, target) in NEVER_TOGETHER:
        return f"{part} and {target} must not import each other"
    if RANK[target] > RANK[part]:
        return f"{part} must not import {target}, which builds on it"
    return None


def test_package_keeps_its_layers() -> None:
    package = ROOT / "moss_ros"
    files = sorted(package.rglob("*.py"))
    assert len(files) > 10
    found = [v for f in files for v in violations(f.relative_to(package).as_posix(), f.read_text("utf-8"))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("mapping/x.py", "from moss_ros.pipeline import Pipeline"),
        ("mapping/x.py", "from moss_ros import pipeline"),
        ("mapping/x.py", "import moss_ros.cli"),
        ("mapping/x.py", "from ..instances import boxes"),
        ("mapping/x.py", "def late():\n    from moss_ros.proposals import union"),
        ("mapping/x.py", "import importlib\nimportlib.import_module('moss_ros.ros.mapper_node')"),
        ("replay/x.py", "from moss_ros.ros import conversions"),
        ("ros/x.py", "from moss_ros.replay.bag import BagSource"),
        ("sim/x.py", "from moss_ros.cli import main"),
        ("replay/x.py", "import rclpy"),
        ("messages/x.py", "from sensor_msgs.msg import Image"),
        ("pipeline.py", "import launch"),
        ("mapping/x.py", "from rosbags.highlevel import AnyReader"),
        ("language/x.py", "import torch"),
        ("language/x.py", "from transformers import CLIPModel"),
        ("evaluation/x.py", "from moss_ros.batch.run import evaluate_scenes"),
        ("batch/x.py", "def late():\n    import ray"),
        ("batch/ray_workers.py", "import ray"),
        ("unheard_of/x.py", "import os"),
        ("mapping/x.py", "from moss_ros.unheard_of import x"),
    ],
)
def test_violation_is_found(path: str, source: str) -> None:
    assert len(violations(path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (
            "mapping/x.py",
            "import numpy as np\nfrom moss_ros.geometry.camera import Camera\nfrom .normals import y",
        ),
        ("language/x.py", "def load():\n    import torch\n    return torch"),
        (
            "ros/x.py",
            "import rclpy\nfrom moss_msgs.msg import Instance\nfrom moss_ros.messages import images",
        ),
        ("replay/x.py", "from rosbags.rosbag2 import Reader\nfrom moss_ros.pipeline import Pipeline"),
        ("batch/ray_workers.py", "def load():\n    import ray\n    return ray"),
        ("cli.py", "from moss_ros import __version__\nfrom moss_ros.ros.demo import run_demo"),
    ],
)
def test_allowed_imports_pass(path: str, source: str) -> None:
    assert violations(path, source) == []
