"""The map in words: its instances get names, and questions about them get answers.

views -> embeddings -> names (language/describer.py)          in the thread that maps
text -> ranked instances, or an honest no (answering.py)      in any thread
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from moss_ros.config import MossConfig
from moss_ros.language.describer import InstanceDescriber, Sight
from moss_ros.language.encoders.choose import configured_encoder
from moss_ros.language.encoders.encoder import ImageTextEncoder
from moss_ros.language.labeller import configured_labeller
from moss_ros.questions.answering import Answering
from moss_ros.questions.query import Observed, QueryAnswer
from moss_ros.questions.query_limits import QueryRequest
from moss_ros.records import Embeddings, Snapshot


def configured_words(config: MossConfig, encoder: ImageTextEncoder | None = None) -> Words | None:
    """None where no model of words and pictures is installed or wanted. encoder: default the configured one."""
    encoder = encoder or configured_encoder(config.language)
    return None if encoder is None else Words(encoder, config)


class Words:
    """Names and answers by one model."""

    def __init__(self, encoder: ImageTextEncoder, config: MossConfig) -> None:
        self.encoder = encoder
        self._config = config.language
        self._labeller = configured_labeller(config.language, encoder)
        self._answering = Answering(encoder, config.language, config.query)
        self.reset()

    def reset(self) -> None:
        """Forget the instances; the vocabulary stays."""
        self._describer = InstanceDescriber(self.encoder, self._labeller, self._config)
        self.waiting = 0  # keyframes that hold views nobody read yet, as far as known
        self._answering.update(Snapshot(0, (), frozenset(), frozenset()), None)

    @property
    def embeddings(self) -> Embeddings:
        """What the instances look like, as far as they were read."""
        return self._describer.embeddings

    def tell(self, snapshot: Snapshot, floor_m: float | None) -> Snapshot:
        """A new segmentation, with the names known so far; questions are about it from here on."""
        self.waiting = max(self.waiting, 1)
        return self._named(snapshot, floor_m)

    def describe(self, snapshot: Snapshot, sight: Sight, limit: int | None, floor_m: float | None) -> Snapshot:
        """Read views in at most `limit` keyframes, and name the instances anew; see InstanceDescriber.update."""
        self._describer.update(snapshot, sight, limit)
        self.waiting = self._describer.waiting
        return self._named(snapshot, floor_m)

    def relabel(
        self, snapshot: Snapshot, vocabulary: str | Sequence[str], min_score: float, floor_m: float | None
    ) -> tuple[Snapshot, int]:
        """Another vocabulary from here on (see configured_labeller), and how many labels changed. Raises
        VocabularyError."""
        self._labeller = configured_labeller(self._config, self.encoder, vocabulary, min_score)
        changed = self._describer.rename(snapshot, self._labeller)
        return self._named(snapshot, floor_m), changed

    def find(self, request: QueryRequest, observed: Observed) -> QueryAnswer:
        """Answer a question, in any thread. Raises QueryError, RegionError."""
        return self._answering.find(request, observed)

    def embed_image(self, color_rgb: np.ndarray) -> np.ndarray:
        """(D,) embedding of an example image (H, W, 3), in any thread."""
        return self._answering.embed_image(color_rgb)

    def _named(self, snapshot: Snapshot, floor_m: float | None) -> Snapshot:
        named = self._describer.named(snapshot)
        self._answering.update(named, self.embeddings, floor_m)
        return named
