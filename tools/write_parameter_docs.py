"""Write docs/parameters.md from moss_ros/config.py; with --print, write it to the standard output instead."""

from __future__ import annotations

import dataclasses
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # works in a checkout that was not installed

from moss_ros.config import MossConfig, Parameter, parameters  # noqa: E402

HEAD = """# Parameters

Written by `make docs` from `moss_ros/config.py`; change them there. Live node and replay take the
same names, as ROS parameters, in a YAML file and on the command line:

```yaml
/**:
  ros__parameters:
    mapping:
      voxel_size_m: 0.02
```

```sh
moss replay BAG --params FILE.yaml --set mapping.voxel_size_m=0.01
```

Unknown names, wrong types and values out of bounds are errors.
"""
TABLE_HEAD = "| name | default | allowed | meaning |\n|---|---|---|---|"


def document() -> str:
    """The whole page."""
    stages = {f.name: type(f.default).__doc__ for f in dataclasses.fields(MossConfig)}
    sections = [HEAD]
    for stage, leaves in groupby(parameters(), key=lambda p: p.name.split(".")[0]):
        rows = "\n".join(_row(p) for p in leaves)
        sections.append(f"## {stage}\n{stages[stage]}\n\n{TABLE_HEAD}\n{rows}\n")
    return "\n".join(sections)


def _row(parameter: Parameter) -> str:
    cells = (f"`{parameter.name}`", _value(parameter.default), _allowed(parameter), parameter.description)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _value(value: Any) -> str:
    if value == "":
        return "empty"
    return f"`{list(value)}`" if isinstance(value, tuple) else f"`{value}`"


def _allowed(parameter: Parameter) -> str:
    if parameter.choices:
        return ", ".join(f"`{choice}`" for choice in parameter.choices)
    if parameter.low is not None:
        return f"{parameter.low:g} to {parameter.high:g}"
    return f"{len(parameter.default)} numbers" if parameter.type is tuple else parameter.type.__name__


if __name__ == "__main__":
    if "--print" in sys.argv:
        sys.stdout.write(document())
    else:
        (ROOT / "docs" / "parameters.md").write_text(document(), encoding="utf-8")
