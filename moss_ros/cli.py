"""The `moss` command."""

from __future__ import annotations

import argparse
import json
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
    find = commands.add_parser("find", help="ask where something is: the live node, or a map in a folder")
    find.add_argument("text", help='what to look for, e.g. "red mug on the table"')
    find.add_argument(
        "--not", dest="negatives", action="append", default=[], metavar="TEXT", help="what it must not be"
    )
    find.add_argument("-k", type=int, default=5, help="most answers")
    find.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    find.add_argument("--map", type=Path, metavar="DIR", help="folder that replay wrote; default: ask the live node")
    find.set_defaults(run=_find)
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
    weights = commands.add_parser("weights", help="weights of other models: list, fetch or verify them")
    weights.add_argument("action", choices=("list", "fetch", "verify"))
    weights.add_argument("names", nargs="*", metavar="NAME", help="verify: default all that are here")
    weights.set_defaults(run=_weights)
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
    if options.params or options.set:
        raise ValueError("--params and --set are for --dataset; a run is scored as it was made (moss replay --set ...)")
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


def _print_scores(run: Path, scene: Path) -> dict[str, Any]:
    from moss_ros.evaluation.answers import ask_scene
    from moss_ros.evaluation.report import write_report

    if not (run / "answers.json").exists():
        ask_scene(run, scene)
    metrics = write_report(run, scene)
    agnostic, retrieval = metrics["class_agnostic"], metrics.get("retrieval")
    figures = "  ".join(f"{name.upper()} {100 * agnostic[name]:.1f}" for name in ("ap", "ap50", "ap25"))
    print(f"class-agnostic {figures}; wrote {run / 'metrics.json'} and report.html")
    semantic = metrics.get("semantic")
    if semantic:
        values = {name: semantic[key] for name, key in (("mIoU", "miou"), ("mean accuracy", "mean_accuracy"))}
        print("named points  " + "  ".join(f"{name} {100 * (value or 0):.1f}" for name, value in values.items()))
    if retrieval:
        shares = {name: retrieval[name] for name in ("success_at_1", "success_at_5", "false_found", "false_absent")}
        print("questions  " + "  ".join(f"{k.replace('_', ' ')} {100 * (v or 0):.0f} %" for k, v in shares.items()))
    return metrics


def _demo(options: argparse.Namespace) -> int:
    from moss_ros.evaluation.answers import scene_queries
    from moss_ros.output.told_answers import DEFAULT_QUESTIONS
    from moss_ros.replay.bag import guess_topics
    from moss_ros.ros.demo import run_demo

    bag = options.bag or _simulated_home() / "bag"
    questions = scene_queries(bag.parent) or DEFAULT_QUESTIONS
    code, folder = run_demo(bag, _values(options, guess_topics(bag)), options.out, options.rate, questions)
    if code == 0:
        _print_demo(folder, bag.parent)
    return code


def _print_demo(folder: Path, scene: Path) -> None:
    """Scores where the truth lies beside the bag, and some of the answers."""
    from moss_ros.evaluation.ground_truth import read_json
    from moss_ros.output.told_answers import told_answers

    scored = []
    if (scene / "instances.json").exists() and (scene / "gt_points.npz").exists():
        scored = (_print_scores(folder, scene).get("retrieval") or {}).get("queries", [])
    if (folder / "answers.json").exists():
        print(told_answers(read_json(folder / "answers.json")["answers"], scored))


def _simulated_home() -> Path:
    """The home that the demo drives through, made once."""
    from moss_ros.sim.run import generate

    home = Path("demo_home")
    if not (home / "queries.json").exists():  # written last
        shutil.rmtree(home, ignore_errors=True)
        print("making a simulated home (about a minute, only the first time) ...", flush=True)
        generate(home)
    return home


def _find(options: argparse.Namespace) -> int:
    """Exit code 1: it is not there, or nobody has looked there yet."""
    from moss_ros.output.ask_map import answer_as_text

    answer = _find_in_folder(options) if options.map else _find_live(options)
    print(json.dumps(answer, indent=1) if options.json else answer_as_text(answer))
    return 0 if answer["status"] == "found" else 1


def _find_in_folder(options: argparse.Namespace) -> dict[str, Any]:
    from moss_ros.evaluation.answers import run_config
    from moss_ros.output.ask_map import answer_as_dict, open_map
    from moss_ros.questions.query_limits import QueryRequest

    asked = open_map(options.map, run_config(options.map))
    request = QueryRequest(options.text, negatives=tuple(options.negatives), max_results=options.k)
    return answer_as_dict(options.text, asked.find(request), asked)


def _find_live(options: argparse.Namespace) -> dict[str, Any]:
    from moss_ros.ros.find_client import find_live

    return find_live(options.text, options.negatives, options.k)


def _sim(options: argparse.Namespace) -> int:
    from moss_ros.sim.run import generate

    generate(options.out, options.seed, options.frames, options.changes, options.workers)
    print(f"wrote {options.out}: bag/, instances.json, gt_points.npz, instance_masks.zip, queries.json")
    return 0


def _weights(options: argparse.Namespace) -> int:
    """Exit code 1 when weights that are here are not what they should be."""
    from moss_ros.weights.report import fetch_all, listing, verify_all

    if options.action == "list":
        print(listing())
        return 0
    if options.action == "verify":
        lines, right = verify_all(options.names)
        print("\n".join(lines))
        return 0 if right else 1
    if not options.names:
        raise ValueError("name what to fetch, e.g. moss weights fetch sam_vit_b (moss weights list shows all)")
    for line in fetch_all(options.names):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
