"""Hand-made maps and an encoder whose words are known directions."""

from __future__ import annotations

import numpy as np

from moss_ros.config import QueryConfig
from moss_ros.questions.map_index import MapIndex, MapIndexer
from moss_ros.records import Embeddings, Instance, InstanceState, OrientedBox, Snapshot

KINDS = ("mug", "table", "chair", "sofa", "lamp", "vase", "plant", "banana", "bicycle")
SYNONYMS = {"cup": "mug", "couch": "sofa"}
DIMENSIONS = 96
CONFIG = QueryConfig()


def direction(text: str) -> np.ndarray:
    """Unit vector: the axis of the kind that the text names, else one of its own, all with a common part."""
    vector = np.zeros(DIMENSIONS, np.float32)
    words = [SYNONYMS.get(w, w) for w in text.split()]
    named = [KINDS.index(w) for w in words if w in KINDS]
    own = 10 + sum(map(ord, text)) % 80
    vector[named[0] if named else own] = 1
    vector[-1] = 0.5
    return vector / np.linalg.norm(vector)


class WordEncoder:
    """An ImageTextEncoder that counts what it encodes."""

    name = "words"
    dimensions = DIMENSIONS

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode_texts(self, texts):
        self.encoded += texts
        return np.array([direction(t) for t in texts]).reshape(-1, DIMENSIONS)

    def encode_masks(self, color_rgb, masks):
        return np.zeros((len(masks), DIMENSIONS), np.float32)


class Seen:
    """Observed space with a given share."""

    def __init__(self, share: float) -> None:
        self._share = share

    def share(self, region=None):
        return self._share


def thing(id_, kind, center, size, color=(128, 128, 128), state=InstanceState.CONFIRMED, yaw=0.0, points=None):
    """An instance of a kind; its picture shows just that."""
    center, size = np.array(center, float), np.array(size, float)
    points = np.array([center], np.float32) if points is None else np.asarray(points, np.float32)
    colors = np.tile(np.array(color, np.uint8), (len(points), 1))
    box = OrientedBox(center, size, yaw)
    return Instance(id_, state, box, center, points, colors, 0.9, kind, 0.5, 1, 100 + id_, 5, "test")


def index_of(things, seed=0, floor_m=None) -> MapIndex:
    """Index with embeddings near the direction of each kind."""
    rng = np.random.default_rng(seed)
    vectors = np.array([direction(t.label) for t in things]).reshape(-1, DIMENSIONS)
    noise = np.array([np.random.default_rng(t.id).normal(0, 0.02, DIMENSIONS) for t in things])
    vectors = (vectors + noise.reshape(-1, DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    order = rng.permutation(len(things)) if seed else np.arange(len(things))
    ids = np.array([t.id for t in things], np.int32)
    views, camera_m = np.ones(len(things), np.int32), np.tile(np.float32([-5, 0, 1]), (len(things), 1))
    embeddings = Embeddings("words", ids[order], vectors[order], vectors[order], views, camera_m)
    snapshot = Snapshot(1, tuple(things[i] for i in order), frozenset(), frozenset())
    return MapIndexer().update(snapshot, embeddings, floor_m)


TABLE = thing(3, "table", (0, 0, 0.4), (1.2, 0.8, 0.8))
ROOM = (
    TABLE,
    thing(12, "mug", (0.3, 0.1, 0.87), (0.1, 0.1, 0.1), (200, 30, 30)),  # 2 cm above the table's top
    thing(13, "mug", (0.2, 0.0, 0.05), (0.1, 0.1, 0.1), (30, 60, 200)),  # on the floor, under the table
    thing(5, "sofa", (3, 0, 0.4), (0.9, 2.0, 0.8)),
    thing(6, "chair", (2.0, 0.2, 0.45), (0.5, 0.5, 0.9)),
    thing(7, "chair", (-3.0, 0.2, 0.45), (0.5, 0.5, 0.9)),
    thing(8, "lamp", (0, 2, 0.8), (0.3, 0.3, 1.6)),
    thing(9, "vase", (2, 2, 0.15), (0.2, 0.2, 0.3)),
    thing(10, "plant", (1, 2.05, 0.2), (0.3, 0.3, 0.4)),
    thing(11, "plant", (-2, -2, 0.6), (0.6, 0.6, 1.2)),
)
