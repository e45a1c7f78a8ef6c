"""metrics.json and report.html of a run: what was found, what was not, and how long it took."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from moss_ros.evaluation import pictures
from moss_ros.evaluation.ground_truth import GroundTruth, load_folder
from moss_ros.evaluation.metrics import Evaluation, evaluate, without_nan
from moss_ros.evaluation.run_files import RunFiles, load_run

_SHOWN = 6  # best and worst things
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; max-width: 1180px; margin: 2em auto; }
h1 { font-size: 1.5em; margin-bottom: .2em; } h2 { font-size: 1.15em; margin-top: 1.8em; }
.tiles { display: flex; flex-wrap: wrap; gap: .7em; margin: 1em 0; }
.tile { border: 1px solid #ddd; border-radius: 6px; padding: .5em .9em; min-width: 6.5em; }
.tile b { display: block; font-size: 1.5em; } .tile span { color: #666; font-size: .85em; }
table { border-collapse: collapse; font-size: .9em; } td, th { padding: .2em .7em; text-align: right; }
td:first-child, th:first-child, td.text { text-align: left; } tr:nth-child(even) { background: #f6f6f6; }
img { max-width: 100%; } p.note { color: #666; font-size: .9em; } details { margin: .5em 0; }
"""


def write_report(run_folder: Path, scene_folder: Path) -> dict[str, Any]:
    """Score a run against a scene with ground truth; writes metrics.json and report.html into the run."""
    run, truth = load_run(run_folder), load_folder(scene_folder)
    result = evaluate(run, truth, Path(scene_folder))
    metrics = without_nan(result.metrics)
    (run.folder / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    html = report_html(run, truth, result, title=f"{run.folder.name} on {Path(scene_folder).name}")
    (run.folder / "report.html").write_text(html, encoding="utf-8")
    return metrics


def report_html(run: RunFiles, truth: GroundTruth, result: Evaluation, title: str) -> str:
    """One page without outside files."""
    sections = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{_sentence(result.metrics)}</p>",
        _tiles(run, result.metrics),
        _picture(
            "Map and truth from above",
            pictures.side_by_side(run, truth, result),
            "Same colour = same thing. Black masks fit nothing (IoU at most 0.25). Grey is structure or void.",
        ),
        _best_and_worst(run, truth, result),
        _groups(result.metrics),
        _classes(truth, result.metrics),
        _language(result.metrics),
        _changes(result.metrics),
        _speed(run),
        _thing_table(truth, result),
    ]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>\n'
        + "\n".join(filter(None, sections))
        + "\n</body></html>\n"
    )


def _sentence(metrics: dict[str, Any]) -> str:
    best = metrics["class_agnostic"]["best_iou"].values()
    good, fair = sum(v > 0.5 for v in best), sum(0.25 < v <= 0.5 for v in best)
    return (
        f"Of {metrics['things']} things, {good} have a mask with IoU above 0.5, {fair} more one above 0.25. "
        f"{percent(metrics['class_agnostic']['precision50'])} of the counted masks fit a thing at IoU 0.5. "
        f"The map covers {percent(metrics['covered'])} of the true surface."
    )


def _tiles(run: RunFiles, metrics: dict[str, Any]) -> str:
    scores = metrics["class_agnostic"]
    tiles = [("AP", scores["ap"]), ("AP50", scores["ap50"]), ("AP25", scores["ap25"])]
    top1 = metrics.get("labelled", {}).get("top1")
    if top1:
        tiles.append(("AP50 with names", top1["ap50"]))
    if "retrieval" in metrics:
        tiles.append(("queries right at 1", metrics["retrieval"]["success_at_1"]))
    shown = [(name, percent(value)) for name, value in tiles]
    facts = run.facts
    if facts.get("peak_rss_mb"):
        shown.append(("memory at its peak", f"{facts['peak_rss_mb']:.0f} MB"))
    if facts.get("seconds"):
        shown.append(("seconds of work", f"{facts['seconds']:.0f}"))
    if facts.get("bag_seconds"):
        shown.append(("seconds recorded", f"{facts['bag_seconds']:.0f}"))
    if "frames" in facts:
        dropped = sum(facts["frames"].get("dropped", {}).values())
        shown.append(("frames used, dropped", f"{facts['frames'].get('used', '?')}, {dropped}"))
    boxes = "".join(f"<div class=tile><b>{escape(v)}</b><span>{escape(n)}</span></div>" for n, v in shown)
    return f"<div class=tiles>{boxes}</div>"


def _best_and_worst(run: RunFiles, truth: GroundTruth, result: Evaluation) -> str:
    best = result.metrics["class_agnostic"]["best_iou"]
    order = sorted(best, key=lambda i: -best[i])
    ids = [int(i) for i in order]
    if not ids:
        return ""
    good, bad = ids[:_SHOWN], ids[::-1][:_SHOWN]
    first = pictures.things(run, truth, result, good, "Best")
    second = pictures.things(run, truth, result, bad, "Worst")
    note = "Green: mask and thing agree. Blue: missed. Orange: too much. Seen along the narrowest side."
    return _picture("Best and worst things", first, "") + _picture("", second, note)


