"""What the packaging files say agrees with each other and with the code."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import moss_ros

ROOT = Path(__file__).resolve().parent.parent


def setup_arguments() -> dict[str, object]:
    """The literal arguments of setup() in setup.py."""
    tree = ast.parse((ROOT / "setup.py").read_text("utf-8"))
    call = next(n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "setup")
    found = {}
    for keyword in call.keywords:
        try:
            found[str(keyword.arg)] = ast.literal_eval(keyword.value)
        except ValueError:  # computed, e.g. find_packages()
            continue
    return found


def manifest(path: str) -> ElementTree.Element:
    return ElementTree.parse(ROOT / path).getroot()


def version_in(path: str) -> str:
    return manifest(path).findtext("version", "")


def test_versions_agree() -> None:
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest
    assert newest[1] == moss_ros.__version__
    assert setup_arguments()["version"] == moss_ros.__version__
    assert version_in("package.xml") == moss_ros.__version__
    assert version_in("msg/package.xml") == moss_ros.__version__


def test_names_and_license() -> None:
    package = manifest("package.xml")
    assert package.get("format") == "3"
    assert package.findtext("name") == setup_arguments()["name"] == "moss_ros"
    assert package.findtext("license") == setup_arguments()["license"] == "Apache-2.0"
    assert package.findtext("export/build_type") == "ament_python"
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")
    assert (ROOT / "resource" / "moss_ros").exists()


def test_manifest_declares_every_ros_package_that_is_imported() -> None:
    declared = {e.text for kind in ("depend", "exec_depend") for e in manifest("package.xml").findall(kind)}
    files = [*(ROOT / "moss_ros" / "ros").rglob("*.py"), *(ROOT / "launch").glob("*.py")]
    text = "\n".join(f.read_text("utf-8") for f in files)
    pattern = r"^\s*(?:from|import) (rclpy|launch\w*|tf2_\w+|cv_bridge|std_srvs|sensor_msgs_py|\w+_msgs)\b"
    used = set(re.findall(pattern, text, re.MULTILINE))
    assert used - {"lifecycle_msgs", "action_msgs", "rosgraph_msgs"} <= declared  # those come with rclpy


def test_entry_points_name_functions() -> None:
    scripts = setup_arguments()["entry_points"]["console_scripts"]  # type: ignore[index]
    for script in scripts:
        module, function = script.split("=")[1].strip().split(":")
        source = (ROOT / (module.replace(".", "/") + ".py")).read_text("utf-8")
        assert any(isinstance(n, ast.FunctionDef) and n.name == function for n in ast.parse(source).body), script


def test_lock_pins_every_requirement_and_nothing_else() -> None:
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+(\[[a-z]+\])?==[0-9][\w.]*", pin) for pin in pins)
    names = {re.split(r"[\[=]", pin)[0].lower() for pin in pins}
    assert len(names) == len(pins)
    requirements: list[str] = setup_arguments()["install_requires"]  # type: ignore[assignment]
    assert {re.split(r"[<>=]", r)[0].lower() for r in requirements} <= names


def test_parameter_documentation_is_what_its_script_writes() -> None:
    script = ROOT / "tools" / "write_parameter_docs.py"
    written = subprocess.run([sys.executable, script, "--print"], capture_output=True, text=True, check=True)
    assert written.stdout == (ROOT / "docs" / "parameters.md").read_text("utf-8"), "run `make docs`"
