"""Numbers of all scenes together: mean and spread, as a record, a text table and a page."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from html import escape
from typing import Any

from moss_ros.batch.schedule import Outcome
from moss_ros.evaluation.report import percent, table

_C = "class_agnostic."
# Heading, number, share of one (shown in per cent); "=" marks constant scores.
COLUMNS = (
    ("AP", f"{_C}ap", True),
    ("AP50", f"{_C}ap50", True),
    ("AP25", f"{_C}ap25", True),
    ("AP=", f"{_C}ap_constant", True),
    ("AP50=", f"{_C}ap50_constant", True),
    ("AP25=", f"{_C}ap25_constant", True),
    ("R50", f"{_C}recall50", True),
    ("P50", f"{_C}precision50", True),
    ("seconds", "seconds", False),
)
LEGEND = "Per cent, class-agnostic. =: all masks with one score. R50, P50: recall and precision at IoU 0.5."
_SPREAD = ("mean", "std", "min", "max")


def spread(values: Sequence[float]) -> dict[str, float | int | None]:
    """n, mean, min, max and the sample standard deviation (n - 1; None for a single value)."""
    std = statistics.stdev(values) if len(values) > 1 else None
    return {"n": len(values), "mean": statistics.fmean(values), "std": std, "min": min(values), "max": max(values)}


def summarize(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The content of summary.json. Failed scenes are in no mean; n says how many scenes a number is from."""
    scored = [o.scores["numbers"] for o in outcomes if o.scores]
    names = dict.fromkeys(name for numbers in scored for name in numbers)
    values = {n: [numbers[n] for numbers in scored if numbers.get(n) is not None] for n in names}
    return {
        "scenes": {o.name: _entry(o) for o in outcomes},
        "failed": [o.name for o in outcomes if not o.scores],
        "over_scenes": {name: _rounded(spread(found)) for name, found in values.items() if found},
    }


def text(summary: dict[str, Any]) -> str:
    """Table of scenes, then mean and spread, then what failed."""
    rows = [(name, *cells) for name, cells in _rows(summary)]
    width = max(len("scene"), *(len(row[0]) for row in rows))
    lines = [_line(("scene", *(heading for heading, _, _ in COLUMNS)), width)]
    lines += [_line(row, width) for row in rows[: -len(_SPREAD)]] + ["-" * len(lines[0])]
    lines += [_line(row, width) for row in rows[-len(_SPREAD) :]]
    return "\n".join([*lines, _count(summary), LEGEND, *_failures(summary)])


def html(summary: dict[str, Any], title: str) -> str:
    """The same as a page with links to the reports of the scenes."""
    head = ("", *(heading for heading, _, _ in COLUMNS))
    links = [
        f'<a href="{escape(name)}/report.html">{escape(name)}</a>'
        for name in summary["scenes"]
        if name not in summary["failed"]
    ]
    failures = "".join(f"<li>{escape(line)}</li>" for line in _failures(summary))
    style = "body{font:15px system-ui,sans-serif;margin:2em}td,th{padding:.2em .7em;text-align:right}"
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{style} td:first-child{{text-align:left}}</style></head><body>\n<h1>{escape(title)}</h1>\n"
        f"<p>{escape(_count(summary))}</p>\n{table(head, [(name, *cells) for name, cells in _rows(summary)])}\n"
        f"<p>{escape(LEGEND)}</p>\n<ul>{failures}</ul>\n<p>Reports: {', '.join(links) or 'none'}</p>\n</body></html>\n"
    )


def _entry(outcome: Outcome) -> dict[str, Any]:
    if outcome.scores:
        return {"attempts": outcome.attempts, "numbers": outcome.scores["numbers"]}
    return {"attempts": outcome.attempts, "error": outcome.error, "trace": outcome.trace}


def _rounded(numbers: dict[str, float | int | None]) -> dict[str, float | int | None]:
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in numbers.items()}


def _rows(summary: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Cells of each scene, then of mean, std, min and max."""
    rows = []
    for name, entry in summary["scenes"].items():
        numbers = entry.get("numbers", {})
        cells = [_cell(numbers.get(key), share) for _, key, share in COLUMNS]
        rows.append((name, ["failed", *cells[1:]] if "error" in entry else cells))
    over = summary["over_scenes"]
    for kind in _SPREAD:
        rows.append((kind, [_cell(over.get(key, {}).get(kind), share) for _, key, share in COLUMNS]))
    return rows


def _cell(value: float | None, share: bool) -> str:
    if share:
        return percent(value).removesuffix(" %")
    return "–" if value is None else f"{value:.1f}"


def _line(cells: Sequence[str], width: int) -> str:
    return f"{cells[0]:{width}}" + "".join(f"  {cell:>7}" for cell in cells[1:])


def _count(summary: dict[str, Any]) -> str:
    count, failed = len(summary["scenes"]), len(summary["failed"])
    return f"{count - failed} of {count} scenes scored; mean and spread are over these."


def _failures(summary: dict[str, Any]) -> list[str]:
    return [f"{name} failed: {summary['scenes'][name]['error']}" for name in summary["failed"]]
