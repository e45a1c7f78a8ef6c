"""How long a question takes, the text's embedding at hand: maps of 100 to 100 000 instances."""

from __future__ import annotations

import time

import numpy as np

from benchmarks.table import Bar, Table
from moss_ros.config import QueryConfig
from moss_ros.language.sizes.encoded_sizes import EncodedSizePrior
from moss_ros.mapping.observed import ObservedSpace
from moss_ros.questions.map_index import MapIndex, MapIndexer
from moss_ros.questions.query import QueryEngine
from moss_ros.questions.query_limits import QueryRequest
from moss_ros.records import Embeddings, Instance, InstanceState, OrientedBox, Snapshot

_QUESTIONS = {
    "a word": "mug",
    "a relation": "the mug on the table",
    "two relations": "the mug on the table near the sofa",
    "everything at a place": "what is on the table",
}
_P99_AT_10_000 = Bar(20)


class _FixedTexts:
    """Random but fixed embeddings of texts; stands for a model whose texts are at hand."""

    name = "fixed"

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions

    def encode_texts(self, texts):
        return np.array([_unit(np.random.default_rng(list(t.encode())), self.dimensions) for t in texts])

    def encode_masks(self, color_rgb, masks):
        return np.zeros((len(masks), self.dimensions), np.float32)


def run(quick: bool = False) -> Table:
    """p50 and p99 of find(): similarity, contrast, sizes, colours, relation, ranking, explanations."""
    table = Table(
        "query_latency",
        "made-up flats, one instance on 0.5 m^2; a tenth is a table, a tenth a sofa, a tenth mugs and cups on tables",
        "",
    )
    for dimensions in (256, 512):
        for count in (100, 1000) if quick else (100, 1000, 10_000, 100_000):
            _rows(table, count, dimensions, 5 if quick else 200 if count <= 10_000 else 20)
    return table


def _rows(table: Table, count: int, dimensions: int, repeats: int) -> None:
    encoder = _FixedTexts(dimensions)
    engine = QueryEngine(encoder, QueryConfig(), EncodedSizePrior(encoder), 0.3)
    index = _index(count, encoder)
    observed = ObservedSpace.of_cells(np.argwhere(np.ones((100, 100, 10))), 0.15)
    start = time.perf_counter()
    engine.prepare(index)
    table.add(f"{count} x {dimensions}: prepare the map", 1e3 * (time.perf_counter() - start), "ms", note="once a pass")
    for name, text in _QUESTIONS.items():
        took, cpu_start = [], time.process_time()
        for _ in range(repeats + 1):
            start = time.perf_counter()
            answer = engine.find(QueryRequest(text), index, observed)
            took.append(1e3 * (time.perf_counter() - start))
        p50, p99 = np.percentile(took[1:], [50, 99])
        cpu = 1e3 * (time.process_time() - cpu_start) / (repeats + 1)
        note = f"p50 {p50:.2f} ms, processor {cpu:.2f} ms, {answer.count} found"
        table.add(f"  {name}, p99", p99, "ms", _P99_AT_10_000 if count == 10_000 else None, note)


def _index(count: int, encoder: _FixedTexts) -> MapIndex:
    rng = np.random.default_rng(count)
    kinds = ("table", "sofa", "mug", "chair", "book", "lamp", "plant", "box", "shoe", "bottle")
    sizes = {"table": (1.2, 0.8, 0.75), "sofa": (2.0, 0.9, 0.8), "mug": (0.12, 0.1, 0.1)}
    side = np.sqrt(count / 2)
    instances, vectors = [], np.zeros((count, encoder.dimensions), np.float32)
    words = encoder.encode_texts(kinds)
    last_table = np.zeros(3)
    for i in range(count):
        kind = kinds[i % len(kinds)]
        size = np.array(sizes.get(kind, (0.3, 0.3, 0.3)))
        center = np.append(rng.uniform(0, side, 2), size[2] / 2)
        if kind == "table":
            last_table = center
        if kind == "mug":
            center = last_table + [0.3, 0.1, 0.75 / 2 + 0.06]
        noise = _unit(rng, encoder.dimensions)
        vectors[i] = words[i % len(kinds)] + 0.7 * noise
        instances.append(_instance(i + 1, center, size, rng))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = np.arange(1, count + 1, dtype=np.int32)
    views, camera_m = np.ones(count, np.int32), np.zeros((count, 3), np.float32)
    embeddings = Embeddings(encoder.name, ids, vectors, vectors, views, camera_m)
    return MapIndexer().update(Snapshot(1, tuple(instances), frozenset(), frozenset()), embeddings, 0.0)


def _instance(number: int, center: np.ndarray, size: np.ndarray, rng: np.random.Generator) -> Instance:
    points = (center + rng.uniform(-0.5, 0.5, (30, 3)) * size).astype(np.float32)
    colors = np.tile(rng.integers(0, 255, 3).astype(np.uint8), (30, 1))
    box = OrientedBox(center, size, float(rng.uniform(-0.7, 0.7)))
    state = InstanceState.CONFIRMED
    return Instance(number, state, box, center, points, colors, 0.9, "object", 0.0, 1, 2, 5, "made up")


def _unit(rng: np.random.Generator, dimensions: int) -> np.ndarray:
    vector = rng.normal(size=dimensions).astype(np.float32)
    return vector / np.linalg.norm(vector)
