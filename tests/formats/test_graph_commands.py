"""Verbs of a dataset of labelled graphs, on the long chains: made, verified, shown, written and read back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nsmodels.__main__ import main
from nsmodels.formats.graphs import files

NAME = "long_chains"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("graphs") / NAME
    assert main([NAME, "generate", "--preset", "debug", "--out", str(folder)]) == 0
    return folder


def test_data_without_fault_are_verified_with_the_meter(data: Path, capsys: pytest.CaptureFixture) -> None:
    assert main([NAME, "verify", "--data", str(data)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["schema", "passed"]
    assert any(line.split() == ["no_shortcut", "passed"] for line in lines)
    assert lines[-3].split()[:2] == ["kind", "pairs"]


def test_a_fault_is_listed_and_fails(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    graphs = files.read_split(data, "test")
    labels = graphs.labels.copy()
    labels[0] = labels[1]
    files.write(tmp_path / "test.parquet", graphs.replaced(labels=labels))
    assert main([NAME, "verify", "--data", str(tmp_path)]) == 1
    assert f"  test {graphs.ids[0]}: has the label of its twin" in capsys.readouterr().out


def test_a_pair_that_is_shown_can_be_read_back(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "mine").mkdir()
    path = tmp_path / "mine" / "mine.json"
    assert main([NAME, "show", "--data", str(data), "--graph", "test/3/1", "--json", str(path)]) == 0
    assert "test/3/0" in capsys.readouterr().out
    assert [each["id"] for each in json.loads(path.read_text(encoding="utf-8"))["graphs"]] == ["test/3/0", "test/3/1"]
    out = tmp_path / "own"
    local = ["--source", "local", "--local-path", str(path.parent)]
    assert main([NAME, "generate", *local, "--out", str(out)]) == 0
    before, after = files.read_split(data, "test").take([6, 7]), files.read_split(out, "mine")
    for name, value in vars(before).items():
        if name not in ("vocabulary", "pairs"):
            np.testing.assert_array_equal(value, getattr(after, name), name)


def test_a_graph_of_ones_own_is_shown_and_verified_whatever_its_form(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path, out = tmp_path / "mine.json", tmp_path / "own"
    path.write_text('{"id": "lonely", "label": "true", "nodes": [{"type": "xor"}, {"type": "and"}]}', encoding="utf-8")
    assert main([NAME, "generate", "--source", "local", "--local-path", str(path), "--out", str(out)]) == 0
    assert main([NAME, "show", "--data", str(out)]) == 0
    assert "lonely: value, label true" in capsys.readouterr().out
    assert main([NAME, "verify", "--data", str(out)]) == 1
    assert "test lonely: no chain" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--graph", "test/3/2"], "--graph test/3/2: not in split test; did you mean test/3/"),
        (["--kind", "valeu"], "--kind valeu: expected value; did you mean value?"),
        (["--split", "tset"], "tset.parquet: missing; the splits here are lengths, ood"),
        (["--number", "0"], "--number 0: expected the number of pairs"),
        (["--draw", "a.gif"], "--draw a.gif: expected a name ending in .png, .svg, .pdf"),
    ],
)
def test_a_mistake_is_one_line(more: list[str], message: str, data: Path, capsys: pytest.CaptureFixture) -> None:
    assert main([NAME, "show", "--data", str(data), *more]) == 2
    assert message in capsys.readouterr().err
