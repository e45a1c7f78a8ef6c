"""Names instances in a vocabulary, by what they look like and how large they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from moss_ros.config import LanguageConfig
from moss_ros.language.encoders.encoder import ImageTextEncoder
from moss_ros.language.labels import LabelRule, label_instances, label_probabilities
from moss_ros.language.sizes.encoded_sizes import EncodedSizePrior
from moss_ros.language.vocabulary import Vocabulary, VocabularyError, load_vocabulary
from moss_ros.records import Embeddings, Instance


class VocabularyLabeller:
    """A vocabulary read by one encoder."""

    def __init__(
        self, vocabulary: Vocabulary, encoder: ImageTextEncoder, sizes: EncodedSizePrior | None, rule: LabelRule
    ) -> None:
        """sizes: None = the metric size has no say."""
        self.vocabulary = vocabulary
        self._rule = rule
        self._sizes = sizes
        self._labels = vocabulary.embeddings(encoder)
        self._background = vocabulary.background_embeddings(encoder)

    def labels(self, instances: Sequence[Instance], embeddings: Embeddings) -> list[tuple[str, float]]:
        """Label ("object" where none is sure enough) and score of each instance; embeddings: theirs, in order."""
        found = label_instances(*self._evidence(instances, embeddings), rule=self._rule)
        return list(zip(found.names(self.vocabulary), found.score.tolist(), strict=True))

    def probabilities(self, instances: Sequence[Instance], embeddings: Embeddings) -> np.ndarray:
        """(K, V) probability of each label of the vocabulary; embeddings: those of the instances, in order."""
        return label_probabilities(*self._evidence(instances, embeddings), rule=self._rule)

    def _evidence(
        self, instances: Sequence[Instance], embeddings: Embeddings
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]:
        sizes = None
        if self._sizes is not None:
            extents_m = np.array([i.box.size_m for i in instances], float).reshape(-1, 3)
            sizes = self._sizes.log_likelihood(self.vocabulary.labels, extents_m)
        return self._labels, embeddings.mean, embeddings.best, self._background, sizes


def configured_labeller(
    config: LanguageConfig,
    encoder: ImageTextEncoder,
    vocabulary: str | Sequence[str] = "",
    min_score: float = 0.0,
) -> VocabularyLabeller:
    """vocabulary: a name, a file, or the labels themselves; empty: the configured one. min_score: 0 = the configured
    one. Raises VocabularyError."""
    if isinstance(vocabulary, str):
        known = load_vocabulary(vocabulary or config.vocabulary)
    else:
        labels = tuple(" ".join(label.split()) for label in vocabulary)
        if not labels or not all(labels) or len(set(labels)) < len(labels):
            raise VocabularyError("send the name of a vocabulary, or labels that are neither empty nor repeated")
        known = Vocabulary("asked for", labels, ((),) * len(labels))
    sizes = EncodedSizePrior(encoder) if config.size_weight > 0 else None
    rule = LabelRule(size_weight=config.size_weight, least_score=min_score or config.label_min_score)
    return VocabularyLabeller(known, encoder, sizes, rule)
