"""`python -m benchmarks.ladder`: the oracle ladder and the robustness table on simulated scenes (minutes a scene).

What was measured is kept in --out by a fingerprint of the code and of the scene: the command goes on where it was
stopped, and after a change it measures again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.inputs import bag_folder
from benchmarks.run import machine
from benchmarks.table import Unavailable
from moss_ros.evaluation.ladder import VARIANTS, Rows, Variant
from moss_ros.evaluation.ladder_table import LIVING_KITCHEN, Results, markdown, mean
from moss_ros.warm_up import warm_up

_PACKAGE = Path(__file__).resolve().parents[1] / "moss_ros"
_OUT = Path(__file__).parent / "ladder_out"
_NOT_MEASURED = {"sim", "ros", "output", "cli.py"}  # parts of the package that change no number
_HOME = "seed"  # a scene seedN is the simulated home with that seed


@dataclass(frozen=True, slots=True)
class Scene:
    """A folder with a bag, its truth and its id images."""

    name: str
    folder: Path


def main(arguments: list[str] | None = None, variants: tuple[Variant, ...] = VARIANTS) -> int:
    """Measure what is missing, print and write the tables; the exit code does not depend on the bars."""
    options = _parser().parse_args(arguments)
    code = code_fingerprint()  # of what is loaded now, whatever is edited while it runs
    names = options.scenes.split(",") if options.scenes else default_scenes(options.seeds)
    warm_up()
    drives: dict[str, list[Rows]] = {}
    for name in names:
        try:
            scene = find_scene(name, options.out, options.frames, options.workers)
        except Unavailable as reason:
            print(f"{name}: skipped: {reason}", flush=True)
            continue
        drives[scene.name] = measure(scene, variants, options.out, code)
        write(options.out, {scene_name: joined(rows) for scene_name, rows in drives.items()})
    print("\n" + markdown({name: joined(rows) for name, rows in drives.items()}))
    print(f"wrote {options.out / 'ladder.json'} and ladder.md")
    return 0


def default_scenes(seeds: int) -> list[str]:
    """The rendered scene and the homes 1 to seeds."""
    return [LIVING_KITCHEN, *(f"{_HOME}{seed}" for seed in range(1, seeds + 1))]


def find_scene(name: str, out: Path, frames: int, workers: int) -> Scene:
    """A folder of the shared data, a path, or a simulated home, which is made when it is not there yet."""
    if name.startswith(_HOME) and name[len(_HOME) :].isdigit():
        return Scene(name, _home(int(name[len(_HOME) :]), out / "homes", frames, workers))
    if (Path(name) / "bag").is_dir():
        return Scene(Path(name).name, Path(name))
    return Scene(name, bag_folder(name).parent)


def measure(scene: Scene, variants: Iterable[Variant], out: Path, code: str) -> list[Rows]:
    """Rows of every variant, taken from earlier runs where nothing changed since."""
    kept = out / "rows"
    kept.mkdir(parents=True, exist_ok=True)
    of_scene = fingerprint(p for p in scene.folder.rglob("*") if p.is_file())
    results = []
    for variant in variants:
        path = kept / f"{scene.name}-{variant.name}-{_hash(code, of_scene, variant.name)}.json"
        if not path.exists():
            start = time.perf_counter()
            rows = variant.rows(scene.folder)
            seconds = round(time.perf_counter() - start, 1)
            path.write_text(json.dumps({"rows": rows, "seconds": seconds}, indent=1) + "\n", encoding="utf-8")
        stored = json.loads(path.read_text(encoding="utf-8"))
        for row, numbers in stored["rows"].items():
            figures = " / ".join(f"{100 * numbers[n]:.1f}" for n in ("ap", "ap50", "ap25"))
            print(f"{scene.name}  {row}: {figures}  ({stored['seconds']:.0f} s)", flush=True)
        results.append(stored["rows"])
    return results


def joined(drives: Iterable[Rows]) -> Rows:
    """Rows of all variants of a scene; a row that several have is their mean."""
    draws: dict[str, list[dict[str, float]]] = {}
    for rows in drives:
        for name, numbers in rows.items():
            draws.setdefault(name, []).append(numbers)
    return {name: mean(numbers) for name, numbers in draws.items()}


def write(out: Path, results: Results) -> None:
    """ladder.json and ladder.md."""
    facts = machine()
    (out / "ladder.json").write_text(json.dumps({"machine": facts, "scenes": results}, indent=1) + "\n", "utf-8")
    (out / "ladder.md").write_text(markdown(results), "utf-8")


def code_fingerprint() -> str:
    """Of all source files and trained models that the numbers can depend on."""
    files = (
        p
        for p in _PACKAGE.rglob("*")
        if p.suffix in (".py", ".json", ".safetensors") and p.relative_to(_PACKAGE).parts[0] not in _NOT_MEASURED
    )
    return fingerprint(files)


def fingerprint(files: Iterable[Path]) -> str:
    """Of names and contents."""
    return _hash(*(part for p in sorted(files) for part in (p.name, hashlib.sha256(p.read_bytes()).hexdigest())))


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _home(seed: int, homes: Path, frames: int, workers: int) -> Path:
    """Folder of a simulated home; its name holds what decides its content."""
    from moss_ros.sim.run import generate

    home = homes / f"{_HOME}{seed}-{frames}-{fingerprint((_PACKAGE / 'sim').rglob('*.py'))}"
    if not home.exists():
        unfinished = home.with_name(home.name + ".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        print(f"making the home {home.name}", flush=True)
        generate(unfinished, seed, frames, workers=workers, progress=False)
        unfinished.rename(home)
    return home


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ladder", description=__doc__)
    parser.add_argument("--scenes", help="comma-separated: folders of MOSS_DATA, paths, or seedN for a simulated home")
    parser.add_argument("--seeds", type=int, default=5, help="without --scenes: homes 1 to this")
    parser.add_argument("--frames", type=int, default=180, help="of a simulated home")
    parser.add_argument("--workers", type=int, default=2, help="processes that render homes")
    parser.add_argument("--out", type=Path, default=_OUT, help="folder of tables, kept results and homes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
