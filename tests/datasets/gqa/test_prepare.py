"""GQA as a sealed folder: from archives, from disk, composed; the source is always named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from nsmodels.__main__ import main
from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa import checks
from nsmodels.datasets.gqa.config import GqaConfig, debug
from nsmodels.datasets.gqa.files.format import each_question, read_choices, read_graphs
from nsmodels.datasets.gqa.files.places import question_files, splits
from nsmodels.datasets.gqa.files.provenance import RELEASED_GRAPHS, caption
from nsmodels.datasets.gqa.files.release import FILES, HOST
from nsmodels.datasets.gqa.look import contact_sheet, distributions
from nsmodels.datasets.gqa.prepare import inspect_archives, prepare
from nsmodels.datasets.gqa.scoring.agreement import agreement
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from tests.core.server import FileServer
from tests.datasets.gqa.test_fetch import ARCHIVES
from tests.shared import Shared


def config(server: FileServer, **more: object) -> GqaConfig:
    fields = ("graphs_url", "questions_url", "eval_url", "images_url")
    urls = {field: server.url(f"/{name}") for field, name in zip(fields, FILES.values(), strict=True)}
    return GqaConfig(**{"source": "archive", "num_train": 10, "num_val": 4, **urls, **more})  # pyright: ignore[reportArgumentType]


def test_archives_become_a_sealed_folder_with_its_vocabulary(tmp_path: Path) -> None:
    with FileServer({f"/{name}": content for name, content in ARCHIVES.items()}) as server:
        manifest = prepare(config(server), "gqa_mini", tmp_path / "gqa_mini")
        described = inspect_archives(config(server), tmp_path / "gqa_archive")
        requests = len(server.requests)
        again = prepare(config(server), "gqa_mini", tmp_path / "gqa_mini")
        assert len(server.requests) == requests
    assert again == manifest
    assert manifest.source.startswith("not verified as GQA: host 127.0.0.1")
    assert "52 of 85,638 scene graphs" in manifest.source
    assert manifest.metrics["num_images"] == 14
    assert described.metrics["images/num_files"] == 55
    words = SceneVocabulary.read(tmp_path / "gqa_mini")
    assert "license plate" in words.names
    assert words.parents["car"] == ("vehicle",)
    assert words.inverses["to the left of"] == "to the right of"


def test_a_truncated_image_and_a_box_outside_are_one_line(tmp_path: Path) -> None:
    place = tmp_path / "zips"
    place.mkdir()
    for name, content in ARCHIVES.items():
        (place / name).write_bytes(content)
    whole = GqaConfig(source="local", local_path=str(place), num_train=10, num_val=4)
    prepare(whole, "gqa", tmp_path / "gqa")
    tree = Path(shutil.copytree(tmp_path / "gqa", tmp_path / "tree"))
    (tree / artifact.MANIFEST).unlink()
    local = whole.with_values({"local_path": str(tree)})
    victim = next((tree / "images").iterdir())
    victim.write_bytes(victim.read_bytes()[:900])
    with pytest.raises(InputError, match=rf"images/{victim.name}: cannot be decoded"):
        prepare(local, "cut", tmp_path / "cut")
    path = tree / "sceneGraphs" / "val_sceneGraphs.json"
    path.write_text(path.read_text().replace('"x": 344', '"x": 3440'))
    with pytest.raises(InputError, match=r"object '2260042', field 'x': from 3440 to 3595, expected a box in the 500"):
        prepare(local, "cut", tmp_path / "cut")


def test_auto_cuts_the_release_that_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path))
    with FileServer({f"/{name}": content for name, content in ARCHIVES.items()}) as server:
        prepare(config(server, num_train=30, num_val=8), "gqa", tmp_path / "gqa")
        requests = len(server.requests)
        small = config(server, source="auto", num_train=10, num_val=4)
        manifest = prepare(small, "gqa_mini", tmp_path / "gqa_mini")
        assert len(server.requests) == requests
    assert manifest.metrics["source_reason"] == "auto: the release is on disk"
    assert manifest.metrics["num_images"] == 14
    assert checks.schema(tmp_path / "gqa_mini") == []


def test_auto_falls_back_to_the_twin_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    small = debug().with_values({"source": "auto", "num_train": 3, "num_val": 2, "num_ood": 0, "num_unseen": 0})
    nowhere = small.with_values({"images_url": "http://127.0.0.1:9/images.zip"})
    manifest = prepare(nowhere, "gqa_mini", tmp_path / "gqa_mini")
    assert manifest.source == "synthetic GQA"
    assert "making the SYNTHETIC twin instead" in caplog.text
    assert manifest.config["source"] == "synthetic"


def test_a_part_of_a_sealed_twin_keeps_its_source(shared: Shared, tmp_path: Path) -> None:
    twin = shared.data("gqa")
    local = GqaConfig(source="local", local_path=str(twin), num_train=5, num_val=3)
    manifest = prepare(local, "part", tmp_path / "part")
    assert manifest.source == "synthetic GQA"
    assert list(read_graphs(tmp_path / "part", "train")) == list(read_graphs(twin, "train"))[:5]
    assert checks.schema(tmp_path / "part") == []


def test_only_the_released_host_and_counts_are_called_gqa() -> None:
    urls = [f"{HOST}{name}" for name in FILES.values()]
    assert caption(urls, RELEASED_GRAPHS, 85_638) == "GQA"
    assert caption(urls, RELEASED_GRAPHS, 11_000) == "GQA, 11,000 of 85,638 images"
    assert caption(["https://mirror.org/x.zip"], RELEASED_GRAPHS, 5) == "not verified as GQA: host mirror.org"
    assert caption(urls, {"train": 1, "val": 2}, 3) == "not verified as GQA: 3 of 85,638 scene graphs"
    assert caption([], RELEASED_GRAPHS, 5) == "local data, not verified as GQA"


def test_the_twin_has_all_trees_and_splits(shared: Shared) -> None:
    root = shared.data("gqa")
    assert splits(root) == ["train", "val", "ood", "unseen"]
    assert len(question_files(root, "train", "all")) == 10
    for split in splits(root):
        asked = {question.id for question in each_question(root, split)}
        assert asked
        assert asked <= read_choices(root, split).keys()
        assert asked <= {question.id for question in each_question(root, split, "all")}


def test_the_overview_has_a_picture_and_shares(shared: Shared) -> None:
    root = shared.data("gqa")
    assert contact_sheet(root)[:4] == b"\x89PNG"
    found = distributions(root)
    assert found["num_images_train"] == 40
    assert 0 < found["blind_guess"] < 0.6
    assert sum(found["structural_types"].values()) == pytest.approx(1)


def harmed(shared: Shared, tmp_path: Path, name: str, old: str, new: str) -> Path:
    copy = Path(shutil.copytree(shared.data("gqa"), tmp_path / "gqa"))
    text = (copy / name).read_text()
    assert old in text
    (copy / name).write_text(text.replace(old, new, 1))
    return copy


QUESTIONS, GRAPHS = "questions/val_balanced_questions.json", "sceneGraphs/val_sceneGraphs.json"


@pytest.mark.parametrize(
    ("name", "old", "new", "line"),
    [
        (
            QUESTIONS,
            '"operation": "select"',
            '"operation": "selekt"',
            r"unknown operation 'selekt'; did you mean select",
        ),
        (QUESTIONS, '"imageId": "2', '"imageId": "7', r"field 'imageId': image '7\d+' has no scene graph"),
        (QUESTIONS, '"answer": "', '"answer": 3, "was": "', r"field 'answer': expected a string, got '3'"),
        (QUESTIONS, '"structural": "', '"structural": "x', r"field 'types', 'structural': 'x"),
        (QUESTIONS, '"isBalanced": true', '"isBalanced": false', r"field 'isBalanced'"),
        (QUESTIONS, '"entailed": [', '"entailed": 3, "was": [', r"field 'entailed': expected a list, got '3'"),
        (GRAPHS, '"relations": [{"name": "', '"relations": [{"name": 3, "was": "', r"field 'name': expected a string"),
        ("eval/val_choices.json", '{"', '{"x', r"the choices of split 'val' lack question"),
    ],
)
def test_a_fault_of_a_file_is_one_line(
    shared: Shared, tmp_path: Path, name: str, old: str, new: str, line: str
) -> None:
    folder = harmed(shared, tmp_path, name, old, new)
    (folder / artifact.MANIFEST).unlink()
    found = checks.schema(folder)
    assert len(found) == 1
    with pytest.raises(InputError, match=line):
        raise InputError(found[0])


def test_a_missing_chunk_is_named(shared: Shared, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(shared.data("gqa"), tmp_path / "gqa"))
    (copy / "questions" / "train_all_questions" / "train_all_questions_4.json").unlink()
    with pytest.raises(InputError, match=r"train_all_questions_4\.json: missing, expected 10 chunks .* 9 are there"):
        list(each_question(copy, "train", "all"))


def test_a_wrong_answer_and_a_broken_image_are_found(shared: Shared, tmp_path: Path) -> None:
    folder = harmed(shared, tmp_path, "questions/val_balanced_questions.json", '"answer": "yes"', '"answer": "no"')
    (folder / artifact.MANIFEST).unlink()
    wrong = agreement(folder, "val", SceneVocabulary.read(folder)).wrong
    assert ["recorded no, executed yes" in str(each) for each in wrong] == [True]
    picture = next((folder / "images").iterdir())
    picture.write_bytes(picture.read_bytes()[:200])
    assert any(f"{picture}: cannot be decoded" in line for line in checks.images(folder))


def test_scores_of_the_twin_on_the_command_line(
    shared: Shared, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, path = shared.data("gqa"), tmp_path / "p.json"
    rows = [{"questionId": q.id, "prediction": q.answer} for q in each_question(root, "val", "all")]
    path.write_text(json.dumps(rows))
    assert main(["gqa", "score", "--predictions", str(path), "--data", str(root), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    names = ("accuracy", "binary", "open", "validity", "plausibility", "consistency")
    assert {name: scores[name] for name in names} == dict.fromkeys(names, 100.0)
    assert scores["distribution"] == 0


def test_a_rendered_split_is_that_of_the_twin(
    shared: Shared, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    size = ["--width", "96", "--height", "72"]
    assert main(["gqa", "render", "--num-scenes", "4", "--split", "ood", "--out", str(out), *size]) == 0
    twin = shared.data("gqa")
    graphs = read_graphs(out, "ood")
    assert list(graphs) == list(read_graphs(twin, "ood"))[:4]
    for image in graphs:
        assert (out / "images" / f"{image}.jpg").read_bytes() == (twin / "images" / f"{image}.jpg").read_bytes()
    for words, line in ((["4"], "exists, and would be replaced"), (["0"], "--num-scenes: Input should be")):
        place = out if words == ["4"] else tmp_path / "none"
        assert main(["gqa", "render", "--num-scenes", *words, "--split", "ood", "--out", str(place)]) == 2
        assert line in capsys.readouterr().err


def test_inspection_of_a_folder_checks_and_shows_it(
    shared: Shared, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["gqa", "inspect", "--data", str(shared.data("gqa")), "--num", "2", "--draw"]
    assert main([*words, str(tmp_path / "sheet.jpg")]) == 0
    assert (tmp_path / "sheet.jpg").read_bytes()[:3] == b"\xff\xd8\xff"
    assert main([*words, str(tmp_path / "sheet.gif")]) == 2
    assert "expected a file named .png or .jpg" in capsys.readouterr().err
    assert main(words[:-1]) == 0
    out = capsys.readouterr().out
    assert out.count("passed") == 6
    assert "select: " in out.splitlines()[-1]
