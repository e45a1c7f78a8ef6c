"""Lists of names that instances can be labelled with: those that come with the package, and own files.

The label sets of benchmarks are data of the evaluation; their files are read from there by path, so that no list is
kept twice and nothing here imports the evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import yaml

from moss_ros.language.sizes.size_table import read_sizes

BENCHMARKS = Path(__file__).parent.parent / "evaluation" / "labels"
HOUSEHOLD = "household"
STRUCTURE = "structure"  # group of the table of sizes whose nouns are parts of the building
# What a wrong mask shows; an instance that looks most like these gets no label.
BACKGROUND = (
    "part of a wall",
    "part of the floor",
    "part of the ceiling",
    "a corner of a room",
    "an empty surface",
    "a shadow",
    "a blurred background",
)
MOST_SYNONYMS = 2  # of a label that are encoded: more cost time and add little
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where libyaml is
_KEYS = frozenset(("id", "name", "group", "stuff", "synonyms"))


class VocabularyError(ValueError):
    """A list of labels that cannot be used; the message names the file, the line and the fix."""


class TextEncoder(Protocol):
    """The half of an ImageTextEncoder that names need."""

    def encode_texts(self, texts: list[str]) -> np.ndarray:
        """(T, D) float32 unit vectors."""
        ...


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """V names, each with other words for the same thing."""

    name: str
    labels: tuple[str, ...]
    synonyms: tuple[tuple[str, ...], ...]  # of each label
    stuff: tuple[str, ...] = ()  # names of walls and floors: nothing to label, but to compare with

    def embeddings(self, encoder: TextEncoder) -> np.ndarray:
        """(V, D) float32 unit vectors: the mean direction of each label and its first synonyms."""
        texts = [
            text
            for label, others in zip(self.labels, self.synonyms, strict=True)
            for text in (label, *others[:MOST_SYNONYMS])
        ]
        counts = np.array([1 + min(len(others), MOST_SYNONYMS) for others in self.synonyms])
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        sums = np.add.reduceat(encoder.encode_texts(texts), starts, axis=0)
        length = np.linalg.norm(sums, axis=1, keepdims=True)
        return (sums / np.maximum(length, 1e-12)).astype(np.float32)

    def background_embeddings(self, encoder: TextEncoder) -> np.ndarray:
        """(B, D) float32 unit vectors of what is no thing."""
        return encoder.encode_texts([*self.stuff, *BACKGROUND])


def known_vocabularies() -> tuple[str, ...]:
    """Names that load_vocabulary() knows without a file."""
    return (HOUSEHOLD, *sorted(path.stem for path in BENCHMARKS.glob("*.json")))


def load_vocabulary(name: str | Path) -> Vocabulary:
    """A vocabulary of known_vocabularies(), or an own .yaml or .json file.

    An own file is a list of names, or of {name, synonyms, stuff}, or has such a list as `classes`; label sets of the
    evaluation can be used as they are. Raises VocabularyError.
    """
    path = Path(name)
    if path.suffix not in (".yaml", ".yml", ".json"):
        if str(name) == HOUSEHOLD:
            return _household()
        if str(name) not in known_vocabularies():
            known = ", ".join(known_vocabularies())
            raise VocabularyError(f"no vocabulary {str(name)!r}: take {known}, or give a .yaml file with `classes`")
        path = BENCHMARKS / f"{name}.json"
    return _read(path)


def _household() -> Vocabulary:
    """The nouns of the table of sizes that are things."""
    table = read_sizes()
    rows = [row for row, group in enumerate(table.groups) if group != STRUCTURE]
    stuff = tuple(noun for noun, group in zip(table.nouns, table.groups, strict=True) if group == STRUCTURE)
    return Vocabulary(
        HOUSEHOLD, tuple(table.nouns[r] for r in rows), tuple(table.aliases[r] for r in rows), stuff=stuff
    )


def _read(path: Path) -> Vocabulary:
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=_LOADER)
    except OSError as error:
        raise VocabularyError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise VocabularyError(f"{path}: {error}") from None
    fields = _mapping(root) if isinstance(root, yaml.MappingNode) else {}
    classes = root if isinstance(root, yaml.SequenceNode) else fields.get("classes")
    if not isinstance(classes, yaml.SequenceNode) or not classes.value:
        raise VocabularyError(f"{path}: needs a list `classes`, such as `classes: [mug, chair]`")
    labels: dict[str, tuple[str, ...]] = {}
    stuff: list[str] = []
    lines: dict[str, int] = {}
    for node in classes.value:
        line = node.start_mark.line + 1
        label, synonyms, is_stuff = _entry(f"{path}:{line}", node)
        if label in lines:
            raise VocabularyError(f"{path}:{line}: {label!r} is also on line {lines[label]}; remove one")
        lines[label] = line
        if is_stuff:
            stuff += (label, *synonyms)
        else:
            labels[label] = synonyms
    if not labels:
        raise VocabularyError(f"{path}: all classes are stuff; add a thing that can be labelled")
    title = fields.get("name")
    name = title.value if isinstance(title, yaml.ScalarNode) else path.stem
    return Vocabulary(name, tuple(labels), tuple(labels.values()), tuple(stuff))


def _entry(where: str, node: yaml.Node) -> tuple[str, tuple[str, ...], bool]:
    """Name, synonyms and whether it is stuff."""
    if isinstance(node, yaml.ScalarNode):
        return _text(where, node), (), False
    fields = _mapping(node) if isinstance(node, yaml.MappingNode) else {}
    if "name" not in fields:
        raise VocabularyError(f"{where}: write a name, or a mapping with `name` and perhaps `synonyms`")
    unknown = sorted(set(fields) - _KEYS)
    if unknown:
        raise VocabularyError(f"{where}: unknown {', '.join(unknown)}; known are {', '.join(sorted(_KEYS))}")
    others = fields.get("synonyms")
    if others is not None and not isinstance(others, yaml.SequenceNode):
        raise VocabularyError(f"{where}: synonyms must be a list, such as [cup, beaker]")
    synonyms = tuple(_text(where, other) for other in others.value) if others is not None else ()
    stuff = fields.get("stuff")
    if stuff is not None and stuff.value not in ("true", "false"):
        raise VocabularyError(f"{where}: stuff must be true or false")
    return _text(where, fields["name"]), synonyms, stuff is not None and stuff.value == "true"


def _text(where: str, node: yaml.Node) -> str:
    text = node.value.strip() if isinstance(node, yaml.ScalarNode) else ""
    if not text or node.tag != "tag:yaml.org,2002:str":
        raise VocabularyError(f"{where}: {node.value!r} is no name; put names in quotes if they look like numbers")
    return str(text)


def _mapping(node: yaml.MappingNode) -> dict[str, yaml.Node]:
    return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}
