"""What the words are worth, text alone: python -m moss_ros.train.words.evaluate WEIGHTS [--scenes FOLDER ...]

Every query is compared with the names of the categories of its scene, as if pictures were perfect.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from moss_ros.torchvision_ops import ensure_torchvision
from moss_ros.train.words.captions import Caption, is_test_category, read_captions
from moss_ros.train.words.household import read_household
from moss_ros.train.words.pairs import is_test_synset
from moss_ros.train.words.phrases import function_phrases
from moss_ros.train.words.templates import fill
from moss_ros.train.words.wordnet import DEFAULT_FOLDER, MADE_OR_EATEN, WordNet

Encode = Callable[[Sequence[str]], np.ndarray]  # texts -> (N, D) unit rows

NAME_TEMPLATES = ("{}", "a {}", "the {}", "a photo of a {}")
KINDS = ("synonym", "attribute", "function", "count")
COLORS_ASKED = ("red", "orange", "yellow", "green", "blue", "purple", "brown", "black", "white", "grey")
NOUNS_ASKED = ("mug", "chair", "book", "sofa", "vase", "bottle", "towel", "toy car", "shoe", "lamp", "apple", "orange")
WATCHED = (
    ("mug", "cup"),
    ("mug", "sofa"),
    ("sofa", "couch"),
    ("red mug", "mug"),
    ("red mug", "blue mug"),
    ("coffee cup", "cup"),
    ("coffee cup", "coffee table"),
    ("the orange chair", "chair"),
    ("the orange chair", "orange"),
    ("something to sit on", "chair"),
    ("something to sit on", "hammer"),
    ("all the mugs", "mug"),
)


@dataclass(frozen=True, slots=True)
class Score:
    """Right answers of a test: first place, among the first five, and how many were asked."""

    first: int
    five: int
    asked: int
    wrong: tuple[tuple[str, str], ...] = ()  # (query, what came first)

    def __str__(self) -> str:
        share = (100 * n / max(self.asked, 1) for n in (self.first, self.five))
        return "top-1 {:.1f} % top-5 {:.1f} % ".format(*share) + f"({self.first}/{self.asked})"


def names(encode: Encode, nouns: Sequence[str]) -> np.ndarray:
    """(N, D) unit rows: mean over the templates."""
    mean = sum(encode([fill(t, n) for n in nouns]) for t in NAME_TEMPLATES)
    return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True))


def ranked(encode: Encode, queries: Sequence[tuple[str, set[str]]], choices: Sequence[str]) -> Score:
    """Queries with their right answers against names. Queries without one among them are left out."""
    asked = [(q, right & set(choices)) for q, right in queries if right & set(choices)]
    if not asked:
        return Score(0, 0, 0)
    order = np.argsort(-(encode([q for q, _ in asked]) @ names(encode, choices).T), axis=1, kind="stable")
    best = [[choices[j] for j in row[:5]] for row in order]
    first = [b[0] in right for b, (_, right) in zip(best, asked, strict=True)]
    five = sum(bool(right & set(b)) for b, (_, right) in zip(best, asked, strict=True))
    wrong = tuple((q, b[0]) for ok, b, (q, _) in zip(first, best, asked, strict=True) if not ok)
    return Score(sum(first), five, len(asked), wrong)


def scene_queries(folder: Path) -> tuple[dict[str, list[tuple[str, set[str]]]], list[str]]:
    """Queries of a scene with the categories that answer them, by kind, and the categories of all scored things."""
    things = json.loads((folder / "instances.json").read_text(encoding="utf-8"))["instances"]
    category = {t["id"]: t["category"] for t in things if t.get("evaluate")}
    kinds: dict[str, list[tuple[str, set[str]]]] = {k: [] for k in KINDS}
    for q in json.loads((folder / "queries.json").read_text(encoding="utf-8"))["queries"]:
        answers = [*q.get("instances", []), *q.get("also_ok", [])]
        if q["present"] and q["kind"] in kinds:
            kinds[q["kind"]].append((q["query"], {category[i] for i in answers if i in category}))
    return kinds, sorted(set(category.values()))


def known_texts(objects: Path | None) -> set[str]:
    """Texts of the household list and of the captions in training: a query among them is no test."""
    texts = [t for thing in read_household() for t in (*thing.names, *thing.phrases)]
    if objects:
        texts += [t for c in read_captions(objects, "train") for t in (*c.names, c.text)]
    return {_plain(t) for t in texts}


def _plain(text: str) -> str:
    return " ".join(w for w in text.lower().split() if w not in ("a", "an", "the", "all"))


def scene_scores(encode: Encode, folder: Path, known: set[str]) -> dict[str, dict[str, Score]]:
    """By kind of query: "all", and "new" for those whose words are no text of the training."""
    kinds, categories = scene_queries(folder)
    return {
        kind: {
            "all": ranked(encode, queries, categories),
            "new": ranked(encode, [q for q in queries if _plain(q[0]) not in known], categories),
        }
        for kind, queries in kinds.items()
    }


def color_scores(encode: Encode) -> dict[str, Score]:
    """A question for "the red mug" -> "mug of red color" among nouns in many colors: both right; and the noun alone."""
    texts = [(c, n) for c in COLORS_ASKED for n in NOUNS_ASKED]
    queries = [f"where is the {c} {n}" for c, n in texts]
    choices = [f"{n} of {c} color" for c, n in texts]
    best = [texts[j] for j in np.argmax(encode(queries) @ encode(choices).T, axis=1)]
    right = {
        "color and noun": [b == t for b, t in zip(best, texts, strict=True)],
        "noun of the two": [b[1] == t[1] for b, t in zip(best, texts, strict=True)],
    }
    return {name: Score(sum(r), sum(r), len(r)) for name, r in right.items()}


def dictionary_scores(encode: Encode, words: WordNet) -> dict[str, Score]:
    """Definitions and uses of the meanings kept from training -> their names, among all such names."""
    rows = [r for r, s in enumerate(words.synsets) if s.file in MADE_OR_EATEN and is_test_synset(words, r)]
    name = {r: words.usual_lemmas(r)[0].lower() for r in rows}
    choices = sorted(set(name.values()))
    said = [(words.synsets[r].definition.split(";")[0], {name[r]}) for r in rows]
    uses = [(p[0], {name[r]}) for r in rows if (p := function_phrases(words.synsets[r].definition))]
    return {"definition": ranked(encode, said, choices), "use": ranked(encode, uses, choices)}


def object_scores(encode: Encode, objects: Path) -> dict[str, Score]:
    """Synonyms and wider words of objects -> all categories: all, those of the test categories, and, strictest, those
    of the test categories that the household list does not give for the category either."""
    everything = read_captions(objects, "all")
    together = [set(t.names) for t in read_household()]
    first = {c.category: c for c in reversed(everything)}
    choices = sorted(json.loads(objects.read_text(encoding="utf-8"))["categories"])
    pairs = [(n, c) for c in first.values() for n in c.names]

    def new(name: str, caption: Caption) -> bool:
        return not any(name in t and caption.category in t for t in together)

    tests = [p for p in pairs if is_test_category(p[1].category)]
    captions = [(c.text, {c.category}) for c in everything if is_test_category(c.category)]
    return {
        "synonyms": ranked(encode, [(n, {c.category}) for n, c in pairs], choices),
        "synonyms of test categories": ranked(encode, [(n, {c.category}) for n, c in tests], choices),
        "the same, not in the household list": ranked(
            encode, [(n, {c.category}) for n, c in tests if new(n, c)], choices
        ),
        "captions of test categories": ranked(encode, captions, choices),
    }


def watched(encode: Encode) -> dict[str, float]:
    """Cosines of a few pairs of texts."""
    a, b = encode([x for x, _ in WATCHED]), encode([y for _, y in WATCHED])
    return {f"{x} ~ {y}": round(float(c), 2) for (x, y), c in zip(WATCHED, (a * b).sum(1), strict=True)}


def load_encoder(weights: Path) -> Encode:
    """A text encoder from a file of the training, through open_clip's own code. Raises FileNotFoundError."""
    ensure_torchvision()
    import torch
    from open_clip.tokenizer import SimpleTokenizer
    from open_clip.transformer import TextTransformer
    from safetensors.torch import load_file

    state: dict[str, Any] = {k: v.float() for k, v in load_file(str(weights)).items() if not k.startswith("visual.")}
    state.pop("logit_scale", None)
    vocabulary, width = state["token_embedding.weight"].shape
    context, dimensions = len(state["positional_embedding"]), state["text_projection"].shape[1]
    layers = 1 + max(int(k.split(".")[2]) for k in state if k.startswith("transformer.resblocks."))
    tower = TextTransformer(context, vocabulary, width, width // 64, layers, output_dim=dimensions)
    tower.load_state_dict(state, strict=True)
    tower.eval()
    tokenizer = SimpleTokenizer(context_length=context)

    def encode(texts: Sequence[str]) -> np.ndarray:
        with torch.no_grad():
            parts = [tower(tokenizer(list(texts[i : i + 64]))) for i in range(0, len(texts), 64)]
        out = torch.cat(parts) if parts else torch.zeros((0, dimensions))
        return np.asarray(torch.nn.functional.normalize(out, dim=-1).numpy())

    return encode


def report(encode: Encode, words: WordNet | None, objects: Path | None, scenes: Sequence[Path], wrong: bool) -> str:
    """All tests as text."""
    lines = [f"{pair:42} {cosine:5.2f}" for pair, cosine in watched(encode).items()]
    scored = dictionary_scores(encode, words) if words else {}
    scored |= color_scores(encode)
    scored |= object_scores(encode, objects) if objects else {}
    lines += [f"{name:36} {score}" for name, score in scored.items()]
    known = known_texts(objects)
    total = {k: {"all": [0, 0], "new": [0, 0]} for k in KINDS}
    for folder in scenes:
        for kind, scores in scene_scores(encode, folder, known).items():
            for sort, score in scores.items():
                total[kind][sort][0] += score.first
                total[kind][sort][1] += score.asked
            text = "  ".join(f"{sort} {s.first}/{s.asked}" for sort, s in scores.items())
            lines.append(f"{folder.name:20} {kind:10} {text}")
            lines += [f"    {q!r} -> {got}" for q, got in scores["all"].wrong if wrong]
    for kind, sorts in total.items():
        lines.append(f"{'all scenes':20} {kind:10} " + "  ".join(f"{s} {a}/{b}" for s, (a, b) in sorts.items()))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights", type=Path, help="text.safetensors of the training, or the bundled model")
    parser.add_argument("--wordnet", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument("--objects", type=Path, help="objects.json")
    parser.add_argument("--scenes", type=Path, nargs="*", default=[], help="folders with queries.json, instances.json")
    parser.add_argument("--wrong", action="store_true", help="list the wrong answers")
    options = parser.parse_args()
    words = WordNet.load(options.wordnet) if (options.wordnet / "data.noun").is_file() else None
    print(report(load_encoder(options.weights), words, options.objects, options.scenes, options.wrong))


if __name__ == "__main__":
    main()
