"""First vectors of word families: what stands together in the dictionary's entries (latent semantic analysis)."""

from __future__ import annotations

import math

import numpy as np
import scipy.sparse as sparse

from moss_ros.train.words.household import Thing
from moss_ros.train.words.tokens import stem, text_pieces
from moss_ros.train.words.wordnet import WordNet

LENGTH = 0.8  # of a family's vector
_ROUNDS = 1
_RANK = 144  # of the decomposition; the other numbers of a vector start small
_COMMON = 0.05  # a word in more of the entries than this share says nothing


def entries(words: WordNet, home: list[Thing], tests: set[int]) -> list[dict[str, float]]:
    """Weighted words of each entry: its names, its definition, and the names above it. Test entries lack their text."""
    out = []
    for row, synset in enumerate(words.synsets):
        bag: dict[str, float] = {}
        _add(bag, " ".join(synset.lemmas), 2.0)
        if row not in tests:
            _add(bag, synset.definition, 1.0)
        for parent in words.parents(row):
            _add(bag, " ".join(words.synsets[parent].lemmas), 1.0)
            _add(bag, " ".join(w for g in words.parents(parent) for w in words.synsets[g].lemmas), 0.5)
        out.append(bag)
    for thing in home:
        bag = {}
        _add(bag, " ".join((*thing.names, thing.kind)), 2.0)
        _add(bag, " ".join(thing.phrases), 1.0)
        out += [bag, bag]
    return out


def _add(bag: dict[str, float], text: str, weight: float) -> None:
    for word in text.split():
        name = stem(word)
        if name:
            bag[name] = bag.get(name, 0.0) + weight


def first_vectors(
    bags: list[dict[str, float]], numbers: dict[str, int], family: np.ndarray, width: int, seed: int
) -> np.ndarray:
    """(families, width) float32: rows of the truncated decomposition of families x entries.

    A stem that is no family of its own gives its weight to the families of its word pieces.
    """
    columns, rows, values = [], [], []
    pieces_of: dict[str, list[int]] = {}
    for column, bag in enumerate(bags):
        for name, weight in bag.items():
            if name not in pieces_of:
                known = numbers.get(name)
                pieces_of[name] = [known] if known is not None else [int(family[p]) for p in text_pieces(name)]
            for number in pieces_of[name]:
                rows.append(number)
                columns.append(column)
                values.append(weight)
    table = sparse.csr_matrix((values, (rows, columns)), shape=(len(numbers), len(bags)), dtype=np.float32)
    return _scaled(_decompose(_weighted(table), width, seed), seed)


def _weighted(table: sparse.csr_matrix) -> sparse.csr_matrix:
    """Counts damped, rare words up, common words out, every entry of the same length."""
    table.data = np.log1p(table.data)
    found = np.diff(table.indptr)
    rarity = np.log(table.shape[1] / np.maximum(found, 1)) * (found < _COMMON * table.shape[1])
    table = sparse.diags(rarity.astype(np.float32)) @ table
    length = np.sqrt(np.asarray(table.multiply(table).sum(0)).ravel())
    return (table @ sparse.diags((1 / np.maximum(length, 1e-6)).astype(np.float32))).tocsr()


def _decompose(table: sparse.csr_matrix, width: int, seed: int) -> np.ndarray:
    """Left singular vectors times the square root of the singular values (Halko et al. 2011)."""
    rng = np.random.default_rng(seed)
    rank = min(_RANK, width)
    basis = table @ rng.standard_normal((table.shape[1], rank + 16), dtype=np.float32)
    for _ in range(_ROUNDS):
        basis = table @ (table.T @ np.linalg.qr(basis)[0])
    basis = np.linalg.qr(basis)[0]
    small = (table.T @ basis).T
    left, sizes, _ = np.linalg.svd(small @ small.T)
    vectors = np.zeros((len(basis), width), np.float32)
    vectors[:, :rank] = (basis @ left[:, :rank]) * np.sqrt(np.sqrt(sizes[:rank]))
    return vectors


def _scaled(vectors: np.ndarray, seed: int) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    noise = np.random.default_rng(seed).standard_normal(vectors.shape) / math.sqrt(vectors.shape[1])
    mixed = np.where(length > 1e-6, vectors / np.maximum(length, 1e-6) + 0.3 * noise, noise)
    return (LENGTH * mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)
