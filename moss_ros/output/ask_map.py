"""Questions to a map in a folder, answered as the live node answers them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moss_ros.config import MossConfig
from moss_ros.language.encoders.choose import configured_encoder
from moss_ros.language.encoders.encoder import ImageTextEncoder
from moss_ros.mapping.observed import ObservedSpace
from moss_ros.output.map_file import MapFileError, StoredMap, load_map
from moss_ros.questions.answering import Answering
from moss_ros.questions.query import QueryAnswer, Status
from moss_ros.questions.query_limits import QueryRequest


@dataclass(frozen=True, slots=True)
class AskedMap:
    """A saved map with the model that looked at its instances."""

    stored: StoredMap
    answering: Answering
    observed: ObservedSpace

    def find(self, request: QueryRequest) -> QueryAnswer:
        """Raises QueryError, RegionError."""
        return self.answering.find(request, self.observed)


def open_map(folder: Path, config: MossConfig, encoder: ImageTextEncoder | None = None) -> AskedMap:
    """The map of a run. encoder: default the configured one; it must be the one that the run used.

    Raises MapFileError when the run compared no words and pictures, or another model did.
    """
    stored = load_map(folder)
    if stored.embeddings is None or stored.observed is None:
        raise MapFileError(f"{folder}: was written without a model of words and pictures; run moss replay with it")
    encoder = encoder or configured_encoder(config.language)
    if encoder is None:
        raise MapFileError("no model of words and pictures here: pip install 'moss_ros[language]'")
    if encoder.name != stored.embeddings.model:
        raise MapFileError(
            f"{folder} was read by {stored.embeddings.model}, the configured model is {encoder.name}; "
            "set language.model and language.weights to that of the run"
        )
    answering = Answering(encoder, config.language, config.query)
    answering.update(stored.snapshot, stored.embeddings)
    return AskedMap(stored, answering, stored.observed)


def answer_as_dict(text: str, answer: QueryAnswer, asked: AskedMap) -> dict[str, Any]:
    """An answer for answers.json and `moss find --json`; metres."""
    known = {i.id: i for i in asked.stored.snapshot.instances}
    return {
        "query": text,
        "status": status_name(answer.status),
        "observed_share": round(answer.observed_share, 4),
        "message": answer.message,
        "model": answer.model,
        "hits": [
            {
                "id": found.id,
                "label": known[found.id].label,
                "score": round(found.score, 4),
                "similarity": round(found.similarity, 4),
                "centroid_m": [round(float(v), 4) for v in known[found.id].centroid_m],
                "size_m": [round(float(v), 4) for v in known[found.id].box.size_m],
                "explanation": found.explanation,
            }
            for found in answer.found
        ],
    }


def status_name(status: Status) -> str:
    """found, absent or not_observed."""
    return status.name.lower()


def answer_as_text(answer: dict[str, Any]) -> str:
    """An answer for people: what it is, where, how sure, and why."""
    if answer["status"] != Status.FOUND.name.lower():
        return f"{answer['status'].replace('_', ' ')}: {answer['message']}"
    lines = [answer["message"]] if answer["message"] else []
    for rank, hit in enumerate(answer["hits"], 1):
        place = " ".join(f"{v:.2f}" for v in hit["centroid_m"])
        size = " x ".join(f"{v:.2f}" for v in hit["size_m"])
        lines.append(f"{rank}. {hit['label']} {hit['id']}  at {place}  size {size} m  score {hit['score']:.2f}")
        if hit["explanation"]:
            lines.append(f"   {hit['explanation']}")
    return "\n".join(lines)
