"""Tables of graphs: selection, files, bad files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.formats.graphs import files
from nsmodels.formats.graphs.tables import NEVER, Graph, Graphs, graph, table
from nsmodels.formats.graphs.vocabulary import Vocabulary

WORDS = Vocabulary(("a", "b"), ("?", "t"), ("none", "query"), ("r", "s"), ("k",), ("x", "y", "z"))


def drawn(number: int, seed: int = 0) -> list[Graph]:
    rng = np.random.default_rng(seed)
    found = []
    for k in range(number):
        n, e, t = int(rng.integers(1, 9)), int(rng.integers(0, 12)), int(rng.integers(0, 5))
        ends = rng.integers(0, n, (2, e))
        found.append(
            Graph(
                f"g{k}", k // 2, 0, k % 2, t + 1, n, rng.integers(0, 2, n), rng.integers(0, 2, n),
                rng.integers(0, 2, n), ends[0], ends[1], rng.integers(0, 2, e), rng.random((t, n, 3)) < 0.5,
                rng.integers(NEVER, max(t, 1), (n, 3)),
            )
        )  # fmt: skip
    return found


def same(one: Graph, other: Graph) -> None:
    for name, value in vars(one).items():
        if value is not None:
            np.testing.assert_array_equal(value, getattr(other, name), name)


@pytest.fixture
def graphs() -> Graphs:
    return table(drawn(7), WORDS)


def test_a_table_returns_its_graphs(graphs: Graphs) -> None:
    for number, one in enumerate(drawn(7)):
        same(one, graph(graphs, number))


def test_rows_are_taken_in_their_order(graphs: Graphs) -> None:
    rows = [5, 0, 0, 3]
    some = graphs.take(rows)
    for place, row in enumerate(rows):
        same(graph(graphs, row), graph(some, place))
    assert len(graphs.take(np.arange(0))) == 0


def test_tables_are_joined(graphs: Graphs) -> None:
    both = Graphs.concatenate([graphs.take([1, 2]), graphs.take([6])])
    same(graph(both, 2), graph(graphs, 6))


def test_a_file_returns_the_table(graphs: Graphs, tmp_path: Path) -> None:
    some = graphs.take([4, 1, 2])
    files.write(tmp_path / "test.parquet", some)
    found = files.read_split(tmp_path, "test")
    assert found.vocabulary == WORDS
    for name, value in vars(some).items():
        if name != "vocabulary":
            np.testing.assert_array_equal(value, getattr(found, name), name)
            assert value.dtype == getattr(found, name).dtype, name


def test_bad_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "test.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match=r"test\.parquet: not a readable parquet file"):
        files.read_split(tmp_path, "test")
    with pytest.raises(InputError, match=r"val\.parquet: missing; the splits here are test"):
        files.read_split(tmp_path, "val")