def _groups(metrics: dict[str, Any]) -> str:
    if "groups" not in metrics:
        return ""
    keys = ("ap", "ap50", "ap25", "ap50_constant", "recall50", "recall25")
    rows = [
        (f"{field.replace('_', ' ')}: {value}", s["things"], *(percent(s[key]) for key in keys))
        for field, values in metrics["groups"].items()
        for value, s in values.items()
    ]
    head = ("", "things", "AP", "AP50", "AP25", "AP50, constant scores", "recall at .5", "recall at .25")
    note = "Each line scores the things of one kind alone; masks on the others count neither for nor against."
    return "<h2>Kinds of things</h2>" + table(head, rows) + f"<p class=note>{note}</p>"


def _classes(truth: GroundTruth, metrics: dict[str, Any]) -> str:
    named = metrics.get("labelled", {}).get("top1", {}).get("per_class")
    if named:
        values = {name: scores["ap50"] for name, scores in named.items()}
        return _picture("Classes", pictures.bars(values, "AP50 with names, Top-1, real scores"), "")
    groups: dict[str, list[float]] = {}
    for number, iou in metrics["class_agnostic"]["best_iou"].items():
        groups.setdefault(truth.instances[int(number)].category, []).append(iou)
    if not groups:
        return ""
    values = {name: sum(ious) / len(ious) for name, ious in groups.items()}
    note = "The run has no names: these are the mean best IoU of the things of each class."
    return _picture("Classes", pictures.bars(values, "Best IoU, mean over the things of a class"), note)


def _language(metrics: dict[str, Any]) -> str:
    out = ""
    for name, scores in metrics.get("labelled", {}).items():
        rows = [
            (key, percent(scores[key]), percent(scores[f"{key}_constant"]))
            for key in ("ap", "ap50", "ap25", "head", "common", "tail")
        ]
        out += f"<h2>Named instances, {escape(name)}</h2>" + table(("", "real scores", "constant scores"), rows)
    semantic = metrics.get("semantic")
    if semantic:
        values = [(key, percent(semantic[key])) for key in ("miou", "mean_accuracy", "accuracy")]
        classes = [(name, percent(s["iou"]), percent(s["accuracy"])) for name, s in semantic["per_class"].items()]
        out += "<h2>Named points</h2>" + table(("", ""), [(name.replace("_", " "), v) for name, v in values])
        out += _folded("every class", table(("class", "IoU", "accuracy"), classes))
    retrieval = metrics.get("retrieval")
    if retrieval:
        keys = ("success_at_1", "success_at_5", "relation_success_at_1", "false_found", "false_absent")
        shares = [(key.replace("_", " "), percent(retrieval[key])) for key in keys]
        shares += [(f"{kind}, right", percent(value)) for kind, value in retrieval["by_kind"].items()]
        lines = [(q["query"], q["kind"], q["status"], q["rank"] or "-") for q in retrieval["queries"]]
        out += "<h2>Queries</h2>" + table(("", ""), shares)
        out += _folded("every query", table(("query", "kind", "answer", "rank of the right one"), lines))
    return out


def _changes(metrics: dict[str, Any]) -> str:
    if "changes" not in metrics:
        return ""
    rows = [
        (kind, percent(s["precision"]), percent(s["recall"]), percent(s["f1"]), s["reported"], s["true"])
        for kind, s in metrics["changes"].items()
    ]
    return "<h2>Changes</h2>" + table(("", "precision", "recall", "F1", "reported", "true"), rows)


def _speed(run: RunFiles) -> str:
    stages = run.facts.get("stages", {})
    if not stages:
        return ""
    rows = [(n, *(f"{s[k]:.1f}" for k in ("median_ms", "p95_ms", "max_ms")), s["n"]) for n, s in stages.items()]
    head = ("stage", "median ms", "95 % ms", "max ms", "times")
    return _picture("Time of each stage", pictures.latency(stages), "") + _folded("numbers", table(head, rows))


def _thing_table(truth: GroundTruth, result: Evaluation) -> str:
    best = result.metrics["class_agnostic"]["best_iou"]
    points = dict(zip(result.overlaps.truth.ids.tolist(), result.overlaps.truth.points.tolist(), strict=True))
    rows = [
        (
            f"{i} {truth.instances[int(i)].name}",
            truth.instances[int(i)].category,
            points[int(i)],
            f"{iou:.2f}",
        )
        for i, iou in sorted(best.items(), key=lambda item: item[1])
    ]
    return "<h2>Every thing</h2>" + _folded("worst first", table(("thing", "class", "points", "best IoU"), rows))


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """An HTML table; everything is escaped."""
    top = "".join(f"<th>{escape(str(cell))}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(c))}</td>" for c in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def percent(value: float | None) -> str:
    """A fraction in per cent; a dash where there was nothing to measure."""
    return "–" if value is None or value != value else f"{100 * value:.1f} %"


def _picture(title: str, uri: str, note: str) -> str:
    heading = f"<h2>{escape(title)}</h2>" if title else ""
    below = f"<p class=note>{escape(note)}</p>" if note else ""
    return f'{heading}<img alt="{escape(title or note)}" src="{uri}">{below}'


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{content}</details>"
