"""Three of the questions that were asked, with their answers and whether these are right, for the end of a demo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

DEFAULT_QUESTIONS = ("something to sit on", "cup on the table", "elephant")
_KINDS = (("synonym", "attribute", "function", "clicked"), ("relation",), ("absent", "absent_hard"))


def told_answers(answers: Sequence[Mapping[str, Any]], scored: Sequence[Mapping[str, Any]]) -> str:
    """Lines of text. answers: of answers.json; scored: the queries of metrics.json, none where there is no truth."""
    by_text = {answer["query"]: answer for answer in answers}
    if not scored:
        return "\n".join(_line(answer, "") for answer in answers[:3])
    of_kinds = ([q for q in scored if q["kind"] in kinds and q["query"] in by_text] for kinds in _KINDS)
    chosen = [min(queries, key=_repeats_a_word) for queries in of_kinds if queries]  # the first, if none repeats
    return "\n".join(_line(by_text[q["query"]], _verdict(q)) for q in chosen)


def _repeats_a_word(query: Mapping[str, Any]) -> bool:
    """Nobody asks for "the book on the book"."""
    words = [word for word in str(query["query"]).split() if word != "the"]
    return len(set(words)) < len(words)


def _line(answer: Mapping[str, Any], verdict: str) -> str:
    if answer["hits"]:
        best = answer["hits"][0]
        place = " ".join(f"{v:.2f}" for v in best["centroid_m"])
        told = f"{best['label']} {best['id']} at {place}, score {best['score']:.2f}"
        told += f" ({best['explanation']})" if best["explanation"] else ""
    else:
        told = answer["message"] or answer["status"].replace("_", " ")
    return f'find "{answer["query"]}": {told}' + (f"  [{verdict}]" if verdict else "")


def _verdict(query: Mapping[str, Any]) -> str:
    if not query["present"]:
        return "right, it is not there" if query["status"] != "found" else "wrong, it is not there"
    if query["rank"] == 1:
        return "right"
    return f"wrong, the right one is number {query['rank']}" if query["rank"] else "wrong"
