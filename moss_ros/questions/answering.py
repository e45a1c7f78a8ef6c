"""Answers about the newest map, from any thread, while mapping goes on."""

from __future__ import annotations

from threading import Lock

import numpy as np

from moss_ros.config import LanguageConfig, QueryConfig
from moss_ros.language.encoders.encoder import ImageTextEncoder
from moss_ros.language.sizes.encoded_sizes import EncodedSizePrior
from moss_ros.questions.grammar import parse
from moss_ros.questions.map_index import MapIndex, MapIndexer
from moss_ros.questions.phrase_scores import PhraseScore, Prepared
from moss_ros.questions.places import Located
from moss_ros.questions.query import Observed, QueryAnswer, QueryEngine
from moss_ros.questions.query_limits import QueryRequest
from moss_ros.records import Embeddings, Snapshot


class Answering:
    """The thread that maps calls update(); find() reads the newest finished index."""

    def __init__(self, encoder: ImageTextEncoder, language: LanguageConfig, query: QueryConfig) -> None:
        self.encoder = encoder
        sizes = EncodedSizePrior(encoder) if language.size_weight > 0 else None
        self._engine = QueryEngine(encoder, query, sizes, language.size_weight)
        self._indexer = MapIndexer()
        self._index = self._indexer.update(Snapshot(0, (), frozenset(), frozenset()), None)
        self._lock = Lock()  # the engine answers one question at a time

    @property
    def index(self) -> MapIndex:
        """The instances that questions are asked about."""
        return self._index

    def update(
        self,
        snapshot: Snapshot,
        embeddings: Embeddings | None,
        floor_m: float | None = None,
    ) -> None:
        """Take over a snapshot; embeddings may lack some of its instances."""
        index = self._indexer.update(snapshot, embeddings, floor_m)
        prepared = self._engine.prepared(index)  # takes a while with many instances; questions go on meanwhile
        with self._lock:
            self._engine.take(prepared)
            self._index = index

    def find(self, request: QueryRequest, observed: Observed) -> QueryAnswer:
        """Answer one request. Raises QueryError, RegionError."""
        with self._lock:
            return self._engine.find(request, self._index, observed)

    def judged(self, request: QueryRequest) -> tuple[MapIndex, Prepared, PhraseScore, Located | None]:
        """What speaks for and against each instance, before anything is decided. Raises QueryError."""
        with self._lock:
            prepared = self._engine.prepare(self._index)
            return self._index, prepared, *self._engine.judge(prepared, request, parse(str(request.text)))

    def embed_image(self, color_rgb: np.ndarray) -> np.ndarray:
        """(D,) embedding of a whole example image (H, W, 3)."""
        return self.encoder.encode_masks(color_rgb, np.ones((1, *color_rgb.shape[:2]), bool))[0]
