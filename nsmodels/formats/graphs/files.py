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
from nsmodels.formats.graphs.tables import PER_EDGE, PER_GRAPH, PER_NODE, Graphs
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
    vocabulary = Vocabulary.from_dict(json.loads(about), str(path))
    values: dict[str, Any] = {name: _numpy(found.column(name)) for name in PER_GRAPH}
    for names, offsets in ((PER_NODE, "node_offsets"), (PER_EDGE, "edge_offsets")):
        for name in names:
            values[name], values[offsets] = _lists(found.column(name))
    values["since"] = values["since"].reshape(-1, len(vocabulary.channels))
    values["node_offsets"] = _lists(found.column("node_types"))[1]
    values["trace"], values["trace_offsets"] = _bytes(found.column("trace"))
    return Graphs(vocabulary, **values)


def read_split(folder: Path, split: str) -> Graphs:
    """The graphs of a split; raises InputError naming the splits that there are."""
    path = path_of(folder, split)
    if not path.is_file():
        raise InputError(f"{path}: missing; the splits here are {', '.join(splits(folder)) or 'none'}")
    return read(path)


def _numpy(column: Any) -> np.ndarray:
    values = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return values.to_numpy(zero_copy_only=False)


def _lists(column: Any) -> tuple[np.ndarray, np.ndarray]:
    array = column.combine_chunks()
    offsets = array.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
    return array.values.to_numpy(zero_copy_only=False)[offsets[0] : offsets[-1]], offsets - offsets[0]


def _bytes(column: Any) -> tuple[np.ndarray, np.ndarray]:
    array = column.combine_chunks().cast(pa.large_binary())
    offsets = np.frombuffer(array.buffers()[1], np.int64)[array.offset : array.offset + len(array) + 1]
    data = array.buffers()[2]
    content = np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8)
    return content[offsets[0] : offsets[-1]], offsets - offsets[0]
