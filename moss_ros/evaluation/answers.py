"""The questions of a scene, asked to the map of a run; answers.json beside it is what retrieval is scored by."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from moss_ros.config import MossConfig, from_flat
from moss_ros.evaluation.ground_truth import read_json
from moss_ros.evaluation.retrieval import load_queries
from moss_ros.language.encoders.encoder import ImageTextEncoder
from moss_ros.language.labeller import configured_labeller
from moss_ros.output.ask_map import AskedMap, answer_as_dict, open_map
from moss_ros.output.run_folder import write_json
from moss_ros.questions.query_limits import QueryRequest
from moss_ros.records import rows_of

QUERY_FILES = ("queries.json", "queries_clicked.json")


def ask_scene(run: Path, scene: Path, encoder: ImageTextEncoder | None = None) -> Path | None:
    """Write answers.json into the run; None when the scene asks nothing or the run knows no words.

    encoder: default the one of the run's configuration. Raises MapFileError.
    """
    texts = scene_queries(scene)
    if not texts or not (run / "map" / "embeddings.npz").exists():
        return None
    config = run_config(run)
    asked = open_map(run, config, encoder)
    write_class_scores(run, scene, asked, config)
    path = run / "answers.json"
    write_json(path, {"answers": [_answer(asked, text) for text in texts]})
    return path


def write_class_scores(run: Path, scene: Path, asked: AskedMap, config: MossConfig) -> None:
    """map/class_scores.npz: how well each class of the scene fits each instance, in [0, 1]."""
    truth = read_json(scene / "instances.json") if (scene / "instances.json").exists() else {}
    names = tuple(truth.get("categories", {}))
    if not names or asked.stored.embeddings is None:
        return
    labeller = configured_labeller(config.language, asked.answering.encoder, names)
    instances = asked.stored.snapshot.instances
    scores = labeller.probabilities(instances, rows_of(asked.stored.embeddings, [i.id for i in instances]))
    ids = np.array([i.id for i in instances], np.int64)
    np.savez_compressed(run / "map" / "class_scores.npz", names=np.array(names), ids=ids, scores=scores)


def scene_queries(scene: Path) -> tuple[str, ...]:
    """The texts of all query files of a scene, each once."""
    files = [scene / name for name in QUERY_FILES if (scene / name).exists()]
    return tuple(dict.fromkeys(query.text for file in files for query in load_queries(file)))


def run_config(run: Path) -> MossConfig:
    """The configuration that a run was made with; the default one where it is not written down."""
    return from_flat(read_json(run / "run.json").get("config", {}))


def _answer(asked: AskedMap, text: str) -> dict:
    return answer_as_dict(text, asked.find(QueryRequest(text=text)), asked)
