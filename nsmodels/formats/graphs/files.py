"""Tables of graphs as parquet files: a row per graph, lists for its nodes and edges, the vocabulary in the schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nsmodels.core.disk import atomically, writing
from nsmodels.core.errors import InputError
from nsmodels.formats.graphs.tables import PER_EDGE, PER_GRAPH, PER_NODE, TYPES, Graphs
from nsmodels.formats.graphs.vocabulary import Vocabulary

VOCABULARY = "vocabulary"
# The columns of a file, as the UI describes them.
ABOUT = {
    "ids": "name of the graph",
    "pairs": "number that twins share: equal counts, opposite labels",
    "kinds": "kind of the query",
    "labels": "0 or 1, computed by the oracle",
    "rounds": "rounds of message passing that the structure demands",
    "lengths": "difficulty, as the vocabulary names it",
    "trace_rounds": "rounds that the trace records",
    "node_types": "type of each node",
    "features": "what is known of each node",
    "marks": "part of each node in the query",
    "clusters": "declared cluster of each node, -1 for none",
    "since": "first round at which each truth is decidable, node by node and channel by channel; -1: never",
    "sources": "first node of each edge",
    "targets": "second node of each edge",
    "relations": "type of each edge",
    "confidence": "weight of each edge in [0, 1]",
    "trace": "packed bits of the oracle's trace: rounds, nodes, channels",
}


def path_of(folder: Path, split: str) -> Path:
    """The file of a split."""
    return folder / f"{split}.parquet"


def splits(folder: Path) -> list[str]:
    """Names of the splits in a folder, sorted."""
    return sorted(path.stem for path in folder.glob("*.parquet"))


def write(path: Path, graphs: Graphs) -> None:
    """Write a table; the file appears whole or not at all."""
    columns: dict[str, Any] = {name: pa.array(getattr(graphs, name)) for name in PER_GRAPH}
    for names, offsets in ((PER_NODE, graphs.node_offsets), (PER_EDGE, graphs.edge_offsets)):
        for name in names:
            values = getattr(graphs, name)
            width = values.shape[1] if values.ndim == 2 else 1
            columns[name] = pa.LargeListArray.from_arrays(offsets * width, pa.array(values.reshape(-1)))
    columns["trace"] = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(graphs), [None, pa.py_buffer(graphs.trace_offsets), pa.py_buffer(graphs.trace)]
    )
    about = {VOCABULARY: json.dumps(graphs.vocabulary.to_dict())}
    with writing(path), atomically(path) as beside:
        pq.write_table(pa.table(columns).replace_schema_metadata(about), beside, compression="zstd")


def read(path: Path) -> Graphs:
    """Read a table; raises InputError in one line for a missing or broken file."""
    try:
        found = pq.read_table(path).combine_chunks()
    except FileNotFoundError:
        raise InputError(f"{path}: missing; make the data again, or choose one of its splits") from None
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: not a readable parquet file ({' '.join(str(error).split())})") from None
    about = (found.schema.metadata or {}).get(VOCABULARY.encode())
    absent = [name for name in ABOUT if name not in found.column_names]
    if about is None or absent:
        raise InputError(f"{path}: holds no graphs, '{absent[0] if absent else VOCABULARY}' is missing")
    vocabulary = Vocabulary.from_dict(_names(path, about), str(path))
    values: dict[str, Any] = {name: _column(path, found, name).to_numpy(zero_copy_only=False) for name in PER_GRAPH}
    for names, offsets in ((PER_NODE, "node_offsets"), (PER_EDGE, "edge_offsets")):
        for name in names:
            width = len(vocabulary.channels) if name == "since" else 1
            values[name], ends = _lists(_column(path, found, name))
            if not np.array_equal(ends, values.setdefault(offsets, ends) * width):
                expected = f"{width} for each of '{names[0]}'" if width > 1 else f"as many as of '{names[0]}'"
                raise InputError(f"{path}: '{name}' has lists of a different length in some graph; expected {expected}")
    values["since"] = values["since"].reshape(len(values["node_types"]), len(vocabulary.channels))
    values["trace"], values["trace_offsets"] = _bytes(_column(path, found, "trace"))
    return Graphs(vocabulary, **values)


def read_split(folder: Path, split: str) -> Graphs:
    """The graphs of a split; raises InputError naming the splits that there are."""
    path = path_of(folder, split)
    if not path.is_file():
        raise InputError(f"{path}: missing; the splits here are {', '.join(splits(folder)) or 'none'}")
    return read(path)


def _names(path: Path, about: bytes) -> dict[str, Any]:
    try:
        found = json.loads(about)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InputError(f"{path}: the metadata '{VOCABULARY}' are not JSON; expected an object with lists of names")
    return found


def _column(path: Path, found: pa.Table, name: str) -> Any:
    """A column as one array of its type; raises InputError for a different type and for empty entries."""
    kind = pa.large_binary() if name == "trace" else pa.string()
    if name in TYPES:
        single = pa.from_numpy_dtype(TYPES[name])
        kind = single if name in PER_GRAPH else pa.large_list(single)
    column = found.column(name)
    try:
        array = column.combine_chunks().cast(kind)
    except pa.ArrowException as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: '{name}' is of type {column.type}; expected {kind} ({reason})") from None
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if array.null_count or (pa.types.is_large_list(kind) and array.values.null_count):
        raise InputError(f"{path}: '{name}' has empty entries; expected {kind}")
    return array


def _lists(array: Any) -> tuple[np.ndarray, np.ndarray]:
    offsets = array.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
    return array.values.to_numpy(zero_copy_only=False)[offsets[0] : offsets[-1]], offsets - offsets[0]


def _bytes(array: Any) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.frombuffer(array.buffers()[1], np.int64)[array.offset : array.offset + len(array) + 1]
    data = array.buffers()[2]
    content = np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8)
    return content[offsets[0] : offsets[-1]], offsets - offsets[0]
