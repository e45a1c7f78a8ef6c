"""`python -m benchmarks.run [NAMES...] [--quick] [--out]`: print every table with its bars."""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import os
import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from benchmarks.table import Table, Unavailable
from moss_ros import __version__

NAMES = (
    "stages",
    "superpoints",
    "segment",
    "association",
    "fusion",
    "evaluator",
    "expansion",
    "refinement",
    "lifting_peers",
    "prompting",
    "mask_tokens",
    "memory",
    "live",
    "live_latency",
    "query_latency",
)
_LIBRARIES = ("numpy", "scipy", "numba", "opencv-python-headless", "open3d", "ros-rclpy")
_RESULTS = Path(__file__).parent / "results"


def main(arguments: list[str] | None = None) -> int:
    """Run the named benchmarks; the exit code says whether all could run, not whether bars were met."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    facts = machine()
    print("  ".join(f"{key} {value}" for key, value in facts.items()), flush=True)
    tables, failures = {}, []
    for name in options.names or NAMES:
        start = time.perf_counter()
        try:
            table: Table = importlib.import_module(f"benchmarks.{name}").run(quick=options.quick)
        except Unavailable as reason:
            print(f"\n{name}\n  skipped: {reason}", flush=True)
            continue
        except Exception as error:  # one broken benchmark must not hide the others
            failures.append(name)
            print(f"\n{name}\n  failed: {type(error).__name__}: {error}", flush=True)
            continue
        if options.quick:
            table.drop_bars()
        tables[name] = table
        print(f"\n{table}\n    ({time.perf_counter() - start:.0f} s)", flush=True)
    if not options.quick:
        _summary(tables)
    if options.out:
        print(f"wrote {write(tables, facts)}")
    return 1 if failures else 0


def machine() -> dict[str, str]:
    """What the numbers depend on."""
    facts = {
        "cpu": _cpu(),
        "cores": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "moss_ros": __version__,
    }
    for name in _LIBRARIES:
        try:
            facts[name] = version(name)
        except PackageNotFoundError:
            facts[name] = "-"
    return facts


def write(tables: dict[str, Table], facts: dict[str, str]) -> Path:
    """benchmarks/results/DATE.json with the tables of this run."""
    _RESULTS.mkdir(exist_ok=True)
    (_RESULTS / ".gitignore").write_text("*\n")
    path = _RESULTS / f"{datetime.datetime.now():%Y-%m-%d_%H%M%S}.json"
    path.write_text(json.dumps({"machine": facts, "tables": {n: t.as_json() for n, t in tables.items()}}, indent=1))
    return path


def _summary(tables: dict[str, Table]) -> None:
    barred = [(name, row) for name, table in tables.items() for row in table.rows if row.verdict]
    missed = [f"{name}: {row.what.strip()}" for name, row in barred if row.verdict == "MISSED"]
    print(f"\n{len(barred) - len(missed)} of {len(barred)} bars met" + "".join(f"\n  missed {m}" for m in missed))


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument(
        "--quick", action="store_true", help="few frames and repeats, no bars: shows that all of it runs"
    )
    parser.add_argument("--out", action="store_true", help="also write benchmarks/results/DATE.json")
    return parser


if __name__ == "__main__":
    sys.exit(main())
