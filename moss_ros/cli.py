"""The `moss` command."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

from moss_ros import __version__
from moss_ros.config import ConfigError, from_flat, load_yaml


def main(arguments: list[str] | None = None) -> int:
    """Run a subcommand; returns the exit code (2: the user can fix it, the message says how)."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except (ConfigError, FileNotFoundError, ValueError) as error:
        print(f"moss {options.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="moss", description="Where things are: 3D instances from RGB-D and poses.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    replay = commands.add_parser("replay", help="run a recorded bag or folder through the pipeline")
    replay.add_argument("path", type=Path, help="rosbag2 folder, or a folder of RGB-D images with poses")
    replay.add_argument("--out", type=Path, default=Path("moss_run"), help="folder to write (a new one if it exists)")
    _add_configuration(replay)
    replay.add_argument("--gt", type=Path, help="scene folder with ground truth: score the run against it")
    replay.add_argument("--quiet", action="store_true", help="no progress bar")
    replay.set_defaults(run=_replay)
    convert = commands.add_parser("convert", help="make a bag of a folder of RGB-D images with poses")
    convert.add_argument("folder", type=Path, help="ScanNet, Replica or TUM RGB-D layout, or with a manifest.yaml")
    convert.add_argument("bag", type=Path, help="new rosbag2 folder (MCAP)")
    convert.add_argument("--every", type=int, default=1, metavar="N", help="only every n-th frame")
    _add_configuration(convert)
    convert.add_argument("--quiet", action="store_true", help="no progress bar")
    convert.set_defaults(run=_convert)
    demo = commands.add_parser("demo", help="play a bag through the live ROS graph and show the map")
    demo.add_argument("--bag", type=Path, help="rosbag2 folder; default: a simulated home, made once")
    demo.add_argument("--out", type=Path, default=Path("demo_out"))
    demo.add_argument("--rate", type=float, default=1.0, help="playing speed")
    _add_configuration(demo)
    demo.set_defaults(run=_demo)
    sim = commands.add_parser("sim", help="make a simulated home with ground truth: bag, instances, masks, queries")
    sim.add_argument("out", type=Path, help="new folder")
    sim.add_argument("--seed", type=int, default=0, help="another seed is another home")
    sim.add_argument("--frames", type=int, default=90)
    sim.add_argument("--changes", action="store_true", help="part-way some objects are moved or removed")
    sim.add_argument("--workers", type=int, default=2, help="processes that render")
    sim.set_defaults(run=_sim)
    evaluate = commands.add_parser("evaluate", help="score a run or a whole data set, or compare two runs")
    evaluate.add_argument("run_folder", type=Path, nargs="?", help="folder that replay or demo wrote")
    evaluate.add_argument("--gt", type=Path, help="scene folder with instances.json and gt_points.npz")
    evaluate.add_argument("--compare", type=Path, nargs=2, metavar=("RUN_A", "RUN_B"), help="two runs side by side")
    _add_dataset(evaluate)
    evaluate.set_defaults(run=_evaluate)
    return parser


def _add_dataset(evaluate: argparse.ArgumentParser) -> None:
    many = evaluate.add_argument_group("many scenes", "replay and score every scene of a data set")
    many.add_argument("--dataset", type=Path, metavar="DIR", help="one folder per scene, as `moss sim` writes them")
    many.add_argument("--scenes", default="all", metavar="LIST", help="a,b,c, or a file with a name a line, or all")
    many.add_argument("--out", type=Path, default=Path("moss_runs"), help="results; scenes done there are kept")
    many.add_argument("--workers", type=int, metavar="N", help="scenes at a time; default: one for each core")
    many.add_argument("--ray", metavar="ADDRESS", help="run on this Ray cluster; local: start one on this machine")
    many.add_argument("--retries", type=int, default=2, help="new tries of a scene whose worker was killed")
    _add_configuration(evaluate)


def _add_configuration(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--params", type=Path, help="ROS parameter file, the same as the node's")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one parameter, e.g. mapping.voxel_size_m=0.01",
    )


def _values(options: argparse.Namespace, found: dict[str, Any]) -> dict[str, Any]:
    """Parameters: what the bag suggests, then the file, then --set."""
    values = dict(found)
    if options.params:
        values.update(load_yaml(str(options.params)))
    for item in options.set:
        name, equals, text = item.partition("=")
        if not equals:
            raise ConfigError(f"--set takes NAME=VALUE, got {item!r}")
        values[name] = yaml.safe_load(text)
    return values


def _replay(options: argparse.Namespace) -> int:
    from moss_ros.replay.run import replay
    from moss_ros.replay.sources import open_source

    source, config = open_source(options.path, lambda found: from_flat(_values(options, found)))
    folder = replay(source, config, options.out, progress=not options.quiet)
    print(f"wrote {folder}")
    if options.gt:
        _print_scores(folder, options.gt)
    return 0


def _convert(options: argparse.Namespace) -> int:
    from moss_ros.replay.convert import convert

    config = from_flat(_values(options, {}))
    done = convert(options.folder, options.bag, config.input, options.every, progress=not options.quiet)
    print(f"wrote {options.bag}: {done.written} frames")
    for reason, count in sorted(done.drops.items()):
        print(f"not used, {reason}: {count}, the last: {done.last_message[reason]}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from moss_ros.evaluation.compare import compare

    if options.dataset:
        return _evaluate_dataset(options)
    if options.compare:
        print(compare(*options.compare))
    elif options.run_folder and options.gt:
        _print_scores(options.run_folder, options.gt)
    else:
        raise ValueError("give RUN --gt SCENE, or --compare RUN_A RUN_B, or --dataset DIR")
    return 0


def _evaluate_dataset(options: argparse.Namespace) -> int:
    """Exit code 1 when a scene failed; its reason is in the table and in summary.json."""
    from moss_ros.batch.run import evaluate_scenes, workers_for
    from moss_ros.batch.scenes import scene_names
    from moss_ros.batch.summary import text

    values = _values(options, {})
    from_flat(values)  # a wrong parameter is told once, before anything starts
    names = scene_names(options.dataset, options.scenes)
    start_workers = workers_for(options.ray, options.workers)
    summary = evaluate_scenes(options.dataset, names, options.out, values, start_workers, options.retries)
    print(f"{text(summary)}\nwrote {options.out / 'summary.json'} and summary.html")
    return 1 if summary["failed"] else 0


def _print_scores(run: Path, scene: Path) -> None:
    from moss_ros.evaluation.report import write_report

    agnostic = write_report(run, scene)["class_agnostic"]
    figures = "  ".join(f"{name.upper()} {100 * agnostic[name]:.1f}" for name in ("ap", "ap50", "ap25"))
    print(f"class-agnostic {figures}; wrote {run / 'metrics.json'} and report.html")


def _demo(options: argparse.Namespace) -> int:
    from moss_ros.replay.bag import guess_topics
    from moss_ros.ros.demo import run_demo

    home = None if options.bag else _simulated_home()
    bag = options.bag if home is None else home / "bag"
    code, folder = run_demo(bag, _values(options, guess_topics(bag)), options.out, options.rate)
    if code == 0 and home is not None:
        _print_scores(folder, home)
    return code


def _simulated_home() -> Path:
    """The home that the demo drives through, made once."""
    from moss_ros.sim.run import generate

    home = Path("demo_home")
    if not (home / "queries.json").exists():  # written last
        shutil.rmtree(home, ignore_errors=True)
        print("making a simulated home (about a minute, only the first time) ...", flush=True)
        generate(home)
    return home


def _sim(options: argparse.Namespace) -> int:
    from moss_ros.sim.run import generate

    generate(options.out, options.seed, options.frames, options.changes, options.workers)
    print(f"wrote {options.out}: bag/, instances.json, gt_points.npz, instance_masks.zip, queries.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
