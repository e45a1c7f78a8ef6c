"""Read the parts of PLY meshes that ground truth needs: vertex positions, faces and their properties."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from moss_ros.evaluation.ground_truth import TruthError

_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}


@dataclass(slots=True)
class _Element:
    """An element of the header. A list property has two types: (length, item)."""

    name: str
    count: int
    properties: dict[str, tuple[str, ...]] = field(default_factory=dict)


Columns = dict[str, np.ndarray]  # property -> (count,) values, or (count, n) for a list of n items each


def read_ply(path: Path) -> dict[str, Columns]:
    """Element name -> columns. Lists must have the same length in all rows of an element."""
    path = Path(path)
    if not path.exists():
        raise TruthError(f"{path}: missing")
    data = path.read_bytes()
    elements, order, start, lines = _header(path, data)
    if not order:
        return _read_ascii(path, data[start:].decode("ascii", "replace").splitlines(), elements, lines)
    out: dict[str, Columns] = {}
    for element in elements:
        out[element.name], start = _read_binary(path, data, start, element, order)
    return out


def _header(path: Path, data: bytes) -> tuple[list[_Element], str, int, int]:
    """Elements, byte order ("" = text), start of the data, and lines of the header."""
    end = data.find(b"end_header")
    if not data.startswith(b"ply") or end < 0:
        raise TruthError(f"{path}:1: not a PLY file")
    start = data.index(b"\n", end) + 1
    elements: list[_Element] = []
    order = None
    lines = data[:start].decode("ascii", "replace").splitlines()
    for number, line in enumerate(lines, 1):
        words = line.split()
        try:
            if words[:1] == ["format"]:
                order = _ORDERS[words[1]]
            elif words[:1] == ["element"]:
                elements.append(_Element(words[1], int(words[2])))
            elif words[:2] == ["property", "list"]:
                elements[-1].properties[words[4]] = (_TYPES[words[2]], _TYPES[words[3]])
            elif words[:1] == ["property"]:
                elements[-1].properties[words[2]] = (_TYPES[words[1]],)
        except (IndexError, KeyError, ValueError):
            raise TruthError(f"{path}:{number}: cannot read {line!r}") from None
    if order is None:
        raise TruthError(f"{path}:2: has no format")
    return elements, order, start, len(lines)


def _read_binary(path: Path, data: bytes, start: int, element: _Element, order: str) -> tuple[Columns, int]:
    row = _row_type(path, data, start, element, order)
    end = start + element.count * row.itemsize
    if end > len(data):
        raise TruthError(f"{path}: ends within element {element.name}")
    table = np.frombuffer(data, row, element.count, start)
    for name, types in element.properties.items():
        if len(types) == 2 and element.count and (table[f"{name}.length"] != table[f"{name}.length"][0]).any():
            raise TruthError(f"{path}: lists {name} of different lengths are not supported")
    return {name: table[name] for name in element.properties}, end


def _row_type(path: Path, data: bytes, start: int, element: _Element, order: str) -> np.dtype:
    """Type of one row; the first row tells how long the lists are."""
    fields: list[tuple] = []
    for name, types in element.properties.items():
        if len(types) == 1:
            fields.append((name, order + types[0]))
            continue
        place = start + np.dtype(fields).itemsize
        length_type = np.dtype(order + types[0])
        if element.count and place + length_type.itemsize > len(data):
            raise TruthError(f"{path}: ends within element {element.name}")
        length = int(np.frombuffer(data, length_type, 1, place)[0]) if element.count else 0
        fields += [(f"{name}.length", length_type), (name, order + types[1], (length,))]
    return np.dtype(fields)


def _read_ascii(path: Path, lines: list[str], elements: list[_Element], first: int) -> dict[str, Columns]:
    out: dict[str, Columns] = {}
    at = 0
    for element in elements:
        rows = lines[at : at + element.count]
        if len(rows) < element.count:
            raise TruthError(f"{path}:{first + len(lines)}: ends within element {element.name}")
        out[element.name] = _ascii_columns(path, rows, element, first + at)
        at += element.count
    return out


def _ascii_columns(path: Path, rows: list[str], element: _Element, first: int) -> Columns:
    columns: dict[str, list] = {name: [] for name in element.properties}
    for number, line in enumerate(rows, first + 1):
        words = line.split()
        at = 0
        try:
            for name, types in element.properties.items():
                if len(types) == 1:
                    columns[name].append(float(words[at]))
                    at += 1
                else:
                    length = int(words[at])
                    columns[name].append([float(w) for w in words[at + 1 : at + 1 + length]])
                    at += 1 + length
        except (IndexError, ValueError):
            raise TruthError(f"{path}:{number}: cannot read {line!r} as {element.name}") from None
    try:
        return {name: np.array(columns[name], types[-1]) for name, types in element.properties.items()}
    except ValueError:
        raise TruthError(f"{path}: lists of different lengths in {element.name} are not supported") from None
