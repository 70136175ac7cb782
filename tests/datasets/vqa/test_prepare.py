"""VQA v2 as a sealed folder out of archives on a server: source, figures, vocabularies, reuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.datasets.vqa import checks
from nsmodels.datasets.vqa.config import VqaConfig
from nsmodels.datasets.vqa.prepare import inspect_archives, prepare
from nsmodels.datasets.vqa.scoring.vocabulary import AnswerVocabulary
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from tests.core.server import FileServer
from tests.datasets.vqa.releases import archives, dumped, tree


@pytest.fixture(autouse=True)
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the data of this machine."""
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path / "root"))


@pytest.fixture(scope="module")
def host():
    with FileServer(archives()) as server:
        yield server


def from_host(host: FileServer, **values) -> VqaConfig:
    places = {"coco_url": host.url(""), "vqa_url": host.url("/vqa"), "verify_release": False}
    return VqaConfig(**{"source": "archive", "num_train": 12, "num_val": 4, **places, **values})


def test_data_of_a_mirror_are_not_called_the_release(host: FileServer, tmp_path: Path) -> None:
    made = prepare(from_host(host), "vqa_mini", tmp_path / "vqa_mini")
    assert made.source == f"not verified as VQA v2.0: host {host.url('').removeprefix('http://')}"
    figures = {name: made.metrics[name] for name in ("num_images_train", "num_questions_val", "num_answers")}
    assert figures == {"num_images_train": 12, "num_questions_val": 12, "num_answers": 2}
    assert made.metrics["answers_upper_bound_val"] == 100.0
    assert SceneVocabulary.read(tmp_path / "vqa_mini").parents == {"dog": ("animal",)}
    assert set(AnswerVocabulary.read(tmp_path / "vqa_mini").answers) == {"yes", "2"}
    assert checks.schema(tmp_path / "vqa_mini") == checks.images(tmp_path / "vqa_mini") == []


def test_equal_data_are_kept_and_auto_takes_the_host_that_answers(host: FileServer, tmp_path: Path) -> None:
    before = prepare(from_host(host, source="auto"), "vqa_mini", tmp_path / "vqa_mini")
    assert before.metrics["source_reason"] == f"auto: {host.url('/zips/train2014.zip')} answers"
    host.forget()
    assert prepare(from_host(host, source="auto"), "vqa_mini", tmp_path / "vqa_mini") == before
    assert host.requests == []


def test_the_description_of_the_archives_is_sealed(host: FileServer, tmp_path: Path) -> None:
    made = inspect_archives(from_host(host), tmp_path / "vqa_archive")
    assert artifact.verify(tmp_path / "vqa_archive").source.startswith("not verified as VQA v2.0: host 127.0.0.1")
    assert made.metrics["reachable"]
    assert made.metrics["train2014.zip/num_members"] == 30


def test_answers_that_are_too_rare_and_broken_images_are_named(tmp_path: Path) -> None:
    name = next(name for name in tree() if name.startswith("val2014/"))
    with FileServer(archives({name: dumped("no image")})) as server:
        with pytest.raises(InputError, match=rf"^{server.url('')}/{name}: cannot be decoded"):
            prepare(from_host(server), "vqa_mini", tmp_path / "vqa_mini")
        server.files = archives()
        with pytest.raises(
            InputError, match="least_occurrences=500: no answer occurs as often in these data; lower it"
        ):
            prepare(from_host(server, least_occurrences=500), "vqa_mini", tmp_path / "other")
