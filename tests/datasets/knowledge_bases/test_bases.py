"""Knowledge bases: out of a wheel, from files, drawn; matched negatives; what comes when there is no registry."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.core.transfer.remote import Unreachable
from nsmodels.datasets.knowledge_bases import bases, checks, families, files, prepare
from nsmodels.datasets.knowledge_bases.bases import NONE, Base
from nsmodels.datasets.knowledge_bases.config import SPLITS, KnowledgeBasesConfig

TRIPLES = {
    "train.txt": "a\tlikes\tb\nb\tlikes\tc\nd\thates\ta\n",
    "valid.txt": "a\tlikes\tc\n",
    "test.txt": "d\tlikes\tb\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "mine"
    place.mkdir()
    for name, text in TRIPLES.items():
        (place / name).write_text(text, encoding="utf-8")
    return place


def test_a_folder_is_read_and_returned_by_the_file(folder: Path, tmp_path: Path) -> None:
    config = KnowledgeBasesConfig(source="local", local_path=str(folder))
    manifest = prepare.prepare(config, "kb", tmp_path / "kb")
    assert manifest.source == "mine from local files"
    base = bases.read(tmp_path / "kb", "mine")
    assert (base.entities, base.relations) == (["a", "b", "c", "d"], ["hates", "likes"])
    assert base.triples["train"].tolist() == [[0, 1, 1], [1, 1, 2], [3, 0, 0]]
    assert base.negatives["test"].tolist() == [2]  # (d, likes, c) is false and c is in the range of likes
    assert base.negatives["val"].tolist() == [NONE]  # a likes both that are ever liked
    assert base.negatives["train"].tolist() == [NONE] * 3


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("valid.txt", "a\tlikes\n", r"valid\.txt, line 1: 2 fields, 'a.likes'; expected head, relation and tail"),
        ("test.txt", "d\tlikes\tb\n\nb\tlikes\tc\n", r"test\.txt, line 3: the triple of train\.txt, line 2 again"),
        ("test.txt", "\n", r"test\.txt: no triple"),
        ("train.txt", "a\tl\u00efkes\tb", r"train\.txt: byte 3 is not UTF-8"),
        ("test.txt", None, r"test\.txt: missing; a base needs train\.txt, valid\.txt, test\.txt"),
    ],
)
def test_bad_files_are_named(folder: Path, name: str, text: str | None, line: str) -> None:
    (folder / name).unlink()
    if text is not None:
        (folder / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=line):
        files.from_folder(folder)


def wheel(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in TRIPLES.items():
            archive.writestr(f"pykeen/datasets/nations/{file}", text)
        archive.writestr("pykeen/datasets/nations/literals.txt", "a\tsize\t3\n")
    return path


def test_only_the_triples_of_a_wheel_are_read(tmp_path: Path) -> None:
    (base,) = files.from_wheel(wheel(tmp_path / "x.whl"), ["nations"])
    assert {split: len(base.triples[split]) for split in SPLITS} == {"train": 3, "val": 1, "test": 1}
    assert "size" not in base.relations
    with pytest.raises(InputError, match="no file 'pykeen/datasets/umls"):
        files.from_wheel(tmp_path / "x.whl", ["umls"])


def test_without_a_registry_auto_draws_and_archive_does_not(tmp_path: Path, monkeypatch, caplog) -> None:
    def unreachable() -> Path:
        raise Unreachable("pip delivered nothing")

    monkeypatch.setattr(files, "fetched", unreachable)
    config = KnowledgeBasesConfig(bases=["nations"], num_people=20)
    manifest = prepare.prepare(config, "kb", tmp_path / "kb")
    assert manifest.source == "synthetic families for nations"
    assert "drawing SYNTHETIC families instead" in caplog.text
    with pytest.raises(Unreachable):
        prepare.prepare(config.with_values({"source": "archive"}), "kb", tmp_path / "kb")
    assert artifact.verify(tmp_path / "kb").source == manifest.source


def test_families_obey_their_rules() -> None:
    base = families.draw("x", 60, np.random.default_rng(0))
    number = {name: k for k, name in enumerate(base.relations)}
    pairs = {name: {(h, t) for h, r, t in base.known if r == k} for name, k in number.items()}
    parents = pairs["father of"] | pairs["mother of"]
    siblings = pairs["brother of"] | pairs["sister of"]
    assert {(b, a) for a, b in parents} == pairs["son of"] | pairs["daughter of"]
    uncles = {(a, c) for a, b in siblings for p, c in parents if b == p}
    assert uncles == pairs["uncle of"] | pairs["aunt of"]
    assert {(b, a) for a, b in pairs["husband of"]} == pairs["wife of"]
    assert not any((a, b) in siblings for a, b in pairs["husband of"])


def test_checks_find_what_they_are_for(tmp_path: Path) -> None:
    train, val, test = [("a", "r", "b"), ("b", "r", "c")], [("a", "r", "b")], [("a", "r", "new")]
    base = Base.of("bad", {"train": train, "val": val, "test": test})
    bad = Base("bad", base.entities, base.relations, base.triples, dict(base.negatives) | {"test": np.array([0])})
    bases.write(bases.path_of(tmp_path, "bad"), bad)
    assert checks.schema(tmp_path) == []
    assert checks.splits_are_disjoint(tmp_path) == ["bad val: (a, r, b) is also in train"]
    assert checks.everything_is_known(tmp_path) == ["bad test: 'new' does not occur in train"]
    assert checks.negatives_are_false(tmp_path) == ["bad test: the negative (a, r, a) leaves the range"]
