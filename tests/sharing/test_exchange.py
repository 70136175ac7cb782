"""Copies of artifacts: what is pulled is what was sealed, from folders, web servers and a hub; else it is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from nsmodels.__main__ import main
from nsmodels.commands.sharing import exchange
from nsmodels.core import artifact
from nsmodels.core.artifact import MANIFEST
from nsmodels.core.cli import run
from nsmodels.core.errors import InputError
from tests.core.server import FileServer, Traps
from tests.sharing.hub import Hub

WORDS = {"deep/words.txt": b"words", "numbers.bin": bytes(range(256)) * 400}


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def hub(monkeypatch):
    with Hub() as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url())
        monkeypatch.setenv("HF_TOKEN", "hf_token_of_a_test")
        yield served


def sealed(root: Path, key: str = "things", maker: str = "nsmodels.datasets.things") -> Path:
    given = {"key": key, "maker": maker, "config": {"size": 3}, "code_version": "1", "seed": 5}
    with artifact.build(root / key, **given, source="synthetic things", licence="CC0-1.0") as part:
        for name, content in WORDS.items():
            (part.path / name).parent.mkdir(exist_ok=True)
            (part.path / name).write_bytes(content)
    return root / key


def same(folder: Path, other: Path) -> bool:
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return files == {p.relative_to(other).as_posix(): p.read_bytes() for p in other.rglob("*") if p.is_file()}


def test_what_is_pulled_from_a_folder_is_what_was_sealed(root, tmp_path, capsys) -> None:
    folder, copy = sealed(root), tmp_path / "copy"
    assert main(["push", "things", str(copy)]) == 0
    assert main(["pull", str(copy), str(tmp_path / "mine")]) == 0
    assert same(folder, tmp_path / "mine")
    assert "licence of the data: CC0-1.0" in capsys.readouterr().out
    artifact.verify(tmp_path / "mine")


def test_without_a_folder_it_comes_below_the_data_root_by_its_name_and_is_kept(root, tmp_path, monkeypatch) -> None:
    sealed(root)
    exchange.push(root / "things", str(tmp_path / "copy"))
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path / "other"))
    manifest, folder = exchange.pull(str(tmp_path / "copy"), show=False)
    assert folder == tmp_path / "other" / "things"
    (tmp_path / "copy" / "numbers.bin").unlink()
    assert exchange.pull(str(tmp_path / "copy"), show=False) == (manifest, folder)


def test_a_copy_is_replaced_as_a_whole_and_nothing_else_is(root, tmp_path) -> None:
    folder, copy = sealed(root), tmp_path / "copy"
    exchange.push(folder, str(copy))
    (copy / "README.md").write_text("old")
    exchange.push(folder, str(copy))
    assert "things" in (copy / "README.md").read_text()
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="no copy of an artifact"):
        exchange.push(folder, str(tmp_path / "letters"))
    with pytest.raises(InputError, match="no artifact and would be lost"):
        exchange.pull(str(copy), tmp_path / "letters", show=False)
    assert (tmp_path / "letters" / "mine.txt").read_text() == "mine"


def test_from_a_web_server_a_cut_transfer_goes_on_where_it_stopped(root, tmp_path) -> None:
    folder = sealed(root)
    files = {f"/a/{name}": folder / name for name in [*WORDS, MANIFEST]}
    with FileServer(files, Traps(cut_after=60_000, cuts=1)) as server:
        _, place = exchange.pull(server.url("/a/"), tmp_path / "mine", show=False)
    assert same(folder, place)


def test_a_copy_that_differs_from_its_seal_is_refused_and_the_call_after_mends(root, tmp_path) -> None:
    folder = sealed(root)
    files: dict = {f"/{name}": folder / name for name in [*WORDS, MANIFEST]}
    with FileServer(files | {"/deep/words.txt": b"wordz"}) as server:
        with pytest.raises(InputError, match=r"words\.txt"):
            exchange.pull(server.url(""), tmp_path / "mine", show=False)
        assert not (tmp_path / "mine").exists()
        server.files["/deep/words.txt"] = b"words"
        server.forget()
        exchange.pull(server.url(""), tmp_path / "mine", show=False)
        assert not any("numbers.bin" in path for path, _ in server.requests)  # it was there already
    assert same(folder, tmp_path / "mine")


@pytest.mark.parametrize("name", ["../outside", "/etc/outside"])
def test_a_manifest_that_names_files_elsewhere_is_refused(root, tmp_path, name) -> None:
    content = json.loads((sealed(root) / MANIFEST).read_text())
    content["files"] = {name: {"bytes": 1, "sha256": "0" * 64}}
    served = FileServer({f"/{MANIFEST}": json.dumps(content).encode()})
    with served as server, pytest.raises(InputError, match="outside of the folder"):
        exchange.pull(server.url(""), tmp_path / "mine", show=False)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ftp://somewhere/x", "expected a folder"),
        ("hf://name", "expected hf://OWNER/NAME"),
        ("nowhere", "nsmodels push"),
        ("hf://me/things", "is a dataset"),
    ],
)
def test_bad_addresses_are_one_line(root, address, said, capsys) -> None:
    sealed(root)
    words = ["push", "things", address] if said == "is a dataset" else ["pull", address]
    assert run(lambda: main(words)) == 2
    line = capsys.readouterr().err
    assert said in line
    assert line.count("\n") == 1


def test_a_hub_gets_one_commit_and_gives_it_back(root, tmp_path, hub) -> None:
    folder = sealed(root)
    exchange.push(folder, "hf://datasets/me/things")
    there = hub.repositories["datasets/me/things"]
    assert {*WORDS, MANIFEST, "README.md", "croissant.json"} <= there.keys()
    exchange.pull("hf://datasets/me/things", tmp_path / "mine", show=False)
    assert same(folder, tmp_path / "mine")
    there["numbers.bin"] = b"short"
    with pytest.raises(InputError, match="differs from its seal"):
        exchange.pull("hf://datasets/me/things", tmp_path / "other", show=False)
    with pytest.raises(InputError, match=r"manifest\.json"):
        exchange.pull("hf://me/nothing", tmp_path / "other", show=False)


def test_a_card_begins_with_what_the_hub_reads(root, tmp_path) -> None:
    exchange.push(sealed(root), str(tmp_path / "copy"))
    head, body = (tmp_path / "copy" / "README.md").read_text().split("---\n")[1:]
    assert yaml.safe_load(head)["license"] == "cc0-1.0"
    assert "size: 3" in body
    assert "| seed | 5 |" in body


@pytest.mark.filterwarnings("ignore::DeprecationWarning:mlcroissant", "ignore:ConjunctiveGraph", "ignore:Dataset")
def test_metadata_of_data_are_valid_croissant_and_tables_list_their_columns(root, tmp_path) -> None:
    import mlcroissant
    import pandas as pd

    with artifact.build(
        root / "tables", key="tables", maker="nsmodels.datasets.tables", config={}, code_version="1", licence="CC0-1.0"
    ) as part:
        pd.DataFrame({"number": [1], "weights": [[0.5]], "word": ["a"]}).to_parquet(part.path / "train.parquet")
        (part.path / "images").mkdir()
        for number in range(30):
            (part.path / "images" / f"{number}.jpg").write_bytes(b"x")
    exchange.push(root / "tables", str(tmp_path / "copy"))
    read = mlcroissant.Dataset(jsonld=str(tmp_path / "copy" / "croissant.json"))
    assert not read.metadata.ctx.issues.errors
    [table] = read.metadata.record_sets
    assert [field.id.partition("/")[2] for field in table.fields] == ["number", "weights", "word"]


def test_weights_are_the_checkpoints_and_need_nothing_of_ours_to_be_read(shared, tmp_path) -> None:
    import torch
    from safetensors.torch import load_file

    model = shared.model("nav")
    exchange.push(model, str(tmp_path / "copy"))
    plain = next((tmp_path / "copy").glob("*/best.safetensors"))
    weights = torch.load(plain.with_suffix(".pt"), weights_only=True)["model_state_dict"]
    read = load_file(plain)
    assert read.keys() == weights.keys()
    assert all(torch.equal(read[name], weights[name]) for name in read)
