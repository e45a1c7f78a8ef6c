"""The judge of the words, with encoders whose answers are known."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from moss_ros.train.words.captions import Caption, is_test_category, read_captions
from moss_ros.train.words.evaluate import (
    Score,
    color_scores,
    dictionary_scores,
    known_texts,
    load_encoder,
    names,
    object_scores,
    ranked,
    report,
    scene_queries,
    scene_scores,
)
from moss_ros.train.words.wordnet import WordNet

LETTERS = "abcdefghijklmnopqrstuvwxyz "


def letters(texts: Sequence[str]) -> np.ndarray:
    """Counts of letters, as unit rows."""
    counts = np.array([[t.lower().count(c) for c in LETTERS] for t in texts], np.float32) + 1e-3
    return counts / np.linalg.norm(counts, axis=1, keepdims=True)


def write_scene(folder: Path) -> Path:
    things = [
        {"id": 1, "category": "mug", "evaluate": True},
        {"id": 2, "category": "sofa", "evaluate": True},
        {"id": 3, "category": "wall", "evaluate": False},
    ]
    queries = [
        {"query": "mugs", "kind": "synonym", "present": True, "instances": [1]},
        {"query": "the blue mug", "kind": "attribute", "present": True, "instances": [2], "also_ok": [3]},
        {"query": "the couch", "kind": "synonym", "present": True, "instances": [2]},
        {"query": "a lion", "kind": "absent", "present": False, "instances": []},
        {"query": "a gnu", "kind": "synonym", "present": False, "instances": []},
    ]
    (folder / "instances.json").write_text(json.dumps({"instances": things}), encoding="utf-8")
    (folder / "queries.json").write_text(json.dumps({"queries": queries}), encoding="utf-8")
    return folder


def write_objects(path: Path, categories: Sequence[str]) -> Path:
    entry = {"attributes": {"colours": ["red"]}, "caption": "a red thing", "split": "train"}
    objects = [{"category": c, "synonyms": [f"{c}s"], **entry} for c in categories]
    path.write_text(json.dumps({"categories": list(categories), "objects": objects}), encoding="utf-8")
    return path


def test_queries_of_a_scene_by_kind(tmp_path: Path) -> None:
    kinds, categories = scene_queries(write_scene(tmp_path))
    assert categories == ["mug", "sofa"]
    assert kinds["synonym"] == [("mugs", {"mug"}), ("the couch", {"sofa"})]
    assert kinds["attribute"] == [("the blue mug", {"sofa"})]


def test_scores_of_a_scene_with_and_without_known_words(tmp_path: Path) -> None:
    scores = scene_scores(letters, write_scene(tmp_path), {"couch"})
    assert scores["synonym"]["all"].asked == 2
    assert scores["synonym"]["new"] == Score(1, 1, 1)
    assert scores["attribute"]["all"] == Score(0, 1, 1, (("the blue mug", "mug"),))


def test_unanswerable_queries_are_left_out() -> None:
    assert ranked(letters, [("gnu", {"gnu"})], ["mug"]) == Score(0, 0, 0)
    assert ranked(letters, [], ["mug"]).asked == 0


def test_the_fifth_place_counts() -> None:
    choices = ["aaaab", "aaab", "aab", "ab", "b", "zz"]
    assert ranked(letters, [("aaaaaaa", {"b"})], choices) == Score(0, 1, 1, (("aaaaaaa", "aaaab"),))
    assert ranked(letters, [("aaaaaaa", {"zz"})], choices).five == 0


def test_names_are_unit_means_over_templates() -> None:
    assert np.allclose(np.linalg.norm(names(letters, ["mug", "apple"]), axis=1), 1, atol=1e-5)


def test_color_scores_of_a_perfect_and_of_a_blind_encoder() -> None:
    def encoder(key: Callable[[str], str]) -> Callable[[Sequence[str]], np.ndarray]:
        known: dict[str, int] = {}

        def encode(texts: Sequence[str]) -> np.ndarray:
            return np.eye(200)[[known.setdefault(key(t), len(known)) for t in texts]]

        return encode

    def words(text: str) -> str:
        return " ".join(sorted(set(text.split()) - {"where", "is", "the", "of", "color"}))

    # "orange orange" is the same set of words as "orange": still its own
    assert color_scores(encoder(words))["color and noun"].first == 120
    blind = color_scores(encoder(lambda text: ""))
    assert blind["color and noun"].first == 1 and blind["noun of the two"].first == 10


def test_test_categories_are_out_of_the_training_captions(tmp_path: Path) -> None:
    categories = [f"thing {n}" for n in range(30)]
    path = write_objects(tmp_path / "objects.json", categories)
    train, test = ([c.category for c in read_captions(path, part)] for part in ("train", "test"))
    assert sorted([*train, *test]) == sorted(categories)
    assert 1 <= len(test) <= 12
    assert all(is_test_category(c) for c in test)
    assert read_captions(path, "train")[0] == Caption(train[0], (f"{train[0]}s",), "a red thing", "red")
    assert {f"{c}s" for c in train} <= known_texts(path)
    assert not {f"{c}s" for c in test} & known_texts(path)


def test_objects_and_dictionary_are_scored(tmp_path: Path, tiny: WordNet) -> None:
    path = write_objects(tmp_path / "objects.json", ["mug", "sofa", "lamp", "kiwi", "axe", "jug"])
    scores = object_scores(letters, path)
    assert scores["synonyms"] == Score(6, 6, 6)
    assert scores["synonyms of test categories"].asked <= 6
    assert set(dictionary_scores(letters, tiny)) == {"definition", "use"}
    text = report(letters, tiny, path, [write_scene(tmp_path)], wrong=True)
    assert "'the blue mug' -> mug" in text


def test_an_exported_tower_is_read(tmp_path: Path) -> None:
    import torch

    from moss_ros.train.words.tokens import VOCABULARY
    from moss_ros.train.words.tower import WordTower, save

    torch.manual_seed(0)
    tower = WordTower(np.arange(VOCABULARY) % 100)
    save(tower, tmp_path / "text.safetensors", {})
    texts = ["the red mug", "something to sit on"]
    assert np.allclose(load_encoder(tmp_path / "text.safetensors")(texts), tower.encode(texts), atol=5e-3)
